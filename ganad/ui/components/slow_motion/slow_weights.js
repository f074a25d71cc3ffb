// What one number of a layer is the sum of: numbers of the layer before, each times a weight, and a bias.
import { make } from "../elements.js";
import { paintArray, short } from "./slow_diagram.js";

const SHOWN = 3;

// Which numbers meet which weights: for output row and column along one side, [position in the input, position in the kernel].
export function meetings(at, size, [kernel, signedStride, padding]) {
  const stride = Math.abs(signedStride);
  const pairs = [];
  for (let k = 0; k < kernel; k++) {
    if (signedStride > 0) pairs.push([at * stride - padding + k, k]);
    else if ((at + padding - k) % stride === 0) pairs.unshift([(at + padding - k) / stride, k]);
  }
  return pairs.filter(([position]) => position >= 0 && position < size);
}

// One term for each map of the layer before (of a linear layer: for each number), their bias and their sum.
export function termsOf(layer, arrays, map, row, column) {
  const [given, weight] = [arrays[layer.given.array], arrays[layer.weight.array]];
  const bias = layer.bias ? arrays[layer.bias.array].numbers[map] : 0;
  const [, height, width] = given.shape.length === 3 ? given.shape : [0, 1, 1];
  const [, count, kernel = 1] = weight.shape;
  const rows = layer.window ? meetings(row, height, layer.window) : [[0, 0]];
  const columns = layer.window ? meetings(column, width, layer.window) : [[0, 0]];
  const terms = [];
  for (let from = 0; from < count; from++) {
    const values = [];
    const weights = [];
    for (const [y, ky] of rows)
      for (const [x, kx] of columns) {
        values.push(given.numbers[(from * height + y) * width + x]);
        weights.push(weight.numbers[((map * count + from) * kernel + ky) * kernel + kx]);
      }
    terms.push({
      from,
      shape: [1, rows.length, columns.length],
      values: Float32Array.from(values),
      weights: Float32Array.from(weights),
      sum: values.reduce((all, value, i) => all + value * weights[i], 0),
    });
  }
  return { terms, bias, sum: terms.reduce((all, term) => all + term.sum, bias) };
}

// The largest terms as pictures, the others and the bias in a sentence.
export function showTerms(box, layer, own, map, row, column) {
  box.replaceChildren();
  box.hidden = !layer.weight;
  if (box.hidden) return;
  const { terms, bias, sum } = termsOf(layer, own.arrays, map, row, column);
  box.dataset.sum = String(sum);
  const largest = [...terms].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, SHOWN);
  for (const term of largest) {
    const line = make("div", "term");
    const what = layer.window ? "map" : "number";
    line.append(make("span", "", `${what} ${term.from + 1}`));
    if (layer.window)
      line.append(
        small(term, term.values, own, "its numbers"),
        make("span", "", "×"),
        small(term, term.weights, own, "their weights"),
      );
    else line.append(make("span", "", `${short(term.values[0])} × ${short(term.weights[0])}`));
    line.append(make("b", "", `= ${short(term.sum)}`));
    box.append(line);
  }
  const rest = terms.length - largest.length;
  const others = sum - bias - largest.reduce((all, term) => all + term.sum, 0);
  const more = rest ? `the other ${rest} add ${short(others)}` : "";
  const constant = layer.bias ? `the bias ${rest ? "" : "adds "}${short(bias)}` : "";
  const added = [more, constant].filter(Boolean).join(", ");
  box.append(make("p", "", `${added ? `${added[0].toUpperCase()}${added.slice(1)}. ` : ""}In all ${short(sum)}.`));
}

function small({ shape }, numbers, own, name) {
  const canvas = paintArray({ shape, numbers }, false, own.data.signs);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}: ${Array.from(numbers, short).join(" ")}`);
  return canvas;
}
