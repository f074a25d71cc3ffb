// A digit through the scoring program of a run: what ganad/models/scoring_program.py describes, step by step.
import { forward, products } from "./layers.js";

// digit: 784 grey bytes. Returns { parts: numbers in the order of nets.parts, reconstruction: 784 bytes, z }.
export function judge(nets, digit) {
  const x = input(digit, nets.size);
  const values = run(nets, { x });
  const part = Object.fromEntries(nets.parts.map((name) => [name, values[name].data[0]]));
  for (const matrix of nets.looks) {
    const look = transformed(x.data, matrix, nets.size, cubic).map((v) => Math.min(1, Math.max(-1, v)));
    const other = run(nets, { x: { data: look, shape: x.shape } });
    for (const name of nets.lowest) part[name] = Math.min(part[name], other[name].data[0]);
  }
  return {
    parts: nets.parts.map((name) => part[name]),
    reconstruction: picture(values.reconstruction, nets.size),
    z: (values.z ?? values.code).data,
  };
}

// z: a code. Returns the 784 bytes that the generator draws of it. nets: packed by `pack_generator`.
export function draw(nets, z) {
  const values = run(nets, { z: { data: z, shape: [z.length] } });
  return picture(values.reconstruction, nets.size);
}

// The values that are given, and those that the steps of the program make of them.
function run(nets, given) {
  const values = { ...given };
  for (const step of nets.steps) {
    const inputs = step.inputs.map((name) => values[name]);
    values[step.output] = OPERATIONS[step.operation](inputs, step, nets);
  }
  return values;
}

// 28x28 bytes in the middle of a picture of -1 to 1, its frame -1.
function input(digit, size) {
  const data = new Float32Array(size * size).fill(-1);
  const edge = (size - 28) / 2;
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++) data[(y + edge) * size + x + edge] = digit[28 * y + x] / 127.5 - 1;
  return { data, shape: [size, size, 1] };
}

function picture({ data }, size) {
  const out = new Uint8Array(784);
  const edge = (size - 28) / 2;
  for (let y = 0; y < 28; y++)
    for (let x = 0; x < 28; x++) {
      const v = Math.min(1, Math.max(-1, data[(y + edge) * size + x + edge]));
      out[28 * y + x] = Math.round((v + 1) * 127.5);
    }
  return out;
}

const OPERATIONS = {
  net: ([value], { of }, { nets }) => forward(nets[of], value),
  normalize: ([{ data, shape }]) => {
    const length = Math.max(Math.sqrt(data.reduce((sum, v) => sum + v * v, 0)), 1e-12);
    return { data: data.map((v) => (v / length) * Math.sqrt(data.length)), shape };
  },
  concatenate: ([a, b]) => {
    const data = new Float32Array(a.data.length + b.data.length);
    data.set(a.data);
    data.set(b.data, a.data.length);
    return { data, shape: [data.length] };
  },
  sum_abs: ([a, b]) => number(a.data.reduce((sum, v, i) => sum + Math.abs(v - b.data[i]), 0)),
  mean_square: ([a, b]) => number(a.data.reduce((sum, v, i) => sum + (v - b.data[i]) ** 2, 0) / a.data.length),
  add_softplus_of_negative: ([a, b], { weight }) => number(a.data[0] + weight * softplus(-b.data[0])),
  latent_part: ([distance, code, x, redrawn, below], _, { statistics, encoded, size }) => {
    const usual = statistics ? added(statistics, code.data, x.data, redrawn.data, size) : 0;
    return number(distance.data[0] + usual + (encoded ? rarityOf(encoded, below.data) : 0));
  },
  discrimination_part: ([distance, x, f], _, { features, transforms, size }) => {
    const rare = features ? rarityOf(features, f.data) : 0;
    return number(distance.data[0] + rare + transformError(transforms, x.data, size));
  },
  add_transform_error: ([part, x], _, { transforms, size }) =>
    number(part.data[0] + transformError(transforms, x.data, size)),
};

// How wrong a net is about how the image was turned, scaled and sheared: TransformError of ganad/models/transforms.py. 0 without such a net.
function transformError(transforms, x, size) {
  if (!transforms) return 0;
  const { layers, maps, sure, unit } = transforms;
  let error = 0;
  for (const [which, matrix] of maps) {
    const { data } = forward(layers, { data: transformed(x, matrix, size), shape: [size, size, 1] });
    const most = Math.max(...data);
    error += most + Math.log(data.reduce((sum, v) => sum + Math.exp(v - most), 0)) - data[which];
  }
  return unit * Math.log1p(error / maps.length / sure);
}

// What the pixels 0 and 1, or -1 to 2, count at a place t between 0 and 1: [pixel, weight] each.
const linear = (t) => [
  [0, 1 - t],
  [1, t],
];
// Cubic convolution with a = -0.75, as PyTorch's bicubic interpolation.
const cubic = (t) => [
  [-1, ((-0.75 * (t + 1) + 3.75) * (t + 1) - 6) * (t + 1) + 3],
  [0, (1.25 * t - 2.25) * t * t + 1],
  [1, (1.25 * (1 - t) - 2.25) * (1 - t) * (1 - t) + 1],
  [2, ((-0.75 * (2 - t) + 3.75) * (2 - t) - 6) * (2 - t) + 3],
];

// Each pixel from where the matrix (a, b, c, d, e, f) leads, in places from -1 to 1; -1 from outside.
function transformed(x, matrix, size, between = linear) {
  if (!MAPS.has(matrix)) MAPS.set(matrix, sources(matrix, size, between));
  const { ends, from, weights } = MAPS.get(matrix);
  const out = new Float32Array(size * size);
  let at = 0;
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (; at < ends[i]; at++) sum += weights[at] * (x[from[at]] + 1);
    out[i] = sum - 1;
  }
  return out;
}

// What `sources` found for each matrix: the same few transform every image of a run, each always interpolated in one way.
const MAPS = new WeakMap();

// The pixels that each pixel is made of: those up to ends[0] for the first, from there up to ends[1] for the second, and so on.
function sources([a, b, c, d, e, f], size, between) {
  const [ends, from, weights] = [[], [], []];
  for (let i = 0; i < size * size; i++) {
    const u = (2 * (i % size) + 1) / size - 1;
    const v = (2 * Math.floor(i / size) + 1) / size - 1;
    const column = ((a * u + b * v + c + 1) * size - 1) / 2;
    const row = ((d * u + e * v + f + 1) * size - 1) / 2;
    const [left, top] = [Math.floor(column), Math.floor(row)];
    const across = between(column - left);
    for (const [down, part] of between(row - top))
      for (const [right, weight] of across) {
        const [y, x] = [top + down, left + right];
        if (y < 0 || y >= size || x < 0 || x >= size) continue;
        from.push(y * size + x);
        weights.push(part * weight);
      }
    ends.push(from.length);
  }
  return { ends: Int32Array.from(ends), from: Int32Array.from(from), weights: Float64Array.from(weights) };
}

function number(value) {
  return { data: [value], shape: [1] };
}

function softplus(v) {
  return v > 20 ? v : Math.log1p(Math.exp(v));
}

// Density and typicality of a code, and of the amount of ink of its image; and the density of what its reconstruction leaves over.
function added(own, code, x, redrawn, size) {
  const surprise = surpriseOf(own.codes, code);
  const grey = x.reduce((sum, v) => sum + v, 0) / x.length / 2 + 0.5;
  const a = surprise - own.usual[0];
  const b = Math.log(Math.max(grey, 1e-4)) - own.usual[1];
  const [p, q, r, s] = own.usual_whiten;
  const unusual = ((a * p + b * r) ** 2 + (a * q + b * s) ** 2) / 2;
  const left = own.residuals ? rarityOf(own.residuals, leftOver(x, redrawn, size)) : 0;
  return strangeness(own.codes, surprise) + own.usual_unit * unusual + left;
}

function strangeness({ unit, likeliest }, surprise) {
  return unit * Math.max(0, surprise - likeliest);
}

// How unlikely values are, seen along the axes of a mixture.
function rarityOf(mixture, values) {
  return strangeness(mixture, surpriseOf(mixture, products(values, 1, mixture.axes, mixture.length, values.length)));
}

// x - redrawn, averaged over squares of 2x2 pixels.
function leftOver(x, redrawn, size) {
  const half = size / 2;
  const left = new Float32Array(half * half);
  for (let i = 0; i < x.length; i++) {
    const row = Math.floor(i / size) >> 1;
    left[row * half + ((i % size) >> 1)] += (x[i] - redrawn[i]) / 4;
  }
  return left;
}

// -log p(code) in nats, of a mixture of Gaussians; 0 where none is fitted.
function surpriseOf({ length, log_weight, mean, whiten }, code) {
  if (!log_weight.length) return 0;
  const logs = new Float64Array(log_weight.length);
  const away = new Float64Array(length);
  let at = 0;
  for (let k = 0; k < log_weight.length; k++) {
    away.fill(0);
    for (let d = 0; d < length; d++) {
      const v = code[d] - mean[k * length + d];
      for (let e = d; e < length; e++) away[e] += v * whiten[at++];
    }
    logs[k] = log_weight[k] - away.reduce((sum, v) => sum + v * v, 0) / 2;
  }
  const most = Math.max(...logs);
  return -most - Math.log(logs.reduce((sum, v) => sum + Math.exp(v - most), 0));
}
