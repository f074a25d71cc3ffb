// The wall of probe images: what the nets of the latest epoch make of each, and of one's own drawing.
import { bytes, inflate } from "../../../web/decode.js";
import { putDigit } from "../../../web/digits.js";
import { line, sheet, write } from "../../../web/weights_mixer/canvas.js";
import { make } from "../elements.js";
import { figure } from "./live_curves.js";

// is: whether these are still the pictures to show, once they are unpacked.
export async function buildWall(root, data, is) {
  const pictures = await inflate(data.pictures);
  if (!is()) return;
  const given = pictures.subarray(0, pictures.length / 2);
  const drawn = pictures.subarray(pictures.length / 2);
  const rows = data.normal.map((_, i) => i);
  const children = [];
  for (const [normal, title] of [
    [true, "Normal"],
    [false, "Not normal"],
  ]) {
    const own = rows.filter((i) => data.normal[i] === normal);
    if (!own.length) continue;
    const tiles = make("div", "tiles");
    tiles.append(...own.map((i) => tileOf(data, given, drawn, i)));
    children.push(make("h4", "", `${title}, ${data.label}`), tiles);
  }
  children.push(make("p", "", wordsBelow(data)));
  const mine = data.mine && mineOf(data);
  if (mine) children.unshift(...mine);
  root.replaceChildren(...children);
}

function wordsBelow(data) {
  if (data.generated)
    return "Below each image one that the generator drew: there is no encoder yet, so there are no reconstructions and no scores.";
  const what = "Fixed test images, each above its reconstruction. Below it its score";
  const only = "It is only looked at: nothing is chosen by it.";
  if (data.threshold === null) return `${what}. ${only}`;
  return (
    `${what}, as so many times the threshold, which the held-out normals of that epoch give (${figure(data.threshold)}). ` +
    `Above 1 it is called anomalous: orange frame and ↑. ${only}`
  );
}

// A score in units of the threshold, which means the same in each epoch; as it is where there is none.
function timesThreshold(score, threshold) {
  if (threshold === null || threshold <= 0) return figure(score);
  const times = score / threshold;
  if (times >= 10) return figure(times);
  const decimals = [2, 3, 4].find((n) => Number(times.toFixed(n)) !== 1 || times === 1) ?? 5;
  return times.toFixed(decimals); // as many as show on which side of 1 it lies
}

function pair(canvas, given, drawn, row) {
  Object.assign(canvas, { width: 28, height: 57 });
  const pen = canvas.getContext("2d");
  pen.putImageData(putDigit(pen.createImageData(28, 28), given, row), 0, 0);
  if (drawn) pen.putImageData(putDigit(pen.createImageData(28, 28), drawn, row), 0, 29);
}

function tileOf(data, given, drawn, i) {
  const tile = make("div", "tile");
  const canvas = make("canvas");
  pair(canvas, given, drawn, i);
  const score = data.scores ? data.scores[i] : null;
  const above = score !== null && data.threshold !== null && score > data.threshold;
  const verdict = above ? "anomalous" : "normal";
  if (score !== null && data.threshold !== null) canvas.style.borderColor = data.colours[verdict];
  const said = score === null ? "" : `, score ${figure(score)}${data.threshold === null ? "" : `: ${verdict}`}`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${data.names[i]}${said}`);
  canvas.title = `${data.names[i]}${said}`;
  const short = score === null ? data.names[i] : `${timesThreshold(score, data.threshold)}${above ? " ↑" : ""}`;
  tile.append(canvas, make("span", "", short));
  return tile;
}

// One's own drawing as it is judged by the latest nets, with its scores until then.
function mineOf(data) {
  const { mine } = data;
  const box = make("div", "mine");
  const tile = make("div", "tile");
  const canvas = make("canvas");
  pair(canvas, bytes(mine.given), mine.drawn && bytes(mine.drawn), 0);
  canvas.setAttribute("role", "img");
  tile.append(canvas);
  const chart = make("canvas", "score");
  const last = mine.scores.length - 1;
  let words = `Your drawing: it is scored ${data.generated ? "once there is an encoder" : "when the next epoch ends"}.`;
  if (last >= 0) {
    const [score, threshold] = [mine.scores[last], mine.thresholds[last]];
    const verdict = threshold === null ? null : score > threshold ? "anomalous" : "normal";
    if (verdict) canvas.style.borderColor = data.colours[verdict];
    const times = threshold === null ? "" : `, ${timesThreshold(score, threshold)} times the threshold`;
    const share = mine.percentile === null ? "" : `, above ${figure(mine.percentile)} % of the held-out normals`;
    words = `Your drawing, after epoch ${mine.epochs[last]}: score ${figure(score)}${times}${share}${verdict ? `: ${verdict}` : ""}`;
  }
  canvas.setAttribute("aria-label", words);
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", `Score of your drawing over ${mine.scores.length} epochs`);
  box.append(tile, chart);
  return [make("h4", "", words), box];
}

// The little curve of the drawing: its score after each epoch, as so many times the threshold of that epoch, dashed at 1.
export function drawMine(root, data, theme) {
  const canvas = root.querySelector(".mine .score");
  if (!canvas || !data.mine.scores.length) return;
  const { epochs, scores, thresholds } = data.mine;
  const measured = thresholds.every((t) => t !== null && t > 0);
  const values = measured ? scores.map((s, i) => s / thresholds[i]) : scores;
  const [pen, width, height] = sheet(canvas, theme);
  const high = 1.1 * Math.max(...values, measured ? 1 : 1e-9);
  const low = Math.min(0, ...values);
  const [first, last] = [epochs[0], epochs[epochs.length - 1]];
  const right = width - 84;
  const x = (epoch) => 4 + (right - 8) * (last > first ? (epoch - first) / (last - first) : 1);
  const y = (value) => 6 + (height - 28) * (1 - (value - low) / (high - low));
  const points = values.map((value, i) => [x(epochs[i]), y(value)]);
  const end = points[points.length - 1][1];
  if (measured) {
    line(pen, [[0, y(1)], [right, y(1)]], data.colours.threshold, 1.5, [5, 4]); // biome-ignore format: two ends
    const free = Math.abs(end - y(1)) < 15 ? (end < y(1) ? end + 15 : end - 15) : y(1);
    write(pen, "threshold", right + 6, free, { colour: data.colours.threshold, base: "middle" });
  }
  if (points.length > 1) line(pen, points, theme.ink, 2);
  for (const point of points) {
    pen.beginPath();
    pen.arc(...point, 2.6, 0, 2 * Math.PI);
    pen.fillStyle = theme.ink;
    pen.fill();
  }
  const shown = measured
    ? `× ${timesThreshold(scores[scores.length - 1], thresholds[thresholds.length - 1])}`
    : "yours";
  write(pen, shown, right + 6, end, { colour: theme.ink, base: "middle", weight: "600" });
  const style = { colour: theme.ink, alpha: 0.8 };
  write(pen, `epoch ${first}`, 0, height - 4, style);
  if (last > first) write(pen, String(last), right, height - 4, { ...style, align: "right" });
}
