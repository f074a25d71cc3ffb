"""One image under a lens: input, reconstruction and residual, with what each pixel adds."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import streamlit as st

from ganad.ui import pictures

_FILE = Path(__file__)
_LENS = st.components.v2.component(
    "ganad_lens",
    html=_FILE.with_suffix(".html").read_text(encoding="utf-8"),
    css=_FILE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_FILE.with_suffix(".js").read_text(encoding="utf-8"),
)
UNIT = 2 / 255
"""What a step of one grey value adds to the residual part: images lie in [-1, 1]."""


def shown_residual(given: np.ndarray, made: np.ndarray) -> float:
    """What the pixels of two (28, 28) uint8 pictures add to the residual part together."""
    return float(np.abs(given.astype(int) - made.astype(int)).sum() * UNIT)


def lens(
    given: np.ndarray,
    made: np.ndarray,
    *,
    key: str,
    residual: float,
    size: int,
    alt: tuple[str, str, str],
    steps: tuple[bool, bool] | None = None,
    on_step: Callable[[], None] = lambda: None,
) -> None:
    """Show (28, 28) uint8 input and reconstruction.

    residual   the image's residual part, raw
    size       side of the images that the nets see: what lies outside of 28x28, and between its pixels, is not shown
    alt        what a screen reader says of input, reconstruction and residual
    steps      is there an image before, is there one after; None where there is no row of images
    on_step    called for the previous (-1) or the next (1) image: `st.session_state[key]["step"]`
    """
    unit = UNIT * (size / 28) ** 2 if size > 32 else UNIT
    _LENS(
        key=key,
        data={
            "given": base64.b64encode(given.astype(np.uint8).tobytes()).decode("ascii"),
            "made": base64.b64encode(made.astype(np.uint8).tobytes()).decode("ascii"),
            "map": _MAP,
            "stops": list(pictures.STOPS),
            "unit": unit,
            "residual": f"{residual:.4g}",
            "about": "about " if size != 28 else "",
            "whole": in_words(given, made, residual, size),
            "alt": list(alt),
            "steps": steps is not None,
            "before": bool(steps and steps[0]),
            "after": bool(steps and steps[1]),
            "version": zlib.crc32(given.tobytes() + made.tobytes()),
        },
        on_step_change=on_step,
        height="content",
    )


def in_words(given: np.ndarray, made: np.ndarray, residual: float, size: int) -> str:
    """What all pixels add, and why that is not quite the residual part where it is not."""
    if size > 32:
        return (
            f"The nets see {size}x{size} pixels: each of the {28 * 28} shown here stands for about {(size / 28) ** 2:.1f} of "
            "them. Point at one to read what it adds."
        )
    shown = shown_residual(given, made)
    rest = residual - shown
    if size == 28 and abs(rest) < 0.005:
        return f"The pixels shown add {shown:.4g}, the whole residual part. Point at one to read its share."
    why = "the frame around them and " if size == 32 else ""
    return f"The pixels shown add {shown:.4g} of {residual:.4g} ({rest:+.2g}: {why}the rounding of greys). Point at one to read its share."


_MAP = base64.b64encode(pictures.RESIDUAL_MAP.tobytes()).decode("ascii")
