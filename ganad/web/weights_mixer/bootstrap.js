// How far area and curve would move with other test images: ganad/evaluation/bootstrap.py, with draws of its own.
import { below, quantile, upTo } from "./scores.js";

const RESAMPLES = 200;
const LEVEL = 0.95;
const GRID = 101;

// Small and seeded, so that the band does not flicker (mulberry32).
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// For each resample how many draws lie among the k lowest of n normals, and above the k lowest of m anomalies. They are drawn
// by rank, so the same draws serve every weighting.
export function draws(n, m) {
  const next = dice(1);
  const below = [];
  const above = [];
  for (let b = 0; b < RESAMPLES; b++) {
    const low = new Uint32Array(n + 1);
    const high = new Uint32Array(m + 1);
    for (let i = 0; i < n; i++) low[1 + Math.floor(next() * n)]++;
    for (let i = 0; i < m; i++) high[Math.floor(next() * m)]++;
    for (let i = 0; i < n; i++) low[i + 1] += low[i];
    for (let i = m; i > 0; i--) high[i - 1] += high[i];
    below.push(low);
    above.push(high);
  }
  return { below, above };
}

export function bandOf(normal, anomalous, drawn) {
  const n = normal.length;
  const m = anomalous.length;
  const less = Uint32Array.from(anomalous, (s) => below(normal, s));
  const atMost = Uint32Array.from(anomalous, (s) => upTo(normal, s));
  const up = Uint32Array.from(normal, (s) => upTo(anomalous, s));
  const areas = new Float64Array(RESAMPLES);
  const caught = Array.from({ length: GRID }, () => new Float64Array(RESAMPLES));
  for (let b = 0; b < RESAMPLES; b++) {
    const low = drawn.below[b];
    const high = drawn.above[b];
    let pairs = 0;
    for (let j = 0; j < m; j++) pairs += ((high[j] - high[j + 1]) * (low[less[j]] + low[atMost[j]])) / 2;
    areas[b] = pairs / (n * m);
    let at = n - 1; // the lowest threshold, one of the normals, above which at most so many draws lie
    for (let k = 0; k < GRID - 1; k++) {
      const wanted = Math.ceil(n * (1 - k / (GRID - 1)) - 1e-9);
      while (at > 0 && low[at] >= wanted) at--;
      caught[k][b] = high[up[at]] / m;
    }
    caught[GRID - 1][b] = 1;
  }
  const tail = (1 - LEVEL) / 2;
  const ends = (values) => {
    values.sort();
    return [quantile(values, tail), quantile(values, 1 - tail)];
  };
  return { area: ends(areas), curve: caught.map((values, k) => [k / (GRID - 1), ...ends(values)]) };
}
