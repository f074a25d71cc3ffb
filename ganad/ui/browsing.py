"""The views of the Browse page: the gallery with its filters, and the inspector of one image."""

from __future__ import annotations

import zlib

import numpy as np
import streamlit as st

from ganad import evaluate
from ganad.config import PARTS
from ganad.service import RunInfo
from ganad.ui import cache, charts, colours, pictures, searching
from ganad.ui.components.tiles import tiles
from ganad.ui.mixer import Mix

PAGE = 60
VERDICTS = {
    "all": "everything",
    "hits": "hits",
    "misses": "misses",
    "false alarms": "false alarms",
    "correct": "correct",
}
MEANING = {
    "hits": "anomalies called anomalous",
    "misses": "anomalies called normal",
    "false alarms": "normal images called anomalous",
    "correct": "normal images called normal",
}


def outcome(anomalous: np.ndarray, called: np.ndarray) -> np.ndarray:
    """(N,) words: hits, misses, false alarms, correct."""
    return np.select(
        [anomalous & called, anomalous & ~called, ~anomalous & called], ["hits", "misses", "false alarms"], "correct"
    )


def gallery(run: RunInfo, mix: Mix) -> int | None:
    """Filters, sort order and tiles; returns the row of the picked image, or None when nothing matches."""
    found = cache.scores(run.name)
    val, test = cache.totals(run.name, mix.weights)
    called = test > mix.threshold
    kinds = outcome(found.anomalous, called)
    present = np.unique(found.test.digit).tolist()
    digits = st.pills(
        "Digits", present, selection_mode="multi", key="digits", persist_state="session", help="None picked: all of them.",
        format_func=lambda d: f"{d} · normal" if d in run.normal else str(d),
    )  # fmt: skip
    kind = st.segmented_control(
        "Verdict", list(VERDICTS), default="all", key="verdict", required=True, persist_state="session",
        format_func=VERDICTS.get, help="; ".join(f"{k}: {v}" for k, v in MEANING.items()),
    )  # fmt: skip
    bar = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    with bar:
        count = st.empty()
        order = st.selectbox(
            "Sort", [f"{direction} {by}" for by in ("score", *PARTS) for direction in ("highest", "lowest")], key="sort",
            persist_state="session", label_visibility="collapsed", width=220,
        )  # fmt: skip
    keep = np.isin(found.test.digit, digits) if digits else np.ones(len(test), dtype=bool)
    if kind != "all":
        keep &= kinds == kind
    rows = np.flatnonzero(keep)
    direction, by = order.split()
    values = test if by == "score" else found.test.parts[by]
    rows = rows[np.argsort(-values[rows] if direction == "highest" else values[rows], kind="stable")]
    if not len(rows):
        st.info(f"No test image is among these: {VERDICTS[kind]}. Choose other digits or another verdict.")
        return None
    pages = -(-len(rows) // PAGE)
    box = st.container()
    at = 1
    if pages > 1:
        with st.container(key="gallery_pages"):
            at = st.pagination(pages, key=page_key(run.name, pages, list(digits), kind, order))
    shown = rows[(at - 1) * PAGE : at * PAGE]
    picked = st.session_state.get("picked_row")
    if picked not in shown:
        picked = int(shown[0])
    with box:
        place = tiles(
            cache.images(run.name)[shown],
            key="gallery",
            labels=[label(found, test, called, int(r)) for r in shown],
            frames=[frame(p, c) for p, c in zip(evaluate.percentile(test[shown], val), called[shown], strict=True)],
            picked=int(np.flatnonzero(shown == picked)[0]),
            size=54,
            version=f"{run.name}-{mix.weights}-{mix.threshold}-{sorted(digits or [])}-{kind}-{order}-{at}",
        )
    if place is not None:
        picked = int(shown[place])
    st.session_state["picked_row"] = picked
    count.caption(f"{len(rows):,} of {len(test):,} test images")
    return picked


def page_key(*selection: object) -> str:
    """A name of its own for each selection, so that another one begins at its first page."""
    return f"gallery_page_{zlib.crc32(repr(selection).encode())}"


def frame(percentile: float, called: bool) -> str:
    """The colour of a tile's frame: of its verdict, the fainter the closer its score to the middle of the normals."""
    colour = colours.ANOMALOUS if called else colours.NORMAL
    return colour.faint(1.0 if called else 0.35 + 0.65 * float(percentile) / 100)


def label(found, test: np.ndarray, called: np.ndarray, row: int) -> str:
    """What a screen reader and a tooltip say of a tile."""
    verdict = "anomalous" if called[row] else "normal"
    truth = "an anomaly" if found.anomalous[row] else "normal"
    return f"digit {found.test.digit[row]}, called {verdict}, is {truth}, score {test[row]:.4g}"


def inspector(run: RunInfo, mix: Mix, row: int | None) -> None:
    """One image: what was given, what came back, what is missing; its parts and its place among all."""
    if row is None:
        return
    found = cache.scores(run.name)
    val, test = cache.totals(run.name, mix.weights)
    score, digit, anomalous = float(test[row]), int(found.test.digit[row]), bool(found.anomalous[row])
    called = score > mix.threshold
    st.subheader(f"A {digit}, called {'anomalous' if called else 'normal'}")
    word = str(outcome(np.array([anomalous]), np.array([called]))[0])
    right = word in ("hits", "correct")
    share = float(evaluate.percentile(score, val))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            {"hits": "hit", "misses": "miss", "false alarms": "false alarm"}.get(word, word),
            icon=":material/check:" if right else ":material/close:", color="green" if right else "red",
        )  # fmt: skip
        st.caption(f"stranger than **{share:.1f} %** of held-out normals · test image {int(found.test.index[row])}")
    given = cache.images(run.name)[row]
    made = cache.reconstruction(run.name, row)
    st.html(triple(given, made))
    st.plotly_chart(
        charts.part_bars(part_rows(found.val.parts, {p: float(found.test.parts[p][row]) for p in PARTS}, mix.weights)),
        key="parts", config=charts.CONFIG, alt="percentile of each part among held-out normals",
    )  # fmt: skip
    st.plotly_chart(
        charts.histogram(
            test[~found.anomalous], test[found.anomalous], mix.threshold, marked=score, marked_label="this image", height=220
        ),
        key="place", config=charts.CONFIG, alt=f"the image's score {score:.4g} among all test images",
    )  # fmt: skip
    if searching.searches(run) and st.toggle(
        "Film the search", key="film", persist_state="session", help="How z was found, once more and step by step."
    ):
        searching.film(run, given, key="browse")


def triple(given: np.ndarray, made: np.ndarray, size: int = 148) -> str:
    """Input, reconstruction and signed residual side by side."""
    residual = pictures.signed_residual(given, made)
    shown = (
        (pictures.png(given, 5), "input", "input digit"),
        (pictures.png(made, 5), "reconstruction", "what the nets redrew"),
        (pictures.png(residual, 5), "residual", "signed residual: blue is ink missing, orange is ink too much"),
    )
    return pictures.figure_html(list(shown), size_px=size) + pictures.residual_legend()


def part_rows(
    val: dict[str, np.ndarray], values: dict[str, float], weights: tuple[float, float, float]
) -> dict[str, dict[str, float]]:
    """part -> value, weight, contribution and percentile among held-out normals."""
    return {
        p: {
            "value": values[p],
            "weight": w,
            "contribution": w * values[p],
            "percentile": float(evaluate.percentile(values[p], val[p])),
        }
        for p, w in zip(PARTS, weights, strict=True)
    }
