// Curves over the epochs of a training, on one axis for all, drawn on canvases.
import { ticks } from "../../../web/weights_mixer/bins.js";
import { line, sheet, write } from "../../../web/weights_mixer/canvas.js";

const EDGE = { left: 46, right: 56, top: 10, bottom: 22 };
const WARM_UP = 0.03;
const GREY = "rgba(124, 135, 151, 0.65)"; // the run that this one branched off from

// The part of a canvas that a curve is drawn in, in CSS pixels.
export function plotArea(width, height) {
  return { x: EDGE.left, y: EDGE.top, w: width - EDGE.left - EDGE.right, h: height - EDGE.top - EDGE.bottom };
}

// points: x and y in turn. Least and greatest y between two places; the first wild steps of a training are left out of it.
export function heights({ points, parent = [], equilibrium }, [from, to], end, whole) {
  let [low, high] = [Infinity, -Infinity];
  for (const curve of [points, parent])
    for (let i = 0; i < curve.length; i += 2) {
      const [x, y] = [curve[i], curve[i + 1]];
      if (x < from || x > to || (x < WARM_UP * end && curve.length > 100)) continue;
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
  if (whole && equilibrium !== null) {
    low = Math.min(low, equilibrium);
    high = Math.max(high, equilibrium);
  }
  if (low > high) [low, high] = [0, 1];
  const room = 0.06 * (high - low) || 0.05 * Math.abs(high) || 0.5;
  return [low - room, high + room];
}

export function drawPanel(canvas, panel, range, { view, end, pointed }, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const box = plotArea(width, height);
  const { points, equilibrium } = panel;
  const [from, to] = range;
  const [low, high] = heights(panel, range, end, !view);
  const at = (x, y) => [box.x + (box.w * (x - from)) / (to - from), box.y + box.h * (1 - (y - low) / (high - low))];
  drawAxes(pen, box, height, range, [low, high], theme, at);
  const frame = new Path2D();
  frame.rect(box.x - 1, 0, box.w + 3, box.y + box.h + 1);
  pen.save();
  pen.clip(frame);
  const balanced = equilibrium !== null && equilibrium > low && equilibrium < high;
  if (balanced) line(pen, [at(from, equilibrium), at(to, equilibrium)], theme.ink, 1.2, [6, 4]);
  const beneath = pathOf(panel.parent, at);
  if (beneath.length > 1) line(pen, beneath, GREY, 1.8);
  for (const [epoch] of panel.marks) line(pen, [at(epoch, low), at(epoch, high)], theme.ink, 1, [2, 3]);
  const path = pathOf(points, at);
  let [peak, last] = [-Infinity, null];
  for (let i = 0; i < points.length; i += 2) {
    if (points[i] < from || points[i] > to) continue;
    peak = Math.max(peak, points[i + 1]);
    last = i;
  }
  if (path.length > 1) line(pen, path, panel.colour, 1.8);
  if (path.length <= 40) for (const [x, y] of path) dot(pen, x, y, panel.colour);
  if (pointed !== null) line(pen, [at(pointed, low), at(pointed, high)], theme.ink, 1, [2, 3]);
  pen.restore();
  panel.marks.forEach(([epoch, words], k) => {
    if (epoch < from || epoch > to) return;
    const [x] = at(epoch, high);
    const late = x > box.x + box.w / 2;
    rimmed(pen, words, late ? x - 4 : x + 4, box.y + 12 + 15 * (k % 3), late ? "right" : "left", theme);
  });
  if (peak > high) write(pen, `↑ ${figure(peak)}`, box.x + 6, 7, { colour: theme.ink, base: "middle" });
  if (last !== null) {
    const y = Math.max(8, Math.min(box.y + box.h, at(from, points[last + 1])[1]));
    const style = { colour: panel.colour, base: "middle", weight: "600" };
    write(pen, figure(points[last + 1]), box.x + box.w + 6, y, style);
  }
  if (balanced) {
    const [, y] = at(from, equilibrium);
    rimmed(pen, panel.in_words, box.x + box.w - 4, y > box.y + 18 ? y - 5 : y + 14, "right", theme);
  }
}

// Words with a rim in the colour of the page, so that they can be read over curves and lines.
function rimmed(pen, words, x, y, align, theme) {
  pen.lineWidth = 5;
  pen.lineJoin = "round";
  pen.strokeStyle = theme.page;
  pen.textAlign = align;
  pen.strokeText(words, x, y);
  write(pen, words, x, y, { colour: theme.ink, align, alpha: 0.9 });
}

// points: x and y in turn. Where they lie on the canvas, what is too high at its upper edge.
function pathOf(points, at) {
  const path = [];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = at(points[i], points[i + 1]);
    path.push([x, Math.max(0, y)]);
  }
  return path;
}

function dot(pen, x, y, colour) {
  pen.beginPath();
  pen.arc(x, y, 2.4, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
}

function drawAxes(pen, box, height, [from, to], [low, high], theme, at) {
  const style = { colour: theme.ink, alpha: 0.8 };
  for (const value of ticks(low, high, height > 130 ? 4 : 2)) {
    const [, y] = at(from, value);
    line(pen, [[box.x, y], [box.x + box.w, y]], theme.faint, 1); // biome-ignore format: two ends
    write(pen, figure(value), box.x - 6, y, { ...style, align: "right", base: "middle" });
  }
  const most = Math.max(2, Math.floor(box.w / 70));
  for (const value of ticks(from, to, most)) {
    const [x] = at(value, low);
    write(pen, figure(value), x, height - 4, { ...style, align: "center" });
  }
  write(pen, "epoch", box.x + box.w + EDGE.right, height - 4, { ...style, align: "right" });
}

export function figure(value) {
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  return size && (size < 1e-3 || size >= 1e5) ? rounded.toExponential() : String(rounded);
}
