"""The views of the Score page: what was given, what the model sees, and what it says."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.data import preprocess
from ganad.errors import GanadError
from ganad.service import Explanation, ImageScore, RunInfo, digits_in_words
from ganad.ui import charts
from ganad.ui.components.digit_pad import digit_pad
from ganad.ui.messages import notices
from ganad.ui.panels import explanation, export, latent_search, latent_space
from ganad.ui.state import cache
from ganad.ui.state.rule import Mix, mix_of, note, weights_of
from ganad.ui.theme import layout, pictures
from ganad.web import colours

FORMATS = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif"]
MOST = 50


def draw(run: RunInfo) -> None:
    """The pad on the left, the verdict on the right."""
    left, right = layout.side_by_side("draw", [2, 5])
    with left:
        ink = digit_pad(key="pad", size=300)
    with right:
        if ink is None:
            waiting(run)
            return
        try:
            prepared = preprocess.prepare(ink, invert=False)
        except GanadError as error:
            notices.info(error, icon=":material/draw:")
            return
        one(run, prepared)


def waiting(run: RunInfo) -> None:
    """Before anything is drawn: what to do, what to expect, and what the detector calls normal."""
    st.markdown(
        f"#### Draw one digit\nThis {METHOD_NAMES[run.method]} has learned what **{digits_in_words(run.normal)}** looks "
        "like. Draw that with mouse, pen or finger, then draw something else: the verdict, the reconstruction and the three parts of the score "
        "appear here."
    )
    known(run)


def known(run: RunInfo) -> None:
    """A few normal digits of the test set."""
    rows = np.flatnonzero(~cache.scores(run.name).anomalous)[:8]
    images = cache.images(run.name)[rows]
    st.html(pictures.figure_html([(pictures.png(image, 3), "", "a normal digit") for image in images], size_px=74))
    st.caption("Normal digits, as others wrote them.")


def upload(run: RunInfo) -> None:
    """One image, or many with a table and a CSV."""
    raw = st.toggle(
        "My images are 28x28 already, white on black", key="raw",
        help="Otherwise each picture is turned into a digit as MNIST's makers did: grey, white on black, cropped to the "
        "ink, scaled into 20x20 and centred by its mass.",
    )  # fmt: skip
    files = st.file_uploader(
        "Images of one digit each", FORMATS, accept_multiple_files=True, key="upload", max_upload_size=5,
        help="Photos and scans are fine: dark ink on light paper is recognised.",
    )  # fmt: skip
    if not files:
        waiting_for_files(run)
        return
    if len(files) > MOST:
        notices.warning(f"The first {MOST} of {len(files)} images are shown; for more use python -m ganad score.")
    good, names = [], []
    for file in files[:MOST]:
        try:
            good.append(_prepared(file.getvalue(), file.name, raw))
            names.append(file.name)
        except GanadError as error:
            notices.error(error, icon=":material/broken_image:")
    if len(good) == 1:
        one(run, good[0], name=names[0])
    elif good:
        several(run, good, names)


def waiting_for_files(run: RunInfo) -> None:
    """Before anything is uploaded: what to do, and what the detector calls normal."""
    st.markdown("Drop a photo or a scan of a handwritten digit above; several at once give a table and a CSV.")
    known(run)


@st.cache_data(show_spinner="Reading the image", max_entries=MOST)
def _prepared(content: bytes, name: str, raw: bool) -> preprocess.Prepared:
    return service.prepare_bytes(content, name, raw)


def judge(run: RunInfo, digits: np.ndarray) -> list[ImageScore]:
    """Judge with the weights and the threshold in force; the same digits are not judged twice."""
    key = hashlib.sha256(digits.tobytes()).hexdigest()
    found = _judge(run.name, service.version(run.name), weights_of(run), key, digits)
    line = mix_of(run).threshold
    return [replace(f, threshold=line, verdict="anomalous" if f.score > line else "normal") for f in found]


@st.cache_data(show_spinner="Loading the model", max_entries=100)
def _judge(
    name: str, version: int, weights: tuple[float, float, float], key: str, _digits: np.ndarray
) -> list[ImageScore]:
    return service.score_images(name, _digits, weights)


def one(run: RunInfo, prepared: preprocess.Prepared, name: str = "") -> None:
    """The full story of one digit."""
    with st.skeleton(height=420):
        found, mix = judge(run, prepared.digit[None])[0], mix_of(run)
    for doubt in prepared.doubts:
        notices.warning(doubt, icon=":material/help:")
    verdict(run, mix, found)
    left, right = layout.side_by_side("given", [1, 4])
    with left:
        size = max(1, 140 // max(prepared.given.shape))
        st.html(
            pictures.figure_html(
                [(pictures.png(prepared.given, size), "as given", name or "your drawing")], size_px=132
            )
        )
    story = explanation.Story(
        prepared.digit, Explanation(found.reconstruction, found.pixels), found.parts, name or "Your digit"
    )
    with right:
        explanation.picture(run, mix, story, key="lens_score")
    if prepared.steps:
        st.caption(":material/auto_fix_high: " + " → ".join(prepared.steps))
    left, right = layout.side_by_side("parts", [1, 1])
    with left:
        explanation.score(run, mix, found.parts, key="score")
    with right:
        scores = cache.scores(run.name)
        _, test = cache.totals(run.name, mix.weights)
        st.plotly_chart(
            charts.histogram(
                test[~scores.anomalous], test[scores.anomalous], mix.threshold, marked=found.score,
                marked_label="yours", height=250, units=mix.units,
            ),
            key="score_place", config=export.config("score_place"), alt="your digit's score among all test images",
        )  # fmt: skip
    if st.toggle(
        "Nearest normals", key="nearest", persist_state="session",
        help="The held-out normal images whose codes lie nearest to your digit's code.",
    ):  # fmt: skip
        latent_space.nearest(run, lambda _: found.z)
    latent_search.film(run, prepared.digit, key="score")


def verdict(run: RunInfo, mix: Mix, found: ImageScore) -> None:
    """In words: what it is called, how strange that is among held-out normals, and by which line."""
    words = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", explanation.in_words(run, mix, found.score))
    colour = colours.VERDICTS[found.verdict].both
    st.html(
        f'<div style="border-left: 6px solid {colour}; padding: .15rem 0 .15rem .9rem">'
        f'<div style="font-size: 1.75rem; font-weight: 700; line-height: 1.2">{found.verdict.capitalize()}</div>'
        f"<div>S{words[1:]}. "
        f"Score {mix.units.shown(found.score):.4g}. {mix.words}</div></div>"
    )
    if mix.tuned_on_test:
        st.badge("chosen while looking at the test set", icon=":material/visibility:", color="orange")


def _caption(found: ImageScore, prepared: preprocess.Prepared) -> str:
    """Below a small picture; of a doubt only its first words, the table has them all."""
    doubts = [f"{re.split('[:?]', doubt)[0].lower()}?" for doubt in prepared.doubts]
    return " · ".join([found.verdict, f"{found.percentile:.0f} %", *doubts])


def several(run: RunInfo, prepared: list[preprocess.Prepared], names: list[str]) -> None:
    """A contact strip, strangest first, then a table and its CSV."""
    digits = np.stack([p.digit for p in prepared])
    with st.skeleton(height=420):
        found = judge(run, digits)
    order = sorted(range(len(found)), key=lambda i: -found[i].score)
    anomalous = sum(f.verdict == "anomalous" for f in found)
    st.markdown(f"#### {anomalous} of {len(found)} called anomalous, the strangest first")
    note(mix_of(run))
    st.html(
        pictures.figure_html(
            [(pictures.png(digits[i], 3), _caption(found[i], prepared[i]), names[i]) for i in order],
            size_px=84,
        )
    )
    st.plotly_chart(
        charts.score_strip([(names[i], found[i].score, found[i].verdict) for i in order], found[0].threshold, height=220),
        key="strip", config=export.config("strip"), alt="scores of your images beside the threshold",
    )  # fmt: skip
    table = pd.DataFrame(
        [
            {"file": names[i], "verdict": found[i].verdict, "percentile": found[i].percentile, "score": found[i].score}
            | {"threshold": found[i].threshold if np.isfinite(found[i].threshold) else None}
            | found[i].parts
            | ({"doubts": " ".join(prepared[i].doubts)} if any(p.doubts for p in prepared) else {})
            for i in order
        ]
    )
    st.dataframe(
        table, hide_index=True, width="stretch",
        column_config={
            "percentile": st.column_config.ProgressColumn(format="%.1f", min_value=0, max_value=100),
            **{c: st.column_config.NumberColumn(format="%.4g") for c in ("score", "threshold", *found[0].parts)},
        },
    )  # fmt: skip
    st.download_button(
        "Download as CSV", table.to_csv(index=False), "ganad-scores.csv", "text/csv", icon=":material/download:",
        key="csv", on_click="ignore",
    )  # fmt: skip
