"""A map of latent space in the browser: point at an image, pick it, draw a line round some."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from ganad.ui.components.declare import declare_beside
from ganad.ui.state.session import sent
from ganad.web import colours
from ganad.web.encode import as_base64

_MAP = declare_beside(__file__)
MOST_CORNERS = 32
"""A link should not be longer than an address may be."""

Polygon = tuple[tuple[float, float], ...]

DIGITS = ("#4477aa", "#ee6677", "#228833", "#b8962e", "#2fa4c4", "#aa3377", "#8a8a8a", "#e07b39", "#6a51a3", "#1b9e77")
"""Ten hues that can be told apart on either theme; the digit is named beside each."""


def latent_map(
    val: np.ndarray,
    test: np.ndarray,
    *,
    key: str,
    version: str,
    sheet: tuple[str, str],
    digit: np.ndarray,
    names: Sequence[str],
    called: np.ndarray,
    name: str,
    marked: int | None,
    lasso: Polygon | None,
    inside: int,
    on_lasso: Callable[[], None],
    on_pick: Callable[[], None],
) -> None:
    """Show held-out normals (n, 2) as rings and test images (m, 2) as dots.

    version   names the points: they are read again only when it changes
    sheet     the name of all test images, and the images, as `live_mixer.pack` packs them; they travel once
    digit, called   (m,) the class of each, and whether it is called anomalous
    names     what the classes are called, or () for digits
    name      what the map shows, for screen readers
    marked    position of the point with a ring round it
    lasso     the line that is drawn, in the units of the points; inside: how many points lie within
    on_lasso, on_pick   called when one is drawn (`drawn(key)`), when a point is clicked (`picked(key)`)
    """
    _MAP(
        key=key,
        data={
            "version": version,
            "sheet": sheet[0],
            "val": as_base64(val.astype("<f4")),
            "test": as_base64(test.astype("<f4")),
            "digit": as_base64(digit.astype(np.uint8)),
            "digits": np.unique(digit).tolist(),
            "names": list(names),
            "called": as_base64(called.astype(np.uint8)),
            "name": name,
            "marked": marked,
            "lasso": None if lasso is None else [list(corner) for corner in lasso],
            "inside": inside,
            "colours": {
                "held": colours.THRESHOLD.both,
                "normal": colours.NORMAL.both,
                "anomalous": colours.ANOMALOUS.both,
                "digits": DIGITS,
            },
        },
        default={"lasso": None},
        on_lasso_change=on_lasso,
        on_picked_change=on_pick,
        height="content",
    )
    with st.container(key=f"{key}_sheet", height=1, border=False):
        _MAP(key=f"{key}_images", data={"version": sheet[0], "images": sheet[1]}, height="content")


def drawn(key: str) -> Polygon | None:
    """The line that was drawn last; None when it was cleared or makes no sense."""
    return parse(sent(key, "lasso"))


def picked(key: str) -> int | None:
    """The row of the point that was clicked just now."""
    row = sent(key, "picked")
    return row if isinstance(row, int) and not isinstance(row, bool) and row >= 0 else None


def parse(sent: object) -> Polygon | None:
    """A polygon out of [[x, y], ...] as a browser sends it; None for anything else."""
    if not isinstance(sent, list | tuple) or not 3 <= len(sent) <= MOST_CORNERS:
        return None
    corners = [c for c in sent if isinstance(c, list | tuple) and len(c) == 2 and all(map(_is_finite, c))]
    return tuple((float(f"{x:.4g}"), float(f"{y:.4g}")) for x, y in corners) if len(corners) == len(sent) else None


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
