// One image under a lens: which pixel adds what, the reconstruction laid over the input, and the way to the next image.
import { bytes } from "../../../web/decode.js";

const lenses = new WeakMap();

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".lens");
  if (!root) return;
  let own = lenses.get(root);
  if (!own) {
    own = { at: null, flipped: false };
    lenses.set(root, own);
    prepare(root, own);
  }
  own.step = (by) => setTriggerValue("step", by);
  if (own.version !== data.version) Object.assign(own, { version: data.version, at: null });
  own.data = data;
  own.x = bytes(data.given);
  own.y = bytes(data.made);
  own.adds = new Float32Array(bytes(data.adds).buffer);
  own.map = bytes(data.map);
  root.style.setProperty("--stops", data.stops.join(", "));
  const find = (name) => root.querySelector(`.${name}`);
  find("steps").hidden = !data.steps;
  find("back").disabled = !data.before;
  find("on").disabled = !data.after;
  find("input").setAttribute("aria-label", `${data.alt[0]} Arrow keys move the lens.`);
  find("made").setAttribute("aria-label", data.alt[1]);
  find("residual").setAttribute("aria-label", data.alt[2]);
  own.draw();
}

function prepare(root, own) {
  const find = (name) => root.querySelector(`.${name}`);
  const canvases = ["input", "made", "residual"].map(find);
  const fade = find("fade").querySelector("input");
  own.draw = () => {
    const blend = own.flipped ? 1 : Number(fade.value);
    paint(
      canvases[0],
      (i) => {
        const v = own.x[i] * (1 - blend) + own.y[i] * blend;
        return [v, v, v];
      },
      own.at,
    );
    paint(canvases[1], (i) => [own.y[i], own.y[i], own.y[i]], own.at);
    paint(
      canvases[2],
      (i) => {
        const k = 3 * (own.x[i] - own.y[i] + 255);
        return [own.map[k], own.map[k + 1], own.map[k + 2]];
      },
      own.at,
    );
    const words = own.at === null ? own.data.whole : pixel(own);
    const mark = find("mark");
    mark.hidden = own.at === null;
    if (own.at !== null) mark.style.left = `${50 + (own.x[own.at] - own.y[own.at]) / 5.1}%`;
    const read = find("read");
    if (read.innerHTML !== words) read.innerHTML = words;
  };
  const look = (at) => {
    own.at = at;
    own.draw();
  };
  for (const canvas of canvases) {
    const under = (event) => {
      const box = canvas.getBoundingClientRect();
      const place = (p, start, size) => Math.max(0, Math.min(27, Math.floor(((p - start) / size) * 28)));
      look(28 * place(event.clientY, box.top, box.height) + place(event.clientX, box.left, box.width));
    };
    canvas.onpointermove = canvas.onpointerdown = under;
    canvas.onpointerleave = () => look(null);
  }
  canvases[0].onblur = () => look(null);
  canvases[0].onkeydown = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -28, ArrowDown: 28 }[event.key];
    if (by === undefined) {
      if (event.key === "Escape") look(null);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const from = own.at ?? 28 * 14 + 14;
    const next = from + by;
    const same = Math.abs(by) === 28 || Math.floor(next / 28) === Math.floor(from / 28);
    look(next >= 0 && next < 784 && same ? next : from);
  };
  fade.oninput = own.draw;
  const flip = (on) => {
    own.flipped = on;
    find("input").nextElementSibling.textContent = on ? "reconstruction" : "input";
    own.draw();
  };
  const button = find("flip");
  button.onpointerdown = () => flip(true);
  button.onpointerup = button.onpointerleave = button.onpointercancel = () => flip(false);
  find("back").onclick = () => own.step(-1);
  find("on").onclick = () => own.step(1);

  // Keys of the whole page, as long as this lens is on it and nothing else wants them.
  const wanted = (event) =>
    root.isConnected &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey &&
    !event
      .composedPath()
      .some((e) =>
        e.matches?.(
          "input, textarea, select, [contenteditable], [role=listbox], [role=slider], [role=radiogroup], [role=tablist]",
        ),
      );
  const down = (event) => {
    if (!root.isConnected) {
      document.removeEventListener("keydown", down);
      document.removeEventListener("keyup", up);
      return;
    }
    if (!wanted(event)) return;
    if (event.key === "f" && !event.repeat) flip(true);
    if (!own.data.steps) return;
    if (event.key === "ArrowLeft" && own.data.before) {
      event.preventDefault();
      own.step(-1);
    }
    if (event.key === "ArrowRight" && own.data.after) {
      event.preventDefault();
      own.step(1);
    }
  };
  const up = (event) => {
    if (event.key === "f") flip(false);
  };
  document.addEventListener("keydown", down);
  document.addEventListener("keyup", up);
}

function paint(canvas, colour, at) {
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) picture.data.set([...colour(i), 255], 4 * i);
  if (at !== null) {
    const k = 4 * at;
    const light = picture.data[k] + picture.data[k + 1] + picture.data[k + 2] < 384;
    picture.data.set(light ? [255, 230, 90, 255] : [200, 120, 0, 255], k);
  }
  pen.putImageData(picture, 0, 0);
}

// In the words of a pixel: what was given, what was redrawn, and what that adds to the residual part and to the score.
function pixel({ at, x, y, adds, data }) {
  const share = (v) => (v / 255).toFixed(2);
  const { weight } = data;
  const way = x[at] > y[at] ? "ink missing" : x[at] < y[at] ? "too much ink" : "as drawn";
  const counts = weight
    ? `, times ${Number(weight.toPrecision(4))} = <b>${Number((weight * adds[at]).toPrecision(3))}</b> to the score`
    : `, ${data.unweighed}`;
  return (
    `row ${Math.floor(at / 28) + 1}, column ${(at % 28) + 1}: ink <b>${share(x[at])}</b>, reconstructed <b>${share(y[at])}</b>, ${way}. ` +
    `Adds ${data.about}<b>${adds[at].toFixed(3)}</b> of ${data.residual} to the residual part${counts}.`
  );
}
