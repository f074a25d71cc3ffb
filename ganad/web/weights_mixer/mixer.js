// --- the mixer: what is dragged lives here and is redrawn at once; Python hears of it on release. ---
const mixers = new WeakMap();
const kept = new Map(); // run -> what was last said here, for when the page is put together anew
const LATER = 250; // ms after the last key press
const REST = 400; // ms
const FRAMES = 600;

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const root = parentElement.querySelector(".mixer");
  if (!root) return;
  let own = mixers.get(root);
  if (!own) { own = prepare(root); mixers.set(root, own); }
  own.send = (mix) => setStateValue("mix", mix);
  own.pick = (row) => setTriggerValue("pick", { row });
  if (own.version !== data.version) load(own, data);
  if (own.set !== data.set.id) {
    const before = kept.get(data.version);
    own.set = data.set.id;
    if (!own.strip) own.strip = before?.strip ?? "near";
    put(own, before?.set === own.set ? before : data.set);
  }
  own.redraw();
}

// The parts of every image, once; what depends on no weight.
function load(own, data) {
  const test = data.test.map(floats), val = data.val.map(floats), digit = bytes(data.digit), truth = bytes(data.anomalous);
  const rows = (wanted) => Int32Array.from(truth.keys()).filter((i) => truth[i] === wanted);
  const n = digit.length;
  Object.assign(own, {
    data, version: data.version, set: null, test, val, digit, truth, n, pixels: null, rows: [rows(0), rows(1)],
    draws: null, banded: null, score: new Float64Array(n), held: new Float64Array(val[0].length), curve: room(n), usual: room(n), weighed: null,
  });
  own.sorted = own.rows.map((r) => new Float64Array(r.length));
  own.usually = val.map(meanAndSpread); // of each part, among held-out normals
  weigh(own, data.defaults.weights);
  roc(...own.sorted, own.usual);
  const packed = new Blob([bytes(data.images)]).stream().pipeThrough(new DecompressionStream("deflate"));
  new Response(packed).arrayBuffer().then((raw) => {
    if (own.version !== data.version) return;
    own.pixels = new Uint8Array(raw);
    own.redraw();
  });
  dress(own);
}

// Weights in, sorted scores out; nothing to do while only the threshold moves.
function weigh(own, weights) {
  if (own.weighed && own.weighed.every((w, i) => w === weights[i])) return;
  own.weighed = [...weights];
  total(own.test, weights, own.score);
  own.rows.forEach((rows, k) => take(own.score, rows, own.sorted[k]).sort());
  total(own.val, weights, own.held).sort();
  [own.mean, own.spread] = meanAndSpread(own.held);
  own.standard = standardUnits(own.usually, weights);
  roc(...own.sorted, own.curve);
}

function put(own, { weights, rule, value, band, standardised }) {
  own.refused = false;
  own.band = band ?? null;
  own.standardised = standardised ?? false;
  own.weights = [...weights];
  weigh(own, own.weights);
  own.rule = rule;
  if (rule === "manual") setByHand(own, value);
  else if (rule === "cost") own.price = value;
  else if (rule === "false alarms") own.share = value;
  own.share ??= own.data.defaults.value;
  own.price ??= 1;
}

// A threshold by hand keeps its distance from the held-out normals, in their spreads, while the weights move: a mere
// number would be left behind by the scores at the first touch of a weight.
function setByHand(own, threshold) {
  Object.assign(own, { rule: "manual", refused: false });
  own.hand = { weights: [...own.weights], threshold, spreads: own.spread ? (threshold - own.mean) / own.spread : 0 };
}

function thresholdOf(own) {
  if (own.rule === "cost") return own.curve.at[cheapest(own.curve, own.price)];
  if (own.rule === "best F1") return own.curve.at[bestF1(own.curve)];
  if (own.rule !== "manual") return thresholdFor(own.held, own.share);
  const { weights, threshold, spreads } = own.hand;
  return weights.every((w, i) => w === own.weights[i]) ? threshold : own.mean + spreads * own.spread;
}

const bandNow = (own) => (own.banded === own.weighed ? own.band95 : null);
const unitsOf = (own) => (own.standardised ? own.standard : RAW);
const isUsual = (own) => own.weights.every((w, i) => w === own.data.defaults.weights[i]);

function prepare(root) {
  const find = (selector) => root.querySelector(selector);
  const own = {
    root, find, says: [...root.querySelectorAll(".say")], slide: find(".slide"), grabbed: null, frames: [], asked: 0,
    scores: find(".scores canvas"), square: find(".roc canvas"), gallery: find(".strip canvas"),
  };
  own.redraw = () => { own.asked ||= requestAnimationFrame(() => { own.asked = 0; frame(own); }); };

  const report = () => {
    clearTimeout(own.timer);
    const by = own.rule === "manual", threshold = thresholdOf(own);
    if (by) setByHand(own, threshold);
    const value = { "manual": threshold, cost: own.price, "best F1": 0 }[own.rule] ?? own.share;
    const mix = { weights: own.weights, rule: own.rule, value, band: own.band, standardised: own.standardised, at: Date.now() };
    kept.set(own.version, { ...mix, set: own.set, strip: own.strip });
    const { frames } = own; // of this drag, in ms: what a frame took, and from frame to frame
    root.dataset.frames = frames.map(([, took]) => took.toFixed(2)).join(" ");
    root.dataset.gaps = frames.slice(1).map(([began], i) => (began - frames[i][0]).toFixed(2)).join(" ");
    own.send(mix);
    set(find(".said"), own.square.getAttribute("aria-label"));
  };
  // A key that is held down changes the slider thirty times a second.
  let keys = false;
  root.addEventListener("keydown", () => { keys = true; }, true);
  root.addEventListener("pointerdown", () => { keys = false; own.frames = []; }, true);
  const loose = () => { own.grabbed = own.frozen = null; own.redraw(); };
  const released = () => {
    loose();
    clearTimeout(own.timer);
    if (keys) own.timer = setTimeout(report, LATER); else report();
  };
  const held = (what) => { own.grabbed = what; own.redraw(); };

  own.says.forEach((say, i) => {
    const slider = say.querySelector("input");
    slider.oninput = () => { pull(own, i, Number(slider.value)); held(slider); };
    slider.onchange = released;
    slider.onpointerup = loose; // back where it began, it has not changed
  });
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
    radio.onchange = () => { own.standardised = radio.value === "standardised"; released(); };
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
  drags(own, own.square, (px, py) => {
    const [x, y, width, height] = unitAt(own.square, px, py);
    setByHand(own, own.curve.at[nearest(own.curve, x, y, width, height)]);
  }, released, held, loose);

  document.fonts.ready.then(own.redraw);
  new ResizeObserver(own.redraw).observe(root);
  root.ontransitionend = (event) => { if (event.propertyName === "color") own.redraw(); }; // another theme
  return own;
}

// On the histogram: near the line a press takes it along; elsewhere a drag brushes a band of scores, and a mere click puts
// the line there. A click inside a band takes the band away first.
const GRIP = 14, STILL = 4;
function brushes(own, canvas, released, held, loose) {
  let from, before, line;
  const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || !own.span) return;
    canvas.setPointerCapture(event.pointerId);
    own.frozen = own.span;
    before = { rule: own.rule, hand: own.hand, share: own.share, price: own.price, band: own.band };
    from = place(event);
    line = Math.abs(from - placeOf(canvas, thresholdOf(own), own.span)) <= GRIP;
    held(canvas);
  };
  canvas.onpointermove = (event) => {
    const px = place(event);
    if (own.grabbed !== canvas) {
      const near = own.span && Math.abs(px - placeOf(canvas, thresholdOf(own), own.span)) <= GRIP;
      canvas.style.cursor = near ? "ew-resize" : "crosshair";
      return;
    }
    if (line) setByHand(own, scoreAt(canvas, px, own.frozen));
    else if (Math.abs(px - from) > STILL || own.brushing) {
      own.brushing = true;
      own.band = [from, px].map((p) => scoreAt(canvas, p, own.frozen)).sort((a, b) => a - b);
      // The last bar holds whatever lies above it, so a band that reaches it does too.
      if (own.band[1] >= own.frozen.high - (own.frozen.high - own.frozen.low) / BARS) own.band[1] = Math.max(own.band[1], own.curve.at[0]);
    }
    held(canvas);
  };
  canvas.onpointerup = (event) => {
    if (own.grabbed !== canvas) return;
    if (!line && !own.brushing) {
      if (own.band) own.band = null; else setByHand(own, scoreAt(canvas, place(event), own.frozen));
    }
    own.brushing = false;
    released();
  };
  canvas.onpointercancel = () => { // a finger that came to scroll the page
    if (own.grabbed !== canvas) return;
    Object.assign(own, before, { brushing: false });
    loose();
  };
}

// A press takes the line along at once; the axis stands still until it is let go.
function drags(own, canvas, to, released, held, loose) {
  let before;
  const move = (event) => {
    const box = canvas.getBoundingClientRect();
    to(event.clientX - box.left, event.clientY - box.top);
    held(canvas);
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || !own.span) return;
    canvas.setPointerCapture(event.pointerId);
    own.frozen = own.span;
    before = { rule: own.rule, hand: own.hand, share: own.share, price: own.price };
    move(event);
  };
  canvas.onpointermove = (event) => { if (own.grabbed === canvas) move(event); };
  canvas.onpointerup = () => { if (own.grabbed === canvas) released(); };
  canvas.onpointercancel = () => { // a finger that came to scroll the page
    if (own.grabbed !== canvas) return;
    Object.assign(own, before);
    loose();
  };
}

// A say becomes a weight. All weights zero would be no score at all, so the last allowed ones stay.
function pull(own, i, say) {
  const { scales, defaults } = own.data, next = [...own.weights];
  const usual = Math.round(100 * Math.min(1, defaults.weights[i] * scales[i])) / 100;
  // Back on its mark, a slider means the default itself and not what a hundredth of its way makes of it.
  next[i] = say === usual ? defaults.weights[i] : scales[i] ? say / scales[i] : 0;
  own.refused = !next.some((w) => w > 0);
  if (!own.refused) own.weights = next;
}

function frame(own) {
  if (!own.data || !own.root.clientWidth) return;
  const began = performance.now();
  weigh(own, own.weights);
  const [normal, anomalous] = own.sorted, threshold = thresholdOf(own), theme = themeOf(own);
  const counts = count(normal, anomalous, threshold);
  own.span = own.frozen || range(normal, anomalous, threshold, BARS);
  charts(own, own.scores, own.square, theme);
  own.square.dataset.band = bandNow(own) ? "drawn" : "none";
  own.scores.dataset.line = Math.round(placeOf(own.scores, threshold, own.span)); // where it can be grasped, in CSS pixels
  const shown = own.shown = chosen(own, threshold);
  strip(own.gallery, shown, theme);
  controls(own, threshold);
  words(own, threshold, counts);
  if (!own.grabbed) describe(own, threshold, counts, shown);
  if (!own.grabbed && own.banded !== own.weighed) later(own);
  else if (own.frames.length < FRAMES) own.frames.push([began, performance.now() - began]);
}

// Histogram and ROC as things stand, on the screen or on paper.
function charts(own, scores, square, theme) {
  const [normal, anomalous] = own.sorted, threshold = thresholdOf(own), counts = count(normal, anomalous, threshold);
  const held = own.grabbed === own.scores || own.grabbed === own.square || own.grabbed === own.slide;
  histogram(scores, { normal, anomalous, threshold, span: own.span, held: held && !own.brushing, band: own.band, units: unitsOf(own) }, theme);
  curve(square, { roc: own.curve, usual: isUsual(own) ? null : own.usual, counts, held, band: bandNow(own) }, theme);
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

function chosen(own, threshold) {
  const { score, truth, n, digit, pixels } = own, m = fits(own.gallery);
  const about = {
    truth: (i) => truth[i] === 1, called: (i) => score[i] > threshold, digit: (i) => digit[i], pixels,
    left: [], right: [], divided: own.strip !== "strangest",
  };
  if (own.strip === "near") {
    about.left = lowest(n, m, (i) => (score[i] <= threshold ? -score[i] : Infinity)).reverse();
    about.right = lowest(n, m, (i) => (score[i] > threshold ? score[i] : Infinity));
    about.headings = ["just below: called normal", "just above: called anomalous"];
  } else if (own.strip === "mistakes") {
    about.left = lowest(n, m, (i) => (truth[i] === 1 && score[i] <= threshold ? score[i] : Infinity)).reverse();
    about.right = lowest(n, m, (i) => (truth[i] === 0 && score[i] > threshold ? -score[i] : Infinity));
    about.headings = ["lowest scores of the missed", "highest scores of the false alarms"];
  } else {
    about.right = lowest(n, 2 * m, (i) => -score[i]);
    about.headings = ["the highest scores of all"];
  }
  return about;
}

function controls(own, threshold) {
  const { data, weights } = own;
  own.says.forEach((say, i) => {
    const slider = say.querySelector("input"), at = Math.min(1, weights[i] * data.scales[i]);
    const weight = number(own.standardised ? (weights[i] * own.usually[i][1]) / own.standard.unit : weights[i]);
    if (own.grabbed !== slider) slider.value = at;
    set(say.querySelector(".raw"), `weight ${weight}`);
    slider.style.setProperty("--at", slider.value);
    slider.setAttribute("aria-valuetext", `influence ${Number(slider.value).toFixed(2)}, weight ${weight}`);
  });
  for (const radio of own.root.querySelectorAll("[name=units]")) radio.checked = (radio.value === "standardised") === own.standardised;
  for (const radio of own.root.querySelectorAll("[name=rule]")) radio.checked = radio.value === own.rule;
  for (const radio of own.root.querySelectorAll("[name=strip]")) radio.checked = radio.value === own.strip;
  const slide = own.slide, hand = own.rule === "manual", cost = own.rule === "cost", f1 = own.rule === "best F1";
  const [low, high, step] = hand ? [0, 200, 1] : cost ? [-20, 20, 1] : [0.5, 20, 0.5];
  if (slide.max !== String(high) || slide.min !== String(low)) Object.assign(slide, { min: low, max: high, step });
  slide.disabled = f1;
  const place = hand ? (200 * (threshold - own.span.low)) / (own.span.high - own.span.low)
    : cost ? 10 * Math.log10(own.price) : 100 * own.share;
  if (own.grabbed !== slide) slide.value = place;
  slide.style.setProperty("--at", (slide.value - low) / (high - low));
  const said = hand ? `threshold ${number(unitsOf(own).shown(threshold))}` : f1 ? `F1 ${f1At(own.curve, bestF1(own.curve)).toFixed(3)}`
    : cost ? `a miss costs ${number(own.price)} false alarms` : `at most ${percent(own.share)} of normal images`;
  slide.setAttribute("aria-label", hand ? "Threshold" : cost ? "What a miss costs in false alarms" : "False alarms at most");
  slide.setAttribute("aria-valuetext", said);
  set(own.find(".line .raw"), said);
}

function words(own, threshold, { tp, fn, fp, tn }) {
  const { find, data } = own, usual = isUsual(own), gain = own.curve.area - own.usual.area;
  set(find(".auroc"), Number.isFinite(own.curve.area) ? own.curve.area.toFixed(4) : "–");
  set(find(".gain"), usual || !Number.isFinite(gain) ? "" : `${gain < 0 ? "−" : "+"}${Math.abs(gain).toFixed(4)} against the default`);
  const some = (name, n, of) => `${name} ${n.toLocaleString("en-US")} · ${percent(n / of)}`;
  set(find(".missed"), some("missed", fn, tp + fn));
  set(find(".caught"), some("caught", tp, tp + fn));
  set(find(".passed"), some("passed", tn, fp + tn));
  set(find(".alarms"), some("false alarms", fp, fp + tn));
  find(".count.anomalous .bar").style.setProperty("--cut", fn / (tp + fn) || 0);
  find(".count.normal .bar").style.setProperty("--cut", tn / (fp + tn) || 0);
  const line = number(unitsOf(own).shown(threshold));
  const { rule } = own, promised = rule === "false alarms", same = usual && promised && own.share === data.defaults.value;
  find(".defaults").disabled = same;
  find(".tuned_on_test").classList.toggle("shown", !promised || !(usual || data.set.advised?.every((w, i) => w === own.weights[i])));
  set(find(".words"), own.refused ? "At least one part needs a weight."
    : rule === "manual" ? `Threshold ${line}, set by hand.`
    : rule === "cost" ? `Threshold ${line}: cheapest on the test set if a miss costs as much as ${number(own.price)} false alarms.`
    : rule === "best F1" ? `Threshold ${line}: the highest F1 on the test set.`
      : Number.isFinite(threshold)
        ? `Threshold ${line}: a new normal image lies above it with a probability of at most ${percent(own.share)}.`
        : noThreshold(own.held.length, own.share));
}

// `evaluate.no_threshold`: why nothing is called anomalous, and what to do about it.
function noThreshold(n, share) {
  const lowest = Math.ceil(1000 / (n + 1) - 1e-9) / 1000, wanted = Math.ceil(1 / share - 1 - 1e-9);
  return `Nothing is called anomalous: ${n} held-out normal image${n === 1 ? " is" : "s are"} too few for a threshold with at most ` +
    `${shareInWords(share)} false alarms. Allow at least ${shareInWords(lowest)} (1 in ${n + 1}), or train on more normal images: a tenth of them ` +
    `is held out, and ${wanted} of them are needed.`;
}

function shareInWords(share) {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What the pictures show, for those who hear the page.
function describe(own, threshold, { tp, fn, fp, tn }, { left, right, headings }) {
  const rates = `catches ${percent(tp / (tp + fn))} at ${percent(fp / (fp + tn))} false alarms`;
  const digits = (rows) => (rows.length ? rows.map((row) => own.digit[row]).join(" ") : "none");
  const sides = headings.length > 1 ? [left, right] : [right];
  own.scores.ariaLabel = `Histogram of the scores of ${fp + tn} normal and ${tp + fn} anomalous images, threshold ${number(unitsOf(own).shown(threshold))}`;
  own.square.ariaLabel = `ROC curve, AUROC ${own.curve.area.toFixed(4)}, ${rates}`;
  own.gallery.ariaLabel = "Digits, " + sides.map((rows, i) => `${headings[i]}: ${digits(rows)}`).join("; ");
}

// What is written once: names, colours, the marks of the defaults.
function dress(own) {
  const { data, find } = own;
  for (const [name, colour] of Object.entries(data.colours)) own.root.style.setProperty("--" + name, colour);
  own.says.forEach((say, i) => {
    set(say.querySelector(".name"), data.parts[i]);
    say.querySelector("input").setAttribute("aria-label", data.parts[i]);
    say.style.setProperty("--own", data.colours[data.parts[i].toLowerCase()]);
    say.style.setProperty("--words", `var(--st-${data.hues[i]}-text-color)`);
    say.style.setProperty("--default", Math.min(1, data.defaults.weights[i] * data.scales[i]));
    say.title = `The influence of the ${data.parts[i].toLowerCase()} part: its weight times its standard deviation among held-out normals. The mark is the default.`;
  });
  const [n0, n1] = own.rows.map((r) => r.length.toLocaleString("en-US"));
  set(find(".key.normal"), `normal ${n0}`);
  set(find(".key.anomalous"), `anomalous ${n1}`);
  set(find(".count.normal .who"), `${n0} normal images`);
  set(find(".count.anomalous .who"), `${n1} anomalies`);
}

function themeOf(own) {
  const style = getComputedStyle(own.root), { colours } = own.data;
  return {
    text: style.color, page: style.backgroundColor, font: style.fontFamily, faint: colours.faint, ink: colours.ink,
    normal: colours.normal, anomalous: colours.anomalous, wrong: style.getPropertyValue("--st-red-text-color") || colours.wrong, tile: colours.tile,
  };
}
