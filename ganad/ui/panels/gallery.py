"""The gallery: filters, sort order and tiles of the test images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from ganad.evaluation import metrics
from ganad.service import RunInfo
from ganad.ui.components.tiles import clicked, tiles
from ganad.ui.messages import guard
from ganad.ui.panels import filter_chips, latent_space
from ganad.ui.state import cache, current
from ganad.ui.state.filters import MEANING, VERDICTS
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.selection import sorts
from ganad.ui.state.session import held, memory, set_widget
from ganad.web import colours

PAGE = 60


def gallery(view: ScoredView) -> None:
    """Filters, sort order and tiles of the selected images."""
    run, chosen = view.run, view.selection
    # Widgets are set on every run: another page or a link may have changed what is in force.
    for key, value in (("digits", list(chosen.digits)), ("verdict", chosen.verdict), ("sort", chosen.sort)):
        set_widget(key, value)
    st.pills(
        run.kinds.capitalize(), np.unique(view.scores.test.digit).tolist(), selection_mode="multi", key="digits", on_change=guard.callback(_filtered), args=(run,),
        help="None picked: all of them.", format_func=lambda d: run.class_name(d) + (" · normal" if d in run.normal else ""), wrap=True,
    )  # fmt: skip
    st.segmented_control(
        "Verdict", list(VERDICTS), key="verdict", required=True, on_change=guard.callback(_filtered), args=(run,),
        format_func=VERDICTS.get, help="; ".join(f"{VERDICTS[k]}: {v}" for k, v in MEANING.items()), wrap=True,
    )  # fmt: skip
    if st.toggle(
        "Latent map",
        key="map",
        persist_state="session",
        help="Where the encoder puts each image; draw around some of them.",
    ):
        latent_space.map_of(view)
    else:
        latent_space.lasso_waits(view)
    if chosen.labels(view).keys() & {"band", "lasso"}:
        with st.container(horizontal=True, key="chips"):
            filter_chips.chips(view, ("band", "lasso"))  # digits and verdict stand above, and are turned off there
    rows = view.rows
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(rows):,} of {len(view.test):,} test images")
        st.selectbox(
            "Sort", sorts(run.settings.parts), key="sort", on_change=guard.callback(_filtered), args=(run,), label_visibility="collapsed", width=220,
        )  # fmt: skip
    if view.picked is None:
        filter_chips.nothing_left(view)
        return
    page, pages = view.picked_place // PAGE, -(-len(rows) // PAGE)
    wall(view, rows[page * PAGE : (page + 1) * PAGE], key="gallery", size=54)
    if pages > 1:
        key = f"gallery_page_{page + 1}"  # a widget for each page: its value can be given at its birth alone
        with st.container(key="gallery_pages"):
            st.pagination(pages, default=page + 1, key=key, on_change=guard.callback(_turned), args=(run, key))


def wall(
    view: ScoredView, shown: np.ndarray, *, key: str, size: int, on_pick: Callable[[int], None] | None = None
) -> None:
    """Tiles of some rows of the test images, framed by verdict; a click picks the image on every page.

    on_pick: what a click does with the row instead.
    """
    there = np.flatnonzero(shown == view.picked)
    percentiles = metrics.percentile(view.test[shown], view.val)
    tiles(
        cache.images(view.run.name)[shown],
        key=key,
        labels=[label(view, int(row)) for row in shown],
        frames=[frame(p, called) for p, called in zip(percentiles, view.called[shown], strict=True)],
        picked=int(there[0]) if len(there) else None,
        ids=shown.tolist(),
        size=size,
        version=f"{view.run.name}-{view.weights}-{view.threshold}-{hash(shown.tobytes())}",
        on_pick=guard.callback(lambda: _picked(view.run, key, on_pick)),
    )


def _filtered(run: RunInfo) -> None:
    current.select(run, digits=tuple(sorted(held("digits"))), verdict=held("verdict"), sort=held("sort"), image=None)


def _turned(run: RunInfo, key: str) -> None:
    """Another page of the gallery: its first image is the picked one."""
    rows = current.view(run).rows
    if len(rows):
        current.pick(run, rows[min((held(key) - 1) * PAGE, len(rows) - 1)])


def _picked(run: RunInfo, key: str, on_pick: Callable[[int], None] | None) -> None:
    """A tile was clicked: its name is the row that it showed."""
    row = clicked(key)
    if row is not None and 0 <= row < len(cache.scores(run.name).test):
        if on_pick:
            on_pick(row)
        else:
            memory().picks += 1
            current.pick(run, row)


def frame(percentile: float, called: bool) -> str:
    """The colour of a tile's frame: of its verdict, the fainter the closer its score to the middle of the normals."""
    colour = colours.ANOMALOUS if called else colours.NORMAL
    return colour.faint(1.0 if called else 0.35 + 0.65 * float(percentile) / 100)


def label(view: ScoredView, row: int) -> str:
    """What a screen reader and a tooltip say of a tile."""
    verdict = "anomalous" if view.called[row] else "normal"
    truth = "an anomaly" if view.scores.anomalous[row] else "normal"
    what, score = view.run.a_class(view.scores.test.digit[row]), view.units.shown(view.test[row])
    return f"{what}, called {verdict}, is {truth}, score {score:.4g}"
