"""One test image, explained: what was given, what came back, and what that adds to its score."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganad.config import PARTS
from ganad.evaluation import filters
from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.components.into_view import into_view
from ganad.ui.messages import guard
from ganad.ui.panels import explanation, export, latent_search, latent_space
from ganad.ui.panels.weights import units
from ganad.ui.state import cache, selection
from ganad.ui.state.rule import Mix, mix_of, note
from ganad.ui.theme import pictures


def inspect(run: RunInfo, mix: Mix, row: int | None) -> None:
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
        look = guard.or_none(cache.explanation, run.name, row)
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
        "Show the search", key="film", persist_state="session", help="How z was found, once more and step by step."
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
    word = str(filters.outcomes(found.anomalous[[row]], np.array([called]))[0])
    right = word in ("caught", "passed")
    st.subheader(f"A {found.test.digit[row]}, called {'anomalous' if called else 'normal'}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            {"false alarms": "false alarm"}.get(word, word),
            icon=":material/check:" if right else ":material/close:", color="green" if right else "red",
        )  # fmt: skip
        st.caption(f"{explanation.in_words(run, mix, float(test[row]))} · test image {int(found.test.index[row])}")
    note(mix)


def side_by_side_html(given: np.ndarray, made: np.ndarray, size: int = 148) -> str:
    """Input, reconstruction and signed residual side by side."""
    residual = pictures.signed_residual(given, made)
    shown = (
        (pictures.png(given, 5), "input", "input digit"),
        (pictures.png(made, 5), "reconstruction", "what the nets reconstructed"),
        (pictures.png(residual, 5), "residual", "signed residual: blue is ink missing, orange is ink too much"),
    )
    return pictures.figure_html(list(shown), size_px=size) + pictures.residual_legend()
