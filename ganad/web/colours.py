"""One colour for each thing, on every page: in charts, in pictures, in words.

The hues are those of Okabe and Ito (2008, "Color Universal Design"), shifted in lightness so that each reaches a
contrast of 3:1 on its background. Colour is never the only sign: whatever is coloured is also named beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganad.config import KNOWN_PARTS

LIGHT_BACKGROUND = "#ffffff"
DARK_BACKGROUND = "#10151c"
"""The page's background in either theme; the same as in `.streamlit/config.toml`."""


@dataclass(frozen=True)
class Colour:
    """One hue in three lightnesses, each as `#rrggbb`.

    light   words and widgets on the light theme; Streamlit picks it for `:name[words]` and `st.badge(color=name)`
    dark    the same on the dark theme
    both    on either: for charts, pictures and components, which do not know the theme that they are shown in
    name    what Streamlit's Markdown calls it; `.streamlit/config.toml` gives that name these values
    """

    name: str
    light: str
    dark: str
    both: str

    def faint(self, opacity: float) -> str:
        """The hue for either theme, see-through: areas and envelopes. `opacity` in [0, 1]."""
        return rgba(self.both, opacity)


NORMAL = Colour("blue", light="#0072b2", dark="#56b4e9", both="#1a80c4")
ANOMALOUS = Colour("orange", light="#b84d00", dark="#ff9254", both="#dc641a")
VERDICTS = {"normal": NORMAL, "anomalous": ANOMALOUS}

ENCODER = Colour("yellow", light="#8f6800", dark="#e3b341", both="#aa7f0f")
GENERATOR = Colour("green", light="#00805f", dark="#3cc79f", both="#0d9470")
DISCRIMINATOR = Colour("violet", light="#ad4482", dark="#e38bbf", both="#c25a98")
PLAYERS = {"encoder": ENCODER, "generator": GENERATOR, "discriminator": DISCRIMINATOR}
"""The nets that play against each other in training."""

THRESHOLD = Colour("gray", light="#5d6b7c", dark="#9aa8b8", both="#7c8797")
"""Ink: the threshold, chance lines, whatever is neither normal nor anomalous."""

RIGHT = THRESHOLD
WRONG = Colour("red", light="#b3263f", dark="#ff7d8c", both="#d9435c")
"""A verdict that agrees with the label, and one that does not. The mistakes are what the eye should find."""

_HUES = {c.name: c for c in (NORMAL, ANOMALOUS, ENCODER, GENERATOR, DISCRIMINATOR, THRESHOLD, WRONG)}
PARTS = {part.name: _HUES[part.colour] for part in KNOWN_PARTS}
"""Each part of the score has the colour of the net that it asks: what could the generator not draw, what does the
discriminator see, where does the encoder put it."""

RUNS = ("#7a2bf5", "#849c00", "#c00090", "#86632f", "#9084f0", "#c06c78")
"""Runs beside each other, for either theme. A run is neither normal nor anomalous nor a player, so none of their hues is here."""

TILE = "#0c1117"
"""Near-black: the ground of every picture of a digit, and the zero of a residual picture."""

RESIDUAL_STOPS = ("#ffbe78", "#d65f00", TILE, "#0072b2", "#86e0ff")
"""Residual, as a share of full ink: the colour at -1, -1/2, 0, 1/2, 1. Orange below zero, blue above."""


def rgb(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` as three numbers in 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def rgba(colour: str, opacity: float) -> str:
    """`#rrggbb` with an opacity in [0, 1], as Plotly and CSS write it."""
    return "rgba({}, {}, {}, {:g})".format(*rgb(colour), opacity)


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, 1 (equal) to 21 (black on white), as WCAG 2 defines it."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _residual_map() -> np.ndarray:
    at = np.linspace(-255, 255, len(RESIDUAL_STOPS))
    stops = np.array([rgb(stop) for stop in RESIDUAL_STOPS], dtype=np.float64)
    differences = np.arange(-255, 256)
    return np.stack([np.interp(differences, at, stops[:, c]) for c in range(3)], axis=1).round().astype(np.uint8)


RESIDUAL_MAP = _residual_map()
"""(511, 3) uint8: the colour of each difference x - x̂ in -255..255, shifted by 255."""
