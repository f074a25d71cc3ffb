// The layers of a net on one image. A value is { data, shape }: pictures (h, w, c) with their channels last, vectors (n,).

// products[p][r] = sum over d of left[p][d] * right[r][d]: every convolution and linear layer is this.
// Two rows of the left and four of the right at a time, so that each number is read once for several sums.
export function products(left, rows, right, columns, depth) {
  const out = new Float32Array(rows * columns);
  const wholeRows = rows - (rows % 2);
  const wholeColumns = columns - (columns % 4);
  for (let p = 0; p < wholeRows; p += 2)
    for (let r = 0; r < wholeColumns; r += 4) {
      let [a, b, c, d] = [0, 0, 0, 0];
      let [e, f, g, h] = [0, 0, 0, 0];
      let i = r * depth;
      let j = i + depth;
      let k = j + depth;
      let l = k + depth;
      const end = (p + 1) * depth;
      for (let upper = p * depth, lower = end; upper < end; upper++, lower++) {
        const v = left[upper];
        const w = left[lower];
        const right0 = right[i++];
        const right1 = right[j++];
        const right2 = right[k++];
        const right3 = right[l++];
        a += v * right0;
        b += v * right1;
        c += v * right2;
        d += v * right3;
        e += w * right0;
        f += w * right1;
        g += w * right2;
        h += w * right3;
      }
      const at = p * columns + r;
      out[at] = a;
      out[at + 1] = b;
      out[at + 2] = c;
      out[at + 3] = d;
      out[at + columns] = e;
      out[at + columns + 1] = f;
      out[at + columns + 2] = g;
      out[at + columns + 3] = h;
    }
  for (let p = 0; p < rows; p++)
    for (let r = p < wholeRows ? wholeColumns : 0; r < columns; r++) {
      let sum = 0;
      for (let d = 0; d < depth; d++) sum += left[p * depth + d] * right[r * depth + d];
      out[p * columns + r] = sum;
    }
  return out;
}

function addBias(data, bias) {
  if (bias) for (let i = 0; i < data.length; i++) data[i] += bias[i % bias.length];
  return data;
}

const LAYERS = {
  conv({ data, shape: [h, w, c] }, layer) {
    const { kernel, stride, padding, out } = layer;
    const rows = Math.floor((h + 2 * padding - kernel) / stride) + 1;
    const columns = Math.floor((w + 2 * padding - kernel) / stride) + 1;
    const depth = kernel * kernel * c;
    const patches = new Float32Array(rows * columns * depth);
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++)
        for (let dy = 0; dy < kernel; dy++) {
          const v = y * stride - padding + dy;
          if (v < 0 || v >= h) continue;
          const u = x * stride - padding;
          const first = Math.max(0, -u);
          const last = Math.min(kernel, w - u);
          const at = ((y * columns + x) * kernel + dy) * kernel * c;
          patches.set(data.subarray((v * w + u + first) * c, (v * w + u + last) * c), at + first * c);
        }
    const made = products(patches, rows * columns, layer.weight, out, depth);
    return { data: addBias(made, layer.bias), shape: [rows, columns, out] };
  },

  // Each input pixel is laid down as a kernel of output pixels.
  deconv({ data, shape: [h, w, c] }, layer) {
    const { kernel, stride, padding, out } = layer;
    const rows = (h - 1) * stride - 2 * padding + kernel;
    const columns = (w - 1) * stride - 2 * padding + kernel;
    const laid = products(data, h * w, layer.weight, kernel * kernel * out, c);
    const made = new Float32Array(rows * columns * out);
    let from = 0;
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let dy = 0; dy < kernel; dy++)
          for (let dx = 0; dx < kernel; dx++, from += out) {
            const v = y * stride - padding + dy;
            const u = x * stride - padding + dx;
            if (v < 0 || v >= rows || u < 0 || u >= columns) continue;
            const at = (v * columns + u) * out;
            for (let o = 0; o < out; o++) made[at + o] += laid[from + o];
          }
    return { data: addBias(made, layer.bias), shape: [rows, columns, out] };
  },

  linear({ data }, layer) {
    return { data: addBias(products(data, 1, layer.weight, layer.out, layer.in), layer.bias), shape: [layer.out] };
  },

  leaky_relu({ data, shape }, { slope }) {
    const made = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) made[i] = data[i] < 0 ? data[i] * slope : data[i];
    return { data: made, shape };
  },

  // Squares of kernel x kernel places that do not overlap.
  average_pool({ data, shape: [h, w, c] }, { kernel }) {
    const [rows, columns] = [Math.floor(h / kernel), Math.floor(w / kernel)];
    const made = new Float32Array(rows * columns * c);
    for (let y = 0; y < rows * kernel; y++)
      for (let x = 0; x < columns * kernel; x++) {
        const at = (Math.floor(y / kernel) * columns + Math.floor(x / kernel)) * c;
        for (let o = 0; o < c; o++) made[at + o] += data[(y * w + x) * c + o] / kernel ** 2;
      }
    return { data: made, shape: [rows, columns, c] };
  },

  tanh({ data, shape }) {
    return { data: data.map(Math.tanh), shape };
  },

  // Vectors have the order of torch: all pixels of a channel, then the next channel.
  flatten({ data, shape }) {
    const [h, w, c] = shape.length === 3 ? shape : [1, 1, shape[0]];
    return { data: turned(data, h * w, c), shape: [data.length] };
  },

  unflatten({ data }, { shape: [c, h, w] }) {
    return { data: turned(data, c, h * w), shape: [h, w, c] };
  },
};

// (rows, columns) -> (columns, rows)
function turned(data, rows, columns) {
  if (rows === 1 || columns === 1) return data;
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c];
  return out;
}

export function forward(layers, value) {
  return layers.reduce((v, layer) => LAYERS[layer.kind](v, layer), value);
}
