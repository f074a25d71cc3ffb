// The histogram of both classes, and which score lies where on it.
import { BARS, bin, ticks } from "./bins.js";
import { line, sheet, trace, upright, write } from "./canvas.js";
import { RAW, upTo } from "./scores.js";
import { number } from "./words.js";

const PAD = { left: 26, right: 14, top: 30, bottom: 40 };

// Both classes as densities with area 1 each, and the line between the verdicts, which has a grip.
export function histogram(canvas, { normal, anomalous, threshold, span, held, band, units }, theme) {
  const [pen, width, height] = sheet(canvas, theme);
  const left = PAD.left;
  const right = width - PAD.right;
  const floor = height - PAD.bottom;
  const ceiling = PAD.top;
  const x = (score) => left + ((score - span.low) / (span.high - span.low)) * (right - left);
  const classes = [
    [normal, theme.normal],
    [anomalous, theme.anomalous],
  ].map(([scores, colour]) => {
    const counts = bin(scores, span, BARS);
    return { colour, scores, share: Array.from(counts, (c) => (scores.length ? c / scores.length : 0)) };
  });
  const peak = Math.max(1e-9, ...classes.flatMap((c) => c.share)) * 1.06;
  const y = (share) => floor - (share / peak) * (floor - ceiling);
  const bar = (right - left) / BARS;
  const at = Math.min(Math.max(x(threshold), left), right);

  for (const { colour, scores, share } of classes) {
    if (!scores.length) continue;
    const steps = [[left, floor]];
    for (const [b, s] of share.entries()) steps.push([left + b * bar, y(s)], [left + (b + 1) * bar, y(s)]);
    steps.push([right, floor]);
    const fill = (from, to, alpha) => {
      pen.save();
      pen.beginPath();
      pen.rect(from, 0, Math.max(0, to - from), height);
      pen.clip();
      trace(pen, steps);
      pen.fillStyle = colour;
      pen.globalAlpha = alpha;
      pen.fill();
      pen.restore();
    };
    // What lies on the wrong side of the line is the stronger half.
    const wrong = colour === theme.normal ? [at, right] : [left, at];
    const good = colour === theme.normal ? [left, at] : [at, right];
    fill(...good, 0.2);
    fill(...wrong, 0.5);
    line(pen, steps, colour, 1.6);
  }

  if (band) {
    const [from, to] = band.map((score) => Math.min(Math.max(x(score), left), right));
    pen.fillStyle = theme.text;
    pen.globalAlpha = 0.1;
    pen.fillRect(from, ceiling - 8, Math.max(1, to - from), floor - ceiling + 8);
    pen.globalAlpha = 1;
    for (const edge of [from, to])
      line(
        pen,
        [
          [edge, ceiling - 8],
          [edge, floor],
        ],
        theme.text,
        1,
      );
  }
  line(
    pen,
    [
      [left, floor + 0.5],
      [right, floor + 0.5],
    ],
    theme.faint,
    1,
  );
  for (const tick of ticks(units.shown(span.low), units.shown(span.high), Math.max(3, width / 110))) {
    const at = x(units.score(tick));
    line(
      pen,
      [
        [at, floor],
        [at, floor + 4],
      ],
      theme.faint,
      1,
    );
    write(pen, number(tick), at, floor + 17, { colour: theme.text, align: "center", alpha: 0.75 });
  }
  const beyond = scoresAbove(normal, span.high) + scoresAbove(anomalous, span.high);
  const note = beyond
    ? ` · the last bar holds ${beyond.toLocaleString("en-US")} above ${number(units.shown(span.high))}`
    : "";
  write(pen, (units === RAW ? "score" : "score in standard deviations (z)") + note, (left + right) / 2, height - 5, {
    colour: theme.text,
    align: "center",
    alpha: 0.75,
  });

  upright(pen, "share of each class", 10, (floor + ceiling) / 2, theme);

  if (!Number.isFinite(threshold)) return;
  line(
    pen,
    [
      [at, ceiling - 8],
      [at, floor],
    ],
    held ? theme.text : theme.ink,
    held ? 2 : 1.5,
    [5, 4],
  );
  pen.beginPath();
  pen.roundRect(at - 5, (floor + ceiling) / 2 - 13, 10, 26, 5);
  pen.fillStyle = theme.page;
  pen.fill();
  pen.lineWidth = held ? 2 : 1.5;
  pen.strokeStyle = held ? theme.text : theme.ink;
  pen.stroke();
  for (const d of [-2, 2])
    line(
      pen,
      [
        [at + d, (floor + ceiling) / 2 - 5],
        [at + d, (floor + ceiling) / 2 + 5],
      ],
      theme.ink,
      1,
    );
  const words = `threshold ${number(units.shown(threshold))}`;
  const long = pen.measureText(words).width + 8;
  const side = at + long > right ? -1 : 1;
  write(pen, words, at + side * 6, ceiling - 14, {
    colour: theme.text,
    align: side > 0 ? "left" : "right",
    base: "middle",
  });
}

function scoresAbove(sorted, x) {
  return sorted.length - upTo(sorted, x);
}

// The score under a place on the histogram's canvas.
export function scoreAt(canvas, px, span) {
  const inner = canvas.clientWidth - PAD.left - PAD.right;
  return span.low + (Math.min(Math.max(px - PAD.left, 0), inner) / inner) * (span.high - span.low);
}

// The place on the histogram's canvas of a score.
export function placeOf(canvas, score, span) {
  const inner = canvas.clientWidth - PAD.left - PAD.right;
  return PAD.left + Math.min(Math.max((score - span.low) / (span.high - span.low), 0), 1) * inner;
}
