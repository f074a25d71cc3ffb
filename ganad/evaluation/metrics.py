"""Parts, digits and weights -> scores, thresholds, metrics.

Metrics are scikit-learn's; it takes two seconds to import, so it is imported where it is called, and what a page shows first does
without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganad.config import parts_in
from ganad.evaluation.scores import Scores
from ganad.evaluation.thresholds import error_counts, no_threshold


def total(parts: Mapping[str, np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The score: the weighted sum of the parts, (N,) float64. Higher is more anomalous."""
    return sum(w * np.asarray(parts[p], dtype=np.float64) for p, w in zip(parts_in(parts), weights, strict=True))


def percentile(score: np.ndarray | float, val: np.ndarray) -> np.ndarray | float:
    """Share of the held-out normal images that score lower, in percent, 0 to 100. scipy.stats.percentileofscore takes 12 times as long."""
    return 100 * np.searchsorted(np.sort(val), score, side="left") / len(val)


def std_of_parts(parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Standard deviation of each part among held-out normals: the scale of the weight sliders."""
    return {p: float(np.std(parts[p])) for p in parts_in(parts)}


@dataclass(frozen=True)
class Units:
    """How a score is shown: (score - shift) / unit, which changes no verdict and no order."""

    shift: float = 0.0
    unit: float = 1.0

    def shown(self, score):
        """A score, or many, in these units."""
        return (score - self.shift) / self.unit

    def score(self, shown):
        """Back from these units."""
        return self.unit * shown + self.shift


RAW = Units()
"""As in the papers."""


def standard_units(val_parts: Mapping[str, np.ndarray], weights: Sequence[float]) -> Units:
    """The units in which a score is the weighted mean of standardised parts.

    A part is standardised on held-out normals: in standard deviations above their mean. Its weight is then its
    influence, weight times standard deviation, as a share of all influence.
    """
    spreads = std_of_parts(val_parts)
    shift = sum(w * float(np.mean(val_parts[p])) for w, p in zip(weights, spreads, strict=True))
    return Units(shift, sum(w * s for w, s in zip(weights, spreads.values(), strict=True)) or 1.0)


def shown_weights(
    val_parts: Mapping[str, np.ndarray], weights: Sequence[float], standardised: bool = False
) -> dict[str, float]:
    """part -> its weight as it is shown: raw, or for its standardised values, where the weights add up to 1."""
    raw = dict(zip(parts_in(val_parts), weights, strict=True))
    if not standardised:
        return raw
    spreads, unit = std_of_parts(val_parts), standard_units(val_parts, weights).unit
    return {p: raw[p] * spreads[p] / unit for p in raw}


def slider_scales(val_parts: Mapping[str, np.ndarray], weights: Sequence[float]) -> tuple[float, ...]:
    """Position in [0, 1] on a part's slider per unit of its weight, in the order of `PARTS`.

    The part's standard deviation among held-out normals, over the largest influence under the default `weights`: sliders at
    the same height have the same influence, and the largest default one stands at the end.
    """
    spreads = std_of_parts(val_parts)
    largest = max(w * s for w, s in zip(weights, spreads.values(), strict=True)) or 1.0
    return tuple(s / largest for s in spreads.values())


@dataclass(frozen=True)
class Curve:
    """x and y of a curve and the threshold of each of its points; (K,) each, a few hundred points at most."""

    x: np.ndarray
    y: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a score on the test set. Rates and areas lie in [0, 1]."""

    auroc: float
    average_precision: float
    prevalence: float
    eer: float
    threshold: float
    n_normal: int
    n_anomalous: int
    confusion: dict[str, int]
    per_digit: list[dict[str, Any]]
    part_auroc: dict[str, float]
    roc: Curve
    precision_recall: Curve
    warnings: tuple[str, ...]

    @property
    def hit_rate(self) -> float:
        """Share of the anomalies above the threshold."""
        return self.confusion["tp"] / self.n_anomalous

    @property
    def false_alarm_rate(self) -> float:
        """Share of the normal test images above the threshold."""
        return self.confusion["fp"] / self.n_normal


def evaluate(
    parts: Mapping[str, np.ndarray],
    digit: np.ndarray,
    normal: Sequence[int],
    weights: Sequence[float],
    threshold: float,
    *,
    held_out: int | None = None,
    false_alarms: float | None = None,
) -> Evaluation:
    """Judge a weighting on test images.

    parts: (N,) each; digit: (N,) true digits; normal: the normal digits. An image counts as an anomaly when its digit
    is not among them, and as called anomalous when its score lies above the threshold. held_out, false_alarms: how many
    images and which share the threshold came from, for the sentence about one that is infinite.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    anomalous = ~np.isin(digit, list(normal))
    score = total(parts, weights)
    called = score > threshold
    normal_scores, anomalous_scores = np.sort(score[~anomalous]), np.sort(score[anomalous])
    fpr, tpr, at = roc_curve(anomalous, score)
    precision, recall, cut = precision_recall_curve(anomalous, score)
    auroc = area(normal_scores, anomalous_scores)
    roc = _thin(fpr, tpr, np.r_[np.inf, at[1:]])
    pr = _thin(recall[::-1], precision[::-1], np.r_[np.inf, cut[::-1]])
    return Evaluation(
        auroc=auroc,
        average_precision=float(-np.sum(np.diff(recall) * precision[:-1])),  # average_precision_score, of this curve
        prevalence=float(anomalous.mean()),
        eer=_eer(fpr, tpr),
        threshold=threshold,
        n_normal=int((~anomalous).sum()),
        n_anomalous=int(anomalous.sum()),
        confusion={
            "tp": int((anomalous & called).sum()),
            "fn": int((anomalous & ~called).sum()),
            "fp": int((~anomalous & called).sum()),
            "tn": int((~anomalous & ~called).sum()),
        },
        per_digit=[
            _of_digit(int(d), score[digit == d], d in normal, normal_scores, anomalous_scores, threshold)
            for d in np.unique(digit)
        ],
        part_auroc={p: area(parts[p][~anomalous], parts[p][anomalous]) for p in parts_in(parts)},
        roc=roc,
        precision_recall=pr,
        warnings=_warnings(auroc, score) + ((no_threshold(held_out, false_alarms),) if threshold == math.inf else ()),
    )


def auroc(anomalous: np.ndarray, score: np.ndarray) -> float:
    """Share of (anomaly, normal) pairs that the score puts in the right order; ties count one half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(anomalous, score))


def _of_digit(
    d: int, own: np.ndarray, is_normal: bool, normal: np.ndarray, anomalous: np.ndarray, threshold: float
) -> dict[str, Any]:
    """One digit against the other side: an anomalous one against all normal images, a normal one against all others."""
    return {
        "digit": d,
        "normal": is_normal,
        "n": len(own),
        "auroc": area(own, anomalous) if is_normal else area(normal, own),
        "flagged": float((own > threshold).mean()),
        "median": float(np.median(own)),
    }


def _eer(fpr: np.ndarray, tpr: np.ndarray) -> float:
    """Equal error rate: the rate at which as many normals are flagged as anomalies are missed (interpolated)."""
    gap = fpr - (1 - tpr)  # rises from -1 to 1 along the curve
    after = int(np.argmax(gap >= 0))
    if after == 0:
        return float(fpr[0])
    before = after - 1
    t = -gap[before] / (gap[after] - gap[before])
    return float(fpr[before] + t * (fpr[after] - fpr[before]))


def _warnings(auroc: float, score: np.ndarray) -> tuple[str, ...]:
    warnings = []
    if np.ptp(score) == 0:
        warnings.append("Every test image has the same score: this score says nothing.")
    elif auroc < 0.5:
        warnings.append(
            f"AUROC is {auroc:.3f}, below 0.5: normal images score higher than anomalies, worse than guessing."
        )
    return tuple(warnings)


def _thin(x: np.ndarray, y: np.ndarray, thresholds: np.ndarray, points: int = 500) -> Curve:
    """At most about `points` points, spread evenly along the length of the curve, its ends included."""
    if len(x) > points:
        way = np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(y)))]
        keep = np.unique(np.searchsorted(way, np.linspace(0, way[-1], points)).clip(0, len(x) - 1))
        keep = np.unique(np.r_[0, keep, len(x) - 1])
        x, y, thresholds = x[keep], y[keep], thresholds[keep]
    return Curve(x=x, y=y, thresholds=thresholds)


def rates(score: np.ndarray, anomalous: np.ndarray, points: int = 120) -> Curve:
    """The ROC curve without the import of scikit-learn, for a page's first picture: x false alarms, y anomalies caught, from (0, 0) to (1, 1)."""
    thresholds, fp, misses = error_counts(score, anomalous)
    n, m = int((~anomalous).sum()), int(anomalous.sum())
    fpr, tpr = np.r_[0.0, fp / n], np.r_[0.0, 1 - misses / m]
    # An image with the lowest score is not above that threshold; with a lower one every image is called anomalous.
    return _thin(np.r_[fpr, 1.0], np.r_[tpr, 1.0], np.r_[np.inf, thresholds, -np.inf], points)


def area(normal: np.ndarray, anomalous: np.ndarray) -> float:
    """AUROC from the scores (n,) of normal and (m,) of anomalous images; ties count one half.

    The number of scikit-learn's roc_auc_score, which takes 7 times as long and has to be imported first.
    """
    normal, anomalous = np.sort(normal), np.sort(anomalous)
    pairs = sum(np.searchsorted(normal, anomalous, side=side).sum(dtype=np.float64) for side in ("left", "right"))
    return float(pairs / (2 * len(normal) * len(anomalous)))


def aurocs_over_weights(
    normal: Mapping[str, np.ndarray], anomalous: Mapping[str, np.ndarray], weights: Sequence[Sequence[float]]
) -> np.ndarray:
    """(K,) AUROC of the score under each of K weightings, from the parts of normal and of anomalous images."""
    return np.array([area(total(normal, w), total(anomalous, w)) for w in weights])


def weight_grid(steps: int = 12, parts: int = 3) -> np.ndarray:
    """(K, parts) points that share 1 among the parts, in steps of 1 / `steps`."""
    rows = [()]
    for _ in range(parts - 1):
        rows = [(*row, i) for row in rows for i in range(steps + 1 - sum(row))]
    return np.array([(*row, steps - sum(row)) for row in rows]) / steps


def precision_recall_of_roc(
    fpr: np.ndarray, tpr: np.ndarray, prevalence: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Recall (M,), precision (M,) and average precision of a ROC curve (K,), where so large a share of the images is anomalous."""
    caught, alarms = prevalence * np.asarray(tpr), (1 - prevalence) * np.asarray(fpr)
    some = caught + alarms > 0  # where nothing is called anomalous, precision is not defined
    recall, precision = np.asarray(tpr)[some], (caught[some] / (caught + alarms)[some])
    return recall, precision, float(np.sum(np.diff(recall, prepend=0.0) * precision))


def report(evaluation: Evaluation, weights: Sequence[float]) -> dict[str, Any]:
    """The evaluation as plain JSON values: what `evaluate --json` prints and report.json holds."""
    return {
        "auroc": evaluation.auroc,
        "average_precision": evaluation.average_precision,
        "prevalence": evaluation.prevalence,
        "eer": evaluation.eer,
        "threshold": evaluation.threshold if math.isfinite(evaluation.threshold) else None,
        "hit_rate": evaluation.hit_rate,
        "false_alarm_rate": evaluation.false_alarm_rate,
        "weights": dict(zip(evaluation.part_auroc, map(float, weights), strict=True)),
        "parts": {p: {"auroc": a} for p, a in evaluation.part_auroc.items()},
        "per_digit": {
            str(row["digit"]): {k: row[k] for k in ("auroc", "normal", "n", "flagged")} for row in evaluation.per_digit
        },
        "n_normal": evaluation.n_normal,
        "n_anomalous": evaluation.n_anomalous,
        "warnings": list(evaluation.warnings),
    }


def mean_and_spread(values: Sequence[float]) -> str:
    """ "0.951 ± 0.004": mean and sample standard deviation; a single value stands alone."""
    mean = f"{np.mean(values):.4f}"
    return f"{mean} ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else mean


def median_rows(scores: Scores, score: np.ndarray) -> dict[int, int]:
    """digit -> row of its test image with the median score (the lower of the two in the middle): a typical image."""
    rows = {}
    for d in np.unique(scores.test.digit):
        own = np.flatnonzero(scores.test.digit == d)
        rows[int(d)] = int(own[np.argsort(score[own], kind="stable")[(len(own) - 1) // 2]])
    return rows
