"""A few images of one symbol of somebody's own -> a data set to train and judge a detector with.

Few originals are made into many images by varying them as a hand varies: turned, slanted, wider or narrower, then prepared anew as any
picture from elsewhere is. Originals are dealt out first and varied afterwards, so no two parts hold variants of one original; and
of two originals that are all but equal only the first is kept, since a copy that is held out would be no news to the nets.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ganad.data import class_names, preprocess, sources
from ganad.errors import DataError
from ganad.wording import plural

LEAST, MOST = 10, 100
"""Originals that are needed, and that are taken."""
ALIKE = 0.99
"""Correlation from which on two prepared images are copies. Of thirty ones of MNIST, its most alike digit, the nearest two have 0.98."""
TRAIN_IMAGES = 800
"""About how many training images the training originals are made into."""
HELD_OUT_EACH = 20
"""Images made of each held-out original, itself included."""
TEST_EACH, REFERENCE_EACH = 50, 20
"""Images of each digit of MNIST: anomalies of the test, and training images that stand for anomalies where weights are chosen."""
TURN, SLANT, STRETCH = 10.0, 0.15, 0.1
"""How far a variant may differ: degrees, shear, and change of width against height."""

_SCALE, _CONTRAST = 4, 2.0
"""Variants are made on an enlarged image whose edges are made steeper by so much, as those of ink are: else they would be more blurred
than what they are made of. With 2 the untouched image comes back with 98 % of its ink and all of its full ink; with 1 with 95 and 80 %."""


def parts(n: int) -> tuple[int, int, int]:
    """How many of n originals train, are held out for the threshold, and test: about a half, a quarter and a quarter."""
    quarter = round(n / 4)
    return n - 2 * quarter, quarter, quarter


def without_copies(originals: np.ndarray) -> np.ndarray:
    """Which of the originals (n, 28, 28) uint8 to keep, as ascending positions: each that is no copy of an earlier one."""
    kept: list[int] = []
    flat = originals.reshape(len(originals), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    for i in range(len(flat)):
        if not kept or (flat[kept] @ flat[i]).max() <= ALIKE:
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def checked_name(name: str) -> str:
    """What the class is called, without spaces at its ends. Raises DataError for what no class may be called, or what a digit here is."""
    return class_names.checked(_classes(name.strip()), 2, "The name of your class")[0]


def arrays(originals: np.ndarray, name: str, seed: int = 0) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The arrays of an .npz that `sources.load` reads, and the names of its classes: the own one is class 0, digit d class d + 1.

    originals: (n, 28, 28) uint8, prepared, ink 255 on 0, no copies among them. seed: deals them out and varies them.
    Raises DataError for too few or too many originals, and for a name that no class may have.

    x_train, y_train     variants of the training originals, then of the held-out ones, then a few training digits of MNIST
    x_test, y_test       the test originals, each once and as it is, then TEST_EACH test digits of MNIST each
    original_train       (N,) the original that an image is a variant of, -1 for MNIST's; held_out_train (N,) bool
    original_test        the same of the test images
    originals            as they were given
    """
    classes = _classes(checked_name(name))
    n = len(originals)
    if not LEAST <= n <= MOST:
        raise DataError(f"{plural(n, 'image')} of your class, expected {LEAST} to {MOST}, no two of them copies.")
    if originals.shape[1:] != (28, 28) or originals.dtype != np.uint8:
        raise DataError(f"Images of your class are (n, 28, 28) uint8, got {originals.shape} of {originals.dtype}.")
    rng = np.random.default_rng([seed, n])
    n_train, n_held, _ = parts(n)
    train, held, test = np.split(rng.permutation(n), [n_train, n_train + n_held])
    each = math.ceil(TRAIN_IMAGES / n_train)
    own = [(i, image, False) for i in train for image in variants(originals[i], each, rng)]
    own += [(i, image, True) for i in held for image in variants(originals[i], HELD_OUT_EACH, rng)]
    reference, anomalies = _digits("train", REFERENCE_EACH), _digits("test", TEST_EACH)
    made = {
        "x_train": np.concatenate([np.stack([image for _, image, _ in own]), reference[0]]),
        "y_train": np.concatenate([np.zeros(len(own), np.uint8), reference[1] + 1]),
        "x_test": np.concatenate([originals[test], anomalies[0]]),
        "y_test": np.concatenate([np.zeros(len(test), np.uint8), anomalies[1] + 1]),
        "original_train": np.array([i for i, _, _ in own] + [-1] * len(reference[0])),
        "held_out_train": np.array([is_held for _, _, is_held in own] + [False] * len(reference[0])),
        "original_test": np.concatenate([test, np.full(len(anomalies[0]), -1)]),
        "originals": originals,
    }
    return made, classes


def variants(original: np.ndarray, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """n images (28, 28) uint8: the original itself, then turned, slanted and stretched ones, each prepared anew."""
    large = Image.fromarray(original).resize((28 * _SCALE, 28 * _SCALE), Image.Resampling.BICUBIC)
    large = large.point(lambda grey: (grey - 128) * _CONTRAST + 128)
    made = [original]
    while len(made) < n:
        made.append(preprocess.prepare(_varied(large, rng), invert=False, thicken=False).digit)
    return made


def _varied(large: Image.Image, rng: np.random.Generator) -> np.ndarray:
    angle = math.radians(rng.uniform(-TURN, TURN))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    slant = np.array([[1, rng.uniform(-SLANT, SLANT)], [0, 1]])
    wide = np.exp(rng.uniform(-STRETCH, STRETCH))
    # 1.2: a turned corner shall not leave the picture; the preparation scales it back.
    to_given = 1.2 * turn @ slant @ np.diag([wide, 1 / wide])
    middle = np.array([large.width / 2, large.height / 2])
    shift = middle - to_given @ middle
    matrix = (*to_given[0], shift[0], *to_given[1], shift[1])
    return np.asarray(large.transform(large.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC))


def _classes(name: str) -> Sequence[str]:
    return (name, *(f"digit {d}" for d in range(10)))


@functools.cache
def _digits(part: str, each: int) -> tuple[np.ndarray, np.ndarray]:
    """So many of each digit of MNIST, at equal distances in its file, prepared as the own images are: (10 each, 28, 28), (10 each,)."""
    images = getattr(sources.load(None), part)
    rows = []
    for d in range(10):
        own = np.flatnonzero(images.digit == d)
        rows.append(own[np.linspace(0, len(own) - 1, each).astype(int)])
    at = np.concatenate(rows)
    prepared = np.stack([preprocess.prepare(image, invert=False).digit for image in images.images[at]])
    return prepared, images.digit[at]
