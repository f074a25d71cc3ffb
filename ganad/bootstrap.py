"""How far an AUROC and a ROC curve would move with other test images: a stratified bootstrap, in NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganad import memory

RESAMPLES = 200
LEVEL = 0.95


@dataclass(frozen=True)
class Band:
    """Percentile intervals of `LEVEL`. low, high: of the AUROC; fpr (K,): a grid; tpr_low, tpr_high (K,): of the curve there."""

    low: float
    high: float
    fpr: np.ndarray
    tpr_low: np.ndarray
    tpr_high: np.ndarray


def band(score: np.ndarray, anomalous: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> Band:
    """Draw as many normals and as many anomalies anew, with replacement, again and again.

    score (N,), anomalous (N,) bool with at least one of each kind. What varies is the choice of test images; another
    training would vary the net too, which no bootstrap shows.
    """
    normal, strange = np.sort(score[~anomalous]), np.sort(score[anomalous])
    n, m = len(normal), len(strange)
    below, above = _draws(n, m, resamples, seed)
    less, up_to = (np.searchsorted(normal, strange, side=side) for side in ("left", "right"))
    drawn = above[:, :-1] - above[:, 1:]
    pairs = np.einsum("ij,ij->i", drawn, below[:, less] + below[:, up_to], dtype=np.float64) / 2
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(pairs / (n * m), [tail, 1 - tail])
    fpr = np.linspace(0, 1, 101)
    tpr = np.empty((resamples, len(fpr)))
    for b in range(resamples):
        # The lowest threshold, one of the normals, above which at most so many draws lie.
        at = np.searchsorted(below[b, 1:], np.ceil(n * (1 - fpr) - 1e-9), side="left").clip(0, n - 1)
        tpr[b] = above[b, np.searchsorted(strange, normal[at], side="right")] / m
    tpr[:, -1] = 1.0
    edges = np.quantile(tpr, [tail, 1 - tail], axis=0)
    return Band(float(low), float(high), fpr, *edges)


@memory.remembered
def _draws(n: int, m: int, resamples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """How many draws lie among the k lowest of n normals (resamples, n + 1), and above the k lowest of m anomalies.

    They are drawn by rank, so the same draws serve every weighting.
    """
    rng = np.random.default_rng(seed)
    below = np.zeros((resamples, n + 1), dtype=np.int32)
    above = np.zeros((resamples, m + 1), dtype=np.int32)
    for b in range(resamples):
        np.cumsum(np.bincount(rng.integers(n, size=n), minlength=n), out=below[b, 1:])
        above[b, :-1] = np.bincount(rng.integers(m, size=m), minlength=m)[::-1].cumsum()[::-1]
    return below, above
