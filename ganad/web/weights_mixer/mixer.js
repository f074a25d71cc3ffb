// The weights mixer: what is dragged is in its state and redrawn at once; Python gets it on release.
import { BARS, range } from "./bins.js";
import { bandOf, draws } from "./bootstrap.js";
import { charts } from "./charts.js";
import { placeOf } from "./histogram.js";
import { controls, describe, dress, set, words } from "./labels.js";
import { picture } from "./picture.js";
import { brushes, drags } from "./pointer.js";
import { nearest } from "./roc.js";
import { unitAt } from "./roc_curve.js";
import { count } from "./scores.js";
import { bandNow, load, pull, put, setByHand, thresholdOf, weigh } from "./state.js";
import { chosen, rowAt, strip } from "./strip.js";
import { traces } from "./trace.js";

const mixers = new WeakMap();

const kept = new Map(); // run -> what was last said here, for when the page is put together anew

const LATER = 250; // ms after the last key press

const REST = 400; // ms

const FRAMES = 600;

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".mixer");
  if (!root) return;
  let own = mixers.get(root);
  if (!own) {
    own = prepare(root);
    mixers.set(root, own);
  }
  own.send = (mix) => setTriggerValue("mix", mix);
  own.pick = (row) => setTriggerValue("pick", { row });
  if (own.version !== data.version) {
    load(own, data);
    own.sliders(data.parts.length);
    dress(own);
  }
  if (own.set !== data.set.id) {
    const before = kept.get(data.version);
    own.set = data.set.id;
    if (!own.strip) own.strip = before?.strip ?? "near";
    put(own, before?.set === own.set ? before : data.set);
  }
  own.redraw();
}

function prepare(root) {
  const find = (selector) => root.querySelector(selector);
  const own = {
    root,
    find,
    parts: [find(".part")],
    slide: find(".slide"),
    grabbed: null,
    frames: [],
    asked: 0,
    scores: find(".scores canvas"),
    square: find(".roc canvas"),
    gallery: find(".strip canvas"),
  };
  own.redraw = () => {
    own.asked ||= requestAnimationFrame(() => {
      own.asked = 0;
      frame(own);
    });
  };

  const report = () => {
    clearTimeout(own.timer);
    own.timer = 0;
    const by = own.rule === "manual";
    const threshold = thresholdOf(own);
    if (by) setByHand(own, threshold);
    const value = { manual: threshold, cost: own.price, "best F1": 0 }[own.rule] ?? own.share;
    const mix = {
      weights: own.weights,
      rule: own.rule,
      value,
      band: own.band,
      standardised: own.standardised,
      at: Date.now(),
    };
    kept.set(own.version, { ...mix, set: own.set, strip: own.strip });
    const { frames } = own; // of this drag, in ms: what a frame took, and from frame to frame
    root.dataset.frames = frames.map(([, took]) => took.toFixed(2)).join(" ");
    root.dataset.gaps = frames
      .slice(1)
      .map(([began], i) => (began - frames[i][0]).toFixed(2))
      .join(" ");
    globalThis.ganadLeft = { run: own.version.split("/")[0], mix }; // for the next page, should this not arrive
    own.send(mix);
    set(find(".said"), own.square.getAttribute("aria-label"));
  };
  // A key that is held down changes the slider thirty times a second.
  let keys = false;
  root.addEventListener(
    "keydown",
    () => {
      keys = true;
    },
    true,
  );
  root.addEventListener(
    "pointerdown",
    () => {
      keys = false;
      own.frames = [];
    },
    true,
  );
  // Whatever is clicked next hears of it first: a link would lead to a page without it.
  root.addEventListener("focusout", () => {
    if (own.timer) report();
  });
  const loose = () => {
    own.grabbed = own.frozen = null;
    own.redraw();
  };
  const released = () => {
    loose();
    clearTimeout(own.timer);
    if (keys) own.timer = setTimeout(report, LATER);
    else report();
  };
  const held = (what) => {
    own.grabbed = what;
    own.redraw();
  };

  // A slider for each part of the run; the markup holds the first.
  own.sliders = (n) => {
    while (own.parts.length > n) own.parts.pop().remove();
    while (own.parts.length < n) {
      const last = own.parts.at(-1);
      last.after(last.cloneNode(true));
      own.parts.push(last.nextElementSibling);
    }
    root.style.setProperty("--parts", n);
    own.parts.forEach((part, i) => {
      const slider = part.querySelector("input");
      slider.oninput = () => {
        pull(own, i, Number(slider.value));
        held(slider);
      };
      slider.onchange = released;
      slider.onpointerup = loose; // back where it began, it has not changed
    });
  };
  own.slide.oninput = () => {
    if (own.rule === "manual") {
      own.frozen ||= own.span;
      setByHand(own, own.frozen.low + ((own.frozen.high - own.frozen.low) * own.slide.value) / 200);
    } else if (own.rule === "cost") Object.assign(own, { price: 10 ** (own.slide.value / 10), refused: false });
    else Object.assign(own, { share: 0.01 * own.slide.value, refused: false });
    held(own.slide);
  };
  own.slide.onchange = released;
  own.slide.onpointerup = loose;
  for (const radio of root.querySelectorAll("[name=rule]")) {
    radio.onchange = () => {
      const now = thresholdOf(own);
      if (radio.value === "manual") setByHand(own, Number.isFinite(now) ? now : own.held.at(-1));
      else Object.assign(own, { rule: radio.value, share: own.data.defaults.value, price: 1 });
      released();
    };
  }
  for (const radio of root.querySelectorAll("[name=strip]"))
    radio.onchange = () => {
      own.strip = radio.value;
      kept.set(own.version, { ...kept.get(own.version), strip: own.strip });
      own.redraw();
    };
  for (const radio of root.querySelectorAll("[name=units]"))
    radio.onchange = () => {
      own.standardised = radio.value === "standardised";
      released();
    };
  find(".defaults").onclick = () => {
    own.share = own.data.defaults.value;
    put(own, { ...own.data.defaults, band: own.band, standardised: own.standardised });
    released();
  };

  for (const button of root.querySelectorAll(".save"))
    button.onclick = () => picture(own, themeOf(own), own.version.split("/")[0], button.dataset.kind);
  brushes(own, own.scores, released, held, loose);
  own.gallery.onclick = (event) => {
    const row = rowAt(own.shown, own.gallery, event.clientX - own.gallery.getBoundingClientRect().left);
    if (row !== undefined) own.pick(row);
  };
  own.gallery.onpointermove = (event) => {
    const over = rowAt(own.shown, own.gallery, event.clientX - own.gallery.getBoundingClientRect().left);
    own.gallery.style.cursor = over === undefined ? "default" : "pointer";
  };
  drags(
    own,
    own.square,
    (px, py) => {
      const [x, y, width, height] = unitAt(own.square, px, py);
      setByHand(own, own.curve.at[nearest(own.curve, x, y, width, height)]);
    },
    released,
    held,
    loose,
  );

  const trace = find(".trace");
  const stopTracing = traces(own, trace);
  for (const kind of ["pointerdown", "keydown"])
    root.addEventListener(kind, (event) => event.target !== trace && stopTracing(), true);
  document.fonts.ready.then(own.redraw);
  new ResizeObserver(own.redraw).observe(root);
  root.ontransitionend = (event) => {
    if (event.propertyName === "color") own.redraw();
  }; // another theme
  return own;
}

function frame(own) {
  if (!own.data || !own.root.clientWidth) return;
  const began = performance.now();
  weigh(own, own.weights);
  const [normal, anomalous] = own.sorted;
  const threshold = thresholdOf(own);
  const theme = themeOf(own);
  const counts = count(normal, anomalous, threshold);
  own.span = own.frozen || range(normal, anomalous, threshold, BARS);
  charts(own, own.scores, own.square, theme);
  own.square.dataset.band = bandNow(own) ? "drawn" : "none";
  own.scores.dataset.line = Math.round(placeOf(own.scores, threshold, own.span)); // where it can be grasped, in CSS pixels
  const shown = (own.shown = chosen(own, threshold));
  strip(own.gallery, shown, theme);
  controls(own, threshold);
  words(own, threshold, counts);
  if (!own.grabbed) describe(own, threshold, counts, shown);
  if (!own.grabbed && own.banded !== own.weighed) later(own);
  else if (own.frames.length < FRAMES) own.frames.push([began, performance.now() - began]);
}

// The band takes some tens of milliseconds, so it waits until the hand rests; while weights move there is none.
function later(own) {
  clearTimeout(own.resting);
  own.resting = setTimeout(() => {
    const [normal, anomalous] = own.sorted;
    if (own.grabbed || own.banded === own.weighed || !normal.length || !anomalous.length) return;
    own.draws ??= draws(normal.length, anomalous.length);
    own.band95 = bandOf(normal, anomalous, own.draws);
    own.banded = own.weighed;
    own.redraw();
  }, REST);
}

function themeOf(own) {
  const style = getComputedStyle(own.root);
  const { colours } = own.data;
  return {
    text: style.color,
    page: style.backgroundColor,
    font: style.fontFamily,
    faint: colours.faint,
    ink: colours.ink,
    normal: colours.normal,
    anomalous: colours.anomalous,
    wrong: style.getPropertyValue("--st-red-text-color") || colours.wrong,
    tile: colours.tile,
  };
}
