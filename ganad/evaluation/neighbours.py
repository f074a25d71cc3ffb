"""Distances in the latent space: to the held-out normals, and of these to each other. Euclidean."""

from __future__ import annotations

import numpy as np


def nearest(z: np.ndarray, among: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k codes of `among` (n, nz) nearest to z (nz,): their rows, nearest first, and their distances; (k,) each."""
    away, rows = _search(among, z[None], k)
    return rows[0], away[0]


def distances_to_nearest(codes: np.ndarray) -> np.ndarray:
    """(n,) distance of each of n codes (n, nz) to the nearest other one; 0 where two are the same."""
    return _search(codes, codes, 2)[0][:, 1]  # the first one is the code itself, or another at the same place


def _search(among: np.ndarray, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.neighbors import NearestNeighbors  # off a page's first paint

    index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(among.astype(np.float64))
    return index.kneighbors(codes.astype(np.float64))
