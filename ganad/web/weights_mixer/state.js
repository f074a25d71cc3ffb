// What the mixer is set to, and what follows from that. No page, no canvas.
import { bytes, floats, inflate } from "../decode.js";
import { bestF1, cheapest, roc, room } from "./roc.js";
import { RAW, meanAndSpread, standardUnits, take, thresholdFor, total } from "./scores.js";

// The parts of every image, once; what depends on no weight.
export function load(own, data) {
  const test = data.test.map(floats);
  const val = data.val.map(floats);
  const digit = bytes(data.digit);
  const truth = bytes(data.anomalous);
  const rows = (wanted) => Int32Array.from(truth.keys()).filter((i) => truth[i] === wanted);
  const n = digit.length;
  Object.assign(own, {
    data,
    version: data.version,
    set: null,
    test,
    val,
    digit,
    truth,
    n,
    pixels: null,
    rows: [rows(0), rows(1)],
    draws: null,
    banded: null,
    score: new Float64Array(n),
    held: new Float64Array(val[0].length),
    curve: room(n),
    usual: room(n),
    weighed: null,
  });
  own.sorted = own.rows.map((r) => new Float64Array(r.length));
  own.usually = val.map(meanAndSpread); // of each part, among held-out normals
  weigh(own, data.defaults.weights);
  roc(...own.sorted, own.usual);
  inflate(data.images).then((pixels) => {
    if (own.version !== data.version) return;
    own.pixels = pixels;
    own.redraw();
  });
}

// Weights in, sorted scores out; nothing to do while only the threshold moves.
export function weigh(own, weights) {
  if (own.weighed?.every((w, i) => w === weights[i])) return;
  own.weighed = [...weights];
  total(own.test, weights, own.score);
  own.rows.forEach((rows, k) => {
    take(own.score, rows, own.sorted[k]).sort();
  });
  total(own.val, weights, own.held).sort();
  [own.mean, own.spread] = meanAndSpread(own.held);
  own.standard = standardUnits(own.usually, weights);
  roc(...own.sorted, own.curve);
}

export function put(own, { weights, rule, value, band, standardised }) {
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
export function setByHand(own, threshold) {
  Object.assign(own, { rule: "manual", refused: false });
  own.hand = { weights: [...own.weights], threshold, spreads: own.spread ? (threshold - own.mean) / own.spread : 0 };
}

export function thresholdOf(own) {
  if (own.sweep) return own.sweep.threshold;
  if (own.rule === "cost") return own.curve.at[cheapest(own.curve, own.price)];
  if (own.rule === "best F1") return own.curve.at[bestF1(own.curve)];
  if (own.rule !== "manual") return thresholdFor(own.held, own.share);
  const { weights, threshold, spreads } = own.hand;
  return weights.every((w, i) => w === own.weights[i]) ? threshold : own.mean + spreads * own.spread;
}

export const bandNow = (own) => (own.banded === own.weighed ? own.band95 : null);

export const unitsOf = (own) => (own.standardised ? own.standard : RAW);

export const isUsual = (own) => own.weights.every((w, i) => w === own.data.defaults.weights[i]);

// An influence becomes a weight. All weights zero would be no score at all, so the last allowed ones stay.
export function pull(own, i, influence) {
  const { scales, defaults } = own.data;
  const next = [...own.weights];
  const usual = Math.round(100 * Math.min(1, defaults.weights[i] * scales[i])) / 100;
  // Back on its mark, a slider means the default itself and not what a hundredth of its way makes of it.
  next[i] = influence === usual ? defaults.weights[i] : scales[i] ? influence / scales[i] : 0;
  own.refused = !next.some((w) => w > 0);
  if (!own.refused) own.weights = next;
}
