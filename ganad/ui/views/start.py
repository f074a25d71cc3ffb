"""The start page: something real at once, in one sentence, and where to go from there."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ganad import service
from ganad.config import METHOD_NAMES
from ganad.evaluation import metrics, thresholds
from ganad.service import RunInfo
from ganad.ui import page
from ganad.ui.lessons import strip
from ganad.ui.messages import guard, notices
from ganad.ui.panels import own_quality
from ganad.ui.state import cache
from ganad.ui.theme import pictures

WAYS = (
    ("pages/4_Score.py", "Draw a digit", ":material/draw:", "Write one with the mouse and get its verdict."),
    (
        "pages/1_Train.py",
        "Train your own",
        ":material/model_training:",
        "Pick what is normal; a minute later it is learned.",
    ),
    (
        "pages/1_Train.py",
        "Your own class",
        ":material/gesture:",
        "Draw some thirty of anything; a minute later that is normal.",
    ),
    (
        "pages/2_Browse.py",
        "Browse the test set",
        ":material/grid_view:",
        "Every image beside its reconstruction.",
    ),
    (
        "pages/3_Evaluate.py",
        "Judge the score",
        ":material/monitoring:",
        "Weigh its parts, set the threshold, read the ROC curve.",
    ),
)


def show(run: RunInfo | None) -> None:
    """Ten digits judged by the picked run, or by the first one that has anything to show."""
    if run is None or run.state != "finished":
        run = next((r for r in cache.list_runs() if r.state == "finished"), None)
    if run is None:
        page.empty(
            "No trained detector is here yet. Pick a digit to call normal, and a minute later the first one is.",
            "Train one",
        )
    normal = run.normal_in_words
    st.html(
        f'<p class="ganad-lead">This {METHOD_NAMES[run.method]} has only ever seen <b>{normal if run.has_names else f"{normal}s"}</b>. It tries to redraw whatever '
        f"it is shown. How far the reconstruction, or what the nets make of it, is from the original is the score: above the threshold an image is called <b>anomalous</b>.</p>"
    )
    st.html(pictures.card_html(guard.or_end_page(cards, run)))
    st.caption(
        f"For each {run.kind} the test image with the median score: neither the best nor the worst. "
        "The bar is the score, the mark the threshold"
        + (". " if run.originals else ": at most 5 % of held-out normal images lie above it. ")
        + "Difference: blue is ink missing from the reconstruction, orange is ink too much."
    )
    own_quality.show(run)
    if why := service.no_threshold(run):
        notices.info(why, icon=":material/rule:")
    st.space("small")
    with st.grid("auto", min_column_width=190, gap="small"):
        for path, label, icon, words in WAYS:
            with st.container(border=True, gap="xsmall", height="stretch"):
                own = {"own": "1"} if label == "Your own class" else {}
                st.page_link(path, label=f"**{label}**", icon=icon, query_params={"run": run.name} | own)
                st.caption(words)

    st.subheader("Learn by doing", divider=True)
    strip.offer({label: path for path, label, _ in page.MENU}, {r.name for r in cache.list_runs()})


def cards(run: RunInfo) -> list[pictures.Card]:
    """One card a digit, normal ones first: the test image whose score is the median of its digit."""
    scores = cache.scores(run.name)
    val, test = cache.totals(run.name, run.weights)
    threshold = thresholds.threshold_for(val)
    present = sorted(np.unique(scores.test.digit).tolist(), key=lambda d: (d not in run.normal, d))
    typical = metrics.median_rows(scores, test)
    rows = [typical[d] for d in present]
    drawn = cache.reconstructions_of(run.name, tuple(rows))
    return [
        pictures.Card(
            image=cache.images(run.name)[row],
            reconstruction=drawn[i],
            label=run.class_name(d) + (" · normal" if d in run.normal else ""),
            score=float(test[row]),
            threshold=threshold,
            verdict="anomalous" if test[row] > threshold else "normal",
        )
        for i, (d, row) in enumerate(zip(present, rows, strict=True))
    ]
