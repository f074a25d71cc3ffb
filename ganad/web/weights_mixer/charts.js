// Histogram and ROC curve of a state.
import { histogram } from "./histogram.js";
import { curve } from "./roc_curve.js";
import { count } from "./scores.js";
import { bandNow, isUsual, thresholdOf, unitsOf } from "./state.js";

// Histogram and ROC as things stand, on the screen or on paper.
export function charts(own, scores, square, theme) {
  const [normal, anomalous] = own.sorted;
  const threshold = thresholdOf(own);
  const counts = count(normal, anomalous, threshold);
  const held = own.grabbed === own.scores || own.grabbed === own.square || own.grabbed === own.slide;
  histogram(
    scores,
    { normal, anomalous, threshold, span: own.span, held: held && !own.brushing, band: own.band, units: unitsOf(own) },
    theme,
  );
  curve(
    square,
    {
      roc: own.curve,
      usual: isUsual(own) ? null : own.usual,
      counts,
      held,
      band: bandNow(own),
      until: own.sweep?.corner,
    },
    theme,
  );
}
