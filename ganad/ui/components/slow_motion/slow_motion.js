// A training step, or the way to a score, in slow motion: forwards, back, at the reader's own pace.
import { floats } from "../../../web/decode.js";
import { make } from "../elements.js";
import { drawDiagram } from "./slow_diagram.js";
import { showLayers } from "./slow_layers.js";

const shows = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".slow");
  if (!root || !data) return;
  let own = shows.get(root);
  if (!own) {
    own = { scene: 0, at: 0, timer: null, pace: 3 };
    shows.set(root, own);
    prepareShow(root, own);
  }
  if (own.version === data.version) return;
  stopShow(root, own);
  const numbers = floats(data.arrays.numbers);
  let start = 0;
  const arrays = data.arrays.shapes.map((shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    start += size;
    return { shape, numbers: numbers.subarray(start - size, start) };
  });
  Object.assign(own, { version: data.version, data, arrays });
  own.scene = Math.min(own.scene, data.scenes.length - 1);
  own.at = Math.min(own.at, data.scenes[own.scene].moments.length - 1);
  root.querySelector(".note").textContent = data.note;
  root.querySelector(".scenes").replaceChildren(
    ...data.scenes.map((scene, i) => {
      const button = make("button", "", scene.title);
      button.type = "button";
      button.onclick = () => {
        stopShow(root, own);
        own.scene = i;
        own.at = 0;
        paintShow(root, own);
      };
      return button;
    }),
  );
  paintShow(root, own);
}

function prepareShow(root, own) {
  const find = (selector) => root.querySelector(selector);
  const go = (to) => {
    own.at = Math.max(0, Math.min(own.data.scenes[own.scene].moments.length - 1, to));
    paintShow(root, own);
  };
  const step = (by) => {
    stopShow(root, own);
    go(own.at + by);
  };
  const start = () => {
    clearInterval(own.timer);
    own.timer = setInterval(() => {
      if (!root.isConnected || own.at === own.data.scenes[own.scene].moments.length - 1) stopShow(root, own);
      else go(own.at + 1);
    }, 1000 * own.pace);
    find(".play").textContent = "Pause";
  };
  find(".back").onclick = () => step(-1);
  find(".forward").onclick = () => step(1);
  find(".at").oninput = () => {
    stopShow(root, own);
    go(Number(find(".at").value));
  };
  find(".play").onclick = () => {
    if (own.timer) {
      stopShow(root, own);
      return;
    }
    if (own.at === own.data.scenes[own.scene].moments.length - 1) go(0);
    else go(own.at + 1);
    start();
  };
  find(".pace").value = String(own.pace);
  find(".paced").textContent = `${own.pace} s`;
  find(".pace").oninput = () => {
    own.pace = Number(find(".pace").value);
    find(".paced").textContent = `${own.pace} s`;
    if (own.timer) start();
  };
  const ways = { ArrowRight: () => step(1), ArrowLeft: () => step(-1), " ": () => find(".play").click() };
  root.addEventListener("keydown", (event) => {
    if (event.target.matches("input, canvas")) {
      event.stopPropagation(); // arrow keys move that, not the picked image of the page
      return;
    }
    if (event.key === " " && event.target.matches("button, summary")) return;
    if (!ways[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    ways[event.key]();
  });
  find(".inside").ontoggle = () => paintShow(root, own);
  let wide = null;
  new ResizeObserver(() => {
    const now = root.clientWidth >= 620;
    if (own.data && now !== wide) paintShow(root, own);
    wide = now;
  }).observe(root);
}

function stopShow(root, own) {
  clearInterval(own.timer);
  own.timer = null;
  root.querySelector(".play").textContent = "Play";
}

function paintShow(root, own) {
  const find = (selector) => root.querySelector(selector);
  const scene = own.data.scenes[own.scene];
  const moment = scene.moments[own.at];
  const last = scene.moments.length - 1;
  for (const [i, button] of [...find(".scenes").children].entries())
    button.setAttribute("aria-pressed", i === own.scene);
  find(".back").disabled = own.at === 0;
  find(".forward").disabled = own.at === last;
  Object.assign(find(".at"), { max: String(last), value: String(own.at) });
  find(".at").setAttribute("aria-valuetext", moment.title);
  find(".where").textContent = `${own.at + 1} of ${last + 1}`;
  find(".moment h4").textContent = moment.title;
  find(".moment .text").textContent = moment.text;
  find(".moment .learns").textContent = moment.learns.length ? `Learns: ${moment.learns.join(" and ")}.` : "";
  find(".formulas").replaceChildren(
    ...scene.formulas.map((formula) => {
      const line = make("div");
      line.append(
        ...formula.map((term) => make("span", term.id && moment.terms.includes(term.id) ? "lit" : "", term.text)),
      );
      return line;
    }),
  );
  drawDiagram(find(".diagram"), own, scene, moment, root.clientWidth >= 620);
  const inside = find(".inside");
  inside.hidden = moment.call === null;
  if (moment.call === null) return;
  const layers = own.data.calls[moment.call];
  const net = scene.nodes.find((node) => node.kind === "net" && moment.lit.includes(node.id));
  find("summary").textContent = `Inside ${net ? net.label : "the net"}: ${layers.length} layers`;
  if (inside.open && own.opened !== `${own.version} ${moment.call}`) {
    own.opened = `${own.version} ${moment.call}`;
    showLayers(find(".layers"), layers, own.data.given[moment.call], own);
  }
}
