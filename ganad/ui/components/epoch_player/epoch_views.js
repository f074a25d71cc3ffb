// What an epoch looks like: probe images, losses up to it, scores, ROC curve and latent space of a fixed sample.
import { putDigit } from "../../../web/digits.js";
import { bin, range } from "../../../web/weights_mixer/bins.js";
import { line, sheet, trace, write } from "../../../web/weights_mixer/canvas.js";
import { roc, room } from "../../../web/weights_mixer/roc.js";
import { total } from "../../../web/weights_mixer/scores.js";

const BINS = 32;

// Scores of the sample in one epoch, and what follows of them. threshold: so that at most `share` of the held-out normals lie above.
export function scoresAt(own, epoch) {
  const { size, weights } = own;
  const rows = own.parts.map((all) => all.subarray(epoch * size, (epoch + 1) * size));
  const scores = total(rows, weights, new Float64Array(size));
  const of = (wanted) => scores.filter((_, i) => wanted(i)).sort();
  const held = of((i) => own.held[i]);
  const normal = of((i) => !own.held[i] && !own.anomalous[i]);
  const anomalous = of((i) => own.anomalous[i]);
  const curve = roc(normal, anomalous, room(size));
  const place = Math.ceil((held.length + 1) * (1 - own.share)) - 1;
  const threshold = place < held.length ? held[place] : Infinity;
  return { scores, normal, anomalous, curve, threshold };
}

export function drawWall(canvas, images, from, count, name) {
  canvas.width = 28 * count;
  canvas.height = 28;
  canvas.setAttribute("aria-label", name);
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(canvas.width, 28);
  for (let i = 0; i < count; i++) putDigit(picture, images, from + i, 28 * i);
  pen.putImageData(picture, 0, 0);
}

const FRAME = { left: 34, right: 8, top: 8, bottom: 22 };

function axes(pen, width, height, theme, [left, right], [low, high]) {
  const box = {
    x: FRAME.left,
    y: FRAME.top,
    w: width - FRAME.left - FRAME.right,
    h: height - FRAME.top - FRAME.bottom,
  };
  line(
    pen,
    [
      [box.x, box.y],
      [box.x, box.y + box.h],
      [box.x + box.w, box.y + box.h],
    ],
    theme.faint,
    1,
  );
  const style = { colour: theme.ink, alpha: 0.75 };
  write(pen, left, box.x, height - 5, style);
  write(pen, right, box.x + box.w, height - 5, { ...style, align: "right" });
  write(pen, high, box.x - 4, box.y + 10, { ...style, align: "right" });
  write(pen, low, box.x - 4, box.y + box.h, { ...style, align: "right" });
  return box;
}

// A dashed line across a chart, at that share of its width.
function mark(pen, box, share, theme) {
  const x = box.x + box.w * share;
  const ends = [box.y, box.y + box.h].map((y) => [x, y]);
  line(pen, ends, theme.ink, 1.5, [4, 3]);
}

function fill(pen, points, colour, opacity) {
  trace(pen, points);
  pen.globalAlpha = opacity;
  pen.fillStyle = colour;
  pen.fill();
  pen.globalAlpha = 1;
}

// Each player's loss on its own scale, 0 to its highest but for the first tenth of the training; a line where the epoch ends. The loss of
// the run that this one branched off from stands grey beneath, on the same scale.
export function drawLosses(canvas, own, epoch, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const box = axes(pen, width, height, theme, ["epoch 0", String(own.last)], ["0", "high"]);
  for (const { colour, points, parent } of own.losses) {
    const later = points.filter(([x]) => x > own.last / 10).map(([, y]) => y);
    const most = Math.max(...(later.length ? later : points.map(([, y]) => y)), 1e-9);
    const least = Math.min(0, ...points.map(([, y]) => y));
    const at = ([x, y]) => [
      box.x + (box.w * x) / own.last,
      box.y + box.h * (1 - Math.min(1, (y - least) / (most - least))),
    ];
    pen.globalAlpha = 0.5;
    const reached = parent.filter(([x]) => x <= own.last);
    if (reached.length > 1) line(pen, reached.map(at), theme.ink, 1.2);
    pen.globalAlpha = 0.25;
    line(pen, points.map(at), colour, 1.2);
    pen.globalAlpha = 1;
    const before = points.filter(([x]) => x <= epoch);
    if (before.length > 1) line(pen, before.map(at), colour, 1.6);
  }
  mark(pen, box, epoch / own.last, theme);
}

export function drawScores(canvas, seen, own, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const span = range(seen.normal, seen.anomalous, seen.threshold, BINS);
  const box = axes(pen, width, height, theme, [short(span.low), short(span.high)], ["0", ""]);
  for (const [sorted, colour] of [
    [seen.normal, own.colours.normal],
    [seen.anomalous, own.colours.anomalous],
  ]) {
    const counts = bin(sorted, span, BINS);
    const most = Math.max(...counts, 1);
    const points = [[box.x, box.y + box.h]];
    counts.forEach((count, b) => {
      const y = box.y + box.h * (1 - count / most);
      points.push([box.x + (box.w * b) / BINS, y], [box.x + (box.w * (b + 1)) / BINS, y]);
    });
    points.push([box.x + box.w, box.y + box.h]);
    fill(pen, points, colour, 0.22);
    line(pen, points, colour, 1.6);
  }
  if (Number.isFinite(seen.threshold)) {
    mark(pen, box, (seen.threshold - span.low) / (span.high - span.low), theme);
  }
}

export function drawRoc(canvas, seen, own, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const box = axes(pen, width, height, theme, ["0", "false alarms, 1"], ["0", "1"]);
  const at = (x, y) => [box.x + box.w * x, box.y + box.h * (1 - y)];
  line(pen, [at(0, 0), at(1, 1)], theme.faint, 1, [3, 3]);
  const { curve } = seen;
  const points = [];
  for (let i = 0; i < curve.length; i++)
    points.push(at(curve.fp[i] / seen.normal.length, curve.tp[i] / seen.anomalous.length));
  fill(pen, [...points, at(1, 0), at(0, 0)], own.colours.anomalous, 0.15);
  line(pen, points, own.colours.anomalous, 2);
}

export function drawMap(canvas, own, epoch, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const from = 2 * epoch * own.size;
  const points = own.places.subarray(from, from + 2 * own.size);
  const { reach } = own;
  const scale = (Math.min(width, height) - 12) / (2 * reach);
  const place = (i) => [width / 2 + scale * points[2 * i], height / 2 - scale * points[2 * i + 1]];
  for (let i = 0; i < own.size; i++) {
    const [x, y] = place(i);
    pen.beginPath();
    pen.arc(x, y, own.held[i] ? 2.6 : 2.2, 0, 2 * Math.PI);
    if (own.held[i]) {
      pen.strokeStyle = theme.ink;
      pen.lineWidth = 1;
      pen.stroke();
    } else {
      pen.globalAlpha = 0.75;
      pen.fillStyle = own.anomalous[i] ? own.colours.anomalous : own.colours.normal;
      pen.fill();
      pen.globalAlpha = 1;
    }
  }
}

export function short(v) {
  return String(Number(v.toPrecision(2)));
}
