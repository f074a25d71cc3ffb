"""The Compare page: a table of runs to tick, ROC curves over each other, and the other ways to look at what is ticked."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from dataclasses import replace

import pandas as pd
import streamlit as st

from ganad import glossary, service
from ganad.config import METHOD_NAMES
from ganad.errors import GanadError
from ganad.evaluation import comparison, metrics
from ganad.evaluation.metrics import Evaluation
from ganad.service import RunInfo
from ganad.ui import charts, page
from ganad.ui.components.linked_choice import linked_choice
from ganad.ui.messages import guard, notices
from ganad.ui.messages.escape import html
from ganad.ui.panels import agreement, export, run_comparison, run_manager, study
from ganad.ui.panels.run_comparison import Shown
from ganad.ui.state import cache, current
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.theme import layout
from ganad.web import colours

SERIES = colours.RUNS
MOST = len(SERIES)
CURVES = ("ROC", "Precision, recall")
BASELINES = ("dash", "dot")


def compare(picked: RunInfo | None = None) -> None:
    """All runs with settings and results; the chosen ones drawn, at first those with the picked run's task."""
    runs = cache.list_runs()
    if not runs:
        run_manager.bring_back()
        page.empty("There is nothing to compare yet: no detector has been trained.", "Train one")
    own = study.show()
    runs = in_order(runs, picked, own)
    table = _table(runs)
    finished = [r for r in runs if r.state == "finished"]
    curves_slot = st.container(key="view_of_runs")
    st.subheader("Runs", help="Tick the runs whose curves are drawn above.")
    chosen = st.dataframe(
        table, hide_index=True, width="stretch", key=table_key(runs, picked, own), on_select="rerun", selection_mode="multi-row",
        selection_default={"selection": {"rows": first_ticks(runs, picked, own)}},
        column_config=_COLUMNS, placeholder="–",
    )  # fmt: skip
    rows = [runs[i] for i in chosen.selection.rows if i < len(runs)]
    with curves_slot:
        if not finished:
            notices.info(
                "None of the runs has finished yet: curves appear here when one has.", icon=":material/hourglass_top:"
            )
            return
        named = {"Digits": "Classes"} if any(r.has_names for r in rows) else {}
        view = linked_choice("View", {name: named.get(name, name) for name in VIEWS}, name="view")
        if view == "All digits":
            run_comparison.matrix(runs)
            return
        done = [r for r in rows if r.state == "finished"]
        ticked = [r for r in done if _can_be_drawn(r)]
        if done and not ticked:
            return
        if not ticked:
            notices.info("Tick finished runs in the table to see them here.", icon=":material/check_box:")
            return
        if len(ticked) > MOST:
            st.caption(f"The first {MOST} of {len(ticked)} ticked runs are shown.")
        shown = [Shown(r, _name(r), colour) for r, colour in zip(ticked, SERIES, strict=False)]
        if view in RANKING and len({r.run.normal for r in shown}) > 1:
            kinds = "; ".join(sorted({r.run.normal_in_words for r in shown}))
            st.caption(
                f":material/info: These runs call different {run_comparison.naming(shown).kinds} normal ({kinds}), so they do different tasks: "
                "their areas are not a ranking."
            )
        for s in shown:
            if why := service.no_threshold(s.run):
                notices.info(f"{s.run.name}: {why}", icon=":material/rule:")
        VIEWS[view](shown)


def _can_be_drawn(r: RunInfo) -> bool:
    """True unless its files are damaged, which is said in place of its curves; the other runs are drawn."""
    try:
        cache.scores(r.name)
    except GanadError as error:
        notices.error(error, icon=":material/heart_broken:")
        return False
    if r.report is None:
        notices.error(r.damage or f"{r.name} has no report.json.", icon=":material/heart_broken:")
    return r.report is not None


def _name(r: RunInfo) -> str:
    name = f"{METHOD_NAMES[r.method]} · {r.normal_in_words} · {r.settings.name or r.settings.preset}"
    return name if r.shipped else f"{name} · {r.name[:4]}"


def in_order(runs: list[RunInfo], picked: RunInfo | None, own: Collection[str] = ()) -> list[RunInfo]:
    """What can be ranked with the picked run first, then other tasks, and what has no results yet at the end.

    own: the runs of the study that is shown above, which come before all others.
    """
    return sorted(runs, key=lambda r: (r.state != "finished", r.name not in own, not _same_task(r, picked)))


def _same_task(r: RunInfo, picked: RunInfo | None) -> bool:
    return picked is not None and comparison.task(r.settings) == comparison.task(picked.settings)


def first_ticks(runs: list[RunInfo], picked: RunInfo | None, own: Collection[str] = ()) -> list[int]:
    """The picked run and up to three more of its task, among those that are finished; runs of other tasks never.

    Where the picked run has not finished, its task is what counts. own: the runs of the study that is shown above; where one of
    them has finished, they alone are ticked, and the picked run's task counts if it is one of theirs.
    """
    there = [r for r in runs if r.state == "finished" and r.name in own]
    if there:
        first = next((r for r in there if _same_task(r, picked)), there[0])
        return [i for i, r in enumerate(runs) if r in there and _same_task(r, first)][:4]
    same = [i for i, r in enumerate(runs) if r.state == "finished" and _same_task(r, picked)]
    same.sort(key=lambda i: picked is None or runs[i].name != picked.name)
    return sorted(same[:4])


def table_key(runs: list[RunInfo], picked: RunInfo | None = None, own: Collection[str] = ()) -> str:
    """The table's key. It keeps ticks by row, so another list of runs, another task or study begins with ticks of its own."""
    task = comparison.task(picked.settings) if picked else None
    return f"runs_table_{zlib.crc32(repr(([r.name for r in runs], task, sorted(own))).encode())}"


_COLUMNS = {
    "run": st.column_config.TextColumn(pinned=True),
    "AUROC": st.column_config.ProgressColumn(
        format="%.4f", min_value=0.5, max_value=1.0, help=glossary.sentence("AUROC") + " The bar begins at 0.5."
    ),
    "avg. precision": st.column_config.NumberColumn(format="%.4f", help=glossary.sentence("average precision")),
    "prevalence": st.column_config.NumberColumn(format="%.3f", help=glossary.sentence("prevalence")),
    "caught at 5 %": st.column_config.NumberColumn(
        format="percent",
        help="at a threshold with at most 5 % false alarms among held-out normals, a few more or less among test images; where a run has learned a class of your own that is an aim, since few images decide it",
    ),
    "minutes": st.column_config.NumberColumn(format="%.1f", help="of training"),
}


def _table(runs: list[RunInfo]) -> pd.DataFrame:
    def row(r: RunInfo) -> dict:
        s, report = r.settings, r.report or {}
        return {
            "run": r.name,
            "method": METHOD_NAMES[r.method],
            "normal": r.normal_listed,
            "AUROC": report.get("auroc"),
            "avg. precision": report.get("average_precision"),
            "prevalence": report.get("prevalence"),
            "caught at 5 %": report.get("hit_rate") if report.get("threshold") is not None else None,
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
    views = [current.view(r) for r in runs]
    with st.skeleton(height=490):
        evaluations = [guard.or_end_page(cache.evaluation, v.run.name, v.weights, v.threshold) for v in views]
        bands = [cache.band(v.run.name, v.weights) for v in views]
    curves = [
        charts.RocCurve(
            s.name, e.roc.x, e.roc.y, e.auroc, colour=s.colour, point=(e.false_alarm_rate, e.hit_rate), thresholds=e.roc.thresholds
        )
        for s, e in zip(shown, evaluations, strict=True)
    ]  # fmt: skip
    left, right = layout.side_by_side("curves", [3, 2])
    with left:
        kind = st.segmented_control(
            "Curve", CURVES, default=CURVES[0], key="curve", required=True, persist_state="session", label_visibility="collapsed", wrap=True,
        )  # fmt: skip
        baselines = _baselines(runs)
        if kind == CURVES[0]:
            _rocs(curves + baselines)
        else:
            _precisions(curves, evaluations, baselines)
    with right:
        order = sorted(range(len(curves)), key=lambda i: -curves[i].auroc)
        for curve, view, band in ((curves[i], views[i], bands[i]) for i in order):
            fpr, tpr = curve.point
            st.html(
                f'<div style="border-left: 5px solid {curve.colour}; padding-left: .8rem; margin-bottom: .2rem">'
                f'<div style="font-size: 1.5rem; font-weight: 700; line-height: 1.2">{curve.auroc:.4f} '
                f'<span title="{html(glossary.sentence("95 % interval"))}" style="font-size: .88rem; font-weight: 400; opacity: .7">'
                f"{band.low:.3f} to {band.high:.3f}</span></div>"
                f"<div>{html(curve.name)}</div><div style='opacity: .7; font-size: .88rem'>catches {tpr:.0%} of the anomalies at "
                f"{fpr:.1%} false alarms</div></div>"
            )
            if view.tuned_on_test:
                st.badge("chosen while looking at the test set", icon=":material/visibility:", color="orange")
            with st.container(horizontal=True):
                here = {"run": view.run.name}
                st.page_link("pages/2_Browse.py", label="Browse", icon=":material/grid_view:", query_params=here)
                st.page_link("pages/3_Evaluate.py", label="Evaluate", icon=":material/monitoring:", query_params=here)
        if any(replace(v.rule, standardised=False) != DecisionRule(v.run.weights) for v in views):
            st.caption(
                "Curves and thresholds are those that were set on Evaluate; the table below has those of the defaults."
            )
        if len(curves) > 1:
            st.caption(
                "The range is the 95 % interval for other test images. One run a setting is an anecdote, since runs differ by their "
                "seed alone: **Significance** says which gaps to trust."
            )


def _rocs(curves: list[charts.RocCurve]) -> None:
    st.plotly_chart(
        charts.roc(curves, height=440), key="rocs", config=export.config("rocs"),
        alt="ROC curves: " + ", ".join(f"{c.name} {c.auroc:.3f}" for c in curves),
    )  # fmt: skip


def _precisions(curves: list[charts.RocCurve], evaluations: list[Evaluation], baselines: list[charts.RocCurve]) -> None:
    lines = []
    for curve, e in zip(curves, evaluations, strict=True):
        flagged = e.confusion["tp"] + e.confusion["fp"]
        point = (e.hit_rate, e.confusion["tp"] / flagged if flagged else 1.0)
        drawn = e.precision_recall
        lines.append(charts.PrecisionCurve(curve.name, drawn.x, drawn.y, e.average_precision, curve.colour, point))
    shares = {round(e.prevalence, 2) for e in evaluations}
    prevalence = evaluations[0].prevalence if len(shares) == 1 else None
    for b in baselines:
        recall, precision, area = metrics.precision_recall_of_roc(b.fpr, b.tpr, evaluations[0].prevalence)
        lines.append(charts.PrecisionCurve(b.name, recall, precision, area, b.colour, baseline=b.baseline))
    st.plotly_chart(
        charts.precision_recalls(lines, prevalence, height=440), key="prs", config=export.config("prs"),
        alt="precision-recall curves, average precision: " + ", ".join(f"{p.name} {p.area:.3f}" for p in lines),
    )  # fmt: skip
    if prevalence is None:
        st.caption(
            f":material/info: Not the same share of anomalies ({', '.join(f'{s:.0%}' for s in sorted(shares))}): what guessing "
            "reaches differs, and so do the curves of equally good detectors."
        )


def _baselines(runs: list[RunInfo]) -> list[charts.RocCurve]:
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
    with st.skeleton(height=440):
        baselines = guard.or_end_page(cache.baseline_curves, normal, path)
    return [
        charts.RocCurve(b.name, b.fpr, b.tpr, b.auroc, colour=colours.THRESHOLD.both, baseline=dash)
        for b, dash in zip(baselines, BASELINES, strict=True)
    ]


VIEWS = {
    "Curves": _curves,
    "Digits": run_comparison.digits,
    "Significance": run_comparison.significance,
    "Speed": run_comparison.speed,
    "Settings": run_comparison.settings,
    "Agreement": agreement.agreement,
    "All digits": run_comparison.matrix,
}
"""Ways to look at the ticked runs; the last one looks at all runs."""
RANKING = ("Curves", "Speed")
"""Views that put areas of runs beside each other as if they were of one task."""
