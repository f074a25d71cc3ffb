// A button a digit: how much of it is called anomalous, and its area. A chart of buttons is redrawn in a millisecond.
import { make } from "../elements.js";

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const box = parentElement.querySelector(".rows");
  if (!box) return;
  const word = JSON.stringify(data.rows);
  if (box.dataset.word === word) return;
  box.dataset.word = word;
  const line = (name, ...parts) => {
    const row = make("div", name);
    row.append(...parts);
    return row;
  };
  const longest = Math.max(...data.rows.map(({ name }) => name.length));
  box.style.setProperty("--names", longest > 2 ? `min(${longest}ch, 38%)` : "1.6rem");
  const ends = make("span");
  ends.append(make("span", "", "0 %"), make("span", "", "called anomalous"), make("span", "", "100 %"));
  const focused = parentElement.activeElement?.dataset?.digit ?? box.querySelector("button:focus")?.dataset.digit;
  box.replaceChildren(
    line("head", make("span"), make("span"), make("span", "", "AUROC")),
    ...data.rows.map(({ digit, name, share, area, colour, picked, said }) => {
      const button = make("button", "row");
      const track = make("span", "track");
      button.type = "button";
      button.dataset.digit = digit;
      button.title = said;
      button.setAttribute("aria-label", said);
      button.setAttribute("aria-pressed", String(picked));
      button.style.setProperty("--own", colour);
      button.style.setProperty("--share", share);
      track.append(make("span", "fill"), make("span", "dot"));
      button.append(make("span", "digit", name), track, make("span", "area", area));
      button.onclick = () => setTriggerValue("pick", digit);
      return button;
    }),
    line("foot", make("span"), ends, make("span")),
  );
  if (focused !== undefined) box.querySelector(`[data-digit="${focused}"]`)?.focus();
}
