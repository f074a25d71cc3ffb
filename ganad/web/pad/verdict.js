// What a run says of the drawing, computed here: no byte leaves the browser while a hand draws.
import { bytes, floats, inflate } from "../decode.js";
import { judge } from "../nets/judge.js";
import { readNets } from "../nets/weights.js";
import { prepareDigit, prepareWhole } from "../preparation/digit.js";
import { OUT } from "./sheet.js";

// Nets come on their own, once, by the name of their version; whoever asks for them before that waits.
const kept = (globalThis.ganadNets ??= new Map());

function place(version) {
  if (!kept.has(version)) {
    const own = {};
    own.ready = new Promise((resolve) => {
      own.resolve = resolve;
    });
    kept.set(version, own);
  }
  return kept.get(version);
}

// sent: { version, nets, codes, images }, the last two of some held-out normal images.
export async function keepNets(sent) {
  const own = place(sent.version);
  if (own.value) return;
  const [file, codes, images] = await Promise.all([inflate(sent.nets), inflate(sent.codes), inflate(sent.images)]);
  for (const other of kept.keys()) if (other !== sent.version && kept.get(other).value) kept.delete(other);
  own.value = { nets: readNets(file), codes: new Float32Array(codes.buffer), images };
  own.resolve(own.value);
}

export function netsOf(version) {
  return place(version).value ?? null;
}

export function whenThere(version) {
  return place(version).ready;
}

export function readRule(live) {
  return { ...live, held: floats(live.held), heldParts: live.held_parts.map(floats), map: bytes(live.map) };
}

// Returns null where there is no ink; else what was prepared, the parts, the score and what is nearest.
export function verdictOf(drawing, own, rule) {
  const prepared = rule.preparation === "digit" ? prepareDigit(drawing, OUT) : prepareWhole(drawing, OUT);
  if (!prepared) return null;
  const judged = judge(own.nets, prepared.digit);
  const score = judged.parts.reduce((sum, part, i) => sum + rule.weights[i] * part, 0);
  return {
    ...prepared,
    ...judged,
    score,
    isAnomalous: rule.threshold !== null && score > rule.threshold,
    stranger: below(rule.held, score),
    partsStranger: judged.parts.map((part, i) => below(rule.heldParts[i], part)),
    nearest: nearestOf(judged.z, own),
  };
}

// Share of sorted values that are lower, in percent.
function below(sorted, value) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return (100 * low) / sorted.length;
}

// The held-out normal image whose code lies nearest: 784 bytes.
function nearestOf(z, { codes, images }) {
  let [best, least] = [0, Infinity];
  for (let row = 0; row < codes.length / z.length; row++) {
    let far = 0;
    for (let d = 0; d < z.length; d++) far += (codes[row * z.length + d] - z[d]) ** 2;
    if (far < least) [best, least] = [row, far];
  }
  return images.subarray(784 * best, 784 * (best + 1));
}
