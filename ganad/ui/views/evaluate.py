"""The views of the Evaluate page: headline numbers, histogram, curves, confusion, digits."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ganad import glossary, service
from ganad.evaluation.metrics import Evaluation
from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.messages import guard, notices
from ganad.ui.panels import epoch_by_epoch, export, glossary_popover, linked_charts, own_quality, weight_search
from ganad.ui.panels.live_weights import live
from ganad.ui.panels.weights import mixer
from ganad.ui.state import cache
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import held
from ganad.ui.theme import layout
from ganad.web import colours


@guard.fragment
def judge(run: RunInfo) -> None:
    """Sliders and all that follows them. A fragment: a slider redraws this and not the rest of the page."""
    # Sliders and the charts that answer them: where that is higher than the screen, the sliders stay in view.
    with st.container(key="stage"):
        # The live one is as high as it will be before it is there: `page` sees to that.
        place = st.container(key="plain_mixer" if held("plain_controls") else "live_mixer")
        charts_place = st.container(key="plain_charts")
    plain = st.toggle(
        "Plain controls", key="plain_controls", persist_state="session",
        help="Sliders and charts without the live mixer: they follow when a slider is let go, and charts can be zoomed.",
    )  # fmt: skip
    with place:
        view = mixer(run) if plain else live(run)
    evaluate(view, charts_place, curves=plain)


def evaluate(view: ScoredView, above: DeltaGenerator, *, curves: bool = True) -> None:
    """All views under one weighting and threshold, the quick ones first.

    above    a container below the sliders, for histogram and ROC. It is always there: what stands below it keeps its place on
             the page, and need not be drawn anew
    curves   with histogram and ROC; the live mixer has its own. The histogram needs no scikit-learn, so it is on screen
             while that is still being imported
    """
    numbers = st.container(key="headline")
    if curves:
        with above:
            left, right = layout.side_by_side("scores", [3, 2])
        with left:
            _histogram(view)
    e = guard.or_end_page(cache.evaluation, view.run.name, view.weights, view.threshold)
    with numbers:  # drawn last, shown first; what was there stays until then, so that nothing jumps
        _numbers(view, e)
        for warning in e.warnings:
            notices.warning(warning)
        own_quality.show(view.run, view.weights, view.threshold)
    if curves:
        with right:
            _roc(view, e)
        with above:
            linked_charts.around(view)
    draw_reconstruction = linked_charts.these_images(view)
    left, middle, right = layout.side_by_side("details", [1, 1, 1])
    with left:
        st.subheader(
            f"{view.run.kind.capitalize()} by {view.run.kind}",
            help=f"The share of each {view.run.kind}'s test images that is called anomalous. Click a row to see them.",
        )
        linked_charts.digits(view, e.per_digit)
    with middle:
        st.subheader("At this threshold", help="Click an outcome to see its images.")
        linked_charts.confusion(view)
    with right:
        st.subheader(
            "Precision, recall",
            help="Precision: the share of true anomalies among the flagged. It depends on how many anomalies there are: "
            f"here {e.prevalence:.0%}, which is also what guessing would give.",
        )
        flagged = e.confusion["tp"] + e.confusion["fp"]
        precision = e.confusion["tp"] / flagged if flagged else 1.0
        st.plotly_chart(
            charts.precision_recall(
                e.precision_recall.y, e.precision_recall.x, e.prevalence, (e.hit_rate, precision), height=300
            ),
            key="pr", height=300, config=export.config("pr"), alt=f"precision-recall curve, average precision {e.average_precision:.3f}",
        )  # fmt: skip
    weight_search.advice(view.run)
    if service.history_version(view.run.name) and st.toggle(
        "Epoch by epoch", key="epochs_toggle", persist_state="session",
        help="How scores, curve and codes of a fixed sample came to be what they are, under the weights above.",
    ):  # fmt: skip
        with guard.part():
            epoch_by_epoch.show(view.run, view.weights, key="epochs")
    with st.expander("The same as a table", icon=":material/table:"):
        st.dataframe(_table(view.run, e), hide_index=True, width="stretch", column_config=_COLUMNS)
    with st.container(horizontal=True, vertical_alignment="center"):
        export.offer(view)
        export.link(view)
        glossary_popover.words()
    draw_reconstruction()


def _histogram(view: ScoredView) -> None:
    anomalous, run, standardised = view.scores.anomalous, view.run, view.rule.standardised
    st.subheader(
        "Scores",
        help="How often each score occurs, among normal and among anomalous test images. Draw a box to see its images.",
    )
    st.plotly_chart(
        charts.histogram(
            view.test[~anomalous], view.test[anomalous], view.threshold, band=view.selection.band, height=350,
            units=view.units,
        ),
        key="histogram", config=export.config("histogram"), selection_mode="box",
        on_select=guard.callback(lambda: linked_charts.brushed(run, standardised)),
        alt=f"histogram of the scores of {(~anomalous).sum()} normal and {anomalous.sum()} anomalous test images",
    )  # fmt: skip


def _roc(view: ScoredView, e: Evaluation) -> None:
    st.subheader(
        "ROC", help="Each point is a threshold: how many anomalies it catches against how many normals it flags."
    )
    band, run = cache.band(view.run.name, view.weights), view.run
    curve = charts.RocCurve(
        name="this weighting", fpr=e.roc.x, tpr=e.roc.y, auroc=e.auroc, colour=colours.ANOMALOUS.both,
        point=(e.false_alarm_rate, e.hit_rate), thresholds=e.roc.thresholds, band=(band.fpr, band.tpr_low, band.tpr_high),
    )  # fmt: skip
    st.plotly_chart(
        charts.roc([curve], height=350), key="roc", config=export.config("roc"), alt=f"ROC curve, area {e.auroc:.3f}",
        # With another figure it is another widget to Streamlit, which keeps what each one calls as long as the session lasts: no view in it.
        on_select=guard.callback(lambda: linked_charts.picked_on_roc(run)),
        selection_mode="points",
    )  # fmt: skip


_COLUMNS = {
    "share called anomalous": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0),
    "AUROC": st.column_config.NumberColumn(
        format="%.4f", help="normal: against all anomalies; anomaly: against all normals"
    ),
    "median score": st.column_config.NumberColumn(format="%.4g"),
}


def _table(run: RunInfo, e: Evaluation) -> pd.DataFrame:
    return pd.DataFrame(
        {
            run.kind: [run.class_name(r["digit"]) for r in e.per_digit],
            "role": ["normal" if r["normal"] else "anomaly" for r in e.per_digit],
            "images": [r["n"] for r in e.per_digit],
            "share called anomalous": [r["flagged"] for r in e.per_digit],
            "AUROC": [r["auroc"] for r in e.per_digit],
            "median score": [r["median"] for r in e.per_digit],
        }
    )


def _numbers(view: ScoredView, e: Evaluation) -> None:
    columns = layout.cells("numbers", 4)
    default = (view.run.report or {}).get("auroc")
    band = cache.band(view.run.name, view.weights)
    own = own_quality.of(view.run, view.weights, view.threshold)
    low, high = (own.low, own.high) if own else (band.low, band.high)
    changed = "" if default is None or abs(e.auroc - default) < 5e-5 else f"{e.auroc - default:+.4f} · "
    columns[0].metric(
        "AUROC", f"{e.auroc:.4f}", f"{changed}{low:.3f} to {high:.3f}", delta_color="off", delta_arrow="off",
        border=True, height="stretch",
        help=glossary.sentence("AUROC") + " Below, the 95 % interval: " + glossary.MEANING["95 % interval"]
        + ". Before it stands what other weights than the default change. Alone: " + ", ".join(f"{p} {area:.3f}" for p, area in e.part_auroc.items()),
    )  # fmt: skip
    columns[1].metric(
        "average precision", f"{e.average_precision:.4f}", f"prevalence {e.prevalence:.3f}", delta_color="off",
        delta_arrow="off", border=True, height="stretch",
        help=glossary.sentence("average precision") + " Prevalence: " + glossary.MEANING["prevalence"] + ".",
    )  # fmt: skip
    columns[2].metric(
        "equal error rate", f"{e.eer:.1%}", border=True, height="stretch",
        help=glossary.sentence("equal error rate"),
    )  # fmt: skip
    columns[3].metric(
        "caught", f"{e.hit_rate:.1%}", f"{e.false_alarm_rate:.1%} false alarms", delta_color="off", delta_arrow="off",
        border=True, height="stretch",
        help=f"At this threshold, of {e.n_anomalous:,} anomalies and {e.n_normal:,} normal test images "
        f"(normal: {view.run.normal_in_words}). Threshold: {glossary.MEANING['threshold']}.",
    )  # fmt: skip
