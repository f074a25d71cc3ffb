"""Two detectors that train in seconds: a GAN that does not beat them is not worth its training time.

Both learn from the same normal images as the methods and are scored on the same test images, by scikit-learn's PCA and
nearest neighbours. A baseline has the parts that make sense for it; the first of them is its score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from ganad.data import sources
from ganad.runs import run_directory

FOLDER = ".baselines"
"""Where scores are remembered: beside the shipped runs, which hold those of one normal digit, and beside the user's."""

NAMES = {"pca": "PCA, 20 components", "knn": "3 nearest neighbours, blurred"}


class Baseline(Protocol):
    """fit once, then parts and reconstructions of any images. Images are (N, 28, 28) uint8."""

    def fit(self, images: np.ndarray) -> Baseline: ...
    def parts(self, images: np.ndarray) -> dict[str, np.ndarray]: ...
    def reconstruct(self, images: np.ndarray) -> np.ndarray: ...


class Pca:
    """Redraw an image from its first principal components among normal ones.

    residual: sum of (x - x̂)² over pixels in [0, 1]; latent: mean of z² / variance, the distance from the centre.
    """

    def __init__(self, components: int = 20):
        self.components = components

    def fit(self, images: np.ndarray) -> Pca:
        from sklearn.decomposition import PCA

        self.pca = PCA(self.components, random_state=0).fit(_flat(images))
        return self

    def parts(self, images: np.ndarray) -> dict[str, np.ndarray]:
        x = _flat(images)
        z = self.pca.transform(x)
        residual = ((x - self.pca.inverse_transform(z)) ** 2).sum(axis=1)
        return {"residual": residual, "latent": (z**2 / self.pca.explained_variance_).mean(axis=1)}

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        x_hat = self.pca.inverse_transform(self.pca.transform(_flat(images)))
        return np.round(x_hat.clip(0, 1) * 255).astype(np.uint8).reshape(-1, 28, 28)


class Neighbours:
    """How far is the nearest normal image? residual: mean distance to the `k` nearest, after a 3x3 blur.

    The blur forgives a shift by a pixel. The reconstruction is the mean of those neighbours, unblurred.
    """

    def __init__(self, k: int = 3, blur: int = 3):
        self.k, self.blur = k, blur

    def fit(self, images: np.ndarray) -> Neighbours:
        from sklearn.neighbors import NearestNeighbors

        self.images = images
        self.index = NearestNeighbors(n_neighbors=self.k, algorithm="brute").fit(self._blurred(images))
        return self

    def parts(self, images: np.ndarray) -> dict[str, np.ndarray]:
        return {"residual": self.index.kneighbors(self._blurred(images))[0].mean(axis=1)}

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        nearest = self.index.kneighbors(self._blurred(images), return_distance=False)
        return np.round(self.images[nearest].mean(axis=1)).astype(np.uint8)

    def _blurred(self, images: np.ndarray) -> np.ndarray:
        from scipy.ndimage import uniform_filter

        x = images.astype(np.float32) / 255
        return uniform_filter(x, (0, self.blur, self.blur)).reshape(len(x), -1) if self.blur > 1 else _flat(images)


def _flat(images: np.ndarray) -> np.ndarray:
    return (images.astype(np.float32) / 255).reshape(len(images), -1)


def build(name: str) -> Baseline:
    """A baseline that has seen nothing yet. name: a key of NAMES."""
    return {"pca": Pca, "knn": Neighbours}[name]()


def scores(name: str, normal: Sequence[int], path: str | None = None) -> np.ndarray:
    """(n_test,) float32: the baseline's score of every test image; it learns from all training images of the normal digits.

    Remembered beside the runs: with one normal digit it takes seconds, with nine half a minute.
    """
    dataset = sources.load(path)
    file = f"{_stem(name, normal)}{hashlib.sha256(dataset.fingerprint.encode()).hexdigest()[:8]}.npy"
    for folder in _folders():
        try:
            return np.load(folder / file, allow_pickle=False).astype(np.float32)
        except (FileNotFoundError, ValueError, EOFError):
            continue
    fitted = build(name).fit(dataset.train.images[np.isin(dataset.train.digit, list(normal))])
    residual = fitted.parts(dataset.test.images)["residual"].astype(np.float32)
    kept = run_directory.root() / FOLDER / file
    kept.parent.mkdir(parents=True, exist_ok=True)
    with run_directory.replaced(kept) as out:
        np.save(out, residual)
    return residual


def known(name: str, normal: Sequence[int]) -> bool:
    """True when `scores` of these normal digits were computed before, on whatever data."""
    return any(any(folder.glob(f"{_stem(name, normal)}*.npy")) for folder in _folders())


def _folders() -> tuple[Path, Path]:
    return run_directory.shelf() / FOLDER, run_directory.root() / FOLDER


def _stem(name: str, normal: Sequence[int]) -> str:
    # Digits without anything between them, as in files of before; numbers of more than one digit would be mixed up.
    before_each = "" if max(normal) < 10 else "_"
    return f"{name}-{''.join(f'{before_each}{n}' for n in sorted(normal))}-"
