"""Which test images a choice leaves: by outcome, near the threshold, inside a polygon on a map. Masks, (N,) bool."""

from __future__ import annotations

import numpy as np

NEAR = 30
"""So many images on each side of the threshold count as near it."""


def outcomes(anomalous: np.ndarray, called: np.ndarray) -> np.ndarray:
    """(N,) words: caught, missed, false alarms, passed."""
    return np.select(
        [anomalous & called, anomalous & ~called, ~anomalous & called], ["caught", "missed", "false alarms"], "passed"
    )


def near_threshold(score: np.ndarray, threshold: float, among: np.ndarray) -> np.ndarray:
    """(N,) bool: the `NEAR` images closest to the threshold on each side, among some."""
    keep = np.zeros(len(score), dtype=bool)
    for side in (score <= threshold, score > threshold):
        wanted = np.flatnonzero(among & side)
        keep[wanted[np.argsort(np.abs(score[wanted] - threshold), kind="stable")[:NEAR]]] = True
    return keep


def inside_polygon(points: np.ndarray, polygon: tuple[tuple[float, float], ...]) -> np.ndarray:
    """(N,) bool: which of (N, 2) points lie in a polygon, by the even-odd rule."""
    x, y = points[:, 0], points[:, 1]
    keep = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if y0 != y1:
            keep ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return keep
