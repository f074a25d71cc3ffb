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
    """The projections that can be had here: PCA always, UMAP where umap-learn is installed."""
    return ("PCA", "UMAP") if importlib.util.find_spec("umap") else ("PCA",)


def project(val: np.ndarray, test: np.ndarray, kind: str = "PCA") -> Projection:
    """val (n, nz) and test (m, nz) in two dimensions, the same for the same codes. Raises ValueError for an unknown kind."""
    if kind not in _MAKE:
        raise ValueError(f"{kind!r} is no projection. Known: {', '.join(_MAKE)}.")
    return _MAKE[kind](val, test)


def _pca(val: np.ndarray, test: np.ndarray) -> Projection:
    # The axes are those of the normals alone: anomalies are projected onto them and do not change them.
    middle = val.mean(axis=0)
    _, spread, axes = np.linalg.svd(val - middle, full_matrices=False)
    share = float((spread[:2] ** 2).sum() / (spread**2).sum()) if spread.any() else None
    flat = axes[:2].T if len(axes) > 1 else np.eye(val.shape[1], 2)
    return Projection((val - middle) @ flat, (test - middle) @ flat, share)


def _umap(val: np.ndarray, test: np.ndarray) -> Projection:
    """Laid out together: put onto a map of the normals alone, every anomaly would come to lie among them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow, which is not needed, and that with a seed it runs on one core
        import umap

        # A link with a lasso means the same images tomorrow, so the layout is seeded.
        flat = umap.UMAP(n_components=2, random_state=0).fit_transform(np.concatenate([val, test]))
    flat = np.asarray(flat, dtype=np.float64)
    return Projection(flat[: len(val)], flat[len(val) :], None)


_MAKE = {"PCA": _pca, "UMAP": _umap}


def main() -> None:
    """Lay out the codes that come in on stdin and write them to stdout, both as .npz: a process for what takes long."""
    answer, sys.stdout = sys.stdout.buffer, sys.stderr  # what a library prints is not part of the answer
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        placed = project(given["val"], given["test"], str(given["kind"]))
    out = io.BytesIO()
    np.savez(out, val=placed.val, test=placed.test, share=np.nan if placed.share is None else placed.share)
    answer.write(out.getvalue())


if __name__ == "__main__":
    main()
