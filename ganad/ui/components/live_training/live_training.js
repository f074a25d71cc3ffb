// A run while it learns. What a reader has zoomed into stays, whatever arrives: it is kept here, for as long as the run is shown.
import { floats } from "../../../web/decode.js";
import { make } from "../elements.js";
import { drawPanel, figure, plotArea } from "./live_curves.js";
import { buildWall, drawMine } from "./live_wall.js";

const shown = new WeakMap();
const LEAST = 0.02; // of an epoch, or what the whole axis is worth of it: nobody zooms in further

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".live");
  if (!root || !data) return;
  let own = shown.get(root);
  if (!own) {
    own = { view: null, panels: [], pointed: null, asked: 0, end: 1 };
    shown.set(root, own);
    prepareLive(root, own);
  }
  if (own.version !== data.version) {
    own.version = data.version;
    if (data.kind === "wall") {
      own.wall = data;
      root.querySelector(".wall").hidden = false;
      buildWall(root.querySelector(".wall"), data, () => own.wall === data).then(own.draw);
    } else takeCurves(root, own, data);
    own.draw();
  }
}

function takeCurves(root, own, data) {
  if (own.run !== data.run) own.view = null;
  own.run = data.run;
  own.panels = data.panels.map((panel) => ({
    ...panel,
    points: floats(panel.points),
    parent: panel.parent ? floats(panel.parent) : [],
  }));
  const lastOf = (points) => points[points.length - 2] ?? 0;
  own.end = Math.max(...own.panels.flatMap(({ points, parent }) => [lastOf(points), lastOf(parent)]), 1e-6);
  root.querySelector(".bar").hidden = !own.panels.length;
  const titles = own.panels.map((panel) => panel.title).join("; ");
  if (own.titles === titles) return; // the canvases stay, and so does what has the focus
  own.titles = titles;
  own.sight.disconnect();
  own.inSight.clear();
  own.canvases = own.panels.map((panel) => makePanel(own, panel));
  for (const canvas of own.canvases) own.sight.observe(canvas);
  for (const small of [false, true]) {
    const those = own.canvases.filter((_, k) => own.panels[k].small === small);
    root
      .querySelector(small ? ".panels.small" : ".panels")
      .replaceChildren(...those.map((canvas) => canvas.parentElement));
  }
}

function makePanel(own, panel) {
  const place = make("figure");
  const caption = make("figcaption");
  const title = make("b", "", panel.title);
  title.style.color = panel.colour;
  caption.append(title, make("span", "readout"));
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  canvas.tabIndex = 0;
  const meaning = panel.meaning.charAt(0).toUpperCase() + panel.meaning.slice(1);
  place.append(caption, canvas, make("p", "", meaning && `${meaning}.`));
  listen(canvas, own);
  return canvas;
}

const rangeOf = (own) => own.view ?? [0, own.end];

// Another part of the axis, no wider than all of it and not narrower than `LEAST`; all of it follows what arrives.
function look(own, from, to) {
  const width = Math.min(own.end, Math.max(to - from, LEAST * Math.min(1, own.end)));
  const left = Math.max(0, Math.min(own.end - width, (from + to - width) / 2));
  own.view = width >= own.end ? null : [left, left + width];
  own.draw();
}

function zoom(own, factor, around = null) {
  const [from, to] = rangeOf(own);
  const middle = around ?? (from + to) / 2;
  look(own, middle - (middle - from) * factor, middle + (to - middle) * factor);
}

function pan(own, share) {
  const [from, to] = rangeOf(own);
  const by = Math.max(-from, Math.min(own.end - to, share * (to - from)));
  look(own, from + by, to + by);
}

function prepareLive(root, own) {
  own.draw = () => {
    own.asked ||= requestAnimationFrame(() => {
      own.asked = 0;
      paintLive(root, own);
    });
  };
  const on = (name, act) => {
    root.querySelector(`.bar .${name}`).onclick = act;
  };
  on("in", () => zoom(own, 0.5));
  on("out", () => zoom(own, 2));
  on("earlier", () => pan(own, -0.5));
  on("later", () => pan(own, 0.5));
  on("all", () => look(own, 0, own.end));
  new ResizeObserver(own.draw).observe(root);
  own.inSight = new Set();
  own.sight = new IntersectionObserver((entries) => {
    for (const entry of entries) own.inSight[entry.isIntersecting ? "add" : "delete"](entry.target);
    own.draw();
  });
  root.addEventListener("transitionstart", own.draw); // the theme has changed
}

const KEYS = { ArrowLeft: [pan, -0.2], ArrowRight: [pan, 0.2], "+": [zoom, 0.5], "=": [zoom, 0.5], "-": [zoom, 2] };

// Drag: a part of the axis to look at. With Shift: along the axis. Ctrl and wheel: closer and farther. Keys: arrows, +, -, Home.
function listen(canvas, own) {
  const epochAt = (event) => {
    const box = plotArea(canvas.clientWidth, canvas.clientHeight);
    const [from, to] = rangeOf(own);
    const share = (event.clientX - canvas.getBoundingClientRect().left - box.x) / box.w;
    return from + (to - from) * Math.max(0, Math.min(1, share));
  };
  let began = null;
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    began = { epoch: epochAt(event), x: event.clientX, range: rangeOf(own), along: event.shiftKey };
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    own.pointed = epochAt(event);
    if (began?.along) {
      const [from, to] = began.range;
      const by = ((began.x - event.clientX) / plotArea(canvas.clientWidth, 0).w) * (to - from);
      const moved = Math.max(-from, Math.min(own.end - to, by));
      look(own, from + moved, to + moved);
    }
    own.marked = began && !began.along ? began.epoch : null;
    own.draw();
  };
  canvas.onpointerup = (event) => {
    if (began && !began.along && Math.abs(event.clientX - began.x) > 5) {
      const other = epochAt(event);
      look(own, Math.min(began.epoch, other), Math.max(began.epoch, other));
    }
    began = own.marked = null;
    own.draw();
  };
  canvas.onpointercancel = () => {
    began = own.marked = null;
    own.draw();
  };
  canvas.onpointerleave = () => {
    own.pointed = null;
    own.draw();
  };
  canvas.ondblclick = () => look(own, 0, own.end);
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // it scrolls the page
    event.preventDefault();
    zoom(own, event.deltaY > 0 ? 1.25 : 0.8, epochAt(event));
  });
  canvas.onkeydown = (event) => {
    const known = KEYS[event.key];
    if (!known && event.key !== "Home") return;
    event.preventDefault();
    event.stopPropagation(); // arrow keys belong to the curve, not to the picked image of the page
    if (known) known[0](own, known[1]);
    else look(own, 0, own.end);
  };
}

function paintLive(root, own) {
  const style = getComputedStyle(root);
  const ink = style.color;
  const theme = {
    font: style.fontFamily,
    ink,
    faint: style.getPropertyValue("--st-border-color"),
    page: style.getPropertyValue("--st-background-color"),
  };
  if (own.wall?.mine) drawMine(root, own.wall, theme);
  if (!own.panels.length) return;
  const range = rangeOf(own);
  const words = own.view
    ? `epochs ${figure(range[0])} to ${figure(range[1])} of ${figure(own.end)}`
    : `all ${figure(own.end)} epochs`;
  root.querySelector("output").textContent = words;
  root.querySelector(".all").disabled = root.querySelector(".out").disabled = !own.view;
  root.querySelector(".earlier").disabled = range[0] <= 0;
  root.querySelector(".later").disabled = range[1] >= own.end;
  own.panels.forEach((panel, k) => {
    const canvas = own.canvases[k];
    canvas.setAttribute(
      "aria-label",
      `${panel.title}, ${words}. Arrow keys move, plus and minus zoom, Home shows all.`,
    );
    if (!own.inSight.has(canvas)) return; // it is drawn as soon as somebody scrolls there
    drawPanel(canvas, panel, range, own, theme);
    if (own.marked !== null && own.marked !== undefined) shade(canvas, range, own);
    canvas.parentElement.querySelector(".readout").textContent = readout(panel, range, own);
  });
}

function shade(canvas, [from, to], own) {
  const box = plotArea(canvas.clientWidth, canvas.clientHeight);
  const pen = canvas.getContext("2d");
  const [a, b] = [own.marked, own.pointed].map((epoch) => box.x + (box.w * (epoch - from)) / (to - from));
  pen.fillStyle = "rgba(124, 135, 151, 0.25)";
  pen.fillRect(Math.min(a, b), box.y, Math.abs(b - a), box.h);
}

// The point that is nearest to the pointer.
function readout({ points }, [from, to], own) {
  if (own.pointed === null) return "";
  let best = 0;
  for (let i = 2; i < points.length; i += 2)
    if (Math.abs(points[i] - own.pointed) < Math.abs(points[best] - own.pointed)) best = i;
  return `epoch ${points[best].toFixed(to - from > 20 ? 1 : 2)}: ${figure(points[best + 1])}`;
}
