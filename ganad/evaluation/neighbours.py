"""Distances in the latent space: to the held-out normals, and of these to each other. Euclidean.

NumPy alone, since the first picture of Browse needs them: scikit-learn's neighbours take as long (0.9 to 1.5 times), and two
seconds to import; SciPy's cdist and its tree take 5 to 8 times as long.
"""

from __future__ import annotations

import numpy as np


def nearest(z: np.ndarray, among: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k codes of `among` (n, nz) nearest to z (nz,): their rows, nearest first, and their distances; (k,) each."""
    away = np.linalg.norm(among - z, axis=1)
    rows = np.argsort(away, kind="stable")[:k]
    return rows, away[rows]


def distances_to_nearest(codes: np.ndarray, block: int = 500) -> np.ndarray:
    """(n,) distance of each of n codes (n, nz) to the nearest other one; `block` rows at a time, to save memory."""
    codes = codes.astype(np.float64)
    squares, nearest_squares = (codes**2).sum(1), np.empty(len(codes))
    for at in range(0, len(codes), block):
        rows = np.arange(at, min(at + block, len(codes)))
        apart = squares[rows][:, None] + squares - 2 * codes[rows] @ codes.T
        apart[np.arange(len(rows)), rows] = np.inf
        nearest_squares[rows] = apart.min(axis=1)
    return np.sqrt(np.maximum(nearest_squares, 0))
