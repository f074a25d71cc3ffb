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
from ganad.ui.state import cache, selection
from ganad.ui.state.rule import Mix, mix_of
from ganad.ui.state.selection import MEANING, SORTS, VERDICTS
from ganad.web import colours

PAGE = 60


def gallery(run: RunInfo, mix: Mix) -> int | None:
    """Filters, sort order and tiles; returns the row of the picked image, or None when nothing matches."""
    found = cache.scores(run.name)
    _, test = cache.totals(run.name, mix.weights)
    chosen = selection.current(run)
    _show(digits=list(chosen.digits), verdict=chosen.verdict, sort=chosen.sort)
    st.pills(
        "Digits", np.unique(found.test.digit).tolist(), selection_mode="multi", key="digits", on_change=guard.callback(_filtered), args=(run,),
        help="None picked: all of them.", format_func=lambda d: f"{d} · normal" if d in run.normal else str(d),
    )  # fmt: skip
    st.segmented_control(
        "Verdict", list(VERDICTS), key="verdict", required=True, on_change=guard.callback(_filtered), args=(run,),
        format_func=VERDICTS.get, help="; ".join(f"{VERDICTS[k]}: {v}" for k, v in MEANING.items()),
    )  # fmt: skip
    if st.toggle(
        "Latent map",
        key="map",
        persist_state="session",
        help="Where the encoder puts each image; draw around some of them.",
    ):
        latent_space.map_of(run, mix)
    else:
        latent_space.lasso_waits(run)
    if filter_chips.words(run).keys() & {"band", "lasso"}:
        with st.container(horizontal=True, key="chips"):
            filter_chips.chips(run, ("band", "lasso"))  # digits and verdict stand above, and are taken away there
    rows = selection.rows(run, mix, chosen)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(rows):,} of {len(test):,} test images")
        st.selectbox(
            "Sort",
            SORTS,
            key="sort",
            on_change=guard.callback(_filtered),
            args=(run,),
            label_visibility="collapsed",
            width=220,
        )
    picked = selection.picked(run, mix, rows)
    if picked is None:
        filter_chips.nothing_left(run)
        return None
    place, pages = int(np.flatnonzero(rows == picked)[0]), -(-len(rows) // PAGE)
    at = place // PAGE
    shown = rows[at * PAGE : (at + 1) * PAGE]
    wall(run, mix, shown, picked, key="gallery", size=54)
    if pages > 1:
        key = f"gallery_page_{at + 1}"  # a widget for each page: its value can be given at its birth alone
        with st.container(key="gallery_pages"):
            st.pagination(pages, default=at + 1, key=key, on_change=guard.callback(_turned), args=(run, key))
    return picked


def wall(
    run: RunInfo,
    mix: Mix,
    shown: np.ndarray,
    picked: int | None,
    *,
    key: str,
    size: int,
    on_pick: Callable[[int], None] | None = None,
) -> None:
    """Tiles of some rows of the test images, framed by verdict; a click picks the image on every page.

    on_pick: what a click does with the row instead.
    """
    found = cache.scores(run.name)
    val, test = cache.totals(run.name, mix.weights)
    called = test[shown] > mix.threshold
    there = np.flatnonzero(shown == picked)
    tiles(
        cache.images(run.name)[shown],
        key=key,
        labels=[label(found, test, mix, int(r)) for r in shown],
        frames=[frame(p, c) for p, c in zip(metrics.percentile(test[shown], val), called, strict=True)],
        picked=int(there[0]) if len(there) else None,
        ids=shown.tolist(),
        size=size,
        version=f"{run.name}-{mix.weights}-{mix.threshold}-{hash(shown.tobytes())}",
        on_pick=guard.callback(lambda: _picked(run, key, on_pick)),
    )


def _show(**values: object) -> None:
    """Let widgets show what is in force; they are told on every run, since another page or a link may have changed it."""
    for key, value in values.items():
        st.session_state[key] = value


def _filtered(run: RunInfo) -> None:
    state = st.session_state
    digits = tuple(sorted(state["digits"]))
    selection.choose(run, digits=digits, verdict=state["verdict"], sort=state["sort"], image=None)


def _turned(run: RunInfo, key: str) -> None:
    """Another page of the gallery: its first image is the picked one."""
    rows = selection.rows(run, mix_of(run))
    if not len(rows):
        return
    row = rows[min((st.session_state[key] - 1) * PAGE, len(rows) - 1)]
    selection.choose(run, image=int(cache.scores(run.name).test.index[row]))


def _picked(run: RunInfo, key: str, on_pick: Callable[[int], None] | None) -> None:
    """A tile was clicked: its name is the row that it showed."""
    row, index = clicked(key), cache.scores(run.name).test.index
    if row is not None and 0 <= row < len(index):
        if on_pick:
            on_pick(row)
        else:
            st.session_state["picks"] = st.session_state.get("picks", 0) + 1
            selection.choose(run, image=int(index[row]))


def frame(percentile: float, called: bool) -> str:
    """The colour of a tile's frame: of its verdict, the fainter the closer its score to the middle of the normals."""
    colour = colours.ANOMALOUS if called else colours.NORMAL
    return colour.faint(1.0 if called else 0.35 + 0.65 * float(percentile) / 100)


def label(found, test: np.ndarray, mix: Mix, row: int) -> str:
    """What a screen reader and a tooltip say of a tile."""
    verdict = "anomalous" if test[row] > mix.threshold else "normal"
    truth = "an anomaly" if found.anomalous[row] else "normal"
    return f"digit {found.test.digit[row]}, called {verdict}, is {truth}, score {mix.units.shown(test[row]):.4g}"
