// The strip of digits: which ones, where, and how they are drawn.
import { putDigit } from "../digits.js";
import { line, sheet, write } from "./canvas.js";
import { lowest } from "./scores.js";

const TILE = 56;
const GAP = 8;
const MIDDLE = 36;
const CAPTION = 20;
const HEADING = 22;

export function chosen(own, threshold) {
  const { score, truth, n, digit, pixels } = own;
  const m = fits(own.gallery);
  const about = {
    truth: (i) => truth[i] === 1,
    called: (i) => score[i] > threshold,
    digit: (i) => own.data.names[digit[i]] ?? `${/^(8|11$|18$)/.test(digit[i]) ? "an" : "a"} ${digit[i]}`,
    pixels,
    left: [],
    right: [],
    divided: own.strip !== "strangest",
  };
  if (own.strip === "near") {
    about.left = lowest(n, m, (i) => (score[i] <= threshold ? -score[i] : Infinity)).reverse();
    about.right = lowest(n, m, (i) => (score[i] > threshold ? score[i] : Infinity));
    about.headings = ["just below: called normal", "just above: called anomalous"];
  } else if (own.strip === "mistakes") {
    about.left = lowest(n, m, (i) => (truth[i] === 1 && score[i] <= threshold ? score[i] : Infinity)).reverse();
    about.right = lowest(n, m, (i) => (truth[i] === 0 && score[i] > threshold ? -score[i] : Infinity));
    about.headings = ["lowest scores of the missed", "highest scores of the false alarms"];
  } else {
    about.right = lowest(n, 2 * m, (i) => -score[i]);
    about.headings = ["the highest scores of all"];
  }
  return about;
}

// How many digits fit on the strip, on each side of its middle.
function fits(canvas) {
  return Math.max(2, Math.min(10, Math.floor((canvas.clientWidth - MIDDLE + 2 * GAP - 2) / (TILE + GAP) / 2)));
}

// Where the digits of the strip begin, from left to right.
function placesOf({ left, right, divided }, canvas) {
  const middle = divided ? MIDDLE : GAP;
  const perSide = fits(canvas);
  const whole = 2 * perSide * (TILE + GAP) - 2 * GAP + middle;
  const start = (canvas.clientWidth - whole) / 2;
  const centre = start + perSide * (TILE + GAP) - GAP + middle / 2;
  const places = [
    ...left.map((_, i) => centre - middle / 2 - (left.length - i) * (TILE + GAP) + GAP),
    ...right.map((_, i) => (divided ? centre + middle / 2 : start) + i * (TILE + GAP)),
  ];
  return { places, middle, centre };
}

// The row of the digit under a place on the strip; undefined between them.
export function rowAt(shown, canvas, px) {
  if (!shown) return undefined;
  const at = placesOf(shown, canvas).places.findIndex((x) => px >= x && px <= x + TILE);
  return [...shown.left, ...shown.right][at];
}

// Digits left and right of a line; without a line, in one row. Frames tell the truth, red words tell the mistakes.
export function strip(canvas, shown, theme) {
  const { left, right, headings, divided, truth, called, digit, pixels } = shown;
  const [pen] = sheet(canvas, theme);
  const n = left.length + right.length;
  const { places, middle, centre } = placesOf(shown, canvas);
  const atlas = n && pixels ? atlasOf([...left, ...right], pixels) : null;
  pen.imageSmoothingEnabled = false;
  [...left, ...right].forEach((row, i) => {
    const x = places[i];
    const colour = truth(row) ? theme.anomalous : theme.normal;
    pen.fillStyle = theme.tile;
    pen.fillRect(x, HEADING + 4, TILE, TILE);
    pen.globalCompositeOperation = "lighten"; // ink on the ground of all tiles, which is not quite black
    if (atlas) pen.drawImage(atlas, 28 * i, 0, 28, 28, x, HEADING + 4, TILE, TILE);
    pen.globalCompositeOperation = "source-over";
    pen.beginPath();
    pen.roundRect(x - 1, HEADING + 3, TILE + 2, TILE + 2, 5);
    pen.lineWidth = 3;
    pen.strokeStyle = colour;
    pen.stroke();
    const wrong = truth(row) !== called(row);
    const words = wrong ? (truth(row) ? "missed" : "false alarm") : digit(row);
    pen.font = `12px ${theme.font}`;
    write(pen, words, x + TILE / 2, HEADING + TILE + CAPTION, {
      colour: wrong ? theme.wrong : theme.text,
      align: "center",
      alpha: wrong ? 1 : 0.7,
    });
    pen.font = `13px ${theme.font}`;
  });
  if (divided) {
    line(
      pen,
      [
        [centre, 2],
        [centre, HEADING + TILE + CAPTION + 4],
      ],
      theme.ink,
      1.5,
      [5, 4],
    );
    write(pen, headings[0], centre - middle / 2, 13, { colour: theme.text, align: "right", alpha: 0.8 });
    write(pen, headings[1], centre + middle / 2, 13, { colour: theme.text, alpha: 0.8 });
    const low = HEADING + 4 + TILE / 2;
    if (!left.length)
      write(pen, "none", centre - middle / 2, low, { colour: theme.text, align: "right", base: "middle", alpha: 0.6 });
    if (!right.length) write(pen, "none", centre + middle / 2, low, { colour: theme.text, base: "middle", alpha: 0.6 });
  } else {
    write(pen, headings[0], places[0] || 2, 13, { colour: theme.text, alpha: 0.8 });
  }
}

let spare;

function atlasOf(rows, pixels) {
  spare ||= document.createElement("canvas");
  if (spare.width !== 28 * rows.length) spare.width = 28 * rows.length;
  spare.height = 28;
  const pen = spare.getContext("2d", { willReadFrequently: true });
  const picture = pen.createImageData(28 * rows.length, 28);
  rows.forEach((row, i) => {
    putDigit(picture, pixels, row, 28 * i);
  });
  pen.putImageData(picture, 0, 0);
  return spare;
}
