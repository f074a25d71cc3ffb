// Filters of SciPy and Pillow on grey pictures. A picture is { data: Float32Array, height, width }, row by row.

export function pictureOf(height, width, data = new Float32Array(height * width)) {
  return { data, height, width };
}

export function padded(picture, top, bottom, left, right) {
  const out = pictureOf(picture.height + top + bottom, picture.width + left + right);
  for (let y = 0; y < picture.height; y++)
    out.data.set(picture.data.subarray(y * picture.width, (y + 1) * picture.width), (y + top) * out.width + left);
  return out;
}

export function cut(picture, top, left, height, width) {
  const out = pictureOf(height, width);
  for (let y = 0; y < height; y++) {
    const from = (y + top) * picture.width + left;
    out.data.set(picture.data.subarray(from, from + width), y * width);
  }
  return out;
}

// Beyond an edge lies the mirror image, the edge's own pixel first.
function mirrored(i, n) {
  if (i < 0) return Math.min(n - 1, -i - 1);
  return i >= n ? Math.max(0, 2 * n - 1 - i) : i;
}

// scipy.ndimage.gaussian_filter
export function gaussian(picture, sigma) {
  const reach = Math.floor(4 * sigma + 0.5);
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  const { height, width } = picture;
  const once = pictureOf(height, width);
  for (let y = 0; y < height; y++)
    for (let k = -reach; k <= reach; k++) {
      const from = mirrored(y + k, height) * width;
      const w = weights[k + reach] / sum;
      for (let x = 0; x < width; x++) once.data[y * width + x] += w * picture.data[from + x];
    }
  const columns = Int32Array.from({ length: width + 2 * reach }, (_, i) => mirrored(i - reach, width));
  const twice = pictureOf(height, width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let value = 0;
      for (let k = 0; k <= 2 * reach; k++) value += (weights[k] / sum) * once.data[y * width + columns[x + k]];
      twice.data[y * width + x] = value;
    }
  return twice;
}

// scipy.ndimage.grey_opening with a square of an odd side: the lowest of the neighbourhood, then the highest of those.
export function opening(picture, side) {
  return extreme(extreme(picture, side, Math.min), side, Math.max);
}

// The extreme of each neighbourhood in three comparisons a pixel, whatever its side (van Herk 1992): blocks of `side` pixels, each
// with its extremes from the front and from the back; a neighbourhood is the back of one block and the front of the next.
function extreme(picture, side, pick) {
  const reach = (side - 1) / 2;
  const { height, width } = picture;
  const most = Math.ceil((Math.max(height, width) + 2 * reach) / side) * side;
  const [line, front, back] = [0, 1, 2].map(() => new Float32Array(most));
  const nothing = pick(Infinity, -Infinity) === Infinity ? -Infinity : Infinity;
  const out = pictureOf(height, width, picture.data.slice());
  const run = (first, step, n) => {
    line.fill(nothing);
    for (let i = 0; i < n; i++) line[i + reach] = out.data[first + i * step];
    for (let i = 0; i < most; i++) front[i] = i % side ? pick(front[i - 1], line[i]) : line[i];
    for (let i = most - 1; i >= 0; i--) back[i] = (i + 1) % side ? pick(back[i + 1], line[i]) : line[i];
    for (let i = 0; i < n; i++) out.data[first + i * step] = pick(back[i], front[i + 2 * reach]);
  };
  for (let y = 0; y < height; y++) run(y * width, 1, width);
  for (let x = 0; x < width; x++) run(x, width, height);
  return out;
}

// scipy.ndimage.grey_dilation with a disk, of a picture that is 0 at its border.
export function widened(picture, radius) {
  const { height, width } = picture;
  const out = pictureOf(height, width);
  const most = radius * radius + radius;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = picture.data[y * width + x];
      if (!value) continue;
      for (let dy = -radius; dy <= radius; dy++) {
        const v = y + dy;
        if (v < 0 || v >= height) continue;
        const half = Math.min(radius, Math.floor(Math.sqrt(most - dy * dy)));
        const last = Math.min(width - 1, x + half);
        for (let u = Math.max(0, x - half); u <= last; u++) {
          const at = v * width + u;
          if (out.data[at] < value) out.data[at] = value;
        }
      }
    }
  return out;
}

// Pillow's resize of a float picture by a triangle filter, which averages where it shrinks.
export function resized(picture, height, width) {
  let made = picture;
  if (width !== made.width) made = alongRows(made, width);
  if (height !== made.height) made = turnedOver(alongRows(turnedOver(made), height));
  return made;
}

function turnedOver({ data, height, width }) {
  const out = pictureOf(width, height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out.data[x * height + y] = data[y * width + x];
  return out;
}

function alongRows(picture, width) {
  const scale = picture.width / width;
  const support = Math.max(1, scale);
  const out = pictureOf(picture.height, width);
  for (let x = 0; x < width; x++) {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(picture.width, Math.trunc(centre + support + 0.5));
    const weights = [];
    for (let u = first; u < last; u++) weights.push(Math.max(0, 1 - Math.abs((u - centre + 0.5) / support)));
    const sum = weights.reduce((a, b) => a + b, 0);
    for (let y = 0; y < picture.height; y++) {
      let value = 0;
      for (let k = 0; k < weights.length; k++)
        value += picture.data[y * picture.width + first + k] * (weights[k] / sum);
      out.data[y * width + x] = value;
    }
  }
  return out;
}

// scipy.ndimage.distance_transform_edt: of each pixel that is set, the distance to the nearest that is not (Meijster's way).
export function distances({ data, height, width }) {
  const far = height + width;
  const down = new Float64Array(height * width);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++)
      down[y * width + x] = data[y * width + x] ? (y ? down[(y - 1) * width + x] + 1 : far) : 0;
    for (let y = height - 2; y >= 0; y--)
      down[y * width + x] = Math.min(down[y * width + x], down[(y + 1) * width + x] + 1);
  }
  const out = new Float64Array(height * width);
  const from = new Int32Array(width); // the columns whose parabolas are lowest somewhere, and where each begins to be
  const since = new Int32Array(width);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const height2 = (x, i) => (x - i) ** 2 + down[row + i] ** 2;
    let n = 0;
    from[0] = since[0] = 0;
    for (let u = 1; u < width; u++) {
      while (n >= 0 && height2(since[n], from[n]) > height2(since[n], u)) n--;
      if (n < 0) {
        n = 0;
        from[0] = u;
        since[0] = 0;
        continue;
      }
      const i = from[n];
      const cross = Math.floor((u * u - i * i + down[row + u] ** 2 - down[row + i] ** 2) / (2 * (u - i))) + 1;
      if (cross < width) {
        n++;
        from[n] = u;
        since[n] = Math.max(0, cross);
      }
    }
    for (let u = width - 1; u >= 0; u--) {
      out[row + u] = Math.sqrt(height2(u, from[n]));
      if (u === since[n]) n--;
    }
  }
  return out;
}
