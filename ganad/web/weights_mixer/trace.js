// The threshold sweeps once over all scores and draws the ROC curve behind it: each point of the curve is one threshold.
import { BARS, range } from "./bins.js";

const SECONDS = 5;
const STEPS = 12; // where motion is not wanted, still pictures instead

// While it sweeps, `own.sweep` is { threshold, corner }: the line, and how far the curve is drawn.
// Returns what ends it at once.
export function traces(own, button) {
  let asked = 0;
  const stop = () => {
    if (!asked) return;
    cancelAnimationFrame(asked);
    asked = 0;
    own.sweep = null;
    button.textContent = "Trace";
    button.setAttribute("aria-pressed", "false");
    if (own.grabbed === button) own.grabbed = own.frozen = null;
  };
  const step = (began) => {
    asked = requestAnimationFrame((now) => {
      const done = (now - began) / 1000 / SECONDS;
      // A slider or a line that is touched meanwhile has the threshold.
      if (done >= 1 || own.grabbed !== button || !button.isConnected) {
        stop();
        own.redraw();
        return;
      }
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      own.sweep = at(own, still ? Math.floor(done * STEPS) / STEPS : done);
      own.redraw();
      step(began);
    });
  };
  button.onclick = () => {
    if (asked) {
      stop();
      own.redraw();
      return;
    }
    button.textContent = "Stop";
    button.setAttribute("aria-pressed", "true");
    own.grabbed = button;
    own.frozen = range(...own.sorted, Infinity, BARS); // the axis stands still, however high the threshold is
    step(performance.now());
  };
  return stop;
}

// The line at that share of its way, from the highest score down, and the corner of the curve that it has reached.
function at(own, done) {
  const { low, high } = own.frozen;
  const threshold = high - done * (high - low);
  const { curve } = own;
  let corner = 0;
  while (corner < curve.length - 1 && curve.at[corner] >= threshold) corner++;
  return { threshold, corner };
}
