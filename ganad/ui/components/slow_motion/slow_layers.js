// What is inside a net: each layer's maps as small pictures; one of them larger; one of its numbers, and what it was made of.
import { make } from "../elements.js";
import { paintArray, short } from "./slow_diagram.js";
import { meetings, showTerms } from "./slow_weights.js";

const CLOSER = 300;

export function showLayers(box, layers, given, own) {
  const closer = box.querySelector(".closer");
  closer.hidden = true;
  const pick = (layer, map, button) => {
    for (const other of box.querySelectorAll(".maps button")) other.setAttribute("aria-pressed", other === button);
    lookCloser(closer, layers, layer, map, given, own);
  };
  box.querySelector(".list").replaceChildren(
    ...layers.map((layer, at) => {
      const row = make("div", "layer");
      const { shape } = own.arrays[layer.output.array];
      const name = make("div", "", `${at + 1}. ${layer.name}`);
      const more = layer.maps > shape[0] && shape.length === 3 ? `, the first ${shape[0]} shown` : "";
      name.append(
        make(
          "small",
          "",
          shape.length === 3
            ? `${layer.maps} maps of ${shape[1]}×${shape[2]}${more}`
            : shape[0] === 1
              ? "one number"
              : `${shape[0]} numbers`,
        ),
      );
      const maps = make("div", "maps");
      const count = shape.length === 3 ? shape[0] : 1;
      for (let map = 0; map < count; map++) {
        const button = make("button");
        button.type = "button";
        button.setAttribute("aria-label", `Layer ${at + 1}, map ${map + 1}`);
        const canvas = paintArray(oneMap(own.arrays[layer.output.array], map), false, own.data.signs);
        if (shape.length === 1) canvas.className = "vector";
        button.append(canvas);
        button.onclick = () => pick(at, map, button);
        maps.append(button);
      }
      row.append(name, maps);
      return row;
    }),
  );
}

// One map of several, with numbers of its own; a vector is one row.
function oneMap({ shape, numbers }, map) {
  if (shape.length === 1) return { shape: [1, 1, shape[0]], numbers };
  const size = shape[1] * shape[2];
  return { shape: [1, shape[1], shape[2]], numbers: numbers.subarray(map * size, (map + 1) * size) };
}

function lookCloser(closer, layers, layer, map, given, own) {
  closer.hidden = false;
  const canvas = closer.querySelector("canvas");
  const seen = oneMap(own.arrays[layers[layer].output.array], map);
  const [, height, width] = seen.shape;
  const tall = height === 1 ? Math.max(1, Math.ceil(width / 16)) : height;
  const wide = height === 1 ? Math.min(16, width) : width;
  const unit = Math.max(4, Math.floor(CLOSER / Math.max(wide, tall)));
  const before = layers[layer].given ?? (layer ? layers[layer - 1].output : given);
  const input = own.arrays[before.array].shape;
  let [row, column] = [Math.floor(tall / 2), Math.floor(wide / 2)];
  const look = () => {
    Object.assign(canvas, { width: wide * unit, height: tall * unit });
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    const flat = { shape: [1, tall, wide], numbers: padded(seen.numbers, tall * wide) };
    pen.drawImage(paintArray(flat, false, own.data.signs), 0, 0, canvas.width, canvas.height);
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2;
    pen.strokeRect(column * unit + 1, row * unit + 1, unit - 2, unit - 2);
    const index = row * wide + column;
    const value = seen.numbers[index];
    const where =
      height === 1 ? `number ${index + 1} of ${width}` : `map ${map + 1}, row ${row + 1}, column ${column + 1}`;
    closer.querySelector(".number").textContent =
      value === undefined ? "–" : `${layers[layer].name}, ${where}: ${short(value)}`;
    closer.querySelector(".made").textContent = madeOf(layers[layer], input, row, column);
    // A square beyond the last number of a vector is the sum of nothing.
    const shown = value === undefined ? {} : layers[layer];
    showTerms(closer.querySelector(".terms"), shown, own, ...(height === 1 ? [index + map, 0, 0] : [map, row, column]));
    canvas.setAttribute("aria-label", `${closer.querySelector(".number").textContent}. Arrow keys move.`);
    canvas.dataset.value = String(value);
  };
  const move = (down, right) => {
    row = Math.max(0, Math.min(tall - 1, row + down));
    column = Math.max(0, Math.min(wide - 1, column + right));
    look();
  };
  canvas.onpointermove = canvas.onpointerdown = (event) => {
    const box = canvas.getBoundingClientRect();
    row = Math.max(0, Math.min(tall - 1, Math.floor(((event.clientY - box.top) / box.height) * tall)));
    column = Math.max(0, Math.min(wide - 1, Math.floor(((event.clientX - box.left) / box.width) * wide)));
    look();
  };
  canvas.onkeydown = (event) => {
    const ways = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!ways[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    move(...ways[event.key]);
  };
  look();
}

function padded(numbers, length) {
  const whole = new Float32Array(length);
  whole.set(numbers.subarray(0, length));
  return whole;
}

// Which numbers of the layer before a number was made of.
function madeOf(layer, input, row, column) {
  if (!layer.window) {
    if (/^Linear/.test(layer.name)) return "A weighted sum of all numbers of the layer before.";
    return "Made of the number in the same place of the layer before.";
  }
  const [height, width] = input.length === 3 ? [input[1], input[2]] : [1, 1];
  const span = (at, size) => {
    const positions = meetings(at, size, layer.window).map(([position]) => position + 1);
    return [Math.min(...positions), Math.max(...positions)];
  };
  const [top, bottom] = span(row, height);
  const [left, right] = span(column, width);
  return `A weighted sum of rows ${top} to ${bottom}, columns ${left} to ${right} of every map of the layer before.`;
}
