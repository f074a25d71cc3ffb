// The verdict, drawn: pictures, gauge and parts beside the sheet, and a ghost over the ink.
import { putDigit } from "../digits.js";

export function words(verdict, rule) {
  const shown = (verdict.score - rule.shift) / rule.unit;
  const share =
    rule.threshold > 0 ? `, ${Number((verdict.score / rule.threshold).toPrecision(3))} × the threshold` : "";
  const stranger =
    verdict.stranger >= 100
      ? `stranger than all ${rule.among}`
      : `stranger than ${Math.min(verdict.stranger, 99.9).toFixed(1)} % of ${rule.among}`;
  return `Score ${Number(shown.toPrecision(4))}${share}, ${stranger}. ${rule.threshold_in_words}`;
}

export function showVerdict(root, verdict, rule) {
  const find = (name) => root.querySelector(`.${name}`);
  const called = verdict.isAnomalous ? "anomalous" : "normal";
  const box = find("verdict");
  box.style.setProperty("--called", rule.colours[called]);
  box.querySelector("b").textContent = called[0].toUpperCase() + called.slice(1);
  box.querySelector("span").textContent = words(verdict, rule);
  const gauge = find("gauge");
  gauge.hidden = !(rule.threshold > 0);
  gauge.style.setProperty("--called", rule.colours[called]);
  gauge.style.setProperty("--share", String(Math.min(1, Math.max(0, verdict.score / rule.threshold / 2))));
  gauge.setAttribute("aria-label", `${called}; ${words(verdict, rule)}`);
  grey(find("prepared"), verdict.digit, "What the nets see");
  grey(find("made"), verdict.reconstruction, "The reconstruction");
  grey(find("nearest"), verdict.nearest, "The held-out normal image with the nearest code");
  paintResidual(find("residual"), verdict, rule.map);
  showParts(find("parts"), verdict, rule);
  find("doubt").hidden = !verdict.doubt;
  find("doubt").textContent = verdict.doubt;
}

export function grey(canvas, pixels, name) {
  const pen = canvas.getContext("2d");
  pen.putImageData(putDigit(pen.createImageData(28, 28), pixels, 0), 0, 0);
  if (name) canvas.setAttribute("aria-label", name);
}

function paintResidual(canvas, { digit, reconstruction }, map) {
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    const k = 3 * (digit[i] - reconstruction[i] + 255);
    picture.data.set([map[k], map[k + 1], map[k + 2], 255], 4 * i);
  }
  pen.putImageData(picture, 0, 0);
  canvas.setAttribute(
    "aria-label",
    "The signed residual: blue is ink missing from the reconstruction, orange is too much",
  );
}

// A bar for each part: what it adds to the score, as a share of the threshold; beside it its value and how strange that is.
function showParts(box, verdict, rule) {
  if (box.children.length !== rule.parts.length)
    box.replaceChildren(
      ...rule.parts.map(() => {
        const row = document.createElement("div");
        row.append(...["b", "i", "span"].map((tag) => document.createElement(tag)));
        return row;
      }),
    );
  rule.parts.forEach((part, i) => {
    const [name, bar, text] = box.children[i].children;
    const added = rule.weights[i] * verdict.parts[i];
    const share = rule.threshold > 0 ? added / rule.threshold / 2 : 0;
    box.children[i].style.setProperty("--part", rule.part_colours[i]);
    name.textContent = part;
    bar.style.setProperty("--share", String(Math.min(1, Math.max(0, share))));
    const counts = rule.weights[i] ? `adds ${Number(added.toPrecision(3))}` : "has weight 0";
    text.textContent = `${Number(verdict.parts[i].toPrecision(4))}, above ${verdict.partsStranger[i].toFixed(1)} % of the normals; ${counts}`;
  });
}

// pixels: 784 bytes laid over the ink where the digit was found, or null. side: of the drawing that `place` is measured in.
export function showGhost(canvas, pixels, place, side) {
  canvas.hidden = !pixels;
  if (!pixels) return;
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) picture.data.set([255, 176, 66, pixels[i]], 4 * i);
  pen.putImageData(picture, 0, 0);
  const percent = (v) => `${(100 * v) / side}%`;
  Object.assign(canvas.style, {
    left: percent(place.left),
    top: percent(place.top),
    width: percent(28 * place.unit),
    height: percent(28 * place.unit),
  });
}
