"""The pad that answers while one draws: what the browser is given so that it can judge by itself."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.ui.components import digit_pad
from ganad.ui.components.digit_pad import SIDE, Live, put
from ganad.ui.messages import guard
from ganad.ui.panels import gallery
from ganad.ui.state import cache
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import held, memory
from ganad.web.pad import payload

NEAR = 24
"""Test images that are offered to start from."""


def live(view: ScoredView, *, asks: bool = True) -> Live | None:
    """What the pad needs to judge for this run; None where the server has to: a search, or nets too large for a browser.

    asks: the pad offers to have a drawing explained
    """
    run = view.run
    version = f"{run.name}-{cache.version(run.name)}"
    if not service.may_run_in_browser(run.name) or version in memory().judged_by_server:
        return None
    looked = " It was chosen while looking at the test set." if view.tuned_on_test else ""
    rule = payload.rule(
        view.scores.val.parts, view.weights, view.threshold, units=view.units, preparation=run.preparation,
        detector=METHOD_NAMES[run.method], normal=run.normal_in_words, among=run.held_out_in_words(len(view.val)),
        threshold_in_words=view.threshold_in_words + looked, asks=asks,
    )  # fmt: skip
    if run.has_names and run.preparation == "digit":  # a sign, prepared as digits are
        rule["title"] = "Draw one"
    return Live(version, rule)


def send_nets(view: ScoredView, live: Live, key: str = "pad") -> None:
    """The nets, after the pad of that key is on the page: packing them takes a second or two the first time, and torch."""
    nets = guard.or_none(cache.browser_nets, view.run.name)
    if nets is None:
        memory().judged_by_server.add(live.version)
        st.rerun()
    digit_pad.send_nets(key, live.version, nets)


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
