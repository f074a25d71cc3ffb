// The ROC curve as a chart, and where a place on it lies in the unit square.
import { line, sheet, trace, upright, write } from "./canvas.js";
import { percent } from "./words.js";

const SQUARE = { left: 66, right: 14, top: 12, bottom: 40 };

// Anomalies caught against false alarms, the usual weighting in grey behind it, and the point of the threshold in use.
// until: the corner up to which it is drawn, all of it without one.
export function curve(canvas, { roc: own, usual, counts, held, band, until }, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const left = SQUARE.left;
  const right = width - SQUARE.right;
  const floor = height - SQUARE.bottom;
  const ceiling = SQUARE.top;
  const x = (fpr) => left + fpr * (right - left);
  const y = (tpr) => floor - tpr * (floor - ceiling);
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    line(
      pen,
      [
        [x(0), y(tick)],
        [x(1), y(tick)],
      ],
      theme.faint,
      1,
    );
    line(
      pen,
      [
        [x(tick), y(0)],
        [x(tick), y(1)],
      ],
      theme.faint,
      1,
    );
    const words = `${100 * tick} %`;
    write(pen, words, x(tick), floor + 17, { colour: theme.text, align: tick === 1 ? "right" : "center", alpha: 0.75 });
    write(pen, words, left - 7, y(tick), { colour: theme.text, align: "right", base: "middle", alpha: 0.75 });
  }
  line(
    pen,
    [
      [x(0), y(0)],
      [x(1), y(1)],
    ],
    theme.ink,
    1,
    [2, 3],
  );
  write(pen, "false positive rate (false alarms)", (left + right) / 2, height - 5, {
    colour: theme.text,
    align: "center",
    alpha: 0.75,
  });
  upright(pen, "true positive rate (caught)", 12, (floor + ceiling) / 2, theme);
  if (usual && until === undefined) {
    line(pen, corners(usual, x, y), theme.ink, 1.5);
    line(
      pen,
      [
        [right - 76, floor - 12],
        [right - 58, floor - 12],
      ],
      theme.ink,
      1.5,
    );
    write(pen, "default", right - 8, floor - 12, { colour: theme.text, align: "right", base: "middle", alpha: 0.75 });
  }
  if (band && until === undefined) {
    // where the curves of 95 % of other test sets would run
    const lower = band.curve.map(([f, low]) => [x(f), y(low)]);
    const upper = band.curve.map(([f, , high]) => [x(f), y(high)]);
    trace(pen, [...lower, ...upper.reverse()]);
    pen.fillStyle = theme.anomalous;
    pen.globalAlpha = 0.25;
    pen.fill();
    pen.globalAlpha = 1;
  }
  const points = corners(own, x, y, until);
  trace(pen, [...points, [points.at(-1)[0], y(0)], [x(0), y(0)]]);
  pen.fillStyle = theme.anomalous;
  pen.globalAlpha = 0.1;
  pen.fill();
  pen.globalAlpha = 1;
  line(pen, points, theme.anomalous, 2.5);

  const fpr = counts.fp / (counts.fp + counts.tn);
  const tpr = counts.tp / (counts.tp + counts.fn);
  const px = x(fpr || 0);
  const py = y(tpr || 0);
  line(
    pen,
    [
      [px, floor],
      [px, py],
      [left, py],
    ],
    theme.anomalous,
    1,
    [3, 3],
  );
  pen.beginPath();
  pen.arc(px, py, held ? 9 : 7, 0, 2 * Math.PI);
  pen.fillStyle = theme.anomalous;
  pen.fill();
  pen.lineWidth = 2.5;
  pen.strokeStyle = theme.page;
  pen.stroke();
  const toRight = fpr < 0.5;
  const side = toRight ? 1 : -1;
  const top = Math.min(py + 20, floor - 24);
  const align = toRight ? "left" : "right";
  write(pen, `catches ${percent(tpr)}`, px + side * 12, top, { colour: theme.text, align, weight: "600" });
  write(pen, `at ${percent(fpr)} false alarms`, px + side * 12, top + 17, { colour: theme.text, align });
}

// Where a place on the curve's canvas lies in the unit square, and how large that square is drawn.
export function unitAt(canvas, px, py) {
  const width = canvas.clientWidth - SQUARE.left - SQUARE.right;
  const height = canvas.clientHeight - SQUARE.top - SQUARE.bottom;
  return [(px - SQUARE.left) / width, 1 - (py - SQUARE.top) / height, width, height];
}

// Only the corners that can be told apart on the screen.
function corners(roc, x, y, until = roc.length - 1) {
  const n0 = roc.fp[roc.length - 1] || 1;
  const n1 = roc.tp[roc.length - 1] || 1;
  const points = [[x(0), y(0)]];
  for (let i = 1; i <= until; i++) {
    const u = x(roc.fp[i] / n0);
    const v = y(roc.tp[i] / n1);
    const [p, q] = points[points.length - 1];
    if (Math.abs(u - p) + Math.abs(v - q) >= 0.75 || i === until) points.push([u, v]);
  }
  return points;
}
