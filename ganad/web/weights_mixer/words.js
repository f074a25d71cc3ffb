// Numbers and sentences as they stand on the screen.

export function number(x) {
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "–";
  return Math.abs(x) >= 1000 ? Math.round(x).toLocaleString("en-US") : String(Number(x.toPrecision(3)));
}

export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  return `${(100 * share).toFixed(1)} %`;
}

function shareInWords(share) {
  return `${Number((100 * share).toPrecision(3))} %`;
}

// `evaluate.no_threshold`: why nothing is called anomalous, and what to do about it.
export function noThreshold(n, share) {
  const lowest = Math.ceil(1000 / (n + 1) - 1e-9) / 1000;
  const wanted = Math.ceil(1 / share - 1 - 1e-9);
  return (
    `Nothing is called anomalous: ${n} held-out normal image${n === 1 ? " is" : "s are"} too few for a threshold with at most ` +
    `${shareInWords(share)} false alarms. Allow at least ${shareInWords(lowest)} (1 in ${n + 1}), or train on more normal images: a tenth of them ` +
    `is held out, and ${wanted} of them are needed.`
  );
}

// `DecisionRule.in_words`: where the threshold lies and where it comes from. value: the number of the rule; originals: of how many the
// held-out images are variants, null where each stands for itself.
export function thresholdInWords(rule, value, threshold, units, heldOut, originals = null) {
  if (!Number.isFinite(threshold)) return noThreshold(heldOut, value);
  const reason = {
    manual: ", set by hand.",
    cost: `: cheapest on the test set if a miss costs as much as ${number(value)} false alarms.`,
    "best F1": ": the highest F1 on the test set.",
  }[rule];
  const promise = () =>
    originals === null
      ? `: a new normal image lies above it with a probability of at most ${percent(value)}.`
      : `: at most ${percent(value)} of the variants of ${originals} held-out originals lie above it; from so many no ` +
        `threshold could promise less than 1 false alarm in ${originals + 1}.`;
  return `Threshold ${number(units.shown(threshold))}${reason ?? promise()}`;
}
