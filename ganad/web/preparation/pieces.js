// Pieces of ink that touch each other, corners included: scipy.ndimage.label and what is asked of each piece.

// Pixels above `above` belong to pieces. Returns { labels: Int32Array, 0 is ground; pieces: one { mass, peak, top, left, bottom, right } each }.
export function piecesOf({ data, height, width }, above) {
  const labels = new Int32Array(height * width);
  const pieces = [];
  const open = [];
  for (let start = 0; start < data.length; start++) {
    if (data[start] <= above || labels[start]) continue;
    const piece = { mass: 0, peak: 0, top: height, left: width, bottom: 0, right: 0 };
    pieces.push(piece);
    labels[start] = pieces.length;
    open.push(start);
    while (open.length) {
      const at = open.pop();
      const y = Math.floor(at / width);
      const x = at - y * width;
      piece.mass += data[at];
      piece.peak = Math.max(piece.peak, data[at]);
      piece.top = Math.min(piece.top, y);
      piece.left = Math.min(piece.left, x);
      piece.bottom = Math.max(piece.bottom, y + 1);
      piece.right = Math.max(piece.right, x + 1);
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (data[next] > above && !labels[next]) {
            labels[next] = pieces.length;
            open.push(next);
          }
        }
    }
  }
  return { labels, pieces };
}
