"""The views of the Score page: what was given, what the model sees, and what it says."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from ganad import service
from ganad.config import METHOD_NAMES, Weights
from ganad.data import preparation, preprocess
from ganad.data.sources import PICTURE_TYPES
from ganad.errors import GanadError
from ganad.service import Explanation, ImageScore, RunInfo
from ganad.ui import charts
from ganad.ui.components.digit_pad import digit_pad
from ganad.ui.messages import notices
from ganad.ui.panels import epoch_pad, explanation, export, latent_search, latent_space, live_pad, live_training
from ganad.ui.state import cache, current
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import memory
from ganad.ui.theme import layout, pictures
from ganad.web import colours

MOST = 50


def draw(run: RunInfo) -> None:
    """The pad with what it says beside it: by itself where the nets run in the browser, else the server's verdict."""
    view = current.view(run)
    live = live_pad.live(view)
    if live is not None:
        live_pad.start_from(view)
        after = epoch_pad.epoch(view)
        then = None if after is None else epoch_pad.live(view, after)
        ink = digit_pad(key="pad", size=300, live=then or live)
        if then:
            epoch_pad.send_nets(view, then, after)
            return
        live_pad.send_nets(view, live)
        if ink is not None:
            st.subheader("In detail", divider=True)
            _explained(run, ink)
        return
    if service.has_nets(run.name):
        why = "searches for each image" if run.settings.scores_by_search else "has nets too large for a browser"
        st.caption(f"This {METHOD_NAMES[run.method]} {why}: a drawing is judged by the server after each stroke.")
    left, right = layout.side_by_side("draw", [2, 5])
    with left:
        ink = digit_pad(key="pad", size=300)
    with right:
        if ink is None:
            waiting(run)
            return
        _explained(run, ink)


def _explained(run: RunInfo, ink: np.ndarray) -> None:
    try:
        prepared = preprocess.prepare(ink, invert=False) if run.preparation == "digit" else preparation.whole(ink)
    except GanadError as error:
        notices.info(error, icon=":material/draw:")
        return
    one(run, prepared)


def waiting(run: RunInfo) -> None:
    """Before anything is drawn: what to do, what to expect, and what the detector calls normal."""
    if run.has_names:
        st.markdown(
            f"#### Draw or upload\nThis {METHOD_NAMES[run.method]} has learned what **{run.normal_in_words}** looks like. What you draw is judged as a whole picture: "
            "the verdict, the reconstruction and the parts of the score appear here. Pictures of your own come in by Upload."
        )
        known(run)
        return
    st.markdown(
        f"#### Draw one digit\nThis {METHOD_NAMES[run.method]} has learned what **{run.normal_in_words}** looks "
        "like. Draw that with mouse, pen or finger, then draw something else: the verdict, the reconstruction and the parts of the score "
        "appear here."
    )
    known(run)


def known(run: RunInfo) -> None:
    """A few normal digits of the test set."""
    rows = np.flatnonzero(~cache.scores(run.name).anomalous)[:8]
    images = cache.images(run.name)[rows]
    st.html(pictures.figure_html([(pictures.png(image, 3), "", "a normal image") for image in images], size_px=74))
    st.caption("Normal images of the test set." if run.has_names else "Normal digits, as others wrote them.")


def upload(run: RunInfo) -> None:
    """One image, or many with a table and a CSV."""
    digit = run.preparation == "digit"
    raw = digit and st.toggle(
        "My images are 28x28 already, white on black", key="raw",
        help="Otherwise each picture is turned into a digit as MNIST's makers did: grey, white on black, cropped to the "
        "ink, scaled into 20x20 and centred by its mass.",
    )  # fmt: skip
    files = st.file_uploader(
        "Images" if run.has_names else "Images of one digit each", list(PICTURE_TYPES), accept_multiple_files=True, key="upload", max_upload_size=5,
        help="Photos and scans are fine: dark ink on light paper is recognised." if digit else
        f"Each is made into what this detector was trained on: {preparation.KINDS[run.preparation]}.",
    )  # fmt: skip
    if not files:
        waiting_for_files(run)
        return
    if len(files) > MOST:
        notices.warning(f"The first {MOST} of {len(files)} images are shown; for more use python -m ganad score.")
    good, names = [], []
    for file in files[:MOST]:
        try:
            good.append(_prepared(file.getvalue(), file.name, raw, run.preparation))
            names.append(file.name)
        except GanadError as error:
            notices.error(error, icon=":material/broken_image:")
    if len(good) == 1:
        file = next(f for f in files if f.name == names[0])
        one(run, _as_asked(file.getvalue(), file.name, good[0]) if digit and not raw else good[0], name=names[0])
    elif good:
        several(run, good, names)


def waiting_for_files(run: RunInfo) -> None:
    """Before anything is uploaded: what to do, and what the detector calls normal."""
    what = "pictures" if run.has_names else "a photo or a scan of a handwritten digit"
    st.markdown(f"Drop {what} above; several at once give a table and a CSV.")
    known(run)


@st.cache_data(show_spinner="Reading the image", max_entries=MOST)
def _prepared(content: bytes, name: str, raw: bool, kind: str, **how: bool | None) -> preprocess.Prepared:
    return service.prepare_bytes(content, name, raw, kind, **how)


INKS = {"found by itself": None, "dark on light": True, "light on dark": False}


def _as_asked(content: bytes, name: str, usual: preprocess.Prepared) -> preprocess.Prepared:
    """One picture, prepared as its switches ask; each stage is shown beside them. usual: as it is prepared without a word."""
    with st.expander("How it was prepared", icon=":material/auto_fix_high:"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            ink = st.segmented_control(
                "Ink", list(INKS), default="found by itself", required=True, key="prepare_ink", wrap=True
            )
            centre = st.toggle("Cut out and centred", True, key="prepare_centre")
            thicken = st.toggle("Thin strokes made wider", True, key="prepare_thicken", disabled=not centre)
        try:
            prepared = _prepared(content, name, False, "digit", invert=INKS[ink], centre=centre, thicken=thicken)
        except GanadError as error:
            notices.error(error, icon=":material/broken_image:")
            return usual
        stages = [("as given", prepared.given), *(prepared.stages or [("28 × 28", prepared.digit)])]
        st.html(
            pictures.figure_html(
                [(pictures.png(picture, max(1, 140 // max(picture.shape))), words, words) for words, picture in stages],
                size_px=140,
            )
        )
    return prepared


def judge(view: ScoredView, digits: np.ndarray) -> list[ImageScore]:
    """Judge with the weights and the threshold in force; the same digits are not judged twice."""
    key, threshold = hashlib.sha256(digits.tobytes()).hexdigest(), view.threshold
    judged = _judge(view.run.name, service.version(view.run.name), view.weights, key, digits)
    return [replace(j, threshold=threshold, verdict="anomalous" if j.score > threshold else "normal") for j in judged]


@st.cache_data(show_spinner="Loading the model", max_entries=100)
def _judge(name: str, version: int, weights: Weights, key: str, _digits: np.ndarray) -> list[ImageScore]:
    return service.score_images(name, _digits, weights)


def one(run: RunInfo, prepared: preprocess.Prepared, name: str = "") -> None:
    """The full story of one image."""
    with st.skeleton(height=420):
        view = current.view(run)
        judged = judge(view, prepared.digit[None])[0]
    live_training.remember(prepared.digit, run.preparation)
    memory().explained = (hashlib.sha256(prepared.digit.tobytes()).hexdigest(), judged.verdict)
    for doubt in prepared.doubts:
        notices.warning(doubt, icon=":material/help:")
    verdict(view, judged)
    left, right = layout.side_by_side("given", [1, 4])
    with left:
        size = max(1, 140 // max(prepared.given.shape))
        st.html(
            pictures.figure_html(
                [(pictures.png(prepared.given, size), "as given", name or "your drawing")], size_px=132
            )
        )
    what = "image" if run.has_names else "digit"
    story = explanation.Story(
        prepared.digit, Explanation(judged.reconstruction, judged.pixels), judged.parts, name or f"Your {what}"
    )
    with right:
        explanation.picture(view, story, key="lens_score")
    if prepared.steps:
        st.caption(":material/auto_fix_high: " + " → ".join(prepared.steps))
    left, right = layout.side_by_side("parts", [1, 1])
    with left:
        explanation.score(view, judged.parts, key="score")
    with right:
        anomalous = view.scores.anomalous
        st.plotly_chart(
            charts.histogram(
                view.test[~anomalous], view.test[anomalous], view.threshold, marked=judged.score,
                marked_label="yours", height=250, units=view.units,
            ),
            key="score_place", config=export.config("score_place"), alt=f"your {what}'s score among all test images",
        )  # fmt: skip
    if st.toggle(
        "Nearest normals", key="nearest", persist_state="session",
        help="The held-out normal images whose codes lie nearest to your image's code.",
    ):  # fmt: skip
        latent_space.nearest(run, lambda _: judged.z)
    latent_search.film(run, prepared.digit, key="score")


def verdict(view: ScoredView, judged: ImageScore) -> None:
    """In words: what it is called, how strange that is among held-out normals, and by which threshold."""
    strangeness = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", explanation.in_words(view, judged.score))
    colour = colours.VERDICTS[judged.verdict].both
    st.html(
        f'<div style="border-left: 6px solid {colour}; padding: .15rem 0 .15rem .9rem">'
        f'<div style="font-size: 1.75rem; font-weight: 700; line-height: 1.2">{judged.verdict.capitalize()}</div>'
        f"<div>S{strangeness[1:]}. "
        f"Score {view.units.shown(judged.score):.4g}. {view.threshold_in_words}</div></div>"
    )
    if view.tuned_on_test:
        st.badge("chosen while looking at the test set", icon=":material/visibility:", color="orange")


def _caption(judged: ImageScore, prepared: preprocess.Prepared) -> str:
    """Below a small picture; of a doubt only its first words, the table has them all."""
    doubts = [f"{re.split('[:?]', doubt)[0].lower()}?" for doubt in prepared.doubts]
    return " · ".join([judged.verdict, f"above {min(judged.percentile, 99.9):.3g} % of normals", *doubts])


def several(run: RunInfo, prepared: list[preprocess.Prepared], names: list[str], what: str = "file") -> None:
    """A contact strip, strangest first, then a table and its CSV. what: the names are of that."""
    digits = np.stack([p.digit for p in prepared])
    with st.skeleton(height=420):
        view = current.view(run)
        judged = judge(view, digits)
    order = sorted(range(len(judged)), key=lambda i: -judged[i].score)
    anomalous = sum(j.verdict == "anomalous" for j in judged)
    st.markdown(f"#### {anomalous} of {len(judged)} called anomalous, the strangest first")
    view.note_missing_threshold()
    st.html(
        pictures.figure_html(
            [
                (
                    pictures.png(digits[i], 3),
                    _caption(judged[i], prepared[i]),
                    names[i] if what == "file" else f"{what} {names[i]}",
                )
                for i in order
            ],
            size_px=84,
        )
    )
    st.plotly_chart(
        charts.score_strip([(names[i], judged[i].score, judged[i].verdict) for i in order], judged[0].threshold, height=220),
        key="strip", config=export.config("strip"), alt="scores of your images beside the threshold",
    )  # fmt: skip
    table = pd.DataFrame(
        [
            {
                what: names[i],
                "verdict": judged[i].verdict,
                "percentile": judged[i].percentile,
                "score": judged[i].score,
            }
            | {"threshold": judged[i].threshold if np.isfinite(judged[i].threshold) else None}
            | judged[i].parts
            | ({"doubts": " ".join(prepared[i].doubts)} if any(p.doubts for p in prepared) else {})
            for i in order
        ]
    )
    st.dataframe(
        table, hide_index=True, width="stretch",
        column_config={
            "percentile": st.column_config.ProgressColumn(format="%.1f", min_value=0, max_value=100),
            **{c: st.column_config.NumberColumn(format="%.4g") for c in ("score", "threshold", *judged[0].parts)},
        },
    )  # fmt: skip
    st.download_button(
        "Download as CSV", table.to_csv(index=False), "ganad-scores.csv", "text/csv", icon=":material/download:",
        key="csv", on_click="ignore",
    )  # fmt: skip
