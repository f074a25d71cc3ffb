"""Codes in two dimensions, for a map of the latent space."""

from __future__ import annotations

import importlib.util
import io
import sys
import warnings
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Projection:
    """Codes in two dimensions: val (n, 2), test (m, 2); share: how much of the variance of val that keeps, or None."""

    val: np.ndarray
    test: np.ndarray
    share: float | None


def kinds() -> tuple[str, ...]:
    """The available projections: PCA always, UMAP where umap-learn is installed."""
    return ("PCA", "UMAP") if importlib.util.find_spec("umap") else ("PCA",)


def project(val: np.ndarray, test: np.ndarray, kind: str = "PCA") -> Projection:
    """val (n, nz) and test (m, nz) in two dimensions; equal codes give equal maps. Raises ValueError for an unknown kind."""
    if kind not in _MAKE:
        raise ValueError(f"{kind!r} is no projection. Known: {', '.join(_MAKE)}.")
    return _MAKE[kind](val, test)


@dataclass(frozen=True)
class Directions:
    """Where codes vary most: a middle (nz,), and k axes (k, nz) of length 1 with the spread (k,) of codes along each."""

    middle: np.ndarray
    axes: np.ndarray
    spread: np.ndarray

    def places(self, codes: np.ndarray) -> np.ndarray:
        """(n, k): codes (n, nz) along the axes, in units of the spread."""
        return (codes - self.middle) @ self.axes.T / self.spread


def principal_directions(codes: np.ndarray, most: int = 3) -> Directions:
    """The directions of codes (n, nz) with the largest variance (PCA), at most so many and none without any."""
    middle = codes.mean(axis=0)
    _, scales, axes = np.linalg.svd(codes - middle, full_matrices=False)
    spread = scales / np.sqrt(max(1, len(codes) - 1))
    k = max(1, min(most, int((spread > 1e-6 * max(spread[0], 1e-12)).sum())))
    return Directions(middle, axes[:k], np.maximum(spread[:k], 1e-12))


def project_epochs(z: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Codes of the same images after several epochs, (E, n, nz), in two dimensions, (E, n, 2): on the axes of the last epoch.

    held_out: (n,) bool, which images are held-out normals; the axes are those along which their last codes vary most.
    """
    last = z[-1][held_out].astype(np.float64)
    middle = last.mean(axis=0)
    _, _, axes = np.linalg.svd(last - middle, full_matrices=False)
    flat = axes[:2].T if len(axes) > 1 else np.eye(z.shape[2], 2)
    return (z.astype(np.float64) - middle) @ flat


def _pca(val: np.ndarray, test: np.ndarray) -> Projection:
    """The axes along which the held-out normals vary most; anomalies have no influence on them.

    NumPy's decomposition: 5 ms more than scikit-learn's PCA, whose import would delay the map by two seconds.
    """
    middle = val.mean(axis=0)
    _, scales, axes = np.linalg.svd(val - middle, full_matrices=False)
    share = float((scales[:2] ** 2).sum() / (scales**2).sum()) if scales.any() else None
    flat = axes[:2].T if len(axes) > 1 else np.eye(val.shape[1], 2)
    return Projection((val - middle) @ flat, (test - middle) @ flat, share)


def _umap(val: np.ndarray, test: np.ndarray) -> Projection:
    """A map of normals and test images together: on a map made from the normals alone, every anomaly would lie among them."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that TensorFlow, which it does not need, is missing; that a seed means one core
        import umap

        # Seeded, so that a link with a lasso shows the same images tomorrow.
        flat = umap.UMAP(n_components=2, random_state=0).fit_transform(np.concatenate([val, test]))
    flat = np.asarray(flat, dtype=np.float64)
    return Projection(flat[: len(val)], flat[len(val) :], None)


_MAKE = {"PCA": _pca, "UMAP": _umap}


def main() -> None:
    """Read codes from stdin and write their projection to stdout, both as .npz: UMAP runs in a process of its own."""
    answer, sys.stdout = sys.stdout.buffer, sys.stderr  # so that a library's prints stay out of the answer
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        projection = project(given["val"], given["test"], str(given["kind"]))
    out = io.BytesIO()
    np.savez(
        out, val=projection.val, test=projection.test, share=np.nan if projection.share is None else projection.share
    )
    answer.write(out.getvalue())


if __name__ == "__main__":
    main()
