// Points on a plane: point at one to see its image, click to pick it, draw round some to choose them.
import { bytes, floats, inflate } from "../../../web/decode.js";
import { putDigit } from "../../../web/digits.js";

const maps = new WeakMap();
// Megabytes of images come on their own, once, and not with every change of the points.
const sheets = (globalThis.ganadSheets ??= new Map());
const NEAR = 14;
const MARGIN = 22;
const FEWEST = 8;

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const root = parentElement.querySelector(".map");
  if (!root || !data) return;
  if (data.images) {
    root.style.display = "none";
    unpack(data);
    return;
  }
  let own = maps.get(root);
  if (!own) {
    own = prepare(root);
    maps.set(root, own);
  }
  own.choose = (polygon) => setStateValue("lasso", polygon);
  own.pick = (row) => setTriggerValue("picked", row);
  if (own.version !== data.version) {
    Object.assign(own, {
      version: data.version,
      val: floats(data.val),
      test: floats(data.test),
      digit: bytes(data.digit),
      only: null,
      over: null,
    });
    measure(own);
  }
  own.called = bytes(data.called);
  own.data = data;
  root.querySelector("[data-by=digit]").textContent = Object.keys(data.names).length ? "class" : "digit";
  own.by ??= "verdict";
  own.lasso = data.lasso;
  own.redress();
}

function unpack({ version, images }) {
  if (sheets.has(version)) return;
  sheets.set(version, null);
  inflate(images).then((pixels) => {
    for (const other of sheets.keys()) if (other !== version) sheets.delete(other);
    sheets.set(version, pixels);
  });
}

// The middle and the reach of all points; both axes have one scale, so that a distance is a distance.
function measure(own) {
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (const points of [own.val, own.test]) {
    points.forEach((v, i) => {
      low[i % 2] = Math.min(low[i % 2], v);
      high[i % 2] = Math.max(high[i % 2], v);
    });
  }
  own.middle = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
  own.reach = [high[0] - low[0] || 1, high[1] - low[1] || 1];
}

function prepare(root) {
  const find = (selector) => root.querySelector(selector);
  const canvas = find(".sheet > canvas");
  const tip = find(".tip");
  const own = { find, asked: 0, path: null };
  const redraw = () => {
    own.asked ||= requestAnimationFrame(() => {
      own.asked = 0;
      draw(own, canvas);
    });
  };
  own.redress = () => {
    dress(own, redraw);
    redraw();
  };

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const show = (i, [x, y]) => {
    if (own.over !== i) {
      own.over = i;
      redraw();
    }
    tip.hidden = i === null;
    if (i === null) return;
    const box = canvas.getBoundingClientRect();
    tip.querySelector("span").textContent =
      `${own.data.names[own.digit[i]] ?? own.digit[i]}, called ${own.called[i] ? "anomalous" : "normal"}`;
    thumb(tip.querySelector("canvas"), own, i);
    tip.style.left = `${Math.min(x + 14, box.width - 190)}px`;
    tip.style.top = `${Math.max(4, y - 76)}px`;
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    own.path = [at(event)];
  };
  canvas.onpointermove = (event) => {
    if (!own.path) return show(nearest(own, at(event)), at(event));
    const last = own.path.at(-1);
    const here = at(event);
    if (Math.hypot(here[0] - last[0], here[1] - last[1]) < 4) return;
    own.path.push(here);
    show(null, here);
    redraw();
  };
  canvas.onpointerup = () => {
    const path = own.path;
    own.path = null;
    if (!path) return;
    if (path.length >= FEWEST) {
      const every = Math.ceil(path.length / 32);
      own.lasso = path.filter((_, i) => i % every === 0).map(([x, y]) => own.unplace(x, y));
      own.choose(own.lasso);
      own.redress();
    } else {
      // What the tip shows is what a click means, also where the page has moved beneath a hand that lies still.
      const i = own.over ?? nearest(own, path[0]);
      if (i !== null) own.pick(i);
      redraw();
    }
  };
  canvas.onpointercancel = () => {
    own.path = null;
    redraw();
  };
  canvas.onpointerleave = () => {
    if (!own.path) show(null, [0, 0]);
  };
  find(".clear").onclick = () => {
    own.lasso = null;
    own.choose(null);
    own.redress();
  };
  find(".save").onclick = () => picture(canvas, getComputedStyle(root).getPropertyValue("--st-background-color"));
  const radios = [...root.querySelectorAll(".by button")];
  const colour = (button) => {
    own.by = button.dataset.by;
    own.only = null;
    own.redress();
  };
  radios.forEach((button, i) => {
    button.onclick = () => colour(button);
    button.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      event.stopPropagation();
      const other = radios[1 - i];
      other.focus();
      colour(other);
    };
  });
  new ResizeObserver(redraw).observe(canvas);
  root.addEventListener("transitionstart", redraw); // the theme has changed
  return own;
}

function picture(canvas, ground) {
  const sheet = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const ctx = sheet.getContext("2d");
  ctx.fillStyle = ground;
  ctx.fillRect(0, 0, sheet.width, sheet.height);
  ctx.drawImage(canvas, 0, 0);
  Object.assign(document.createElement("a"), {
    href: sheet.toDataURL("image/png"),
    download: "ganad-latent-map.png",
  }).click();
}

function groups(own) {
  const { colours } = own.data;
  if (own.by === "digit")
    return own.data.digits.map((d) => ({
      name: own.data.names[d] ?? String(d),
      colour: colours.digits[d % colours.digits.length],
      has: (i) => own.digit[i] === d,
    }));
  return [
    { name: "called normal", colour: colours.normal, has: (i) => !own.called[i] },
    { name: "called anomalous", colour: colours.anomalous, has: (i) => own.called[i] === 1 },
  ];
}

function dress(own) {
  for (const button of own.find(".by").children) {
    const on = button.dataset.by === own.by;
    button.setAttribute("aria-checked", String(on));
    button.tabIndex = on ? 0 : -1;
  }
  const legend = own.find(".legend");
  const all = [
    { name: own.by === "digit" ? "held out" : "held-out normals", colour: own.data.colours.held },
    ...groups(own),
  ];
  legend.replaceChildren(
    ...all.map(({ name, colour }, k) => {
      const chip = document.createElement("button");
      const dot = document.createElement("i");
      chip.type = "button";
      chip.style.setProperty("--dot", colour);
      chip.setAttribute("aria-pressed", String(own.only === k));
      chip.title = "Show these alone, or all again";
      chip.append(dot, name);
      chip.onclick = () => {
        own.only = own.only === k ? null : k;
        own.redress();
      };
      return chip;
    }),
  );
  own.find(".clear").hidden = !own.lasso;
  own.find(".sheet > canvas").setAttribute("aria-label", own.data.name);
  own.find(".said").textContent = own.lasso
    ? `${own.data.inside.toLocaleString("en-US")} test images lie inside the line; the gallery shows them.`
    : "Point at a dot to see its image, click to inspect it, draw round some to see them in the gallery.";
}

function draw(own, canvas) {
  const box = canvas.getBoundingClientRect();
  const ratio = globalThis.devicePixelRatio || 1;
  if (!box.width) return;
  if (canvas.width !== Math.round(box.width * ratio)) canvas.width = Math.round(box.width * ratio);
  if (canvas.height !== Math.round(box.height * ratio)) canvas.height = Math.round(box.height * ratio);
  const ctx = canvas.getContext("2d");
  const ink = getComputedStyle(own.find(".said")).color;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, box.width, box.height);
  const scale = Math.min((box.width - 2 * MARGIN) / own.reach[0], (box.height - 2 * MARGIN) / own.reach[1]);
  const place = (x, y) => [box.width / 2 + (x - own.middle[0]) * scale, box.height / 2 - (y - own.middle[1]) * scale];
  own.place = place;
  own.unplace = (x, y) => [(x - box.width / 2) / scale + own.middle[0], own.middle[1] - (y - box.height / 2) / scale];
  own.spots ??= new Float32Array(own.test.length);
  if (own.spots.length !== own.test.length) own.spots = new Float32Array(own.test.length);
  for (let i = 0; i < own.test.length; i += 2) [own.spots[i], own.spots[i + 1]] = place(own.test[i], own.test[i + 1]);
  const n = own.test.length / 2;
  const size = n > 3000 ? 2.6 : n > 800 ? 3.4 : 4.4;

  // Anomalies first: what is called normal, and the held-out normals, would drown below them.
  const layers = groups(own)
    .map((group, k) => ({ ...group, k: k + 1 }))
    .reverse();
  for (const { colour, has, k } of layers) {
    ctx.fillStyle = colour;
    ctx.globalAlpha = own.only === null || own.only === k ? (n > 3000 ? 0.55 : 0.75) : 0.05;
    for (let i = 0; i < n; i++)
      if (has(i)) ctx.fillRect(own.spots[2 * i] - size / 2, own.spots[2 * i + 1] - size / 2, size, size);
  }
  ctx.strokeStyle = own.data.colours.held;
  ctx.lineWidth = 1.2;
  ctx.globalAlpha = own.only === null || own.only === 0 ? 0.8 : 0.06;
  const ring = own.val.length > 2000 ? 1.6 : 2.2;
  ctx.beginPath();
  for (let i = 0; i < own.val.length; i += 2) {
    const [x, y] = place(own.val[i], own.val[i + 1]);
    ctx.moveTo(x + ring, y);
    ctx.arc(x, y, ring, 0, 2 * Math.PI);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;

  const line = own.path ?? own.lasso?.map(([x, y]) => place(x, y));
  if (line?.length > 1) {
    ctx.beginPath();
    ctx.moveTo(...line[0]);
    for (const corner of line.slice(1)) ctx.lineTo(...corner);
    if (!own.path) ctx.closePath();
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.5;
    ctx.setLineDash([5, 4]);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 0.08;
    ctx.fillStyle = ink;
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  const marked = own.data.marked;
  for (const [i, radius] of [
    [own.over, 6],
    [marked, 8],
  ]) {
    if (i === null || i === undefined || i < 0) continue;
    ctx.beginPath();
    ctx.arc(own.spots[2 * i], own.spots[2 * i + 1], radius, 0, 2 * Math.PI);
    ctx.strokeStyle = ink;
    ctx.lineWidth = 2;
    ctx.stroke();
  }
}

function nearest(own, [x, y]) {
  if (!own.spots) return null;
  let best = null;
  let least = NEAR * NEAR;
  const all = groups(own);
  const shown = own.only === null ? null : all[own.only - 1];
  for (let i = 0; i < own.spots.length / 2; i++) {
    const far = (own.spots[2 * i] - x) ** 2 + (own.spots[2 * i + 1] - y) ** 2;
    if (far < least && (!shown || shown.has(i))) {
      least = far;
      best = i;
    }
  }
  return best;
}

function thumb(canvas, own, i) {
  const pixels = sheets.get(own.data.sheet);
  const ctx = canvas.getContext("2d");
  canvas.hidden = !pixels;
  if (pixels) ctx.putImageData(putDigit(ctx.createImageData(28, 28), pixels, i), 0, 0);
}
