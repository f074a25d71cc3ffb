// A race to the score of one image, shown so much slower that the slowest lane takes a few seconds.
import { bytes } from "../../../web/decode.js";
import { putDigit } from "../../../web/digits.js";
import { make } from "../elements.js";

const races = new WeakMap();

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".race");
  if (!root || !data) return;
  let own = races.get(root);
  if (!own) {
    own = { share: 1, began: 0 };
    races.set(root, own);
    prepareRace(root, own);
  }
  if (own.version === data.version) return;
  Object.assign(own, { version: data.version, data, share: 1, began: 0 });
  const given = bytes(data.given);
  root.querySelector(".note").textContent = data.note;
  own.lanes = data.lanes.map((lane) => {
    const row = make("div", "lane");
    const name = make("div", "name");
    name.append(make("b", "", lane.method), make("small", "", lane.how));
    const [first, second] = [make("canvas"), make("canvas")];
    for (const canvas of [first, second]) Object.assign(canvas, { width: 28, height: 28 });
    first.setAttribute("aria-label", "The image");
    second.setAttribute("role", "img");
    first.setAttribute("role", "img");
    putOn(first, given, 0);
    const way = make("div", "way");
    const track = make("div", "track");
    const done = make("div");
    track.append(done);
    const time = make("span", "time");
    way.append(track, time);
    row.append(name, first, second, way);
    return { ...lane, frames: bytes(lane.frames), row, canvas: second, done, time };
  });
  root.querySelector(".lanes").replaceChildren(...own.lanes.map((lane) => lane.row));
  paintRace(root, own);
}

function putOn(canvas, pixels, row) {
  const pen = canvas.getContext("2d");
  pen.putImageData(putDigit(pen.createImageData(28, 28), pixels, row), 0, 0);
}

function prepareRace(root, own) {
  const slider = root.querySelector("input");
  const button = root.querySelector("button");
  const step = (now) => {
    if (!own.began || !root.isConnected) return;
    own.share = Math.min(1, ((now - own.began) * 0.001) / (own.data.seconds * own.data.slower));
    if (own.share === 1) own.began = 0;
    paintRace(root, own);
    if (own.began) requestAnimationFrame(step);
  };
  button.onclick = () => {
    if (own.began) own.began = 0;
    else {
      if (own.share === 1) own.share = 0;
      own.began = performance.now() - own.share * own.data.seconds * own.data.slower * 1000;
      requestAnimationFrame(step);
    }
    paintRace(root, own);
  };
  slider.oninput = () => {
    own.began = 0;
    own.share = Number(slider.value) / 1000;
    paintRace(root, own);
  };
  slider.onkeydown = (event) => event.stopPropagation(); // arrow keys move the slider, not the picked image of the page
}

function paintRace(root, own) {
  const now = own.share * own.data.seconds;
  root.querySelector("button").textContent = own.began ? "Pause" : "Start";
  const slider = root.querySelector("input");
  slider.value = String(Math.round(1000 * own.share));
  slider.setAttribute("aria-valuetext", inMs(now));
  root.querySelector("output").textContent = `${inMs(now)} of ${inMs(own.data.seconds)}`;
  for (const lane of own.lanes) {
    const total = lane.seconds[lane.seconds.length - 1];
    const seen = lane.seconds.filter((s) => s <= now * (1 + 1e-9)).length - 1;
    if (seen < 0) lane.canvas.getContext("2d").clearRect(0, 0, 28, 28);
    else putOn(lane.canvas, lane.frames, seen);
    lane.canvas.setAttribute("aria-label", seen < 0 ? "Nothing yet" : `What ${lane.method} has drawn by then`);
    lane.done.style.width = `${100 * Math.min(1, now / total)}%`;
    lane.time.textContent = now * (1 + 1e-9) >= total ? `there after ${inMs(total)}` : "on its way";
  }
}

function inMs(seconds) {
  const ms = 1000 * seconds;
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10000 ? `${Math.round(ms)} ms` : `${seconds.toFixed(1)} s`;
}
