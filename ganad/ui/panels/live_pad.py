"""The pad that answers while one draws: what the browser is given so that it can judge by itself."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import streamlit as st

from ganad.config import METHOD_NAMES
from ganad.ui.components.digit_pad import SIDE, Live, put
from ganad.ui.messages import guard
from ganad.ui.panels import explanation, gallery
from ganad.ui.state import cache
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import held
from ganad.ui.theme import pictures
from ganad.web import colours

NEAR = 24
"""Test images that are offered to start from."""


def live(view: ScoredView) -> Live | None:
    """What the pad needs to judge for this run; None where the server has to: a search, or nets too large for a browser."""
    nets = cache.browser_nets(view.run.name)
    if nets is None:
        return None
    return Live(f"{view.run.name}-{cache.version(view.run.name)}", nets, rule(view))


def rule(view: ScoredView) -> dict[str, Any]:
    """Weights, threshold, sorted scores and parts of the held-out normals, colours and sentences, as JSON values."""
    run, parts = view.run, view.scores.val.parts
    what = "a picture" if run.has_names else "one digit"
    return {
        "preparation": run.preparation,
        "parts": list(parts),
        "part_colours": [colours.PARTS[part].both for part in parts],
        "weights": list(view.weights),
        "threshold": view.threshold if math.isfinite(view.threshold) else None,
        "threshold_in_words": view.threshold_in_words
        + (" It was chosen while looking at the test set." if view.tuned_on_test else ""),
        "shift": view.units.shift,
        "unit": view.units.unit,
        "held": _base64(np.sort(view.val)),
        "held_parts": [_base64(np.sort(values)) for values in parts.values()],
        "among": explanation.among(view),
        "title": f"Draw {what}",
        "intro": f"This {METHOD_NAMES[run.method]} has learned what {run.normal_in_words} looks like, and its nets run here in the browser: draw "
        "that with mouse, pen or finger, then something else, and watch verdict, reconstruction and score change with each move.",
        "below": "Normal images that the nets never learned from.",
        "colours": {name: colour.both for name, colour in colours.VERDICTS.items()},
        "map": base64.b64encode(pictures.RESIDUAL_MAP.tobytes()).decode("ascii"),
    }


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")


def start_from(view: ScoredView) -> None:
    """A choice of test images to begin a drawing with: those nearest to the threshold, and any by its number."""
    with st.popover("Start from a test image", icon=":material/add_photo_alternate:", key="start_from"):
        st.caption(
            "Nearest to the threshold: a stroke more or less may change their verdict. "
            "The image is laid on the pad; erase some of it, or add to it."
        )
        near = np.argsort(np.abs(view.test - view.threshold) if math.isfinite(view.threshold) else view.test)
        gallery.wall(view, near[:NEAR], key="start_near", size=56, on_pick=lambda row: lay_on_pad(view.run.name, row))
        index = view.scores.test.index
        st.number_input(
            "Or by its number in the test set", min_value=0, max_value=int(index.max()), value=None, step=1, key="start_number",
            placeholder=f"0 to {int(index.max()):,}", on_change=guard.callback(lambda: _by_number(view.run.name)),
        )  # fmt: skip


def lay_on_pad(name: str, row: int) -> None:
    """The test image in that row of the run's scores on the pad, each of its pixels a square; in a callback."""
    put("pad", cache.images(name)[row].repeat(SIDE // 28, axis=0).repeat(SIDE // 28, axis=1))


def _by_number(name: str) -> None:
    rows = np.flatnonzero(cache.scores(name).test.index == held("start_number"))
    if len(rows):
        lay_on_pad(name, int(rows[0]))
