"""Which images among those taken for normal look like images of other classes: a check of the data, before any training.

An image is *foreign* when its `NEAREST` nearest neighbours (Euclidean, after a 3x3 blur, which forgives a shift by a pixel) among images taken
for normal and training images of the other classes are all of other classes. Of MNIST's digits, each as the only normal one, at most 3.3 % of the images
looked at are foreign; with a tenth of other digits among them at least 6 %. No test image is looked at, and the label of no image that is taken for normal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ganad.data.sources import Images, Split

NEAREST = 5
EACH = 800
"""Images of each class that an image is compared with, at most; never more than there are normal ones for each normal class."""
LOOKED_AT = 800
"""Training images that `check` looks at."""
_AT_ONCE = 500


def blurred(images: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8 -> (N, 784) float32 in [0, 1], each pixel the mean of the 3x3 around it."""
    from scipy.ndimage import uniform_filter

    return uniform_filter(images.astype(np.float32) / 255, (0, 3, 3), mode="constant").reshape(len(images), -1)


def are_foreign(images: np.ndarray, normal: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) bool: whose nearest neighbours are all of other classes.

    images (N, 28, 28), normal (n, 28, 28), others (m, 28, 28) uint8. An image that is itself among `normal` is not its own neighbour.
    """
    known = blurred(np.concatenate([normal, others]))
    squares = (known**2).sum(axis=1)
    foreign = []
    for at in range(0, len(images), _AT_ONCE):
        x = blurred(images[at : at + _AT_ONCE])
        away = squares - 2 * x @ known.T + (x**2).sum(axis=1)[:, None]
        away[:, : len(normal)][away[:, : len(normal)] < 1e-3] = np.inf  # the image itself
        nearest = np.argpartition(away, NEAREST - 1, axis=1)[:, :NEAREST]
        foreign.append((nearest >= len(normal)).all(axis=1))
    return np.concatenate(foreign) if foreign else np.zeros(0, bool)


def reference(train: Images, split: Split, normal: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Images to compare with: of those that the run learns from, and of each class that is not normal. (n, 28, 28) and (m, 28, 28) uint8.

    train: all training images of the data set.

    Of each class as many as there are normal ones for each normal class, `EACH` at most. What the run itself takes for normal is never among the
    others, whatever its label.
    """
    rng = np.random.default_rng(0)
    each = min(EACH, max(1, len(split.train.images) // len(normal)))
    taken = np.isin(train.index, np.concatenate([split.train.index, split.val.index]))
    rows = [
        rng.permutation(np.flatnonzero((train.digit == d) & ~taken))[:each]
        for d in np.unique(train.digit)
        if d not in normal
    ]
    own = rng.permutation(len(split.train.images))[: each * len(normal)]
    return split.train.images[own], train.images[np.concatenate(rows)] if rows else train.images[:0]


def check(train: Images, split: Split, normal: tuple[int, ...]) -> tuple[int, np.ndarray] | None:
    """How many of the images that a run learns from were looked at, and where in the training file those lie that are foreign.

    None where the data have too few images of other classes to compare with.
    """
    own, others = reference(train, split, normal)
    if len(others) < 2 * NEAREST:
        return None
    at = np.sort(np.random.default_rng(1).permutation(len(split.train.images))[:LOOKED_AT])
    foreign = are_foreign(split.train.images[at], own, others)
    return len(at), split.train.index[at[foreign]]


def without_foreign(train: Images, split: Split, normal: tuple[int, ...]) -> Split:
    """The split without what is foreign, among the images to learn from and the held-out ones. As it was, where nothing can be compared."""
    own, others = reference(train, split, normal)
    if len(others) < 2 * NEAREST:
        return split
    kept = [
        type(part)(*(column[~are_foreign(part.images, own, others)] for column in part))
        for part in (split.train, split.val)
    ]
    return replace(split, train=kept[0], val=kept[1])
