"""The jury: the same test images through several runs. Where do they agree, and over which images do they quarrel?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from ganad.evaluation.agreement import Verdicts, verdicts
from ganad.ui import charts
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import html
from ganad.ui.panels import export
from ganad.ui.panels.run_comparison import FEWEST, Shown, legend, one_task
from ganad.ui.state import cache
from ganad.ui.theme import layout, pictures
from ganad.web import colours

CARDS = 12
KINDS = {"all": "All", "normal": "Normal images", "anomalous": "Anomalies"}


def agreement(shown: Sequence[Shown]) -> None:
    """Agreement in numbers, what the runs are worth together, and the images on which they disagree most."""
    same = one_task(shown)
    if len(same) < 2:
        notices.info(
            "Agreement needs at least two runs of the same normal classes: tick another one.", icon=":material/compare:"
        )
        return
    with st.skeleton(height=420):
        v = guard.or_end_page(lambda: verdicts([(cache.scores(s.run.name), s.run.weights) for s in same]))
    if len(v.rows) < FEWEST:
        notices.info("These runs have too few test images in common.", icon=":material/rule:")
        return
    legend(same)
    left, right = layout.side_by_side("jury", [2, 3])
    with left:
        _rank_correlations(same, v)
    with right:
        _ensemble(same, v)
    _disputed(same, v)


def _rank_correlations(shown: Sequence[Shown], v: Verdicts) -> None:
    st.subheader(
        "Agreement",
        help="Spearman's rank correlation of the scores: 1 is the same order of all images, 0 is none in common.",
    )
    together = v.rank_correlations()
    names = [_short(s, shown) for s in shown]
    if len(shown) == 2:
        st.metric("rank correlation", f"{together[0, 1]:.3f}", border=True)
    else:
        st.plotly_chart(
            charts.agreement(names, together),
            key="agreement",
            config=export.config("agreement"),
            alt="rank correlations of the scores",
        )
    st.caption(f"{v.unanimous:.1%} of {len(v.rows):,} images get the same verdict from all {len(shown)}.")


def _ensemble(shown: Sequence[Shown], v: Verdicts) -> None:
    st.subheader(
        "Ensemble",
        help="Ensemble: the mean of the scores, each in standard deviations from its run's held-out normals. "
        "It asks for no test image but the one that is judged.",
    )
    alone, both = v.aurocs()
    names = [(s.name, s.colour, a) for s, a in zip(shown, alone, strict=True)]
    rows = [*sorted(names, key=lambda row: -row[2]), ("ensemble", colours.THRESHOLD.both, both)]
    low = min(0.5, *(a for *_, a in rows))
    st.html(
        "".join(
            f"<div style='display:grid;grid-template-columns:minmax(7rem,15rem) 1fr 3.6rem;gap:.8rem;align-items:center;"
            f"margin:.35rem 0;{'font-weight:700' if name == 'ensemble' else ''}'><span>{html(name)}</span>"
            f"<span style='height:12px;border-radius:6px;background:{colours.THRESHOLD.faint(0.16)}'>"
            f"<span style='display:block;height:100%;border-radius:6px;width:{100 * (a - low) / (1 - low):.1f}%;"
            f"background:{colour}'></span></span><span>{a:.4f}</span></div>"
            for name, colour, a in rows
        )
    )
    best = max(alone)
    st.caption(
        f"AUROC; bars begin at {low:.2g}. "
        + ("The ensemble is better than the best of them." if both > best else "The best of them is better alone.")
    )


def _disputed(shown: Sequence[Shown], v: Verdicts) -> None:
    st.subheader(
        "Most disputed",
        help="The images whose percentiles among held-out normals lie furthest apart. 100: stranger than all of them.",
    )
    kind = st.segmented_control(
        "Which", list(KINDS), default="all", key="jury_kind", required=True, format_func=KINDS.get,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    chosen = np.ones(len(v.rows), bool) if kind == "all" else v.anomalous == (kind == "anomalous")
    at = np.flatnonzero(chosen)
    at = at[np.argsort(-v.dispute[at], kind="stable")][:CARDS]
    first = shown[0].run
    images, digit = cache.images(first.name)[v.rows[at]], cache.scores(first.name).test.digit[v.rows[at]]
    cards = "".join(_card(shown, v, i, image, first.image_of(d)) for i, image, d in zip(at, images, digit, strict=True))
    st.html(
        "<div style='display:grid;grid-template-columns:repeat(auto-fill,minmax(255px,1fr));gap:14px'>"
        + cards
        + "</div>"
    )


def _card(shown: Sequence[Shown], v: Verdicts, i: int, image: np.ndarray, what: str) -> str:
    """One image, what it shows, with each run's percentile as a bar in its colour, and its verdict in words."""
    truth = "anomalous" if v.anomalous[i] else "normal"
    lines = "".join(
        f"<div title='{html(s.name)}: stranger than {p:.1f} % of held-out normals' "
        "style='display:grid;grid-template-columns:1fr 1.7rem 4.5rem;gap:.35rem;align-items:center;font-size:.8rem;line-height:1.5'>"
        f"<span style='height:8px;border-radius:4px;background:{colours.THRESHOLD.faint(0.18)}'>"
        f"<span style='display:block;height:100%;width:{max(p, 1.5):.1f}%;border-radius:4px;background:{s.colour}'></span></span>"
        f"<span style='text-align:right;font-variant-numeric:tabular-nums'>{p:.0f}</span>"
        f"<span style='{'' if ('anomalous' if c else 'normal') == truth else f'color:{colours.WRONG.both};font-weight:600'}'>"
        f"{'anomalous' if c else 'normal'}</span></div>"
        for s, p, c in zip(shown, v.percentile[:, i], v.called[:, i], strict=True)
    )
    picture = pictures.data_uri(pictures.png(image))
    return (
        f"<div style='display:grid;grid-template-columns:64px 1fr;gap:10px;padding:10px;border-radius:8px;"
        f"border:1px solid {colours.THRESHOLD.faint(0.3)}'><div><img src='{picture}' alt='{html(what)}' style='display:block;width:64px;"
        f"height:64px;image-rendering:pixelated;border-radius:6px;background:{colours.TILE}'></div>"
        f"<div style='min-width:0;align-self:center'><div style='display:flex;justify-content:space-between;gap:.5rem;"
        f"margin-bottom:.3rem;font-size:.88rem'><b>{html(what)}</b>{pictures.pill(truth, small=True)}</div>{lines}</div></div>"
    )


def _short(s: Shown, shown: Sequence[Shown]) -> str:
    """A label for a narrow axis: the method, and its number or seed where the method alone would not do."""
    twice = sum(o.run.method == s.run.method for o in shown) > 1
    return s.run.method + (f" {s.run.name[:4]}" if twice and not s.run.shipped else "")
