// One slider for everything that a run kept of its epochs: pictures, losses, scores, curve and codes move together.
import { bytes, floats } from "../../../web/decode.js";
import { drawLosses, drawMap, drawRoc, drawScores, drawWall, scoresAt } from "./epoch_views.js";

const players = new WeakMap();
const STEP_MS = 700;

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".player");
  if (!root || !data) return;
  let own = players.get(root);
  if (!own) {
    own = { at: null, timer: null, asked: 0 };
    players.set(root, own);
    prepare(root, own);
  }
  if (own.version !== data.version) {
    const wasLast = own.at === null || own.run !== data.run || own.at === own.labels.length - 1;
    Object.assign(own, {
      version: data.version,
      run: data.run,
      parts: data.parts.map(floats),
      places: floats(data.places),
      held: bytes(data.held_out),
      anomalous: bytes(data.anomalous),
      given: data.given && bytes(data.given),
      drawn: data.drawn && bytes(data.drawn),
      losses: data.losses,
      labels: data.labels,
      epochs: data.epochs,
      last: data.last,
      share: data.share,
      colours: data.colours,
    });
    own.size = own.held.length;
    own.probes = own.given ? own.given.length / 784 : 0;
    own.reach = reachOf(own.places);
    if (wasLast) own.at = own.labels.length - 1; // a run that is at work is followed
    own.at = Math.min(own.at, own.labels.length - 1);
    root.querySelector("input").max = String(own.labels.length - 1);
    root.querySelector(".note").textContent = data.note;
  }
  own.weights = data.weights;
  own.send = data.tells ? (label) => setTriggerValue("epoch", label) : null;
  own.draw();
  own.tell();
}

// Half the side of a square round 0 that holds all but the farthest hundredth of the codes.
function reachOf(places) {
  const far = places.map(Math.abs).sort();
  return far[Math.floor(0.99 * (far.length - 1))] || 1;
}

function prepare(root, own) {
  const find = (selector) => root.querySelector(selector);
  const slider = find("input");
  const play = find(".play");
  own.draw = () => {
    own.asked ||= requestAnimationFrame(() => {
      own.asked = 0;
      paint(root, own);
    });
  };
  // Where it rests, once: while it plays or a key is held down, nobody is told.
  own.tell = () => {
    if (!own.send || own.timer || own.keyed || own.told === own.labels[own.at]) return;
    own.told = own.labels[own.at];
    own.send(own.told);
  };
  const pause = () => {
    clearInterval(own.timer);
    own.timer = null;
    play.textContent = "Play";
  };
  const stop = () => {
    pause();
    own.tell();
  };
  const go = (to) => {
    own.at = Math.max(0, Math.min(own.labels.length - 1, to));
    own.draw();
  };
  slider.oninput = () => {
    pause();
    go(Number(slider.value));
  };
  slider.onchange = () => own.tell();
  slider.onkeyup = () => {
    own.keyed = false;
    own.tell();
  };
  play.onclick = () => {
    if (own.timer) {
      stop();
      return;
    }
    play.textContent = "Pause";
    if (own.at === own.labels.length - 1) go(0);
    own.timer = setInterval(() => {
      if (!root.isConnected || own.at === own.labels.length - 1) stop();
      else go(own.at + 1);
    }, STEP_MS);
  };
  slider.onkeydown = (event) => {
    own.keyed = event.key !== " ";
    if (event.key === " ") {
      event.preventDefault();
      play.click();
    }
    event.stopPropagation(); // arrow keys move the slider, not the picked image of the page
  };
  new ResizeObserver(own.draw).observe(root);
  root.addEventListener("transitionstart", own.draw); // the theme has changed
}

function paint(root, own) {
  const find = (selector) => root.querySelector(selector);
  const style = getComputedStyle(root);
  const theme = { font: style.fontFamily, ink: style.color, faint: style.getPropertyValue("--st-border-color") };
  const seen = scoresAt(own, own.at);
  const label = own.labels[own.at];
  const area = seen.curve.area.toFixed(3);
  find("input").value = String(own.at);
  find("input").setAttribute("aria-valuetext", `${label}, AUROC ${area}`);
  find("output").textContent = `${label} · AUROC ${area}`;
  find(".wall").hidden = !own.drawn;
  if (own.drawn) {
    drawWall(find(".given"), own.given, 0, own.probes, "Fixed test images, the normal ones first");
    drawWall(find(".drawn"), own.drawn, own.at * own.probes, own.probes, `What the nets make of them, ${label}`);
  }
  const chart = (name, words, text) => {
    find(`.${name} span`).textContent = words;
    const canvas = find(`.${name} canvas`);
    canvas.setAttribute("aria-label", `${text}, ${label}`);
    return canvas;
  };
  const parent = own.losses.some((l) => l.parent.length) ? "; the parent's grey" : "";
  drawLosses(
    chart("losses", `${own.losses.map((l) => l.player).join(", ")}; each on its own scale${parent}`, "Losses"),
    own,
    own.epochs[own.at],
    theme,
  );
  drawScores(chart("scores", "normal, anomalous, threshold", "Histogram of the scores"), seen, own, theme);
  drawRoc(chart("roc", `AUROC ${area}`, `ROC curve, AUROC ${area}`), seen, own, theme);
  drawMap(chart("map", "rings: held-out normals", "Codes in two dimensions"), own, own.at, theme);
}
