"""The views of the Browse page: the gallery with its filters, and the inspector of one image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from ganad.config import PARTS
from ganad.evaluation import metrics
from ganad.service import RunInfo
from ganad.ui import charts, page
from ganad.ui.components.into_view import into_view
from ganad.ui.components.tiles import clicked, tiles
from ganad.ui.messages import guard
from ganad.ui.panels import explanation, export, filter_chips, latent_search, latent_space
from ganad.ui.panels.weights import units
from ganad.ui.state import cache, selection
from ganad.ui.state.rule import Mix, mix_of, note
from ganad.ui.state.selection import MEANING, SORTS, VERDICTS
from ganad.ui.theme import colours, pictures

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


def inspector(run: RunInfo, mix: Mix, row: int | None) -> None:
    """One image: what was given, what came back, what is missing; its score term by term, its place among all."""
    if row is None:
        return
    with st.container(key="inspector"):
        into_view("inspector", st.session_state.get("picks", 0))
        _inspected(run, mix, row)


def _inspected(run: RunInfo, mix: Mix, row: int) -> None:
    found = cache.scores(run.name)
    _, test = cache.totals(run.name, mix.weights)
    headline(run, mix, row)
    rows = selection.rows(run, mix)
    place = int(np.flatnonzero(rows == row)[0])
    parts = {p: float(found.test.parts[p][row]) for p in PARTS}
    given = cache.images(run.name)[row]
    with st.skeleton(height=190):
        look = page.tried(cache.look, run.name, row)
    if look is None:  # neither pictures nor nets came with this run
        st.html(pictures.figure_html([(pictures.png(given, 5), "input", "input digit")], size_px=148))
    else:
        story = explanation.Story(given, look, parts, f"A {found.test.digit[row]}")
        steps = place > 0, place < len(rows) - 1
        explanation.picture(
            run, mix, story, key="lens", steps=steps, on_step=guard.callback(lambda: _stepped(run))
        )  # fmt: skip
    units(run)
    explanation.score(run, mix, parts, key="browse")
    st.plotly_chart(
        charts.histogram(
            test[~found.anomalous], test[found.anomalous], mix.threshold, marked=float(test[row]),
            marked_label="this image", height=220, units=mix.units,
        ),
        key="place", config=export.config("place"), alt=f"the image's score {mix.units.shown(float(test[row])):.4g} among all test images",
    )  # fmt: skip
    if st.toggle(
        "Nearest normals", key="nearest", persist_state="session",
        help="The held-out normal images whose codes lie nearest to this image's code.",
    ):  # fmt: skip
        latent_space.nearest(run, lambda codes: codes[row])
    if latent_search.searches(run) and st.toggle(
        "Film the search", key="film", persist_state="session", help="How z was found, once more and step by step."
    ):
        latent_search.film(run, given, key="browse")
    export.link(run)


def _stepped(run: RunInfo) -> None:
    """To the previous or the next image of the choice, from the one that is picked now."""
    by = (st.session_state.get("lens") or {}).get("step")
    now = mix_of(run)
    rows = selection.rows(run, now)
    picked = selection.picked(run, now, rows)
    if by not in (-1, 1) or picked is None:
        return
    place = int(np.flatnonzero(rows == picked)[0])
    if 0 <= place + by < len(rows):
        selection.choose(run, image=int(cache.scores(run.name).test.index[rows[place + by]]))


def headline(run: RunInfo, mix: Mix, row: int) -> None:
    """The verdict on an image, whether it is right, and how strange the image is among held-out normals."""
    found = cache.scores(run.name)
    _, test = cache.totals(run.name, mix.weights)
    called = bool(test[row] > mix.threshold)
    word = str(selection.outcome(found.anomalous[[row]], np.array([called]))[0])
    right = word in ("hits", "correct")
    st.subheader(f"A {found.test.digit[row]}, called {'anomalous' if called else 'normal'}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            {"hits": "hit", "misses": "miss", "false alarms": "false alarm"}.get(word, word),
            icon=":material/check:" if right else ":material/close:", color="green" if right else "red",
        )  # fmt: skip
        st.caption(f"{explanation.in_words(run, mix, float(test[row]))} · test image {int(found.test.index[row])}")
    note(mix)


def triple(given: np.ndarray, made: np.ndarray, size: int = 148) -> str:
    """Input, reconstruction and signed residual side by side."""
    residual = pictures.signed_residual(given, made)
    shown = (
        (pictures.png(given, 5), "input", "input digit"),
        (pictures.png(made, 5), "reconstruction", "what the nets redrew"),
        (pictures.png(residual, 5), "residual", "signed residual: blue is ink missing, orange is ink too much"),
    )
    return pictures.figure_html(list(shown), size_px=size) + pictures.residual_legend()
