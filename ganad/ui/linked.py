"""Charts that are filters: what is brushed or clicked on Evaluate, and the images that it leaves."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganad.evaluate import Curve
from ganad.service import RunInfo
from ganad.ui import browsing, cache, mix, page, selection
from ganad.ui.components.digit_rows import digit_rows
from ganad.ui.components.outcomes import CELLS, outcomes
from ganad.ui.mix import Mix

SHOWN = 42
"""Images under the charts; Browse has them all."""


def brushed(run: RunInfo) -> None:
    """A box was drawn on the plain histogram: its scores are the band."""
    boxes = st.session_state["histogram"]["selection"].get("box") or []
    selection.choose(run, band=tuple(sorted(boxes[-1]["x"])) if boxes else None)


def picked_on_roc(run: RunInfo, curve: Curve) -> None:
    """A point of the plain ROC was clicked: the threshold goes there, and the image nearest to it is picked."""
    points = st.session_state["roc"]["selection"].get("points") or []
    if not points:
        return
    finite = np.flatnonzero(np.isfinite(curve.thresholds))
    away = np.hypot(curve.x[finite] - points[0]["x"], curve.y[finite] - points[0]["y"])
    mix.keep(run, mix.weights_of(run), ("by hand", float(curve.thresholds[finite[np.argmin(away)]])))
    selection.choose(run, image=selection.nearest_to(run, mix.mix_of(run)))


def digits(run: RunInfo, rows: list[dict]) -> None:
    """How each digit fares; a click leaves that digit alone, another one brings all back."""
    digit_rows(rows, key="digit_bars", picked=selection.current(run).digits, on_pick=lambda: _picked_digit(run))


def _picked_digit(run: RunInfo) -> None:
    digit = (st.session_state.get("digit_bars") or {}).get("pick")
    if isinstance(digit, int) and 0 <= digit <= 9:
        same = selection.current(run).digits == (digit,)
        selection.choose(run, digits=() if same else (digit,), image=None)


def picked_on_strip(run: RunInfo, key: str) -> None:
    """A digit of the live mixer's strip was clicked."""
    said = (st.session_state.get(key) or {}).get("pick")
    index = cache.scores(run.name).test.index
    if isinstance(said, dict) and isinstance(row := said.get("row"), int) and 0 <= row < len(index):
        selection.clear(run)  # it may not be among what is chosen, and would not be seen
        selection.choose(run, image=int(index[row]))


def confusion(run: RunInfo, now: Mix) -> None:
    """The four outcomes with digits on them; a click keeps these images alone, another one brings all back."""
    found = cache.scores(run.name)
    _, test = cache.totals(run.name, now.weights)
    kinds = selection.outcome(found.anomalous, test > now.threshold)
    # The highest scores of what is called anomalous come first, the lowest of what is called normal.
    order = {"hits": -test, "misses": test, "false alarms": -test, "correct": test}
    rows = {}
    for name in CELLS:
        these = np.flatnonzero(kinds == name)
        rows[name] = these[np.argsort(order[name][these], kind="stable")]
    outcomes(
        rows, cache.images(run.name), key="outcomes", picked=selection.current(run).verdict,
        on_pick=lambda: _picked_outcome(run),
    )  # fmt: skip


def _picked_outcome(run: RunInfo) -> None:
    name = (st.session_state.get("outcomes") or {}).get("pick")
    if name in CELLS:
        same = selection.current(run).verdict == name
        selection.choose(run, verdict="all" if same else name, image=None)


def these_images(run: RunInfo, now: Mix) -> None:
    """What brushing and clicking left: the images, one of them beside its reconstruction, and the way to Browse."""
    chosen = selection.current(run)
    rows = selection.rows(run, now, chosen)
    with st.container(key="these_images"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("These images", width="content", help="Brush the histogram, or click a digit or an outcome.")
            st.caption(f"{len(rows):,} of {len(cache.scores(run.name).test.index):,} · {in_words(run)}")
        if not chosen.whole:
            with st.container(horizontal=True):
                st.button(
                    "All images again", icon=":material/close:", key="all_again", on_click=selection.clear, args=(run,)
                )
                _to_browse(run)
        picked = selection.picked(run, now, rows)
        if picked is None:
            st.info("No test image is among these.")
            return
        left, right = page.split("these", [5, 3])
        with left:
            place = int(np.flatnonzero(rows == picked)[0])
            start = min(max(0, place - SHOWN // 2), max(0, len(rows) - SHOWN))
            browsing.wall(run, now, rows[start : start + SHOWN], picked, key="these", size=44)
            if chosen.whole:
                _to_browse(run)
        with right:
            browsing.headline(run, now, picked)
            st.html(browsing.triple(cache.images(run.name)[picked], cache.reconstruction(run.name, picked), size=112))


def in_words(run: RunInfo) -> str:
    """The choice in words, as "digits 3 and 8, missed, score 1.2 to 3.4"."""
    chosen, said = selection.current(run), []
    if chosen.digits:
        said.append("digit " + ", ".join(map(str, chosen.digits)))
    if chosen.verdict != "all":
        said.append(selection.VERDICTS[chosen.verdict])
    if chosen.band:
        said.append("score {:.4g} to {:.4g}".format(*chosen.band))
    if chosen.lasso:
        said.append("inside the lasso")
    return ", ".join(said) or "brush the histogram, click a digit or an outcome"


def _to_browse(run: RunInfo) -> None:
    st.page_link(
        "pages/2_Browse.py", label="Open in Browse", icon=":material/grid_view:", query_params={"run": run.name}
    )
