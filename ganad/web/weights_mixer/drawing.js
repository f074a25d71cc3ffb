// --- drawing: numbers onto canvases. Each function is given its canvas, what to show and the colours of the page. ---

const BARS = 48;
const PAD = { left: 26, right: 14, top: 30, bottom: 40 };
const SQUARE = { left: 66, right: 14, top: 12, bottom: 40 };
const TILE = 56, GAP = 8, MIDDLE = 36, CAPTION = 20, HEADING = 22;

export function number(x) {
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "–";
  return Math.abs(x) >= 1000 ? Math.round(x).toLocaleString("en-US") : String(Number(x.toPrecision(3)));
}

export function percent(share) {
  if (!Number.isFinite(share)) return "–";
  return (100 * share).toFixed(1) + " %";
}

// A context in CSS pixels, on as many device pixels as the screen has; wiped.
function sheet(canvas, theme) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `13px ${theme.font}`;
  pen.lineJoin = "round";
  return [pen, width, height];
}

function line(pen, points, colour, width, dash = []) {
  pen.beginPath();
  points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke();
  pen.setLineDash([]);
}

function write(pen, text, x, y, { colour, align = "left", base = "alphabetic", alpha = 1, weight = "" } = {}) {
  const font = pen.font;
  if (weight) pen.font = `${weight} ${font}`;
  pen.globalAlpha = alpha;
  pen.fillStyle = colour;
  pen.textAlign = align;
  pen.textBaseline = base;
  pen.fillText(text, x, y);
  pen.globalAlpha = 1;
  pen.font = font;
}

function upright(pen, text, x, y, theme) {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-Math.PI / 2);
  write(pen, text, 0, 0, { colour: theme.text, align: "center", base: "middle", alpha: 0.75 });
  pen.restore();
}

// About `want` round numbers between low and high.
export function ticks(low, high, want) {
  const rough = (high - low) / want, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough), out = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) out.push(Number((k * step).toPrecision(10)));
  return out;
}

// Both classes as densities with area 1 each, and the line between the verdicts, which has a grip.
export function histogram(canvas, { normal, anomalous, threshold, span, held, band, units }, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const left = PAD.left, right = width - PAD.right, floor = height - PAD.bottom, ceiling = PAD.top;
  const x = (score) => left + ((score - span.low) / (span.high - span.low)) * (right - left);
  const classes = [[normal, theme.normal], [anomalous, theme.anomalous]].map(([scores, colour]) => {
    const counts = bin(scores, span, BARS);
    return { colour, scores, share: Array.from(counts, (c) => (scores.length ? c / scores.length : 0)) };
  });
  const peak = Math.max(1e-9, ...classes.flatMap((c) => c.share)) * 1.06;
  const y = (share) => floor - (share / peak) * (floor - ceiling);
  const bar = (right - left) / BARS;
  const at = Math.min(Math.max(x(threshold), left), right);

  for (const { colour, scores, share } of classes) {
    if (!scores.length) continue;
    const steps = [[left, floor]];
    share.forEach((s, b) => steps.push([left + b * bar, y(s)], [left + (b + 1) * bar, y(s)]));
    steps.push([right, floor]);
    const fill = (from, to, alpha) => {
      pen.save();
      pen.beginPath();
      pen.rect(from, 0, Math.max(0, to - from), height);
      pen.clip();
      pen.beginPath();
      steps.forEach(([u, v], i) => (i ? pen.lineTo(u, v) : pen.moveTo(u, v)));
      pen.fillStyle = colour;
      pen.globalAlpha = alpha;
      pen.fill();
      pen.restore();
    };
    // What lies on the wrong side of the line is the stronger half.
    const wrong = colour === theme.normal ? [at, right] : [left, at];
    const good = colour === theme.normal ? [left, at] : [at, right];
    fill(...good, 0.2);
    fill(...wrong, 0.5);
    line(pen, steps, colour, 1.6);
  }

  if (band) {
    const [from, to] = band.map((score) => Math.min(Math.max(x(score), left), right));
    pen.fillStyle = theme.text;
    pen.globalAlpha = 0.1;
    pen.fillRect(from, ceiling - 8, Math.max(1, to - from), floor - ceiling + 8);
    pen.globalAlpha = 1;
    for (const edge of [from, to]) line(pen, [[edge, ceiling - 8], [edge, floor]], theme.text, 1);
  }
  line(pen, [[left, floor + 0.5], [right, floor + 0.5]], theme.faint, 1);
  for (const tick of ticks(units.shown(span.low), units.shown(span.high), Math.max(3, width / 110))) {
    const at = x(units.score(tick));
    line(pen, [[at, floor], [at, floor + 4]], theme.faint, 1);
    write(pen, number(tick), at, floor + 17, { colour: theme.text, align: "center", alpha: 0.75 });
  }
  const beyond = scoresAbove(normal, span.high) + scoresAbove(anomalous, span.high);
  const note = beyond ? ` · the last bar holds ${beyond.toLocaleString("en-US")} above ${number(units.shown(span.high))}` : "";
  write(pen, (units === RAW ? "score" : "score in standard deviations (z)") + note, (left + right) / 2, height - 5, { colour: theme.text, align: "center", alpha: 0.75 });

  upright(pen, "share of each class", 10, (floor + ceiling) / 2, theme);

  if (!Number.isFinite(threshold)) return;
  line(pen, [[at, ceiling - 8], [at, floor]], held ? theme.text : theme.ink, held ? 2 : 1.5, [5, 4]);
  pen.beginPath();
  pen.roundRect(at - 5, (floor + ceiling) / 2 - 13, 10, 26, 5);
  pen.fillStyle = theme.page;
  pen.fill();
  pen.lineWidth = held ? 2 : 1.5;
  pen.strokeStyle = held ? theme.text : theme.ink;
  pen.stroke();
  for (const d of [-2, 2]) line(pen, [[at + d, (floor + ceiling) / 2 - 5], [at + d, (floor + ceiling) / 2 + 5]], theme.ink, 1);
  const words = `threshold ${number(units.shown(threshold))}`, long = pen.measureText(words).width + 8;
  const side = at + long > right ? -1 : 1;
  write(pen, words, at + side * 6, ceiling - 14, { colour: theme.text, align: side > 0 ? "left" : "right", base: "middle" });
}

function scoresAbove(sorted, x) {
  return sorted.length - upTo(sorted, x);
}

// The score under a place on the histogram's canvas.
export function scoreAt(canvas, px, span) {
  const inner = canvas.clientWidth - PAD.left - PAD.right;
  return span.low + (Math.min(Math.max(px - PAD.left, 0), inner) / inner) * (span.high - span.low);
}

// The place on the histogram's canvas of a score.
export function placeOf(canvas, score, span) {
  const inner = canvas.clientWidth - PAD.left - PAD.right;
  return PAD.left + Math.min(Math.max((score - span.low) / (span.high - span.low), 0), 1) * inner;
}

// Anomalies caught against false alarms, the usual weighting in grey behind it, and the point of the threshold in use.
export function curve(canvas, { roc: own, usual, counts, held, band }, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const left = SQUARE.left, right = width - SQUARE.right, floor = height - SQUARE.bottom, ceiling = SQUARE.top;
  const x = (fpr) => left + fpr * (right - left), y = (tpr) => floor - tpr * (floor - ceiling);
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    line(pen, [[x(0), y(tick)], [x(1), y(tick)]], theme.faint, 1);
    line(pen, [[x(tick), y(0)], [x(tick), y(1)]], theme.faint, 1);
    const words = `${100 * tick} %`;
    write(pen, words, x(tick), floor + 17, { colour: theme.text, align: tick === 1 ? "right" : "center", alpha: 0.75 });
    write(pen, words, left - 7, y(tick), { colour: theme.text, align: "right", base: "middle", alpha: 0.75 });
  }
  line(pen, [[x(0), y(0)], [x(1), y(1)]], theme.ink, 1, [2, 3]);
  write(pen, "false alarms", (left + right) / 2, height - 5, { colour: theme.text, align: "center", alpha: 0.75 });
  upright(pen, "anomalies caught", 12, (floor + ceiling) / 2, theme);
  if (usual) {
    line(pen, corners(usual, x, y), theme.ink, 1.5);
    line(pen, [[right - 76, floor - 12], [right - 58, floor - 12]], theme.ink, 1.5);
    write(pen, "default", right - 8, floor - 12, { colour: theme.text, align: "right", base: "middle", alpha: 0.75 });
  }
  if (band) { // where the curves of 95 % of other test sets would run
    pen.beginPath();
    band.curve.forEach(([f, low], i) => (i ? pen.lineTo(x(f), y(low)) : pen.moveTo(x(f), y(low))));
    [...band.curve].reverse().forEach(([f, , high]) => pen.lineTo(x(f), y(high)));
    pen.fillStyle = theme.anomalous;
    pen.globalAlpha = 0.25;
    pen.fill();
    pen.globalAlpha = 1;
  }
  const points = corners(own, x, y);
  pen.beginPath();
  points.forEach(([u, v], i) => (i ? pen.lineTo(u, v) : pen.moveTo(u, v)));
  pen.lineTo(x(1), y(0));
  pen.lineTo(x(0), y(0));
  pen.fillStyle = theme.anomalous;
  pen.globalAlpha = 0.1;
  pen.fill();
  pen.globalAlpha = 1;
  line(pen, points, theme.anomalous, 2.5);

  const fpr = counts.fp / (counts.fp + counts.tn), tpr = counts.tp / (counts.tp + counts.fn);
  const px = x(fpr || 0), py = y(tpr || 0);
  line(pen, [[px, floor], [px, py], [left, py]], theme.anomalous, 1, [3, 3]);
  pen.beginPath();
  pen.arc(px, py, held ? 9 : 7, 0, 2 * Math.PI);
  pen.fillStyle = theme.anomalous;
  pen.fill();
  pen.lineWidth = 2.5;
  pen.strokeStyle = theme.page;
  pen.stroke();
  const toRight = fpr < 0.5, side = toRight ? 1 : -1, top = Math.min(py + 20, floor - 24);
  const align = toRight ? "left" : "right";
  write(pen, `catches ${percent(tpr)}`, px + side * 12, top, { colour: theme.text, align, weight: "600" });
  write(pen, `at ${percent(fpr)} false alarms`, px + side * 12, top + 17, { colour: theme.text, align });
}

// Where a place on the curve's canvas lies in the unit square, and how large that square is drawn.
export function unitAt(canvas, px, py) {
  const width = canvas.clientWidth - SQUARE.left - SQUARE.right, height = canvas.clientHeight - SQUARE.top - SQUARE.bottom;
  return [(px - SQUARE.left) / width, 1 - (py - SQUARE.top) / height, width, height];
}

// Only the corners that can be told apart on the screen.
function corners(roc, x, y) {
  const n0 = roc.fp[roc.length - 1] || 1, n1 = roc.tp[roc.length - 1] || 1, points = [[x(0), y(0)]];
  for (let i = 1; i < roc.length; i++) {
    const u = x(roc.fp[i] / n0), v = y(roc.tp[i] / n1), [p, q] = points[points.length - 1];
    if (Math.abs(u - p) + Math.abs(v - q) >= 0.75 || i === roc.length - 1) points.push([u, v]);
  }
  return points;
}

// How many digits fit on the strip, on each side of its middle.
export function fits(canvas) {
  return Math.max(2, Math.min(10, Math.floor((canvas.clientWidth - MIDDLE + 2 * GAP - 2) / (TILE + GAP) / 2)));
}

// Where the digits of the strip begin, from left to right.
function placesOf({ left, right, divided }, canvas) {
  const middle = divided ? MIDDLE : GAP, perSide = fits(canvas), whole = 2 * perSide * (TILE + GAP) - 2 * GAP + middle;
  const start = (canvas.clientWidth - whole) / 2, centre = start + perSide * (TILE + GAP) - GAP + middle / 2;
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
  const [pen] = sheet(canvas, theme), n = left.length + right.length;
  const { places, middle, centre } = placesOf(shown, canvas);
  const atlas = n && pixels ? atlasOf([...left, ...right], pixels) : null;
  pen.imageSmoothingEnabled = false;
  [...left, ...right].forEach((row, i) => {
    const x = places[i], colour = truth(row) ? theme.anomalous : theme.normal;
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
    const wrong = truth(row) !== called(row), words = wrong ? (truth(row) ? "missed" : "false alarm") : `a ${digit(row)}`;
    pen.font = `12px ${theme.font}`;
    write(pen, words, x + TILE / 2, HEADING + TILE + CAPTION, {
      colour: wrong ? theme.wrong : theme.text, align: "center", alpha: wrong ? 1 : 0.7,
    });
    pen.font = `13px ${theme.font}`;
  });
  if (divided) {
    line(pen, [[centre, 2], [centre, HEADING + TILE + CAPTION + 4]], theme.ink, 1.5, [5, 4]);
    write(pen, headings[0], centre - middle / 2, 13, { colour: theme.text, align: "right", alpha: 0.8 });
    write(pen, headings[1], centre + middle / 2, 13, { colour: theme.text, alpha: 0.8 });
    const low = HEADING + 4 + TILE / 2;
    if (!left.length) write(pen, "none", centre - middle / 2, low, { colour: theme.text, align: "right", base: "middle", alpha: 0.6 });
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
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++) {
        const grey = pixels[784 * row + 28 * y + x], at = 4 * (28 * rows.length * y + 28 * i + x);
        picture.data[at] = picture.data[at + 1] = picture.data[at + 2] = grey;
        picture.data[at + 3] = 255;
      }
  });
  pen.putImageData(picture, 0, 0);
  return spare;
}
