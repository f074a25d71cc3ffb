"""Drawings as hands might leave them on the pad: digits of MNIST in other sizes, places and widths, free strokes, and odd ones."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ganad.data import sources

SIDE = 112


def drawings(n: int, seed: int = 0) -> np.ndarray:
    """(n, 112, 112) uint8, ink 255 on 0. The first are an empty and a full sheet, and a dark digit on a light sheet."""
    rng = np.random.default_rng(seed)
    digits = sources.load(None).test.images
    made = [np.zeros((SIDE, SIDE), np.uint8), np.full((SIDE, SIDE), 255, np.uint8), 255 - _digit(digits[0], rng)]
    while len(made) < n:
        kind = rng.integers(4)
        made.append(_strokes(rng) if kind == 0 else _digit(digits[rng.integers(len(digits))], rng))
    return np.stack(made[:n])


def _digit(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A digit of 28x28, larger or smaller, thinner or thicker, anywhere on the sheet, perhaps beyond its edge."""
    side = int(rng.integers(30, 150))
    picture = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    if rng.random() < 0.4:
        grown = rng.random() < 0.5
        picture = picture.filter((ImageFilter.MaxFilter if grown else ImageFilter.MinFilter)(int(rng.choice([3, 5]))))
    if rng.random() < 0.5:
        picture = picture.point(lambda v: 255 if v > 110 else 0)
    sheet = Image.new("L", (SIDE, SIDE))
    low, high = sorted((-side // 5, SIDE - side + side // 5))
    sheet.paste(picture, (int(rng.integers(low, high + 1)), int(rng.integers(low, high + 1))))
    return np.array(sheet)


def _strokes(rng: np.random.Generator) -> np.ndarray:
    """One to four lines with round ends, smoothed as a browser smooths them."""
    large = Image.new("L", (4 * SIDE, 4 * SIDE))
    pen = ImageDraw.Draw(large)
    for _ in range(rng.integers(1, 5)):
        width = int(rng.integers(16, 64))
        points = np.cumsum(
            np.concatenate([rng.uniform(80, 360, (1, 2)), rng.normal(0, 45, (rng.integers(1, 9), 2))]), axis=0
        )
        pen.line([tuple(p) for p in points], fill=255, width=width, joint="curve")
        for x, y in points:
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return np.array(large.resize((SIDE, SIDE), Image.Resampling.BOX))
