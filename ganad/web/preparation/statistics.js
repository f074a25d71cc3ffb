// NumPy's median, percentile and rounding, so that a picture comes out as in Python.

export function percentile(values, q) {
  const sorted = Float64Array.from(values).sort();
  const at = ((sorted.length - 1) * q) / 100;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

export function median(values) {
  return percentile(values, 50);
}

// Halves go to the even neighbour, as in Python.
export function roundHalfEven(v) {
  const low = Math.floor(v);
  if (v - low !== 0.5) return Math.round(v);
  return low % 2 === 0 ? low : low + 1;
}

export function largest(values) {
  let most = -Infinity;
  for (const v of values) if (v > most) most = v;
  return most;
}
