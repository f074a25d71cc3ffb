"""The Compare page: a table of runs to tick, ROC curves over each other, and the other ways to look at what is ticked."""

from __future__ import annotations

import zlib
from html import escape

import pandas as pd
import streamlit as st

from ganad import contrast, service
from ganad.config import METHOD_NAMES
from ganad.service import RunInfo, digits_in_words
from ganad.ui import cache, charts, colours, contrasting, jury, keeping, page, taking
from ganad.ui.contrasting import Shown

SERIES = colours.RUNS
MOST = len(SERIES)
BASELINES = (colours.THRESHOLD.both, colours.THRESHOLD.light)


def compare(picked: RunInfo | None = None) -> None:
    """Runs that have ended, with settings and results; the chosen ones drawn, at first those with the picked run's task."""
    runs = cache.list_runs()
    if not runs:
        keeping.bring_back()
        page.empty("There is nothing to compare yet: no detector has been trained.", "Train one")
    table = _table(runs)
    finished = [r for r in runs if r.state == "finished"]
    curves_slot = st.container()
    st.subheader("Runs", help="Tick the runs whose curves are drawn above.")
    chosen = st.dataframe(
        table, hide_index=True, width="stretch", key=table_key(runs, picked), on_select="rerun", selection_mode="multi-row",
        selection_default={"selection": {"rows": first_ticks(runs, picked)}},
        column_config=_COLUMNS,
    )  # fmt: skip
    rows = [runs[i] for i in chosen.selection.rows if i < len(runs)]
    with curves_slot:
        if not finished:
            st.info(
                "None of the runs has finished yet: curves appear here when one has.", icon=":material/hourglass_top:"
            )
            return
        view = st.segmented_control(
            "View", list(VIEWS), default="Curves", key="view", required=True, persist_state="session",
            label_visibility="collapsed",
        )  # fmt: skip
        if view == "All digits":
            contrasting.matrix(runs)
            return
        ticked = [r for r in rows if r.state == "finished" and r.report]
        if not ticked:
            st.info("Tick finished runs in the table to see them here.", icon=":material/check_box:")
            return
        if len(ticked) > MOST:
            st.caption(f"The first {MOST} of {len(ticked)} ticked runs are shown.")
        shown = [Shown(r, _name(r), colour) for r, colour in zip(ticked, SERIES, strict=False)]
        if view in RANKING and len({r.run.normal for r in shown}) > 1:
            kinds = "; ".join(sorted({digits_in_words(r.run.normal) for r in shown}))
            st.caption(
                f":material/info: These runs call different digits normal ({kinds}), so they do different tasks: "
                "their areas are not a ranking."
            )
        VIEWS[view](shown)


def _name(r: RunInfo) -> str:
    name = f"{METHOD_NAMES[r.method]} · {digits_in_words(r.normal)} · {r.settings.name or r.settings.preset}"
    return name if r.shipped else f"{name} · {r.name[:4]}"


def first_ticks(runs: list[RunInfo], picked: RunInfo | None) -> list[int]:
    """Four finished runs that can be ranked: with the task of the picked one. Where it is alone, the first four."""
    done = [i for i, r in enumerate(runs) if r.state == "finished"]
    same = [i for i in done if picked and contrast.task(runs[i].settings) == contrast.task(picked.settings)]
    return (same if len(same) > 1 else done)[:4]


def table_key(runs: list[RunInfo], picked: RunInfo | None = None) -> str:
    """The table's key. It keeps ticks by row, so another list of runs, or another task, begins with ticks of its own."""
    task = contrast.task(picked.settings) if picked else None
    return f"runs_table_{zlib.crc32(repr(([r.name for r in runs], task)).encode())}"


_COLUMNS = {
    "run": st.column_config.TextColumn(pinned=True),
    "AUROC": st.column_config.ProgressColumn(
        format="%.4f", min_value=0.5, max_value=1.0, help="the bar begins at 0.5, guessing"
    ),
    "avg. precision": st.column_config.NumberColumn(format="%.4f"),
    "prevalence": st.column_config.NumberColumn(format="%.3f", help="what guessing reaches in average precision"),
    "caught at 5 %": st.column_config.NumberColumn(
        format="percent", help="at a threshold with at most 5 % false alarms"
    ),
    "minutes": st.column_config.NumberColumn(format="%.1f", help="of training"),
}


def _table(runs: list[RunInfo]) -> pd.DataFrame:
    def row(r: RunInfo) -> dict:
        s, report = r.settings, r.report or {}
        return {
            "run": r.name,
            "method": METHOD_NAMES[r.method],
            "normal": " ".join(map(str, r.normal)),
            "AUROC": report.get("auroc"),
            "avg. precision": report.get("average_precision"),
            "prevalence": report.get("prevalence"),
            "caught at 5 %": report.get("hit_rate"),
            "state": r.state,
            "preset": s.preset,
            "epochs": s.epochs,
            "seed": s.seed,
            "minutes": r.status.seconds / 60 if r.status.seconds else None,
            "filters": s.filters,
            "latent": s.latent,
            "image": s.image_size,
            "lr": f"{s.lr:g}",
            "weights": " / ".join(f"{w:g}" for w in s.weights),
            "name": s.name,
            "note": r.note,
        }

    return pd.DataFrame([row(r) for r in runs])


def _curves(shown: list[Shown]) -> None:
    runs = [s.run for s in shown]
    curves = []
    for s in shown:
        r = s.run
        threshold = (r.report or {}).get("threshold")
        e = page.guarded(cache.evaluation, r.name, r.weights, float("inf") if threshold is None else threshold)
        curves.append(
            charts.Curve(
                name=s.name,
                fpr=e.roc.x,
                tpr=e.roc.y,
                auroc=e.auroc,
                colour=s.colour,
                point=(e.false_alarm_rate, e.hit_rate),
                thresholds=e.roc.thresholds,
            )
        )
    left, right = page.split("curves", [3, 2])
    with left:
        drawn = curves + _baselines(runs)
        st.plotly_chart(
            charts.roc(drawn, height=440), key="rocs", config=taking.config("rocs"),
            alt="ROC curves: " + ", ".join(f"{c.name} {c.auroc:.3f}" for c in drawn),
        )  # fmt: skip
    with right:
        for curve, r in sorted(zip(curves, runs, strict=True), key=lambda pair: -pair[0].auroc):
            fpr, tpr = curve.point
            st.html(
                f'<div style="border-left: 5px solid {curve.colour}; padding-left: .8rem; margin-bottom: .2rem">'
                f'<div style="font-size: 1.5rem; font-weight: 700; line-height: 1.2">{curve.auroc:.4f}</div>'
                f"<div>{escape(curve.name)}</div><div style='opacity: .7; font-size: .88rem'>catches {tpr:.0%} of the anomalies at "
                f"{fpr:.1%} false alarms</div></div>"
            )
            here = {"run": r.name}
            with st.container(horizontal=True):
                st.page_link("pages/2_Browse.py", label="Browse", icon=":material/grid_view:", query_params=here)
                st.page_link("pages/3_Evaluate.py", label="Evaluate", icon=":material/monitoring:", query_params=here)
        if len(curves) > 1:
            st.caption(
                "One run a setting is an anecdote, since runs differ by their seed alone: **Noise** says which gaps to trust."
            )


def _baselines(runs: list[RunInfo]) -> list[charts.Curve]:
    """The curves that a GAN has to beat; drawn when all runs do the same task."""
    tasks = {(r.normal, r.settings.data) for r in runs}
    if len(tasks) > 1:
        return []
    ((normal, path),) = tasks
    known = service.baselines_are_known(normal)
    if not st.toggle(
        "Baselines", known, key="baselines", help="PCA with 20 components and the 3 nearest neighbours in blurred pixels, on "
        "the whole test set: what a GAN has to beat before its training time is earned."
        + ("" if known else " The first time they take seconds; with nine normal digits, half a minute."),
    ):  # fmt: skip
        return []
    return [
        charts.Curve(b.name, b.fpr, b.tpr, b.auroc, colour=colour, baseline=True)
        for b, colour in zip(page.guarded(cache.baseline_curves, normal, path), BASELINES, strict=True)
    ]


VIEWS = {
    "Curves": _curves,
    "Digits": contrasting.digits,
    "Noise": contrasting.noise,
    "Cost": contrasting.cost,
    "Settings": contrasting.settings,
    "Jury": jury.jury,
    "All digits": contrasting.matrix,
}
"""Ways to look at the ticked runs; the last one looks at all runs."""
RANKING = ("Curves", "Cost")
"""Views that put areas of runs beside each other as if they were of one task."""
