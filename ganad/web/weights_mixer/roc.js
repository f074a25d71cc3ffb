// The ROC curve, its area, and the thresholds that lie on it.

// The curve from (0, 0) on, one corner for each distinct score, and the area under it. Pairs of equal scores count half,
// which is what mid-ranks give. `at[i]` is a threshold with exactly these counts above it.
export function roc(normal, anomalous, into) {
  const { fp, tp, at } = into;
  let i = normal.length;
  let j = anomalous.length;
  let pairs = 0;
  let n = 0;
  fp[0] = tp[0] = 0;
  at[0] = Math.max(i ? normal[i - 1] : -Infinity, j ? anomalous[j - 1] : -Infinity);
  while (i || j) {
    const score = at[n];
    const i0 = i;
    const j0 = j;
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
  const n0 = curve.fp[curve.length - 1] || 1;
  const n1 = curve.tp[curve.length - 1] || 1;
  let best = 0;
  let least = Infinity;
  for (let i = 0; i < curve.length - 1; i++) {
    // the last corner flags everything: no score lies below its threshold
    const dx = (curve.fp[i] / n0 - x) * width;
    const dy = (curve.tp[i] / n1 - y) * height;
    const d = dx * dx + dy * dy;
    if (d < least) {
      least = d;
      best = i;
    }
  }
  return best;
}

// `evaluate.cheapest`: the corner with the least cost, if a miss costs so many false alarms; of equals the highest threshold.
// The last corner flags everything: no score lies below its threshold, so it is left out, as there.
export function cheapest(curve, ratio) {
  const n1 = curve.tp[curve.length - 1];
  let best = 0;
  let least = Infinity;
  for (let i = 0; i < curve.length - 1; i++) {
    const cost = ratio * (n1 - curve.tp[i]) + curve.fp[i];
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}

// `evaluate.best_f1`, the same way.
export function bestF1(curve) {
  let best = 0;
  let most = -1;
  for (let i = 0; i < curve.length - 1; i++) {
    const f1 = f1At(curve, i);
    if (f1 > most) {
      most = f1;
      best = i;
    }
  }
  return best;
}

export function f1At(curve, i) {
  const n1 = curve.tp[curve.length - 1];
  const tp = curve.tp[i];
  return (2 * tp) / Math.max(tp + n1 + curve.fp[i], 1);
}
