"""What each pixel adds to the residual part of a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE = 28


@dataclass(frozen=True)
class Pixels:
    """What each pixel of the 28x28 picture adds to the residual part.

    adds      (28, 28) float32, none negative: |x - x̂| or (x - x̂)² / S², images in [-1, 1]
    outside   what the net compares beyond the picture: the border that pads 28x28 to 32x32
    size      side of the image that the net sees: 28, 32 or 64
    exact     False where it was worked out again from pictures of 8 bits
    """

    adds: np.ndarray
    outside: float
    size: int
    exact: bool

    @property
    def total(self) -> float:
        """The residual part, as the sum of what adds to it."""
        return float(self.adds.sum(dtype=np.float64)) + self.outside


def amounts(difference: np.ndarray, power: int) -> np.ndarray:
    """What each pixel adds to the residual, from x - x̂ (N, S, S): |x - x̂|, or (x - x̂)² as a share of all S · S pixels."""
    return np.abs(difference) if power == 1 else np.square(difference) / difference[0].size


def to_picture_pixels(added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amounts added on the net's image (N, S, S) -> on the picture (N, 28, 28) and beyond it (N,). Their sum is kept.

    S = 32: the picture is its middle. S = 64: each amount goes to the pixels that its square lies in, by area.
    """
    added = np.asarray(added, dtype=np.float64)
    size = added.shape[-1]
    if size == SIDE:
        inside = added
    elif size == 32:
        inside = added[:, 2:-2, 2:-2]
    else:
        lies_in = _overlap(size)
        inside = lies_in @ added @ lies_in.T
    outside = added.sum((1, 2)) - inside.sum((1, 2)) if size == 32 else np.zeros(len(added))
    return inside, outside


def _overlap(size: int) -> np.ndarray:
    """(28, size): a side is cut into `size` equal lengths; the share of each that lies in each of 28 others. Columns add up to 1."""
    fine, coarse = np.arange(size) * SIDE / size, np.arange(SIDE)[:, None]
    shared = np.minimum(fine + SIDE / size, coarse + 1) - np.maximum(fine, coarse)
    return np.clip(shared, 0, None) * size / SIDE


def from_pictures(x: np.ndarray, x_hat: np.ndarray, residual: float, size: int, power: int = 1) -> Pixels:
    """What each pixel adds, from two (28, 28) uint8 pictures and the residual part that the net gave.

    Pictures are rounded to 8 bits, so up to 32x32 the amounts are good to about 0.01 each and the rest counts as
    outside. A 64x64 residual cannot be told from 28x28 pictures: it is shared out in the proportions of the picture.
    """
    difference = (x.astype(np.float32) - x_hat.astype(np.float32)) / 127.5
    adds = np.abs(difference) if power == 1 else np.square(difference) / size**2
    seen = float(adds.sum(dtype=np.float64))
    if size > 32:
        return Pixels(adds * np.float32(residual / seen if seen else 0.0), 0.0, size, exact=False)
    return Pixels(adds, residual - seen, size, exact=False)
