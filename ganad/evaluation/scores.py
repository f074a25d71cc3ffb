"""The parts of the score of many images: held-out normals and test images of one run."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ScoredImages:
    """One set of images with their parts. All arrays have one row an image."""

    parts: dict[str, np.ndarray]
    digit: np.ndarray
    index: np.ndarray
    z: np.ndarray  # (n, nz), or (n, 0) in a run that was shipped without

    def __len__(self) -> int:
        return len(self.digit)


@dataclass(frozen=True)
class Scores:
    """What a finished run says of the held-out normal images and of the test images."""

    val: ScoredImages
    test: ScoredImages
    normal: tuple[int, ...]

    @functools.cached_property
    def anomalous(self) -> np.ndarray:
        """(n_test,) bool: which test images show a digit that is not normal."""
        return ~np.isin(self.test.digit, self.normal)
