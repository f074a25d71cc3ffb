// Scroll to the container that this stands in when there is news in it and too little of it can be seen.
const known = new WeakMap();
const ENOUGH = 0.4; // of the screen, or the whole container where that is lower

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.getRootNode();
  const target = (root instanceof ShadowRoot ? root.host : parentElement).closest(`.st-key-${data.target}`);
  if (!target) return;
  const first = !known.has(target);
  const before = known.get(target);
  known.set(target, data.news);
  if (first || before === data.news) return;
  requestAnimationFrame(() => {
    // Where it stands in a column that scrolls by itself, that begins at its top again.
    for (let box = target.parentElement; box && box.dataset.testid !== "stMain"; box = box.parentElement)
      box.scrollTop = 0;
    const box = target.getBoundingClientRect();
    const high = window.innerHeight;
    const seen = Math.min(box.bottom, high) - Math.max(box.top, 0);
    if (seen >= Math.min(box.height, ENOUGH * high)) return;
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    target.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  });
}
