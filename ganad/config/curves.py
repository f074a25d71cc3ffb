"""What each curve of a training means, said once: a sentence, and where it stands while neither side of the game is ahead."""

from __future__ import annotations

import math
from typing import NamedTuple

LN_2 = math.log(2)
"""The cross-entropy of a discriminator that says one half to everything."""


class Curve(NamedTuple):
    """A value that a method logs with its steps.

    meaning         one sentence
    equilibrium     its value where the discriminator cannot tell the two sides apart; None where there is no such value
    in_words        that value as one writes it
    """

    meaning: str
    equilibrium: float | None = None
    in_words: str = ""


CANNOT_TELL = "2 ln 2 = 1.386"
HALF = "ln 2 = 0.693"
