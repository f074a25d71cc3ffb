"""Charts that are filters: what is brushed or clicked on Evaluate, and the images that it leaves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from ganad.config import MOST_CLASSES
from ganad.service import RunInfo
from ganad.ui.components.digit_rows import digit_rows
from ganad.ui.components.outcomes import CELLS, outcomes
from ganad.ui.messages import guard
from ganad.ui.panels import filter_chips, gallery, inspector, latent_space
from ganad.ui.state import address, cache, current
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import marked, sent
from ganad.ui.theme import layout

SHOWN = 42
"""Images under the charts; Browse has them all."""
AROUND = 8
"""Images on each side of the threshold."""


def brushed(run: RunInfo, on_standardised: bool) -> None:
    """A box was drawn on the plain histogram: its scores are the band. What its numbers mean, the chart's axis says."""
    boxes = marked("histogram", "box")
    units = current.view(run).units_on(on_standardised)
    current.select(run, band=tuple(sorted(map(units.score, boxes[-1]["x"]))) if boxes else None)


def picked_on_roc(run: RunInfo) -> None:
    """A point of the plain ROC was clicked: the threshold goes there, and the image nearest to it is picked."""
    if not (points := marked("roc")):
        return
    view = current.view(run)
    curve = cache.evaluation(run.name, view.weights, view.threshold).roc
    finite = np.flatnonzero(np.isfinite(curve.thresholds))
    away = np.hypot(curve.x[finite] - points[0]["x"], curve.y[finite] - points[0]["y"])
    threshold = float(curve.thresholds[finite[np.argmin(away)]])
    current.decide(run, view.rule.with_threshold("manual", threshold), nearest_image=True)


def digits(view: ScoredView, rows: list[dict]) -> None:
    """How each digit fares; a click leaves that digit alone, another one brings all back."""
    run = view.run
    digit_rows(
        rows, key="digit_bars", picked=view.selection.digits, on_pick=guard.callback(lambda: _picked_digit(run)),
        names=lambda d: (run.class_name(d), run.a_class(d)),
    )  # fmt: skip


def _picked_digit(run: RunInfo) -> None:
    digit = sent("digit_bars", "pick")
    if isinstance(digit, int) and 0 <= digit < MOST_CLASSES:
        same = current.selection(run).digits == (digit,)
        current.select(run, digits=() if same else (digit,), image=None)


def picked_on_strip(run: RunInfo, key: str) -> None:
    """A digit of the live mixer's strip was clicked."""
    pick = sent(key, "pick")
    n = len(cache.scores(run.name).test.index)
    if isinstance(pick, dict) and isinstance(row := pick.get("row"), int) and 0 <= row < n:
        show(run, row)


def show(run: RunInfo, row: int) -> None:
    """Pick an image. Where the filters leave it out it could not be seen, so then they are off."""
    view = current.view(run)
    filters_off = {} if row in view.rows else {f.name: f.off for f, _ in view.selection.active}
    current.select(run, **filters_off, image=view.index(row))


def around(view: ScoredView) -> None:
    """The images closest to the threshold on both sides; the live mixer has them on its own strip."""
    order = np.argsort(view.test, kind="stable")
    at = int((~view.called).sum())
    sides = {
        "just below: called normal": ("below", order[max(0, at - AROUND) : at]),
        "just above: called anomalous": ("above", order[at : at + AROUND]),
    }
    with st.container(key="around"):
        for column, (title, (key, rows)) in zip(st.columns(2, gap="large"), sides.items(), strict=True):
            with column:
                st.caption(title if len(rows) else f"{title}: none")
                if len(rows):
                    gallery.wall(view, rows, key=key, size=44, on_pick=lambda row: show(view.run, row))


def confusion(view: ScoredView) -> None:
    """The four outcomes with digits on them; a click keeps these images alone, another one brings all back."""
    # The highest scores of what is called anomalous come first, the lowest of what is called normal.
    order = {"caught": -view.test, "missed": view.test, "false alarms": -view.test, "passed": view.test}
    rows = {}
    for name in CELLS:
        these = np.flatnonzero(view.outcomes == name)
        rows[name] = these[np.argsort(order[name][these], kind="stable")]
    outcomes(
        rows, cache.images(view.run.name), key="outcomes", picked=view.selection.verdict,
        on_pick=guard.callback(lambda: _picked_outcome(view.run)),
    )  # fmt: skip


def _picked_outcome(run: RunInfo) -> None:
    name = sent("outcomes", "pick")
    if name in CELLS:
        same = current.selection(run).verdict == name
        current.select(run, verdict="all" if same else name, image=None)


def these_images(view: ScoredView) -> Callable[[], None]:
    """What brushing and clicking left: the images, the verdict on one of them, and the way to Browse.

    Returns what draws its reconstruction, to be called last: the nets may have to be loaded for it first.
    """
    run, labels = view.run, view.selection.labels(view)
    with st.container(key="these_images"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(
                "These images", width="content", help=f"Brush the histogram, or click a {run.kind} or an outcome."
            )
            filters = ", ".join(labels.values()) or f"brush the histogram, click a {run.kind} or an outcome"
            st.caption(f"{len(view.rows):,} of {len(view.test):,} · {filters}")
        with st.container(key="these_chips", horizontal=True, vertical_alignment="center"):
            filter_chips.chips(view)
            if len(labels) > 1:
                st.button(
                    "All images again", key="all_again", on_click=guard.callback(current.select_all), args=(run,),
                    type="tertiary",
                )  # fmt: skip
            st.page_link(
                "pages/2_Browse.py", label="Open in Browse", icon=":material/grid_view:",
                query_params=address.to_query(view),
            )  # fmt: skip
        latent_space.lasso_waits(view)
        picked = view.picked
        if picked is None:
            filter_chips.nothing_left(view)
            return lambda: None
        left, right = layout.side_by_side("these", [5, 3])
        with left:
            start = min(max(0, view.picked_place - SHOWN // 2), max(0, len(view.rows) - SHOWN))
            gallery.wall(view, view.rows[start : start + SHOWN], key="these", size=44)
        with right:
            inspector.headline(view, picked)
            slot = st.container()

    def draw_reconstruction() -> None:
        with slot:
            with st.skeleton(height=150):
                reconstruction = guard.or_none(cache.reconstruction, run.name, picked)
            if reconstruction is not None:
                st.html(inspector.side_by_side_html(cache.images(run.name)[picked], reconstruction, size=112))

    return draw_reconstruction
