"""Charts that are filters: what is brushed or clicked on Evaluate, and the images that it leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from ganad.evaluation import filters
from ganad.service import RunInfo
from ganad.ui.components.digit_rows import digit_rows
from ganad.ui.components.outcomes import CELLS, outcomes
from ganad.ui.messages import guard
from ganad.ui.panels import filter_chips, gallery, inspector, latent_space
from ganad.ui.state import address, cache, rule, selection
from ganad.ui.state.rule import Mix
from ganad.ui.theme import layout

SHOWN = 42
"""Images under the charts; Browse has them all."""
AROUND = 8
"""Images on each side of the threshold."""


def brushed(run: RunInfo, on_standardised: bool) -> None:
    """A box was drawn on the plain histogram: its scores are the band. What its numbers mean, the chart's axis says."""
    boxes = st.session_state["histogram"]["selection"].get("box") or []
    units = rule.units_of(run, on_standardised)
    selection.choose(run, band=tuple(sorted(map(units.score, boxes[-1]["x"]))) if boxes else None)


def picked_on_roc(run: RunInfo) -> None:
    """A point of the plain ROC was clicked: the threshold goes there, and the image nearest to it is picked."""
    points = st.session_state["roc"]["selection"].get("points") or []
    if not points:
        return
    now = rule.mix_of(run)
    curve = cache.evaluation(run.name, now.weights, now.threshold).roc
    finite = np.flatnonzero(np.isfinite(curve.thresholds))
    away = np.hypot(curve.x[finite] - points[0]["x"], curve.y[finite] - points[0]["y"])
    rule.keep(run, rule.weights_of(run), ("manual", float(curve.thresholds[finite[np.argmin(away)]])))
    selection.choose(run, image=selection.nearest_to(run, rule.mix_of(run)))


def digits(run: RunInfo, rows: list[dict]) -> None:
    """How each digit fares; a click leaves that digit alone, another one brings all back."""
    digit_rows(
        rows, key="digit_bars", picked=selection.current(run).digits, on_pick=guard.callback(lambda: _picked_digit(run))
    )


def _picked_digit(run: RunInfo) -> None:
    digit = (st.session_state.get("digit_bars") or {}).get("pick")
    if isinstance(digit, int) and 0 <= digit <= 9:
        same = selection.current(run).digits == (digit,)
        selection.choose(run, digits=() if same else (digit,), image=None)


def picked_on_strip(run: RunInfo, key: str) -> None:
    """A digit of the live mixer's strip was clicked."""
    said = (st.session_state.get(key) or {}).get("pick")
    n = len(cache.scores(run.name).test.index)
    if isinstance(said, dict) and isinstance(row := said.get("row"), int) and 0 <= row < n:
        show(run, row)


def show(run: RunInfo, row: int) -> None:
    """Pick an image. Where the choice leaves it out it could not be seen, so then all images are back."""
    there = row in selection.rows(run, rule.mix_of(run))
    wider = {} if there else {"digits": (), "verdict": "all", "band": None, "lasso": ()}
    selection.choose(run, **wider, image=int(cache.scores(run.name).test.index[row]))


def around(run: RunInfo, now: Mix) -> None:
    """The images closest to the threshold on both sides; the live mixer has them on its own strip."""
    _, test = cache.totals(run.name, now.weights)
    order = np.argsort(test, kind="stable")
    at = int((test <= now.threshold).sum())
    sides = {
        "just below: called normal": ("below", order[max(0, at - AROUND) : at]),
        "just above: called anomalous": ("above", order[at : at + AROUND]),
    }
    picked = selection.picked(run, now)
    with st.container(key="around"):
        for column, (words, (key, rows)) in zip(st.columns(2, gap="large"), sides.items(), strict=True):
            with column:
                st.caption(words if len(rows) else f"{words}: none")
                if len(rows):
                    gallery.wall(run, now, rows, picked, key=key, size=44, on_pick=lambda row: show(run, row))


def confusion(run: RunInfo, now: Mix) -> None:
    """The four outcomes with digits on them; a click keeps these images alone, another one brings all back."""
    found = cache.scores(run.name)
    _, test = cache.totals(run.name, now.weights)
    kinds = filters.outcomes(found.anomalous, test > now.threshold)
    # The highest scores of what is called anomalous come first, the lowest of what is called normal.
    order = {"caught": -test, "missed": test, "false alarms": -test, "passed": test}
    rows = {}
    for name in CELLS:
        these = np.flatnonzero(kinds == name)
        rows[name] = these[np.argsort(order[name][these], kind="stable")]
    outcomes(
        rows, cache.images(run.name), key="outcomes", picked=selection.current(run).verdict,
        on_pick=guard.callback(lambda: _picked_outcome(run)),
    )  # fmt: skip


def _picked_outcome(run: RunInfo) -> None:
    name = (st.session_state.get("outcomes") or {}).get("pick")
    if name in CELLS:
        same = selection.current(run).verdict == name
        selection.choose(run, verdict="all" if same else name, image=None)


def these_images(run: RunInfo, now: Mix) -> Callable[[], None]:
    """What brushing and clicking left: the images, the verdict on one of them, and the way to Browse.

    Returns what draws its reconstruction, to be called last: the nets may have to be loaded for it first.
    """
    rows = selection.rows(run, now)
    with st.container(key="these_images"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("These images", width="content", help="Brush the histogram, or click a digit or an outcome.")
            said = ", ".join(filter_chips.words(run).values()) or "brush the histogram, click a digit or an outcome"
            st.caption(f"{len(rows):,} of {len(cache.scores(run.name).test.index):,} · {said}")
        with st.container(key="these_chips", horizontal=True, vertical_alignment="center"):
            filter_chips.chips(run)
            if len(filter_chips.words(run)) > 1:
                st.button(
                    "All images again",
                    key="all_again",
                    on_click=guard.callback(selection.clear),
                    args=(run,),
                    type="tertiary",
                )
            st.page_link(
                "pages/2_Browse.py",
                label="Open in Browse",
                icon=":material/grid_view:",
                query_params=address.to_query(run),
            )
        latent_space.lasso_waits(run)
        picked = selection.picked(run, now, rows)
        if picked is None:
            filter_chips.nothing_left(run)
            return lambda: None
        left, right = layout.side_by_side("these", [5, 3])
        with left:
            place = int(np.flatnonzero(rows == picked)[0])
            start = min(max(0, place - SHOWN // 2), max(0, len(rows) - SHOWN))
            gallery.wall(run, now, rows[start : start + SHOWN], picked, key="these", size=44)
        with right:
            inspector.headline(run, now, picked)
            slot = st.container()

    def redrawn() -> None:
        with slot:
            with st.skeleton(height=150):
                made = guard.or_none(cache.reconstruction, run.name, picked)
            if made is not None:
                st.html(inspector.side_by_side_html(cache.images(run.name)[picked], made, size=112))

    return redrawn
