// A canvas that writes down what is drawn on it, as SVG.

// What the charts take for a canvas, with a pen that writes down what it is told: the part of a canvas's pen that they use.
export class Sheet {
  constructor(width, height, theme) {
    Object.assign(this, { clientWidth: width, clientHeight: height, dataset: {}, pen: new Pen(theme) });
  }
  getContext() {
    return this.pen;
  }
  drawn() {
    return this.pen.out.join("");
  }
}

let clips = 0;

const KEPT = [
  "fillStyle",
  "strokeStyle",
  "lineWidth",
  "globalAlpha",
  "font",
  "textAlign",
  "textBaseline",
  "lineJoin",
  "dash",
  "moved",
  "within",
];

export const safe = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const short = (x) => Number(x.toFixed(2));

class Pen {
  constructor() {
    Object.assign(this, {
      out: [],
      path: "",
      saved: [],
      dash: [],
      moved: "",
      within: "",
      globalAlpha: 1,
      lineWidth: 1,
      measure: document.createElement("canvas").getContext("2d"),
    });
  }
  save() {
    this.saved.push(KEPT.map((name) => this[name]));
  }
  restore() {
    this.saved.pop().forEach((value, i) => {
      this[KEPT[i]] = value;
    });
  }
  setTransform() {}
  clearRect() {}
  translate(x, y) {
    this.moved += `translate(${short(x)} ${short(y)}) `;
  }
  rotate(angle) {
    this.moved += `rotate(${short((180 * angle) / Math.PI)}) `;
  }
  setLineDash(dash) {
    this.dash = dash;
  }
  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${short(x)} ${short(y)}`;
  }
  lineTo(x, y) {
    this.path += `L${short(x)} ${short(y)}`;
  }
  rect(x, y, w, h) {
    this.path += `M${short(x)} ${short(y)}h${short(w)}v${short(h)}h${short(-w)}z`;
  }
  roundRect(x, y, w, h, r) {
    const [a, b] = [w - 2 * r, h - 2 * r].map(short);
    const turn = (dx, dy) => `a${r} ${r} 0 0 1 ${dx} ${dy}`;
    this.path += `M${short(x + r)} ${short(y)}h${a}${turn(r, r)}v${b}${turn(-r, r)}h${-a}${turn(-r, -r)}v${-b}${turn(r, -r)}z`;
  }
  arc(x, y, r) {
    this.path += `M${short(x - r)} ${short(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
  }
  clip() {
    const name = `clip${++clips}`;
    this.out.push(`<clipPath id="${name}"><path d="${this.path}"/></clipPath>`);
    this.within = ` clip-path="url(#${name})"`;
  }
  shape(d, paint) {
    const moved = this.moved && ` transform="${this.moved.trim()}"`;
    this.out.push(`<path d="${d}" ${paint} opacity="${this.globalAlpha}"${moved}${this.within}/>`);
  }
  fill() {
    this.shape(this.path, `fill="${safe(this.fillStyle)}"`);
  }
  fillRect(x, y, w, h) {
    this.shape(`M${short(x)} ${short(y)}h${short(w)}v${short(h)}h${short(-w)}z`, `fill="${safe(this.fillStyle)}"`);
  }
  stroke() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    this.shape(
      this.path,
      `fill="none" stroke="${safe(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-linejoin="${this.lineJoin ?? "round"}"${dash}`,
    );
  }
  fillText(text, x, y) {
    const anchor = { center: "middle", right: "end" }[this.textAlign] ?? "start";
    const base = this.textBaseline === "middle" ? ' dominant-baseline="central"' : "";
    const moved = this.moved && ` transform="${this.moved.trim()}"`;
    this.out.push(
      `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${base} fill="${safe(this.fillStyle)}" opacity="${this.globalAlpha}" style="font: ${safe(this.font)}"${moved}>${safe(text)}</text>`,
    );
  }
  measureText(text) {
    this.measure.font = this.font;
    return this.measure.measureText(text);
  }
}
