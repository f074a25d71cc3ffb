"""The parts that a score is made of: the one list of their names, meanings and colours."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Part(NamedTuple):
    """One part of a score; 0 or more, higher = more anomalous.

    meaning  a sentence for tooltips, help and docs
    colour   the name of one of the hues in `ganad/web/colours.py`: that of the net which the part asks
    """

    name: str
    meaning: str
    colour: str


KNOWN_PARTS = (
    Part(
        "residual",
        "how far the reconstruction is from the image: sum over pixels of the absolute difference, images in [-1, 1]; with f-AnoGAN the mean of its square",
        "green",
    ),
    Part(
        "discrimination",
        "how differently the discriminator sees image and reconstruction, plus, where the settings say so, how unlikely what it sees "
        "in the image is among normal ones, how badly a copy of it guesses how the image was turned, scaled and sheared, and how unlikely what that copy and its first layer see is; "
        "of three looks at the image the lowest, where the settings say so",
        "violet",
    ),
    Part(
        "latent",
        "how far apart image and reconstruction lie in latent space, plus, where the settings say so, how unusual its code and its residual are among "
        "normal ones; AnoGAN, which has no encoder: how far its z lies from the centre of the prior, plus, where the settings say so, how unusual its residual is for so much ink; "
        "of three looks at the image the lowest, where the settings say so",
        "yellow",
    ),
)  # fmt: skip
"""Every part that a score may have. Most methods have these three; one that has more names them in its settings (`parts`), and what it
adds stands here at the end, so that weights of before keep their order."""

PARTS = tuple(part.name for part in KNOWN_PARTS)
"""Their names, in the order in which weights are written everywhere."""

Weights = tuple[float, ...]
"""One weight for each part of a method, in the order of `PARTS`."""


def parts_in(names: Collection[str]) -> tuple[str, ...]:
    """Those of `PARTS` that are among the names, in their order: the parts of a run, from its scores."""
    return tuple(p for p in PARTS if p in names)
