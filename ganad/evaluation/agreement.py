"""Several runs on the same test images: where they agree, and what the mean of their scores is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ganad.evaluation import comparison, metrics, thresholds
from ganad.evaluation.scores import Scores


@dataclass(frozen=True)
class Verdicts:
    """What R runs say of the M test images that all of them have scored.

    rows          (M,) rows of these images in the first run's scores
    percentile    (R, M) share of each run's held-out normals that score lower, 0 to 100
    called        (R, M) bool: above the run's own threshold of at most 5 % false alarms
    score         (R, M) in standard deviations from the mean of the run's held-out normals
    anomalous     (M,) bool
    """

    rows: np.ndarray
    percentile: np.ndarray
    called: np.ndarray
    score: np.ndarray
    anomalous: np.ndarray

    @property
    def dispute(self) -> np.ndarray:
        """(M,) the highest percentile of an image less its lowest, 0 to 100."""
        return np.ptp(self.percentile, axis=0)

    @property
    def unanimous(self) -> float:
        """Share of the images that all runs call the same."""
        return float((self.called == self.called[0]).all(axis=0).mean())

    def rank_correlations(self) -> np.ndarray:
        """(R, R) Spearman's rank correlation of the scores of each two runs, -1 to 1; NaN where a run's scores are all equal."""
        return pd.DataFrame(self.score.T).corr("spearman").to_numpy()

    def aurocs(self) -> tuple[list[float], float]:
        """AUROC of each run on these images, and of the ensemble: the mean of the standardised scores."""
        normal = ~self.anomalous

        def area(score: np.ndarray) -> float:
            return metrics.area(score[normal], score[self.anomalous])

        return [area(s) for s in self.score], area(self.score.mean(axis=0))


def verdicts(runs: Sequence[tuple[Scores, Sequence[float]]]) -> Verdicts:
    """Each run's percentile, verdict and score of the images that all of them have scored; runs: (scores, weights) each."""
    rows = comparison.shared([scores.test for scores, _ in runs])
    percentile, called, standardised = [], [], []
    for (scores, weights), own in zip(runs, rows, strict=True):
        val, test = metrics.total(scores.val.parts, weights), metrics.total(scores.test.parts, weights)[own]
        percentile.append(metrics.percentile(test, val))
        called.append(test > thresholds.threshold_for(val))
        standardised.append((test - val.mean()) / (val.std() or 1.0))
    return Verdicts(
        rows[0], np.stack(percentile), np.stack(called), np.stack(standardised), runs[0][0].anomalous[rows[0]]
    )
