// Words and controls around the charts.
import { bestF1, f1At } from "./roc.js";
import { isUsual, unitsOf } from "./state.js";
import { number, percent, thresholdInWords } from "./words.js";

// What is written once: names, colours, the marks of the defaults.
export function dress(own) {
  const { data, find } = own;
  for (const [name, colour] of Object.entries(data.colours)) own.root.style.setProperty(`--${name}`, colour);
  own.parts.forEach((part, i) => {
    set(part.querySelector(".name"), data.parts[i]);
    part.querySelector("input").setAttribute("aria-label", data.parts[i]);
    part.style.setProperty("--own", data.colours[data.parts[i].toLowerCase()]);
    part.style.setProperty("--words", `var(--st-${data.hues[i]}-text-color)`);
    part.style.setProperty("--default", Math.min(1, data.defaults.weights[i] * data.scales[i]));
    part.title = `The influence of the ${data.parts[i].toLowerCase()} part: its weight times its standard deviation among held-out normals. Below: its share of the score, and its weight. The mark is the default.`;
  });
  const [n0, n1] = own.rows.map((r) => r.length.toLocaleString("en-US"));
  set(find(".key.normal"), `normal ${n0}`);
  set(find(".key.anomalous"), `anomalous ${n1}`);
  set(find(".count.normal .who"), `${n0} normal images`);
  set(find(".count.anomalous .who"), `${n1} anomalies`);
}

export function controls(own, threshold) {
  const { data, weights } = own;
  own.parts.forEach((part, i) => {
    const slider = part.querySelector("input");
    const at = Math.min(1, weights[i] * data.scales[i]);
    const share = (weights[i] * own.usually[i][1]) / own.standard.unit; // of the influence of all parts
    const weight = number(own.standardised ? share : weights[i]);
    if (own.grabbed !== slider) slider.value = at;
    set(part.querySelector(".raw"), `${Math.round(100 * share)} % · weight ${weight}`);
    slider.style.setProperty("--at", slider.value);
    slider.setAttribute("aria-valuetext", `influence ${Number(slider.value).toFixed(2)}, weight ${weight}`);
  });
  for (const radio of own.root.querySelectorAll("[name=units]"))
    radio.checked = (radio.value === "standardised") === own.standardised;
  for (const radio of own.root.querySelectorAll("[name=rule]")) radio.checked = radio.value === own.rule;
  for (const radio of own.root.querySelectorAll("[name=strip]")) radio.checked = radio.value === own.strip;
  const slide = own.slide;
  const hand = own.rule === "manual";
  const cost = own.rule === "cost";
  const f1 = own.rule === "best F1";
  const [low, high, step] = hand ? [0, 200, 1] : cost ? [-20, 20, 1] : [0.5, 20, 0.5];
  if (slide.max !== String(high) || slide.min !== String(low)) Object.assign(slide, { min: low, max: high, step });
  slide.disabled = f1;
  const place = hand
    ? (200 * (threshold - own.span.low)) / (own.span.high - own.span.low)
    : cost
      ? 10 * Math.log10(own.price)
      : 100 * own.share;
  if (own.grabbed !== slide) slide.value = place;
  slide.style.setProperty("--at", (slide.value - low) / (high - low));
  const said = hand
    ? `threshold ${number(unitsOf(own).shown(threshold))}`
    : f1
      ? `F1 ${f1At(own.curve, bestF1(own.curve)).toFixed(3)}`
      : cost
        ? `a miss costs ${number(own.price)} false alarms`
        : `at most ${percent(own.share)} of held-out normal images`;
  slide.setAttribute(
    "aria-label",
    hand ? "Threshold" : cost ? "What a miss costs in false alarms" : "False alarms at most",
  );
  slide.setAttribute("aria-valuetext", said);
  set(own.find(".line .raw"), said);
}

export function words(own, threshold, { tp, fn, fp, tn }) {
  const { find, data } = own;
  const usual = isUsual(own);
  const gain = own.curve.area - own.usual.area;
  set(find(".auroc"), Number.isFinite(own.curve.area) ? own.curve.area.toFixed(4) : "–");
  set(
    find(".gain"),
    usual || !Number.isFinite(gain) ? "" : `${gain < 0 ? "−" : "+"}${Math.abs(gain).toFixed(4)} against the default`,
  );
  const some = (name, n, of) => `${name} ${n.toLocaleString("en-US")} · ${percent(n / of)}`;
  set(find(".missed"), some("missed", fn, tp + fn));
  set(find(".caught"), some("caught", tp, tp + fn));
  set(find(".passed"), some("passed", tn, fp + tn));
  set(find(".alarms"), some("false alarms", fp, fp + tn));
  find(".count.anomalous .bar").style.setProperty("--cut", fn / (tp + fn) || 0);
  find(".count.normal .bar").style.setProperty("--cut", tn / (fp + tn) || 0);
  const { rule } = own;
  const promised = rule === "false alarms";
  const same = usual && promised && own.share === data.defaults.value;
  find(".defaults").disabled = same;
  find(".tuned_on_test").classList.toggle(
    "shown",
    !promised || !(usual || data.set.advised?.every((w, i) => w === own.weights[i])),
  );
  const value = { cost: own.price, "false alarms": own.share }[rule];
  const inWords = () =>
    own.sweep
      ? `Threshold ${number(unitsOf(own).shown(threshold))}: one point of the curve.`
      : thresholdInWords(rule, value, threshold, unitsOf(own), own.held.length, data.originals);
  set(find(".words"), own.refused ? "At least one part needs a weight." : inWords());
}

export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What the pictures show, for those who hear the page.
export function describe(own, threshold, { tp, fn, fp, tn }, { left, right, headings }) {
  const rates = `catches ${percent(tp / (tp + fn))} at ${percent(fp / (fp + tn))} false alarms`;
  const digits = (rows) =>
    rows.length ? rows.map((row) => own.data.names[own.digit[row]] ?? own.digit[row]).join(" ") : "none";
  const sides = headings.length > 1 ? [left, right] : [right];
  own.scores.ariaLabel = `Histogram of the scores of ${fp + tn} normal and ${tp + fn} anomalous images, threshold ${number(unitsOf(own).shown(threshold))}`;
  own.square.ariaLabel = `ROC curve, AUROC ${own.curve.area.toFixed(4)}, ${rates}`;
  own.gallery.ariaLabel = `Images, ${sides.map((rows, i) => `${headings[i]}: ${digits(rows)}`).join("; ")}`;
}
