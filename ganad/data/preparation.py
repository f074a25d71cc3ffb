"""How a picture from elsewhere becomes what a detector was trained on: that belongs to the data, and is kept in the run.

A detector of digits judges digits as MNIST's makers cut and centred them. One of clothes judges whole pictures, and cutting
those to their ink would make something of them that it has never seen.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from ganad.data import preprocess
from ganad.data.preprocess import Prepared
from ganad.errors import DataError

KINDS = {
    "digit": "cut to the ink, scaled into 20 × 20 and centred by its mass, as MNIST was made",
    "picture": "grey as it is, the whole picture scaled into 28 × 28",
}
"""Kinds of preparation, and what they do."""

_ASKED = 40
"""Training images that are looked at."""
_ALIKE = 0.9
"""Correlation of an image and the digit made of it. MNIST's have a median of 1.00, Fashion-MNIST's one of 0.31 (0.66 at most in a class)."""


def kind_of(images: np.ndarray) -> str:
    """What the images (N, 28, 28) uint8 of a training set are: "digit" where making digits of them changes little, else "picture"."""
    alike = [
        _likeness(image) for image in images[np.linspace(0, len(images) - 1, min(_ASKED, len(images))).astype(int)]
    ]
    return "digit" if np.median(alike) > _ALIKE else "picture"


def prepared(grey: np.ndarray, kind: str) -> Prepared:
    """A picture (H, W) uint8 as 28 × 28, in one of KINDS. Raises DataError where there is no digit to be found."""
    return preprocess.prepare(grey) if kind == "digit" else whole(grey)


def whole(grey: np.ndarray) -> Prepared:
    """The whole picture (H, W) uint8 in 28 × 28: greys as they are, the shorter side filled up with the grey of the border."""
    preprocess.check(grey)
    given = preprocess.shrunk(grey, preprocess.GIVEN_SIDE)
    if grey.shape == (28, 28):
        return Prepared(grey.copy(), given=given, inverted=False, steps=("taken as it is",))
    height, width = grey.shape
    side = max(height, width)
    scaled = np.asarray(
        Image.fromarray(grey).resize(
            (max(1, round(28 * width / side)), max(1, round(28 * height / side))), Image.Resampling.BOX if side > 28 else Image.Resampling.BICUBIC
        )
    )  # fmt: skip
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    picture = np.full((28, 28), np.uint8(np.median(border)))
    top, left = (28 - scaled.shape[0]) // 2, (28 - scaled.shape[1]) // 2
    picture[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return Prepared(picture, given=given, inverted=False, steps=(f"scaled from {width} × {height} into 28 × 28",))


def _likeness(image: np.ndarray) -> float:
    """Correlation of the image and the digit that would be made of it; -1 where none can be made."""
    try:
        digit = preprocess.prepare(image).digit
    except DataError:
        return -1.0
    if not digit.std() or not image.std():
        return -1.0
    return float(np.corrcoef(image.ravel().astype(float), digit.ravel().astype(float))[0, 1])
