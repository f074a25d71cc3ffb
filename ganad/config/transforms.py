"""The maps by which images are transformed for the transform error, and how long it is learned: fixed numbers, known without loading torch.

What it is for: `ganad.models.transforms`.
"""

from __future__ import annotations

import itertools

TURNS = (-25.0, 0.0, 25.0)
"""Degrees."""
SCALES = (0.8, 1.0, 1.25)
SHEARS = (-0.4, 0.0, 0.4)
"""How far a row is moved to the side for each row that it lies below the middle."""
MAPS = tuple(itertools.product(TURNS, SCALES, SHEARS))
"""Turn, scale and shear of each map that is learned; one of them leaves the image as it is."""
ASKED = tuple(MAPS.index(how) for how in zip(TURNS, SCALES, SHEARS, strict=True))
"""The three that a score asks for: one leaves the image as it is, and in two everything changes. More say as much (docs/choices/transforms.md)."""
BATCH = 32
"""Images in a step."""
MOST_STEPS = 1400
"""Steps of learning, at most; a shorter training has as many for this as it had for its nets."""


def steps(images: int, epochs: int, batch_size: int) -> int:
    """Updates that a run with so many training images learns the maps in: as many as its nets had, at most 1,400."""
    return min(MOST_STEPS, max(1, epochs * images // batch_size))
