// A sheet to draw on. Where the run's nets are in the browser, each move of the pen is judged here and Python hears nothing;
// elsewhere Python is told after each stroke. A pad that collects (`data.taken`) tells of a drawing when it is added.
import { grey, showGhost, showVerdict, words } from "./live_view.js";
import { beginStroke, drawingOf, isEmpty, newSheet, OUT, paintSheet, sheetOf, toBase64, wipeSheet } from "./sheet.js";
import { showTimeline, thumbOf } from "./timeline.js";
import { keepNets, netsOf, readRule, verdictOf, whenThere } from "./verdict.js";

const pads = new WeakMap();
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".pad");
  if (!root || !data) return;
  if (data.nets) {
    root.style.display = "none";
    keepNets(data);
    return;
  }
  let pad = pads.get(root);
  if (!pad) {
    pad = {
      sheet: newSheet(),
      states: [],
      ghost: "none",
      erases: false,
      pen: null,
      asked: 0,
      waiting: [],
      last: 0,
      sent: data.pixels ?? null,
    };
    pads.set(root, pad);
    prepare(root, pad);
  }
  pad.tell = (pixels) => {
    pad.sent = pixels;
    setStateValue("pixels", pixels);
  };
  // Added drawings go along until Python says that it has taken them: a second one may be added before it answers.
  pad.collects = Number.isInteger(data.taken);
  pad.waiting = pad.waiting.filter(({ id }) => id > data.taken);
  pad.add = (pixels) => {
    pad.last = Math.max(Date.now(), pad.last + 1, data.taken + 1);
    pad.waiting = [...pad.waiting, { id: pad.last, pixels }];
    setStateValue("added", pad.waiting);
  };
  root.querySelector(".add").hidden = !pad.collects;
  const before = pad.rule?.version;
  pad.rule = data.live ? readRule(data.live) : null;
  if (pad.rule && pad.rule.version !== before) {
    const { version } = pad.rule;
    whenThere(version).then(() => pad.rule?.version === version && pad.judgeAll());
  }
  root.style.setProperty("--pad-size", `${data.size}px`);
  root.classList.toggle("is-live", Boolean(pad.rule));
  const slider = root.querySelector("input");
  if (pad.stroke !== data.stroke) {
    pad.stroke = data.stroke;
    slider.value = pad.brush = data.stroke;
  }
  // Python's picture is taken over when the pad appears and when Python says so; never in between, or a slow rerun
  // would wipe the stroke that was drawn meanwhile.
  if (data.reset !== pad.reset) {
    pad.reset = data.reset;
    pad.sent = data.pixels ?? null;
    wipeSheet(pad.sheet, data.pixels ? sheetOf(data.pixels) : null);
    pad.states = [];
  }
  pad.judgeAll();
}

function prepare(root, pad) {
  const find = (name) => root.querySelector(`.${name}`);
  const canvas = find("ink");
  const side = canvas.width;
  const ink = canvas.getContext("2d", { willReadFrequently: true });
  const { sheet } = pad;
  const say = (text) => {
    find("said").textContent = text;
  };

  const paint = () => {
    paintSheet(sheet, ink, side);
    root.classList.toggle("inked", !isEmpty(sheet));
    find("undo").disabled = !sheet.shown;
    find("redo").disabled = sheet.shown === sheet.strokes.length;
    find("add").disabled = isEmpty(sheet);
    find("clear").disabled = isEmpty(sheet) && !sheet.strokes.length;
    find("erase").setAttribute("aria-pressed", String(pad.erases));
  };
  const verdict = (drawing) => {
    const own = pad.rule && netsOf(pad.rule.version);
    return own && !isEmpty(sheet) ? verdictOf(drawing, own, pad.rule) : null;
  };
  const show = () => {
    const { rule } = pad;
    find("live").hidden = find("ghosts").hidden = !rule;
    if (!rule) return;
    const own = netsOf(rule.version);
    const drawing = drawingOf(ink, side, sheet);
    const judged = verdict(drawing);
    pad.verdict = judged;
    find("judged").hidden = !judged;
    find("empty").hidden = Boolean(judged);
    if (judged) showVerdict(root, judged, rule);
    else showEmpty(root, rule, own, !isEmpty(sheet));
    for (const button of find("ghosts").querySelectorAll("button")) {
      const on = button.dataset.ghost === pad.ghost;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    showGhost(find("ghost"), judged?.[pad.ghost] ?? null, judged?.place, OUT);
    const more = find("more");
    const isSent = pad.sent !== null && pad.sent === toBase64(drawing);
    more.hidden = !judged || !rule.asks;
    find("explain").disabled = isSent;
    more.querySelector("span").textContent = isSent
      ? "Explained below."
      : "Formula, pixel by pixel, and where the score lies among all test images.";
  };
  // Once a frame, however many moves of a pen come in between.
  const soon = () => {
    pad.asked ||= requestAnimationFrame(() => {
      pad.asked = 0;
      show();
    });
  };
  const timeline = () => {
    if (pad.rule) showTimeline(find("timeline"), pad.states, sheet.shown, pad.rule, goTo);
  };
  // The sheet as it is painted, with its verdict, as the state after so many strokes.
  const stateNow = (judged) => ({ count: sheet.shown, score: judged?.score ?? null, thumb: thumbOf(canvas) });
  pad.judgeAll = () => {
    paint();
    if (pad.rule) {
      const { shown } = sheet;
      const last = sheet.strokes.length;
      pad.states = [];
      for (sheet.shown = 0; sheet.shown <= last; sheet.shown++) {
        if (isEmpty(sheet)) continue;
        paintSheet(sheet, ink, side);
        pad.states.push(stateNow(verdict(drawingOf(ink, side, sheet))));
      }
      sheet.shown = shown;
      paint();
      timeline();
    }
    show();
  };
  // drawn: a stroke has come to an end, and its state follows those before it.
  const changed = (text, drawn = false) => {
    paint();
    show();
    if (drawn && pad.rule)
      pad.states = [...pad.states.filter(({ count }) => count < sheet.shown), stateNow(pad.verdict)];
    timeline();
    if (!pad.rule && !pad.collects) pad.tell(isEmpty(sheet) ? null : toBase64(drawingOf(ink, side, sheet)));
    say(
      pad.verdict && pad.rule
        ? `${text}. Called ${pad.verdict.isAnomalous ? "anomalous" : "normal"}. ${words(pad.verdict, pad.rule)}`
        : text,
    );
  };
  const goTo = (count) => {
    if (sheet.current) return;
    sheet.shown = count;
    changed(count ? `After stroke ${count}` : "Before the first stroke");
  };

  const begin = (point) => {
    beginStroke(sheet, (pad.brush * side) / 280, pad.erases, point);
    paint();
    soon();
  };
  const extend = (points) => {
    sheet.current.points.push(...points);
    paint();
    soon();
  };
  const end = () => {
    if (!sheet.current) return;
    sheet.current = null;
    changed(pad.erases ? "Erased" : "Stroke drawn", true);
  };

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height];
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || sheet.current) return;
    canvas.setPointerCapture(event.pointerId);
    pad.pointer = event.pointerId;
    showPen(null);
    begin(at(event));
  };
  canvas.onpointermove = (event) => {
    if (!sheet.current || event.pointerId !== pad.pointer) return;
    const steps = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    extend((steps.length ? steps : [event]).map(at));
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === pad.pointer) end();
  };

  const undo = () => {
    sheet.current = null;
    if (sheet.shown) {
      sheet.shown--;
      changed("Stroke taken back");
    }
  };
  const redo = () => {
    if (sheet.current || sheet.shown === sheet.strokes.length) return;
    sheet.shown++;
    changed("Stroke drawn again");
  };
  const clear = () => {
    wipeSheet(sheet);
    pad.states = [];
    if (pad.rule && pad.sent !== null) pad.tell(null); // the explanation of what is gone goes too
    changed("Cleared");
  };
  const add = () => {
    if (!pad.collects || isEmpty(sheet)) return;
    sheet.current = null;
    pad.add(toBase64(drawingOf(ink, side, sheet)));
    wipeSheet(sheet);
    changed("Added. Draw the next one");
  };
  const erase = () => {
    pad.erases = !pad.erases;
    paint();
    say(pad.erases ? "Eraser" : "Pen");
  };
  find("add").onclick = add;
  find("undo").onclick = undo;
  find("redo").onclick = redo;
  find("clear").onclick = clear;
  find("erase").onclick = erase;
  find("explain").onclick = () => {
    pad.tell(toBase64(drawingOf(ink, side, sheet)));
    show();
  };
  root.querySelector("input").oninput = (event) => {
    pad.brush = Number(event.target.value);
  };
  const radios = [...find("ghosts").querySelectorAll("button")];
  radios.forEach((button, i) => {
    const pick = (chosen) => {
      pad.ghost = chosen.dataset.ghost;
      show();
    };
    button.onclick = () => pick(button);
    button.onkeydown = (event) => {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      const other = radios[(i + by + radios.length) % radios.length];
      pick(other);
      other.focus();
    };
  });

  // With the keyboard: a pen that is moved, put down and lifted.
  const showPen = (point) => {
    pad.pen = point;
    const mark = find("pen");
    mark.classList.toggle("shown", Boolean(point));
    mark.classList.toggle("down", Boolean(point && sheet.current));
    if (point) {
      mark.style.left = `${(100 * point[0]) / side}%`;
      mark.style.top = `${(100 * point[1]) / side}%`;
    }
  };
  canvas.onkeydown = (event) => {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (event.key in MOVES) {
      const [x, y] = pad.pen || [side / 2, side / 2];
      const [dx, dy] = MOVES[event.key];
      const far = event.shiftKey ? 4 : 16;
      const next = [x + dx * far, y + dy * far].map((v) => Math.min(side, Math.max(0, v)));
      if (sheet.current) extend([next]);
      showPen(next);
    } else if (event.key === " ") {
      const here = pad.pen || [side / 2, side / 2];
      if (sheet.current) {
        end();
      } else {
        begin(here);
        say(pad.erases ? "Eraser down" : "Pen down");
      }
      showPen(here);
    } else if (command && (key === "y" || (key === "z" && event.shiftKey))) redo();
    else if (event.key === "Backspace" || (command && key === "z")) undo();
    else if (event.key === "Delete") clear();
    else if (event.key === "Enter" && pad.collects) add();
    else if (key === "e" && !command) erase();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  canvas.onblur = () => {
    end();
    showPen(null);
  };
}

function showEmpty(root, rule, own, hasMarks) {
  const box = root.querySelector(".empty");
  const [title, text, normals, below] = box.children;
  title.textContent = hasMarks ? "No ink found" : rule.title;
  text.textContent = hasMarks
    ? "Nothing stands out from the ground: draw with a wider brush, or less of the eraser."
    : rule.intro;
  below.textContent = own ? rule.below : "The nets are on their way to the browser.";
  const wanted = own ? Math.min(8, own.images.length / 784) : 0;
  if (normals.children.length === wanted && normals.dataset.version === rule.version) return;
  normals.dataset.version = rule.version;
  normals.replaceChildren(
    ...Array.from({ length: wanted }, (_, i) => {
      const picture = Object.assign(document.createElement("canvas"), { width: 28, height: 28 });
      picture.setAttribute("role", "img");
      grey(picture, own.images.subarray(784 * i, 784 * (i + 1)), "a normal image");
      return picture;
    }),
  );
}
