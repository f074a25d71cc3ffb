"""Twenty images for a person to judge against the detector, and what their answers are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EACH = 10
"""Normal images, and anomalies."""
HARD = 0.25
"""Half of either come from this share of them: the normals with the highest scores, the anomalies with the lowest."""


def twenty(score: np.ndarray, anomalous: np.ndarray, number: int) -> np.ndarray:
    """(20,) rows of test images, in the order in which they are asked: the same for the same scores and number.

    score, anomalous: (m,) each. Fewer where a class has fewer images.
    """
    rng = np.random.default_rng(number)
    rows = []
    for hard_first in (np.flatnonzero(~anomalous), np.flatnonzero(anomalous)):
        sign = 1 if anomalous[hard_first[0]] else -1
        ranked = hard_first[np.argsort(sign * score[hard_first], kind="stable")]
        cut = max(1, round(HARD * len(ranked)))
        hard = rng.permutation(ranked[:cut])[: EACH // 2]
        rows += [hard, rng.permutation(ranked[cut:])[: EACH - len(hard)]]
    return rng.permutation(np.concatenate(rows))


@dataclass(frozen=True)
class Share:
    """k of n, with a 95 % interval for the rate behind it; all in [0, 1]."""

    value: float
    low: float
    high: float


def share(k: int, n: int) -> Share:
    """The share and its Wilson interval (Wilson 1927); n > 0."""
    from scipy.stats import binomtest

    interval = binomtest(k, n).proportion_ci(method="wilson")
    return Share(k / n, interval.low, interval.high)


@dataclass(frozen=True)
class Outcome:
    """How somebody did: how many of the images were judged rightly, and the two rates of a point of a ROC curve."""

    right: int
    caught: Share
    false_alarms: Share


def outcome(called: np.ndarray, anomalous: np.ndarray) -> Outcome:
    """Of verdicts and truth, (n,) bool each, with both kinds among them."""
    hits, alarms = int((called & anomalous).sum()), int((called & ~anomalous).sum())
    return Outcome(
        int((called == anomalous).sum()), share(hits, int(anomalous.sum())), share(alarms, int((~anomalous).sum()))
    )
