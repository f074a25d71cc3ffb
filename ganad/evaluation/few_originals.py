"""What a handful of normal test images can say: intervals that stay honest where a bootstrap does not.

Where eight images are all told apart from all anomalies, every resample of them is too, and a bootstrap's interval is the single
point 1. Newcombe's interval for the AUROC is not: with eight images it begins near 0.9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganad.evaluation import bootstrap, metrics
from ganad.evaluation.game import Share, share

_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Quality:
    """How well a detector does that was calibrated and tested on few originals, and how sure that is. Shares lie in [0, 1].

    originals      train, val, test -> how many
    auroc          on test originals against anomalies; low, high: its 95 % interval, the wider of bootstrap and Newcombe at each end
    false_alarms   the share of test originals above the threshold, with Wilson's 95 % interval
    flagged        how many these are
    promise        the least share of false alarms that the held-out originals can promise: 1 in one more than there are
    """

    originals: dict[str, int]
    auroc: float
    low: float
    high: float
    flagged: int
    false_alarms: Share
    promise: float


def quality(score: np.ndarray, anomalous: np.ndarray, threshold: float, originals: dict[str, int]) -> Quality:
    """Judge scores (N,) of test images, (N,) bool with both kinds among them. Each normal image is an original by itself, no variant."""
    normal, strange = score[~anomalous], score[anomalous]
    area = metrics.area(normal, strange)
    band = bootstrap.band(score, anomalous)
    low, high = newcombe(area, len(normal), len(strange))
    flagged = int((normal > threshold).sum())
    return Quality(
        originals, area, min(low, band.low), max(high, band.high), flagged, share(flagged, len(normal)), 1 / (originals["val"] + 1)
    )  # fmt: skip


def newcombe(auroc: float, n: int, m: int) -> tuple[float, float]:
    """95 % interval of an AUROC from n images of one kind and m of the other: method 5 of Newcombe 2006 (Statistics in Medicine 25:559).

    As Wilson's for a share: all t for which |AUROC - t| is at most 1.96 standard errors as Hanley and McNeil have them at t, with
    the mean of n and m in place of either.
    """
    t = np.linspace(0, 1, 100_001)[1:-1]
    each = (n + m) / 2 - 1
    variance = t * (1 - t) * (1 + each * ((1 - t) / (2 - t) + t / (1 + t))) / (n * m)
    inside = t[(auroc - t) ** 2 <= _Z**2 * variance]
    low, high = (float(inside[0]), float(inside[-1])) if len(inside) else (auroc, auroc)
    return (0.0 if auroc == 0 else low), (1.0 if auroc == 1 else high)
