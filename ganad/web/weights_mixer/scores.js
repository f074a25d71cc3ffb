// From parts and weights to scores, threshold and counts: the arithmetic of ganad/evaluation/metrics.py and thresholds.py, in the same
// order and in doubles, so that both sides agree to the last image.

// The weighted sum of the parts, written into `out`.
export function total(parts, weights, out) {
  parts.forEach((values, part) => {
    const weight = weights[part];
    if (part) for (let i = 0; i < out.length; i++) out[i] += weight * values[i];
    else for (let i = 0; i < out.length; i++) out[i] = weight * values[i];
  });
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
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

// How many of the sorted values are less than x.
export function below(sorted, x) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function quantile(sorted, q) {
  if (!sorted.length) return NaN;
  const place = (sorted.length - 1) * q;
  const i = Math.floor(place);
  const next = Math.min(i + 1, sorted.length - 1);
  return sorted[i] + (sorted[next] - sorted[i]) * (place - i);
}

export function meanAndSpread(values) {
  let sum = 0;
  let squares = 0;
  for (const v of values) sum += v;
  const mean = sum / values.length;
  for (const v of values) squares += (v - mean) ** 2;
  return [mean, Math.sqrt(squares / values.length)];
}

// `evaluate.threshold_for`: the k-th smallest held-out score, infinity where there are too few of them.
export function thresholdFor(sortedVal, share) {
  const k = Math.ceil((sortedVal.length + 1) * (1 - share) - 1e-9);
  return k > sortedVal.length ? Infinity : sortedVal[Math.max(k, 1) - 1];
}

// Anomalous means above the threshold, on both sides.
export function count(normal, anomalous, threshold) {
  const tn = upTo(normal, threshold);
  const fn = upTo(anomalous, threshold);
  return { tp: anomalous.length - fn, fn, fp: normal.length - tn, tn };
}

// The `want` rows of the lowest rank, lowest first; rank(row) is Infinity for a row that does not count.
export function lowest(n, want, rank) {
  const rows = [];
  const ranks = [];
  for (let i = 0; i < n; i++) {
    const r = rank(i);
    if (r === Infinity || (rows.length === want && !(r < ranks[want - 1]))) continue;
    let at = rows.length < want ? rows.length : want - 1;
    while (at > 0 && ranks[at - 1] > r) {
      ranks[at] = ranks[at - 1];
      rows[at] = rows[at - 1];
      at--;
    }
    ranks[at] = r;
    rows[at] = i;
  }
  return rows;
}
