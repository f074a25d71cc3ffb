// Whether ink is likely to be one digit, in the words of ganad/data/ink_checks.py, which says where the bounds come from.
import { piecesOf } from "./pieces.js";

const DOT_WIDTH = 9;
const WIDEST = 1.9;
const FEWEST_PIXELS = 9;
const SHARE = 0.2;
const OVERLAP = 0.2;

// crop: cut to the ink, 0 to 1; strokeWidth: in pixels of 20x20; side: of the ink in the given picture. Returns a sentence or "".
export function doubtOf(crop, strokeWidth, side) {
  if (strokeWidth > DOT_WIDTH)
    return "Very little ink: this looks like a dot, not like a digit, and its score says little.";
  if (side < FEWEST_PIXELS) return `Very little ink: ${side} pixels were enlarged to 20, and the score says little.`;
  const apart = piecesApart(crop);
  if (apart > 1)
    return `Several digits? The ink has ${apart} large pieces apart from each other; one digit is expected.`;
  if (crop.width > WIDEST * crop.height) {
    const wide = (crop.width / crop.height).toFixed(1);
    return `Several digits? The ink is ${wide} times as wide as high; one digit is expected.`;
  }
  return "";
}

function piecesApart(crop) {
  const { pieces } = piecesOf(crop, 0.1);
  const least = SHARE * Math.max(...pieces.map((p) => p.mass));
  const large = pieces.filter((p) => p.mass >= least);
  return Math.max(apart(large.map((p) => [p.top, p.bottom])), apart(large.map((p) => [p.left, p.right])));
}

// How many spans remain when those that overlap are joined.
function apart(spans) {
  const [first, ...others] = spans.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const joined = [first];
  for (const [start, stop] of others) {
    const last = joined.at(-1);
    if (last[1] - start >= OVERLAP * Math.min(last[1] - last[0], stop - start)) last[1] = Math.max(last[1], stop);
    else joined.push([start, stop]);
  }
  return joined.length;
}
