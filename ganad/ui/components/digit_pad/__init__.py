"""A sheet to draw one digit on, with mouse, pen, finger or keyboard."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from ganad.ui.components.declare import declare
from ganad.ui.state.session import memory, sent, set_widget
from ganad.web.pad import files

SIDE = 112
"""Side of the drawing that comes back, in pixels: four times a digit's 28, so that it can be centred and rescaled."""

_PAD = declare("digit_pad", files.MARKUP, files.STYLE, files.MODULE)


@dataclass(frozen=True)
class Live:
    """What the browser needs to judge by itself while a hand draws.

    version   names the nets that `send_nets` brings
    rule      weights, threshold, what scores of held-out normals there are, and words: `web.pad.payload.rule`
    """

    version: str
    rule: dict[str, Any]


def digit_pad(
    *, key: str, stroke: int = 22, reset: int = 0, size: int = 280, live: Live | None = None
) -> np.ndarray | None:
    """Show the pad; returns the drawing (112, 112) uint8, ink 255 on 0, or None while the sheet is empty.

    With `live` the pad judges each move of the pen itself, and returns the drawing that was last asked to be explained.

    key      where the drawing lives: `sent(key, "pixels")`, see `encode`. It is dropped on a page switch
    stroke   width of the brush at first, in 280ths of the sheet; the pad has its own slider
    reset    change it to make the pad show what Python has; `put` and `wipe` do that by themselves
    size     side of the sheet on the screen, in CSS pixels; less where there is no room

    From Python: `put(key, drawing)` and `wipe(key)`, in a callback or before this call in the script. In a test:
    `at.session_state[key] = {"pixels": encode(drawing)}`.
    """
    changes = memory().of_component.get((key, "changes"), 0)
    result = _PAD(
        key=key,
        data={
            "stroke": stroke,
            "size": size,
            "reset": f"{reset}/{changes}",
            "pixels": sent(key, "pixels"),
            "live": live and {"version": live.version, **live.rule},
        },
        default={"pixels": None},
        on_pixels_change=lambda: None,
        height="content",
        width="stretch",
    )
    return decode(result.pixels)


def collecting_pad(*, key: str, taken: int, on_add: Callable[[], None], stroke: int = 22, size: int = 280) -> None:
    """The pad to draw one thing after another: Add, or Enter, hands a drawing over and gives an empty sheet at once.

    taken    the highest number in `added` that was taken over; what is above it comes again until it is
    on_add   called when there is something in `added(key)`, before the script runs again
    """
    _PAD(
        key=key,
        data={"stroke": stroke, "size": size, "reset": "", "pixels": None, "live": None, "taken": taken},
        default={"added": []},
        on_added_change=on_add,
        height="content",
        width="stretch",
    )


def added(key: str) -> list[tuple[int, np.ndarray]]:
    """(number, drawing (112, 112) uint8) that the pad of that key has handed over, numbers rising; what is no drawing is left out."""
    found = []
    for item in sent(key, "added") or []:
        number = item.get("id") if isinstance(item, dict) else None
        drawing = decode(item.get("pixels")) if isinstance(item, dict) else None
        if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**53 and drawing is not None:
            found.append((number, drawing))
    return sorted(found, key=lambda one: one[0])


def send_nets(key: str, version: str, nets: dict[str, str]) -> None:
    """The nets for the live pad of that key, below it: a megabyte that comes on its own, once, and not with each change of a weight.

    nets: from `web.pad.payload.nets`. Until they are there the pad says that they are on their way, and can be drawn on.
    """
    with st.container(key=f"{key}_nets", height=1, border=False):
        _PAD(key=f"{key}_nets_file", data={"version": version, **nets}, height="content")


def put(key: str, drawing: np.ndarray | None) -> None:
    """Lay a drawing (112, 112) uint8 on the pad of that key, None for an empty sheet. Only before the pad is shown."""
    set_widget(key, {"pixels": None if drawing is None else encode(drawing)})
    known = memory().of_component
    known[key, "changes"] = known.get((key, "changes"), 0) + 1


def wipe(key: str) -> None:
    """Empty the pad of that key, for a button's `on_click`."""
    put(key, None)


def encode(drawing: np.ndarray) -> str:
    """The drawing (112, 112) uint8 as the pad itself sends it: base64 of its bytes, row by row."""
    if drawing.shape != (SIDE, SIDE) or drawing.dtype != np.uint8:
        raise ValueError(f"a drawing is ({SIDE}, {SIDE}) uint8, got {drawing.shape} {drawing.dtype}")
    return base64.b64encode(drawing.tobytes()).decode("ascii")


def decode(pixels: object) -> np.ndarray | None:
    """What `encode` made, back as an array; None for an empty sheet and for anything else that a browser may send."""
    if not isinstance(pixels, str) or not pixels:
        return None
    try:
        raw = base64.b64decode(pixels, validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != SIDE * SIDE:
        return None
    drawing = np.frombuffer(raw, dtype=np.uint8).reshape(SIDE, SIDE)
    return drawing if drawing.any() else None
