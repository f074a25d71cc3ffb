// The strokes on the sheet. Those beyond `shown` were taken back and can come again, until another one is drawn.
export const OUT = 112; // side of the drawing that is judged and sent

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

// The sheet as OUT * OUT grey bytes, each the mean of a square of pixels.
export function drawingOf(ink, side) {
  const { data } = ink.getImageData(0, 0, side, side);
  const step = side / OUT;
  const out = new Uint8Array(OUT * OUT);
  for (let row = 0; row < OUT; row++) {
    for (let col = 0; col < OUT; col++) {
      let sum = 0;
      for (let y = row * step; y < (row + 1) * step; y++)
        for (let x = col * step; x < (col + 1) * step; x++) sum += data[4 * (y * side + x)];
      out[row * OUT + col] = Math.round(sum / (step * step));
    }
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
