// Let a click on a link to another page wait for one turn of the event loop: what is on its way to the server goes first.
// Where the server has not heard the last word of the live mixer for all that, say it again.
const LINK = '[data-testid="stPageLink-NavLink"]';
const heard = new WeakSet(); // documents
const passed = new WeakSet(); // clicks that have waited

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const left = globalThis.ganadLeft;
  if (left && left.mix.at > data.heard) setTriggerValue("left", left);
  const page = parentElement.ownerDocument;
  if (heard.has(page)) return;
  heard.add(page);
  page.addEventListener("click", wait, true);
}

function wait(event) {
  const link = event.target.closest?.(LINK);
  if (!link || passed.has(event) || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // Streamlit's own timer is set when the pressed button takes the focus from a widget, hence before this one.
  setTimeout(() => {
    const again = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true, view: window });
    passed.add(again);
    const same = () => [...document.querySelectorAll(LINK)].find((other) => other.href === link.href);
    (link.isConnected ? link : same())?.dispatchEvent(again);
  });
}
