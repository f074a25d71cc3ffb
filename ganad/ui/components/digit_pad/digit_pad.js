// What is on the sheet lives here, per mounted pad; Python is told after each stroke.
const pads = new WeakMap();
const OUT = 112; // side of the picture that is sent

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".pad");
  if (!root) return;
  const canvas = root.querySelector("canvas");
  const find = (name) => root.querySelector(`.${name}`);
  const side = canvas.width;
  const ink = canvas.getContext("2d", { willReadFrequently: true });

  let pad = pads.get(root);
  const mounted = !pad;
  if (mounted) {
    pad = {
      strokes: [],
      current: null,
      under: null,
      reset: data.reset,
      brush: data.stroke,
      asked: data.stroke,
      pen: null,
    };
    pads.set(root, pad);
  }
  root.style.setProperty("--pad-size", `${data.size}px`);
  const slider = root.querySelector("input");
  if (mounted || data.stroke !== pad.asked) {
    pad.brush = pad.asked = data.stroke;
    slider.value = pad.brush;
  }

  // Python's picture is taken over when the pad appears and when Python says so; never in between, or a slow rerun
  // would wipe the stroke that was drawn meanwhile.
  if (mounted || data.reset !== pad.reset) {
    pad.reset = data.reset;
    pad.strokes = [];
    pad.current = null;
    pad.under = data.pixels ? sheetOf(data.pixels) : null;
  }

  const paint = () => {
    ink.fillStyle = "#000";
    ink.fillRect(0, 0, side, side);
    if (pad.under) ink.drawImage(pad.under, 0, 0, side, side);
    ink.strokeStyle = "#fff";
    ink.lineCap = ink.lineJoin = "round";
    for (const { width, points } of pad.strokes) {
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
    const empty = !pad.strokes.length && !pad.under;
    root.classList.toggle("inked", !empty);
    find("undo").disabled = !pad.strokes.length;
    find("clear").disabled = empty;
  };

  const send = () => {
    const empty = !pad.strokes.length && !pad.under;
    setStateValue("pixels", empty ? null : shrink(ink, side));
  };
  const say = (words) => {
    find("said").textContent = words;
  };

  const begin = (point) => {
    pad.current = { width: (pad.brush * side) / 280, points: [point] };
    pad.strokes.push(pad.current);
    paint();
  };
  const extend = (point) => {
    pad.current.points.push(point);
    paint();
  };
  const end = () => {
    if (pad.current) {
      pad.current = null;
      send();
    }
  };

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height];
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || pad.current) return;
    canvas.setPointerCapture(event.pointerId);
    pad.pointer = event.pointerId;
    showPen(null);
    begin(at(event));
  };
  canvas.onpointermove = (event) => {
    if (!pad.current || event.pointerId !== pad.pointer) return;
    const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const step of steps.length ? steps : [event]) pad.current.points.push(at(step));
    paint();
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === pad.pointer) end();
  };

  const undo = () => {
    if (pad.strokes.length) {
      pad.current = null;
      pad.strokes.pop();
      paint();
      send();
      say("Stroke taken back");
    }
  };
  const clear = () => {
    pad.strokes = [];
    pad.current = null;
    pad.under = null;
    paint();
    send();
    say("Cleared");
  };
  find("undo").onclick = undo;
  find("clear").onclick = clear;
  slider.oninput = () => {
    pad.brush = Number(slider.value);
  };

  // With the keyboard: a pen that is moved, put down and lifted.
  const showPen = (point) => {
    pad.pen = point;
    const mark = find("pen");
    mark.classList.toggle("shown", Boolean(point));
    mark.classList.toggle("down", Boolean(point && pad.current));
    if (point) {
      mark.style.left = `${(100 * point[0]) / side}%`;
      mark.style.top = `${(100 * point[1]) / side}%`;
    }
  };
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.onkeydown = (event) => {
    const undoKey = event.key === "Backspace" || ((event.ctrlKey || event.metaKey) && event.key === "z");
    if (event.key in moves) {
      const [x, y] = pad.pen || [side / 2, side / 2];
      const [dx, dy] = moves[event.key];
      const far = event.shiftKey ? 4 : 16;
      const next = [x + dx * far, y + dy * far].map((v) => Math.min(side, Math.max(0, v)));
      if (pad.current) extend(next);
      showPen(next);
    } else if (event.key === " ") {
      const here = pad.pen || [side / 2, side / 2];
      if (pad.current) {
        end();
        say("Pen up");
      } else {
        begin(here);
        say("Pen down");
      }
      showPen(here);
    } else if (undoKey) undo();
    else if (event.key === "Delete") clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  canvas.onblur = () => {
    end();
    showPen(null);
  };

  paint();
}

// The sheet as base64 of OUT * OUT grey bytes, each the mean of a square of pixels.
function shrink(ink, side) {
  const { data } = ink.getImageData(0, 0, side, side);
  const step = side / OUT;
  let bytes = "";
  for (let row = 0; row < OUT; row++) {
    for (let col = 0; col < OUT; col++) {
      let sum = 0;
      for (let y = row * step; y < (row + 1) * step; y++)
        for (let x = col * step; x < (col + 1) * step; x++) sum += data[4 * (y * side + x)];
      bytes += String.fromCharCode(Math.round(sum / (step * step)));
    }
  }
  return btoa(bytes);
}

// The other way: a canvas from Python's bytes, or null where they are not a picture.
function sheetOf(pixels) {
  let bytes;
  try {
    bytes = atob(pixels);
  } catch {
    return null;
  }
  if (bytes.length !== OUT * OUT) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = OUT;
  const picture = new ImageData(OUT, OUT);
  for (let i = 0; i < bytes.length; i++) {
    const grey = bytes.charCodeAt(i);
    picture.data.set([grey, grey, grey, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}
