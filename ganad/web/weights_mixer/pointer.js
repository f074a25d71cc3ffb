// What pressing, dragging and clicking on the charts does.
import { BARS } from "./bins.js";
import { placeOf, scoreAt } from "./histogram.js";
import { setByHand, thresholdOf } from "./state.js";

// On the histogram: near the line a press takes it along; elsewhere a drag brushes a band of scores, and a mere click puts
// the line there. A click inside a band takes the band away first.
const GRIP = 14;
const STILL = 4;

export function brushes(own, canvas, released, held, loose) {
  let from;
  let before;
  let line;
  const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || !own.span) return;
    canvas.setPointerCapture(event.pointerId);
    own.frozen = own.span;
    before = { rule: own.rule, hand: own.hand, share: own.share, price: own.price, band: own.band };
    from = place(event);
    line = Math.abs(from - placeOf(canvas, thresholdOf(own), own.span)) <= GRIP;
    held(canvas);
  };
  canvas.onpointermove = (event) => {
    const px = place(event);
    if (own.grabbed !== canvas) {
      const near = own.span && Math.abs(px - placeOf(canvas, thresholdOf(own), own.span)) <= GRIP;
      canvas.style.cursor = near ? "ew-resize" : "crosshair";
      return;
    }
    if (line) setByHand(own, scoreAt(canvas, px, own.frozen));
    else if (Math.abs(px - from) > STILL || own.brushing) {
      own.brushing = true;
      own.band = [from, px].map((p) => scoreAt(canvas, p, own.frozen)).sort((a, b) => a - b);
      // The last bar holds whatever lies above it, so a band that reaches it does too.
      if (own.band[1] >= own.frozen.high - (own.frozen.high - own.frozen.low) / BARS)
        own.band[1] = Math.max(own.band[1], own.curve.at[0]);
    }
    held(canvas);
  };
  canvas.onpointerup = (event) => {
    if (own.grabbed !== canvas) return;
    if (!line && !own.brushing) {
      if (own.band) own.band = null;
      else setByHand(own, scoreAt(canvas, place(event), own.frozen));
    }
    own.brushing = false;
    released();
  };
  canvas.onpointercancel = () => {
    // a finger that came to scroll the page
    if (own.grabbed !== canvas) return;
    Object.assign(own, before, { brushing: false });
    loose();
  };
}

// A press takes the line along at once; the axis stands still until it is let go.
export function drags(own, canvas, to, released, held, loose) {
  let before;
  const move = (event) => {
    const box = canvas.getBoundingClientRect();
    to(event.clientX - box.left, event.clientY - box.top);
    held(canvas);
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || !own.span) return;
    canvas.setPointerCapture(event.pointerId);
    own.frozen = own.span;
    before = { rule: own.rule, hand: own.hand, share: own.share, price: own.price };
    move(event);
  };
  canvas.onpointermove = (event) => {
    if (own.grabbed === canvas) move(event);
  };
  canvas.onpointerup = () => {
    if (own.grabbed === canvas) released();
  };
  canvas.onpointercancel = () => {
    // a finger that came to scroll the page
    if (own.grabbed !== canvas) return;
    Object.assign(own, before);
    loose();
  };
}
