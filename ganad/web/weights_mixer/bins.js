// The bars of the histogram and the marks of an axis.
import { below, quantile } from "./scores.js";

export const BARS = 48;

// `charts.bin_scores`: a range that a few extreme scores cannot stretch, wide enough for the threshold.
export function range(normal, anomalous, threshold, bars) {
  const filled = [normal, anomalous].filter((s) => s.length);
  let low = Math.min(...filled.map((s) => s[0]));
  let high = Math.max(...filled.map((s) => quantile(s, 0.99)));
  if (Number.isFinite(threshold)) {
    low = Math.min(low, threshold);
    high = Math.max(high, threshold);
  }
  if (!(high > low)) {
    low -= 0.5;
    high = low + 1;
  }
  return { low, high: high + (high - low) / bars };
}

// Counts in bars of equal width; the last one also holds whatever lies above it.
export function bin(sorted, { low, high }, bars) {
  const counts = new Uint32Array(bars);
  let before = 0;
  for (let b = 0; b < bars; b++) {
    const end = b === bars - 1 ? sorted.length : below(sorted, low + ((high - low) * (b + 1)) / bars);
    counts[b] = end - before;
    before = end;
  }
  return counts;
}

// About `want` round numbers between low and high.
export function ticks(low, high, want) {
  const rough = (high - low) / want;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++)
    out.push(Number((k * step).toPrecision(10)));
  return out;
}
