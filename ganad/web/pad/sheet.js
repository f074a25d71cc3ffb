// The strokes on the sheet. Those beyond `shown` were taken back and can come again, until another one is drawn.
export const OUT = 112; // side of the drawing that is judged and sent
const SOFT = [1, 4, 6, 4, 1].map((part) => part / 16); // about a Gaussian of one pixel, a quarter of one of the 28

export function newSheet() {
  return { strokes: [], shown: 0, under: null, current: null };
}

export function isEmpty(sheet) {
  return !sheet.shown && !sheet.under;
}

export function beginStroke(sheet, width, erases, point) {
  sheet.current = { width, erases, points: [point] };
  sheet.strokes.length = sheet.shown;
  sheet.strokes.push(sheet.current);
  sheet.shown++;
}

// under: a canvas with what the sheet begins with, or null.
export function wipeSheet(sheet, under = null) {
  Object.assign(sheet, newSheet(), { under });
}

export function paintSheet(sheet, ink, side) {
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, side, side);
  if (sheet.under) {
    ink.imageSmoothingEnabled = false;
    ink.drawImage(sheet.under, 0, 0, side, side);
  }
  ink.lineCap = ink.lineJoin = "round";
  for (const { width, erases, points } of sheet.strokes.slice(0, sheet.shown)) {
    ink.strokeStyle = erases ? "#000" : "#fff";
    ink.lineWidth = width;
    ink.beginPath();
    ink.moveTo(...points[0]);
    if (points.length < 3) {
      ink.lineTo(points.at(-1)[0] + 0.01, points.at(-1)[1]);
    } else {
      // Curves through the middles of the sampled points: a fast hand leaves few of them.
      for (let i = 1; i < points.length - 1; i++) {
        const [x, y] = points[i];
        const [u, v] = points[i + 1];
        ink.quadraticCurveTo(x, y, (x + u) / 2, (y + v) / 2);
      }
      ink.lineTo(...points.at(-1));
    }
    ink.stroke();
  }
}

// The sheet as OUT * OUT grey bytes, each the mean of a square of pixels. What was drawn is softened as a pen on paper is when it
// is scanned, since MNIST's digits were; what the sheet began with stays as it is.
export function drawingOf(ink, side, { under }) {
  const { data } = ink.getImageData(0, 0, side, side);
  const before = under?.getContext("2d").getImageData(0, 0, OUT, OUT).data;
  const step = side / OUT;
  const drawn = new Float32Array(OUT * OUT);
  for (let row = 0; row < OUT; row++) {
    for (let col = 0; col < OUT; col++) {
      let sum = 0;
      for (let y = row * step; y < (row + 1) * step; y++)
        for (let x = col * step; x < (col + 1) * step; x++) sum += data[4 * (y * side + x)];
      const at = row * OUT + col;
      drawn[at] = sum / (step * step) - (before?.[4 * at] ?? 0);
    }
  }
  const soft = softened(softened(drawn, 1, OUT), OUT, 1);
  const out = new Uint8ClampedArray(OUT * OUT);
  for (let at = 0; at < out.length; at++) out[at] = soft[at] + (before?.[4 * at] ?? 0);
  return out;
}

// (OUT * OUT) values, each spread over its neighbours along one direction by SOFT; what falls beyond the edge is lost.
function softened(values, along, across) {
  const reach = SOFT.length >> 1;
  const out = new Float32Array(OUT * OUT);
  for (let line = 0; line < OUT; line++)
    for (let at = 0; at < OUT; at++) {
      const value = values[line * across + at * along];
      if (value === 0) continue; // most of a sheet is empty
      for (let k = Math.max(-reach, -at); k <= Math.min(reach, OUT - 1 - at); k++)
        out[line * across + (at + k) * along] += SOFT[k + reach] * value;
    }
  return out;
}

export function toBase64(drawing) {
  let text = "";
  for (const v of drawing) text += String.fromCharCode(v);
  return btoa(text);
}

// The other way: a canvas from Python's bytes, or null where they are not a picture.
export function sheetOf(pixels) {
  let text;
  try {
    text = atob(pixels);
  } catch {
    return null;
  }
  if (text.length !== OUT * OUT) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = OUT;
  const picture = new ImageData(OUT, OUT);
  for (let i = 0; i < text.length; i++) {
    const grey = text.charCodeAt(i);
    picture.data.set([grey, grey, grey, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}
