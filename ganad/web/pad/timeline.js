// The score after each stroke: a small picture of the sheet, a bar and a number for each; a click goes back there.

const SIZE = 48;

// The sheet as it is now, small.
export function thumbOf(canvas) {
  const thumb = document.createElement("canvas");
  thumb.width = thumb.height = SIZE;
  thumb.getContext("2d").drawImage(canvas, 0, 0, SIZE, SIZE);
  return thumb;
}

// states: { thumb, score (null without a verdict), count: strokes on the sheet then }; shown: strokes on it now.
export function showTimeline(box, states, shown, rule, onPick) {
  const rises = states.map(({ score }, i) =>
    i && score !== null && states[i - 1].score !== null ? score - states[i - 1].score : 0,
  );
  const most = Math.max(0, ...rises);
  box.replaceChildren(
    ...states.map(({ thumb, score, count }, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(count === shown));
      const called = score !== null && rule.threshold !== null && score > rule.threshold ? "anomalous" : "normal";
      button.style.setProperty("--called", score === null ? "transparent" : rule.colours[called]);
      const share = rule.threshold > 0 && score !== null ? score / rule.threshold : 0;
      button.style.setProperty("--share", String(Math.min(1, share / 2)));
      const bar = document.createElement("i");
      const value = document.createElement("span");
      value.textContent =
        score === null
          ? "no ink"
          : rule.threshold > 0
            ? `${Number(share.toPrecision(2))} ×`
            : String(Number(score.toPrecision(3)));
      button.append(thumb, bar, value);
      const rise = most > 0 && rises[i] === most && states.length > 2;
      button.classList.toggle("rise", rise);
      const after = count ? `after stroke ${count}` : "before the first stroke";
      button.title = `${after}: ${score === null ? "no ink" : `${called}, ${value.textContent} the threshold`}${rise ? "; the largest rise" : ""}`;
      button.onclick = () => onPick(count);
      return button;
    }),
  );
  // Along the row alone: the page must not move under a hand that draws.
  const current = box.querySelector("[aria-pressed=true]");
  if (current) box.scrollLeft = current.offsetLeft - box.clientWidth / 2;
}
