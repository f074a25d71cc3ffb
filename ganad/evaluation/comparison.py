"""Runs beside each other: which settings differ, which images they share, and whether a gap is more than noise.

NumPy alone: scikit-learn's import would take two seconds of a page.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganad.config import Settings
from ganad.evaluation.scores import ScoredImages

RESAMPLES = 200
CONFIDENCE = 0.95


def config_key(settings: Settings) -> str:
    """A key that two runs share when they differ by seed and name alone."""
    return settings.model_copy(update={"seed": 0, "name": ""}).model_dump_json()


def task(settings: Settings) -> tuple:
    """Normal digits and test images of a run. AUROCs can be compared between runs of the same task only."""
    return settings.normal, settings.data, settings.test_digits, settings.test_limit


def differing(settings: Sequence[Settings]) -> dict[str, list[Any]]:
    """setting -> its value in each run, for the settings that are not the same in all; None where a method lacks it."""
    keys = dict.fromkeys(k for s in settings for k in type(s).model_fields if k != "name")
    values_of = {k: [getattr(s, k, None) for s in settings] for k in keys}
    return {k: values for k, values in values_of.items() if any(v != values[0] for v in values)}


def shared(scored: Sequence[ScoredImages]) -> list[np.ndarray]:
    """For each run the rows of the test images that all of them have scored, in one order; (M,) each."""
    common = functools.reduce(np.intersect1d, [s.index for s in scored])
    return [np.intersect1d(common, s.index, return_indices=True)[2] for s in scored]


# --- a gap and its noise -----------------------------------------------------------------------------------------------


def weighted_aurocs(anomalous: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """AUROC of a score under each row of weights, (R, N) how often each image counts; ties count one half. (R,)

    scikit-learn's roc_auc_score, one row at a time, takes 9 times as long.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    weights, truth = weights[:, order].astype(np.float64), anomalous[order]
    anomalies = np.add.reduceat(weights * truth, starts, axis=1)  # of each distinct score
    normals = np.add.reduceat(weights * ~truth, starts, axis=1)
    normals_below = np.cumsum(normals, axis=1) - normals / 2
    with np.errstate(invalid="ignore"):  # a resample may miss a class altogether
        return (anomalies * normals_below).sum(axis=1) / (anomalies.sum(axis=1) * normals.sum(axis=1))


@dataclass(frozen=True)
class Gap:
    """How much higher the mean AUROC of one group of runs is than another's, and how large a difference chance alone makes.

    gap         difference of the means
    low, high   its 95 % interval over test images: the same resampled images for all runs
    seeds       standard deviation of a difference between single runs that only their seeds make; None if a group has
                a single run
    """

    gap: float
    low: float
    high: float
    seeds: float | None

    @property
    def significant(self) -> bool:
        """False when the interval holds 0, or when seeds alone make such a gap."""
        return not self.low <= 0 <= self.high and (self.seeds is None or abs(self.gap) > self.seeds)

    @property
    def words(self) -> str:
        """A sentence that says whether there is a difference, and why not."""
        if self.low <= 0 <= self.high:
            return "no difference beyond the noise: other test images could have turned it round"
        if self.seeds is not None and abs(self.gap) <= self.seeds:
            return f"no difference beyond the noise: seeds alone make a gap of {self.seeds:.4f}"
        if self.seeds is None:
            return (
                "a difference on these test images; whether it outlives another seed cannot be said from a single run"
            )
        return "a difference beyond the noise of test images and of seeds"


def gap(anomalous: np.ndarray, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> Gap:
    """Compare two groups of runs by their scores of the same N test images, (N,) each.

    The bootstrap is paired: each resample draws images with replacement, and every run is judged on that draw.
    """
    n = len(anomalous)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    weights = np.vstack([np.ones(n, dtype=draws.dtype), draws])
    sides = [np.stack([weighted_aurocs(anomalous, s, weights) for s in group]) for group in (ours, theirs)]
    difference = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    resampled = difference[1:][np.isfinite(difference[1:])]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail]) if len(resampled) else (-np.inf, np.inf)
    single = min(len(ours), len(theirs)) < 2
    seeds = None if single else float(np.sqrt(sum(np.var(side[:, 0], ddof=1) for side in sides)))
    return Gap(float(difference[0]), float(low), float(high), seeds)
