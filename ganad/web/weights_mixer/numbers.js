// --- numbers: from parts and weights to scores, threshold, counts and areas. Nothing here knows the page. ---
// The same arithmetic as ganad/evaluation/metrics.py, in the same order and in doubles, so that both sides agree to the last image.

export function floats(base64) {
  return new Float32Array(bytes(base64).buffer);
}

export function bytes(base64) {
  const text = atob(base64), out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}

// The weighted sum of the parts, written into `out`.
export function total(parts, weights, out) {
  const [a, b, c] = parts, [u, v, w] = weights;
  for (let i = 0; i < out.length; i++) out[i] = u * a[i] + v * b[i] + w * c[i];
  return out;
}

export function take(values, rows, out) {
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i]];
  return out;
}

// `evaluate.Units`: how a score is shown, and back.
const unitsFrom = (shift, unit) => ({ shift, unit, shown: (x) => (x - shift) / unit, score: (x) => unit * x + shift });
export const RAW = unitsFrom(0, 1);

// `evaluate.standard_units`, from the mean and the spread of each part among held-out normals.
export function standardUnits(usually, weights) {
  const sum = (k) => usually.reduce((s, part, i) => s + weights[i] * part[k], 0);
  return unitsFrom(sum(0), sum(1) || 1);
}

// How many of the sorted values are at most x.
export function upTo(sorted, x) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= x) low = middle + 1; else high = middle;
  }
  return low;
}

// How many of the sorted values are less than x.
export function below(sorted, x) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1; else high = middle;
  }
  return low;
}

// `evaluate.threshold_for`: the k-th smallest held-out score, infinity where there are too few of them.
export function thresholdFor(sortedVal, share) {
  const k = Math.ceil((sortedVal.length + 1) * (1 - share) - 1e-9);
  return k > sortedVal.length ? Infinity : sortedVal[Math.max(k, 1) - 1];
}

// Anomalous means above the threshold, on both sides.
export function count(normal, anomalous, threshold) {
  const tn = upTo(normal, threshold), fn = upTo(anomalous, threshold);
  return { tp: anomalous.length - fn, fn, fp: normal.length - tn, tn };
}

// The curve from (0, 0) on, one corner for each distinct score, and the area under it. Pairs of equal scores count half,
// which is what mid-ranks give. `at[i]` is a threshold with exactly these counts above it.
export function roc(normal, anomalous, into) {
  const { fp, tp, at } = into;
  let i = normal.length, j = anomalous.length, pairs = 0, n = 0;
  fp[0] = tp[0] = 0;
  at[0] = Math.max(i ? normal[i - 1] : -Infinity, j ? anomalous[j - 1] : -Infinity);
  while (i || j) {
    const score = at[n], i0 = i, j0 = j;
    while (i && normal[i - 1] === score) i--;
    while (j && anomalous[j - 1] === score) j--;
    pairs += (i0 - i) * (anomalous.length - j0 + (j0 - j) / 2);
    n++;
    fp[n] = normal.length - i;
    tp[n] = anomalous.length - j;
    at[n] = Math.max(i ? normal[i - 1] : -Infinity, j ? anomalous[j - 1] : -Infinity);
  }
  into.length = n + 1;
  into.area = pairs / (normal.length * anomalous.length);
  return into;
}

export function room(n) {
  return { fp: new Uint32Array(n + 1), tp: new Uint32Array(n + 1), at: new Float64Array(n + 1), length: 0, area: NaN };
}

// The corner of the curve that lies nearest to a point of the unit square, as it looks when drawn that wide and high.
export function nearest(curve, x, y, width, height) {
  const n0 = curve.fp[curve.length - 1] || 1, n1 = curve.tp[curve.length - 1] || 1;
  let best = 0, least = Infinity;
  for (let i = 0; i < curve.length - 1; i++) { // the last corner flags everything: no score lies below its threshold
    const dx = (curve.fp[i] / n0 - x) * width, dy = (curve.tp[i] / n1 - y) * height, d = dx * dx + dy * dy;
    if (d < least) { least = d; best = i; }
  }
  return best;
}

export function quantile(sorted, q) {
  if (!sorted.length) return NaN;
  const place = (sorted.length - 1) * q, i = Math.floor(place), next = Math.min(i + 1, sorted.length - 1);
  return sorted[i] + (sorted[next] - sorted[i]) * (place - i);
}

export function meanAndSpread(values) {
  let sum = 0, squares = 0;
  for (const v of values) sum += v;
  const mean = sum / values.length;
  for (const v of values) squares += (v - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}

// `charts.bin_scores`: a range that a few extreme scores cannot stretch, wide enough for the threshold.
export function range(normal, anomalous, threshold, bars) {
  const filled = [normal, anomalous].filter((s) => s.length);
  let low = Math.min(...filled.map((s) => s[0])), high = Math.max(...filled.map((s) => quantile(s, 0.99)));
  if (Number.isFinite(threshold)) { low = Math.min(low, threshold); high = Math.max(high, threshold); }
  if (!(high > low)) { low -= 0.5; high = low + 1; }
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

// The `want` rows of the lowest rank, lowest first; rank(row) is Infinity for a row that does not count.
export function lowest(n, want, rank) {
  const rows = [], ranks = [];
  for (let i = 0; i < n; i++) {
    const r = rank(i);
    if (r === Infinity || (rows.length === want && !(r < ranks[want - 1]))) continue;
    let at = rows.length < want ? rows.length : want - 1;
    while (at > 0 && ranks[at - 1] > r) { ranks[at] = ranks[at - 1]; rows[at] = rows[at - 1]; at--; }
    ranks[at] = r;
    rows[at] = i;
  }
  return rows;
}

// `evaluate.cheapest`: the corner with the least cost, if a miss costs so many false alarms; of equals the highest threshold.
// The last corner flags everything: no score lies below its threshold, so it is left out, as there.
export function cheapest(curve, ratio) {
  const n1 = curve.tp[curve.length - 1];
  let best = 0, least = Infinity;
  for (let i = 0; i < curve.length - 1; i++) {
    const cost = ratio * (n1 - curve.tp[i]) + curve.fp[i];
    if (cost < least) { least = cost; best = i; }
  }
  return best;
}

// `evaluate.best_f1`, the same way.
export function bestF1(curve) {
  let best = 0, most = -1;
  for (let i = 0; i < curve.length - 1; i++) {
    const f1 = f1At(curve, i);
    if (f1 > most) { most = f1; best = i; }
  }
  return best;
}

export function f1At(curve, i) {
  const n1 = curve.tp[curve.length - 1], tp = curve.tp[i];
  return (2 * tp) / Math.max(tp + n1 + curve.fp[i], 1);
}

// --- `bootstrap.band`: how far area and curve would move with other test images. The same way, with draws of its own. ---

const RESAMPLES = 200, LEVEL = 0.95, GRID = 101;

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
  const next = dice(1), below = [], above = [];
  for (let b = 0; b < RESAMPLES; b++) {
    const low = new Uint32Array(n + 1), high = new Uint32Array(m + 1);
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
  const n = normal.length, m = anomalous.length;
  const less = Uint32Array.from(anomalous, (s) => below(normal, s)), atMost = Uint32Array.from(anomalous, (s) => upTo(normal, s));
  const up = Uint32Array.from(normal, (s) => upTo(anomalous, s));
  const areas = new Float64Array(RESAMPLES), caught = Array.from({ length: GRID }, () => new Float64Array(RESAMPLES));
  for (let b = 0; b < RESAMPLES; b++) {
    const low = drawn.below[b], high = drawn.above[b];
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
  const tail = (1 - LEVEL) / 2, ends = (values) => { values.sort(); return [quantile(values, tail), quantile(values, 1 - tail)]; };
  return { area: ends(areas), curve: caught.map((values, k) => [k / (GRID - 1), ...ends(values)]) };
}
