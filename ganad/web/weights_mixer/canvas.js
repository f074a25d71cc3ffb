// A canvas in CSS pixels, and what every chart draws on it.

// A context in CSS pixels, on as many device pixels as the screen has; wiped.
export function sheet(canvas, theme) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const w = Math.round(width * ratio);
  const h = Math.round(height * ratio);
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `13px ${theme.font}`;
  pen.lineJoin = "round";
  return [pen, width, height];
}

// A path through points, to be filled or stroked.
export function trace(pen, points) {
  pen.beginPath();
  pen.moveTo(...points[0]);
  for (const point of points.slice(1)) pen.lineTo(...point);
}

export function line(pen, points, colour, width, dash = []) {
  trace(pen, points);
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke();
  pen.setLineDash([]);
}

export function write(pen, text, x, y, { colour, align = "left", base = "alphabetic", alpha = 1, weight = "" } = {}) {
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

export function upright(pen, text, x, y, theme) {
  pen.save();
  pen.translate(x, y);
  pen.rotate(-Math.PI / 2);
  write(pen, text, 0, 0, { colour: theme.text, align: "center", base: "middle", alpha: 0.75 });
  pen.restore();
}
