// A generator to play with: its nets run here, so every move draws at once.
import { bytes, floats, inflate } from "../../../web/decode.js";
import { putDigit } from "../../../web/digits.js";
import { draw } from "../../../web/nets/judge.js";
import { readNets } from "../../../web/nets/weights.js";
import { make } from "../elements.js";

const rooms = new WeakMap();
const REACH = 3.2; // standard deviations from the middle of the map to its edge
const STOPS = [-2.5, -1.875, -1.25, -0.625, 0, 0.625, 1.25, 1.875, 2.5];
const WALK = 11;

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".play-room");
  if (!root || !data) return;
  let own = rooms.get(root);
  if (!own) {
    own = { asked: 0 };
    rooms.set(root, own);
    prepareRoom(root, own);
  }
  if (own.version === data.version) return;
  own.version = data.version;
  own.nets = null;
  inflate(data.generator).then((file) => {
    if (own.version !== data.version) return;
    Object.assign(own, {
      nets: readNets(file),
      middle: floats(data.middle),
      axes: data.axes.map(floats),
      normal: floats(data.normal),
      places: floats(data.places),
      codes: floats(data.codes),
      latent: data.latent,
      images: bytes(data.images),
      labels: data.labels,
      anomalous: data.anomalous,
      colours: data.colours,
      from: 0,
    });
    own.to = own.labels.findIndex((_, i) => own.anomalous[i]);
    if (own.to < 0) own.to = own.labels.length - 1;
    root.querySelector(".note").textContent = data.note;
    layOut(root, own);
    beginAt(root, own, 0);
  });
}

const codeOf = (own, i) => own.codes.slice(i * own.latent, (i + 1) * own.latent);
const placeOf = (own, i) => [...own.places.subarray(i * own.axes.length, (i + 1) * own.axes.length)];

function beginAt(root, own, i) {
  own.from = i;
  own.share = 0;
  root.querySelector(".walk input").value = "0";
  moveTo(root, own, codeOf(own, i), placeOf(own, i));
}

// The code moves to another place along the axes; what it has beside them stays.
function moveAlong(root, own, place) {
  const z = own.z.slice();
  for (const [k, axis] of own.axes.entries())
    for (let d = 0; d < z.length; d++) z[d] += (place[k] - own.place[k]) * axis[d];
  moveTo(root, own, z, place);
}

function moveTo(root, own, z, place) {
  own.z = z;
  own.place = place;
  own.asked ||= requestAnimationFrame(() => {
    own.asked = 0;
    if (own.nets) paintRoom(root, own);
  });
}

function tile(pixels, label, onPick) {
  const canvas = make("canvas");
  const button = make("button");
  button.type = "button";
  button.setAttribute("aria-label", label);
  button.title = label;
  button.append(canvas);
  button.onclick = onPick;
  putTile(canvas, pixels);
  return button;
}

function putTile(canvas, pixels) {
  Object.assign(canvas, { width: 28, height: 28 });
  const pen = canvas.getContext("2d");
  pen.putImageData(putDigit(pen.createImageData(28, 28), pixels, 0), 0, 0);
}

function layOut(root, own) {
  const find = (selector) => root.querySelector(selector);
  const image = (i) => own.images.subarray(784 * i, 784 * (i + 1));
  find(".starts").replaceChildren(...own.labels.map((label, i) => tile(image(i), label, () => beginAt(root, own, i))));
  find(".ends").replaceChildren(
    ...own.labels.map((label, i) =>
      tile(image(i), label, () => {
        own.to = i;
        moveTo(root, own, own.z, own.place);
      }),
    ),
  );
  find(".ways").replaceChildren(
    ...own.axes.map((_, k) => {
      const way = make("div", "way");
      const label = make("label", "", `Direction ${k + 1}`);
      const slider = Object.assign(make("input"), { type: "range", min: "-3", max: "3", step: "0.05" });
      slider.setAttribute("aria-label", `Direction ${k + 1}, in standard deviations`);
      slider.oninput = () => moveAlong(root, own, own.place.with(k, Number(slider.value)));
      slider.onkeydown = (event) => event.stopPropagation(); // arrow keys move the slider, not the picked image of the page
      const strip = make("div", "strip");
      strip.append(
        ...STOPS.map((stop) =>
          tile(new Uint8Array(784), `${stop} standard deviations along direction ${k + 1}`, () =>
            moveAlong(root, own, own.place.with(k, stop)),
          ),
        ),
      );
      label.append(slider);
      way.append(label, strip);
      return way;
    }),
  );
  find(".walk .strip").replaceChildren(
    ...Array.from({ length: WALK }, (_, n) =>
      tile(new Uint8Array(784), `${Math.round((100 * n) / (WALK - 1))} % of the way`, () =>
        walkTo(root, own, n / (WALK - 1)),
      ),
    ),
  );
}

function between(own, share) {
  const [a, b] = [codeOf(own, own.from), codeOf(own, own.to)];
  return a.map((v, d) => v + share * (b[d] - v));
}

function walkTo(root, own, share) {
  own.share = share;
  root.querySelector(".walk input").value = String(Math.round(100 * share));
  const [a, b] = [placeOf(own, own.from), placeOf(own, own.to)];
  moveTo(
    root,
    own,
    between(own, share),
    a.map((v, k) => v + share * (b[k] - v)),
  );
}

function prepareRoom(root, own) {
  const find = (selector) => root.querySelector(selector);
  const canvas = find(".map canvas");
  find(".walk input").oninput = (event) => walkTo(root, own, Number(event.target.value) / 100);
  find(".walk input").onkeydown = (event) => event.stopPropagation();
  const toPointer = (event) => {
    if (!own.nets) return;
    const box = canvas.getBoundingClientRect();
    const at = [((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2];
    moveAlong(
      root,
      own,
      own.place.map((v, k) => (k < 2 ? at[k] * REACH : v)),
    );
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    toPointer(event);
  };
  canvas.onpointermove = (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) toPointer(event);
  };
  canvas.onkeydown = (event) => {
    const ways = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 1], ArrowDown: [1, -1] };
    const way = ways[event.key];
    if (!way || !own.nets || way[0] >= own.axes.length) return;
    event.preventDefault();
    event.stopPropagation();
    moveAlong(root, own, own.place.with(way[0], Math.max(-REACH, Math.min(REACH, own.place[way[0]] + 0.2 * way[1]))));
  };
  const again = () => own.nets && own.z && moveTo(root, own, own.z, own.place);
  new ResizeObserver(again).observe(root);
  root.addEventListener("transitionstart", again); // the theme has changed
}

function paintRoom(root, own) {
  const find = (selector) => root.querySelector(selector);
  const drawn = draw(own.nets, own.z);
  putTile(find(".drawn canvas"), drawn);
  const words = own.place.map((v) => v.toFixed(2)).join(", ");
  find(".drawn output").textContent = `at ${words} standard deviations`;
  find(".drawn canvas").setAttribute(
    "aria-label",
    `What the generator draws at ${words} standard deviations along its main directions`,
  );
  paintPlaces(find(".map canvas"), own, getComputedStyle(root));
  for (const [i, button] of [...find(".starts").children].entries())
    button.setAttribute("aria-pressed", i === own.from);
  for (const [i, button] of [...find(".ends").children].entries()) button.setAttribute("aria-pressed", i === own.to);
  find(".from").textContent = own.labels[own.from];
  for (const [k, way] of [...find(".ways").children].entries()) {
    way.querySelector("input").value = String(own.place[k]);
    way.querySelector("input").setAttribute("aria-valuetext", `${own.place[k].toFixed(2)} standard deviations`);
  }
  strips(root, own);
}

// The film strips follow a moment later, a few pictures a frame, so that the large picture never waits for them.
function strips(root, own) {
  const jobs = [];
  for (const [k, way] of [...root.querySelectorAll(".ways .strip")].entries())
    for (const [n, button] of [...way.children].entries()) {
      const z = own.z.slice();
      for (let d = 0; d < z.length; d++) z[d] += (STOPS[n] - own.place[k]) * own.axes[k][d];
      jobs.push([button, z]);
    }
  for (const [n, button] of [...root.querySelector(".walk .strip").children].entries())
    jobs.push([button, between(own, n / (WALK - 1))]);
  const mine = (own.turn = (own.turn || 0) + 1);
  const next = () => {
    if (mine !== own.turn || !root.isConnected) return;
    for (const [button, z] of jobs.splice(0, 6)) putTile(button.querySelector("canvas"), draw(own.nets, z));
    if (jobs.length) requestAnimationFrame(next);
    else root.dataset.drawn = String(mine);
  };
  requestAnimationFrame(next);
}

function paintPlaces(canvas, own, style) {
  const side = Math.round(canvas.clientWidth * devicePixelRatio);
  Object.assign(canvas, { width: side, height: side });
  const pen = canvas.getContext("2d");
  const at = (v) => [((v[0] / REACH + 1) / 2) * side, ((1 - (v[1] ?? 0) / REACH) / 2) * side];
  const dot = (v, size, colour, isFilled) => {
    pen.beginPath();
    pen.arc(...at(v), size * devicePixelRatio, 0, 7);
    pen.fillStyle = pen.strokeStyle = colour;
    if (isFilled) pen.fill();
    else pen.stroke();
  };
  const two = Math.min(2, own.axes.length);
  pen.globalAlpha = 0.35;
  for (let i = 0; i < own.normal.length; i += two)
    dot([own.normal[i], two > 1 ? own.normal[i + 1] : 0], 2, own.colours.normal, true);
  pen.globalAlpha = 1;
  pen.lineWidth = 2 * devicePixelRatio;
  for (let i = 0; i < own.labels.length; i++)
    dot(placeOf(own, i), 4, own.anomalous[i] ? own.colours.anomalous : own.colours.normal, false);
  pen.strokeStyle = style.color;
  const [x, y] = at(own.place);
  const arm = 9 * devicePixelRatio;
  pen.beginPath();
  pen.moveTo(x - arm, y);
  pen.lineTo(x + arm, y);
  pen.moveTo(x, y - arm);
  pen.lineTo(x, y + arm);
  pen.stroke();
  canvas.setAttribute(
    "aria-label",
    `Map of codes; the cross stands at ${own.place
      .slice(0, 2)
      .map((v) => v.toFixed(2))
      .join(", ")}`,
  );
}
