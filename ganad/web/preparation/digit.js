// A drawing as MNIST's makers would have made a digit of it: what ganad/data/preprocess.py does to light ink on a dark sheet.
import { doubtOf } from "./doubts.js";
import { cut, distances, gaussian, opening, padded, pictureOf, resized, widened } from "./filters.js";
import { piecesOf } from "./pieces.js";
import { largest, median, percentile, roundHalfEven } from "./statistics.js";

const CROP_SIDE = 200;
const BLOCK = CROP_SIDE / 20;
const CENTRE = 14;
const MIN_CONTRAST = 24;
const INK = 0.1;
const NARROWEST = 2;
const OF_MNIST = 1.2;

// drawing: side * side grey bytes. Returns null where there is no ink, else { digit: 784 bytes, doubt, place }: a point (x, y) of
// the digit lies at left + x * unit, top + y * unit of the drawing.
export function prepareDigit(drawing, side) {
  const sheet = pictureOf(side, side, Float32Array.from(drawing));
  if (!hasInk(sheet)) return null;
  const stretched = stretch(sheet);
  if (!stretched) return null;
  const ink = keepDigit(stretched);
  const box = boxOf(ink);
  const crop = cut(ink, box.top, box.left, box.bottom - box.top, box.right - box.left);
  const factor = CROP_SIDE / Math.max(crop.height, crop.width);
  const large = enlarged(crop);
  const width = strokeWidth(large) / BLOCK;
  const small = scaleTo20(crop, large, width);
  const corner = [cornerOf(small.ink, 0), cornerOf(small.ink, 1)];
  const digit = new Uint8Array(784);
  for (let y = 0; y < small.ink.height; y++)
    for (let x = 0; x < small.ink.width; x++)
      digit[28 * (y + corner[0]) + x + corner[1]] = roundHalfEven(255 * small.ink.data[y * small.ink.width + x]);
  const unit = small.unit / (small.blocks ? factor : 1);
  const shift = small.blocks ? factor : 1;
  return {
    digit,
    doubt: doubtOf(crop, width, Math.max(crop.height, crop.width)),
    place: {
      unit,
      top: box.top - corner[0] * unit - small.before[0] / shift,
      left: box.left - corner[1] * unit - small.before[1] / shift,
    },
  };
}

// Detectors of whole pictures see the sheet as it is, 28x28: means of squares, rounded row-wise and then column-wise as Pillow does.
export function prepareWhole(drawing, side) {
  const step = side / 28;
  const along = new Float64Array(side * 28);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < 28; x++) {
      let sum = 0;
      for (let u = x * step; u < (x + 1) * step; u++) sum += drawing[y * side + u];
      along[y * 28 + x] = Math.floor(sum / step + 0.5);
    }
  const digit = new Uint8Array(784);
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++) {
      let sum = 0;
      for (let v = y * step; v < (y + 1) * step; v++) sum += along[v * 28 + x];
      digit[28 * y + x] = Math.floor(sum / step + 0.5);
    }
  return { digit, doubt: "", place: { unit: step, top: 0, left: 0 } };
}

function hasInk(sheet) {
  const smooth = gaussian(sheet, 1);
  const ground = gaussian(smooth, Math.max(2, Math.max(sheet.height, sheet.width) / 64));
  return largest(smooth.data.map((v, i) => Math.abs(v - ground.data[i]))) >= MIN_CONTRAST / 2;
}

// The outermost pixels: one in fifty of the side.
function frame({ data, height, width }) {
  const b = Math.max(1, Math.floor(Math.min(height, width) / 50));
  const out = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (y < b || y >= height - b || x < b || x >= width - b) out.push(data[y * width + x]);
  return out;
}

// Ground 0, full ink 1; null where nothing stands out from the ground.
function stretch(sheet) {
  let ink = sheet;
  const edge = frame(ink);
  if (percentile(edge, 95) - percentile(edge, 5) > MIN_CONTRAST) {
    const below = groundOf(ink);
    ink = pictureOf(
      ink.height,
      ink.width,
      ink.data.map((v, i) => v - below.data[i]),
    );
  }
  const ground = median(frame(ink));
  const noise =
    1.4826 *
    median(
      Array.from(
        ink.data.filter((v) => v <= ground),
        (v) => ground - v,
      ),
    );
  const floor = ground + 4 * noise;
  const peak = largest(ink.data);
  if (peak - ground < Math.max(MIN_CONTRAST, 8 * noise)) return null;
  const full = percentile(
    ink.data.filter((v) => v > (floor + peak) / 2),
    75,
  );
  const share = ink.data.map((v) => Math.min(1, Math.max(0, (v - floor) / (full - floor))));
  return pictureOf(ink.height, ink.width, share);
}

// What the sheet would be without its ink: an opening wider than any stroke, mirrored in value as well as in place.
function groundOf(ink) {
  const { height, width, data } = ink;
  const reach = Math.floor(Math.max(height, width) / 3);
  const wide = pictureOf(height + 2 * reach, width + 2 * reach);
  const at = (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i);
  const value = (y, x) => {
    const inside = (v, n) => Math.min(n - 1, Math.max(0, v));
    const across = (row) =>
      x >= 0 && x < width
        ? data[row * width + x]
        : 2 * data[row * width + inside(x, width)] - data[row * width + at(x, width)];
    return y >= 0 && y < height ? across(y) : 2 * across(inside(y, height)) - across(at(y, height));
  };
  for (let y = 0; y < wide.height; y++)
    for (let x = 0; x < wide.width; x++) wide.data[y * wide.width + x] = value(y - reach, x - reach);
  return cut(gaussian(opening(wide, reach), 2), reach, reach, height, width);
}

// Ink without specks, and without what comes in from the border while there is a digit inside.
function keepDigit(ink) {
  const { labels, pieces } = piecesOf(ink, INK);
  const atBorder = (p) => p.top === 0 || p.left === 0 || p.bottom === ink.height || p.right === ink.width;
  const mass = (list) => list.reduce((sum, p) => sum + p.mass, 0);
  let kept = pieces.filter((p) => p.peak > 0.5);
  const inside = kept.filter((p) => !atBorder(p));
  if (mass(inside) > 0.2 * mass(kept)) kept = inside;
  const least = 0.04 * Math.max(...kept.map((p) => p.mass));
  kept = kept.filter((p) => p.mass >= least);
  if (kept.length === pieces.length) return ink;
  const keep = new Set(kept);
  let near = pictureOf(
    ink.height,
    ink.width,
    Float32Array.from(labels, (l) => (l && keep.has(pieces[l - 1]) ? 1 : 0)),
  );
  for (let times = 1 + Math.floor(Math.max(ink.height, ink.width) / 100); times > 0; times--) near = grown(near);
  return pictureOf(
    ink.height,
    ink.width,
    ink.data.map((v, i) => (near.data[i] ? v : 0)),
  );
}

function grown({ data, height, width }) {
  const out = pictureOf(height, width, data.slice());
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (!data[i]) continue;
      if (y) out.data[i - width] = 1;
      if (y < height - 1) out.data[i + width] = 1;
      if (x) out.data[i - 1] = 1;
      if (x < width - 1) out.data[i + 1] = 1;
    }
  return out;
}

function boxOf({ data, height, width }) {
  const box = { top: height, left: width, bottom: 0, right: 0 };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (data[y * width + x] > INK) {
        box.top = Math.min(box.top, y);
        box.left = Math.min(box.left, x);
        box.bottom = Math.max(box.bottom, y + 1);
        box.right = Math.max(box.right, x + 1);
      }
  return box;
}

function toCropSide(picture) {
  const factor = CROP_SIDE / Math.max(picture.height, picture.width);
  const [height, width] = [picture.height, picture.width].map((n) => Math.max(1, roundHalfEven(n * factor)));
  return resized(picture, height, width);
}

function enlarged(crop) {
  const large = toCropSide(crop);
  return pictureOf(
    large.height,
    large.width,
    large.data.map((v) => Math.min(1, Math.max(0, v))),
  );
}

// In pixels. Across a stroke of width w the mean distance to its nearer edge is w / 4.
function strokeWidth(ink) {
  const half = largest(ink.data) / 2;
  const solid = padded(
    pictureOf(
      ink.height,
      ink.width,
      ink.data.map((v) => (v > half ? 1 : 0)),
    ),
    1,
    1,
    1,
    1,
  );
  const away = distances(solid);
  let [sum, count] = [0, 0];
  solid.data.forEach((v, i) => {
    if (v) {
      sum += away[i];
      count++;
    }
  });
  return 4 * (sum / count - 0.5);
}

// Returns { ink, blocks, unit, before }: `unit` pixels of the enlarged ink make one; `before`: of them lie before its first, top and left.
function scaleTo20(crop, large, width) {
  let [ink, unit, moved] = [large, BLOCK, 0];
  const side = Math.max(crop.height, crop.width);
  if (width < (side === 20 ? OF_MNIST : NARROWEST)) {
    const radius = Math.max(1, roundHalfEven(((NARROWEST - width) * BLOCK) / 2));
    const back = (Math.max(large.height, large.width) + 2 * radius) / CROP_SIDE;
    [ink, unit, moved] = [thickened(large, radius), BLOCK * back, radius];
  } else if (side === 20) {
    return { ink: crop, blocks: false, unit: 1, before: [0, 0] };
  }
  const [down, right] = [ink.height, ink.width].map((n) => (BLOCK - (n % BLOCK)) % BLOCK);
  const [top, left] = [down, right].map((n) => Math.floor(n / 2));
  const even = padded(ink, top, down - top, left, right - left);
  const small = pictureOf(even.height / BLOCK, even.width / BLOCK);
  for (let y = 0; y < even.height; y++)
    for (let x = 0; x < even.width; x++)
      small.data[Math.floor(y / BLOCK) * small.width + Math.floor(x / BLOCK)] +=
        even.data[y * even.width + x] / BLOCK ** 2;
  const before = [top, left].map((n) => (n * unit) / BLOCK + moved);
  return { ink: small, blocks: true, unit, before };
}

// Strokes wider by 2 * radius, at full ink again.
function thickened(ink, radius) {
  const thick = toCropSide(widened(padded(ink, radius, radius, radius, radius), radius));
  const most = largest(thick.data);
  const usual = median(thick.data.filter((v) => v > most / 3));
  return pictureOf(
    thick.height,
    thick.width,
    thick.data.map((v) => Math.min(1, Math.max(0, v) / usual)),
  );
}

// Where the digit begins in 28x28, so that its centre of mass lies in the middle. axis: 0 down, 1 across.
function cornerOf({ data, height, width }, axis) {
  let [sum, mass] = [0, 0];
  data.forEach((v, i) => {
    sum += v * (axis ? i % width : Math.floor(i / width));
    mass += v;
  });
  const size = axis ? width : height;
  return Math.min(Math.max(roundHalfEven(CENTRE - sum / mass), 0), 28 - size);
}
