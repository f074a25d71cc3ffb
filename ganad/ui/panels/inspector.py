"""One test image, explained: what was given, what came back, and what that adds to its score."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.components.into_view import into_view
from ganad.ui.messages import guard
from ganad.ui.panels import explanation, export, latent_search, latent_space, live_pad
from ganad.ui.panels.weights import units
from ganad.ui.state import address, cache, current
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import memory, sent
from ganad.ui.theme import pictures


def inspect(view: ScoredView) -> None:
    """The picked image: what was given, what came back, what is missing; its score term by term, its place among all."""
    if view.picked is None:
        return
    with st.container(key="inspector"):
        into_view("inspector", memory().picks)
        _inspected(view, view.picked)


def _inspected(view: ScoredView, row: int) -> None:
    run, anomalous, score = view.run, view.scores.anomalous, float(view.test[row])
    headline(view, row)
    given = cache.images(run.name)[row]
    with st.skeleton(height=190):
        explained = guard.or_none(cache.explanation, run.name, row)
    if explained is None:  # neither pictures nor nets came with this run
        st.html(pictures.figure_html([(pictures.png(given, 5), "input", "the test image")], size_px=148))
    else:
        story = explanation.Story(
            given, explained, view.parts(row), _capital(run.image_of(view.scores.test.digit[row]))
        )
        steps = view.picked_place > 0, view.picked_place < len(view.rows) - 1
        explanation.picture(view, story, key="lens", steps=steps, on_step=guard.callback(lambda: _stepped(run)))
    units(run)
    explanation.score(view, view.parts(row), key="browse")
    st.plotly_chart(
        charts.histogram(
            view.test[~anomalous], view.test[anomalous], view.threshold, marked=score,
            marked_label="this image", height=220, units=view.units,
        ),
        key="place", config=export.config("place"), alt=f"the image's score {view.units.shown(score):.4g} among all test images",
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
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Change it on the pad", icon=":material/draw:", key="to_pad", on_click=guard.callback(live_pad.lay_on_pad), args=(run.name, row),
            help="Erase a stroke or add one, and see what that does to the score.",
        ):  # fmt: skip
            st.switch_page("pages/4_Score.py", query_params=address.query())
        export.link(view)


def _stepped(run: RunInfo) -> None:
    """To the previous or the next image of the selection, from the one that is picked now."""
    by, view = sent("lens", "step"), current.view(run)
    if by in (-1, 1) and view.picked is not None and 0 <= (place := view.picked_place + by) < len(view.rows):
        current.pick(run, view.rows[place])


def headline(view: ScoredView, row: int) -> None:
    """The verdict on an image, whether it is right, and how strange the image is among held-out normals."""
    outcome, called = str(view.outcomes[row]), "anomalous" if view.called[row] else "normal"
    right = outcome in ("caught", "passed")
    st.subheader(f"{_capital(view.run.image_of(view.scores.test.digit[row]))}, called {called}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            {"false alarms": "false alarm"}.get(outcome, outcome),
            icon=":material/check:" if right else ":material/close:", color="green" if right else "red",
        )  # fmt: skip
        st.caption(f"{explanation.in_words(view, float(view.test[row]))} · test image {view.index(row)}")
    view.note_missing_threshold()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def side_by_side_html(given: np.ndarray, reconstruction: np.ndarray, size: int = 148) -> str:
    """Input, reconstruction and signed residual side by side."""
    residual = pictures.signed_residual(given, reconstruction)
    shown = (
        (pictures.png(given, 5), "input", "the test image"),
        (pictures.png(reconstruction, 5), "reconstruction", "what the nets reconstructed"),
        (pictures.png(residual, 5), "residual", "signed residual: blue is ink missing, orange is ink too much"),
    )
    return pictures.figure_html(list(shown), size_px=size) + pictures.residual_legend()
