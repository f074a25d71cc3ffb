"""How good is it: ROC, precision and recall, and areas over all weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ganad.evaluation.game import Outcome, Share
from ganad.ui.charts.base import _INK, _PAGE, Drawing, _figure, _percent, _thin_curve, _unit_square
from ganad.ui.messages.escape import chart
from ganad.web import colours
from ganad.wording import number


@dataclass(frozen=True)
class RocCurve:
    """One ROC curve.

    fpr, tpr      (K,) false-alarm rate and share of anomalies caught, each in [0, 1], falling threshold
    auroc         area under it, in [0, 1]
    colour        `#rrggbb`
    point         (fpr, tpr) of the threshold in use, or None
    thresholds    (K,) score above which an image is called anomalous, or None; the first may be infinite
    baseline      something to beat, not something that was trained: drawn thin, in this dash of Plotly's; else ""
    band          (M,) each: false-alarm rates, and the lowest and the highest share caught there, or None
    """

    name: str
    fpr: np.ndarray
    tpr: np.ndarray
    auroc: float
    colour: str = colours.ANOMALOUS.both
    point: tuple[float, float] | None = None
    thresholds: np.ndarray | None = None
    baseline: str = ""
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


def roc(curves: Sequence[RocCurve], *, height: int = 340) -> go.Figure:
    """Share of anomalies caught against the share of normal images called anomalous, for every threshold."""
    drawing = _figure(
        height, top=8, bottom=44, **_unit_square("false positive rate (false alarms)", "true positive rate (caught)")
    )
    drawing.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        hoverinfo="skip",
        line={"color": _INK, "width": 1, "dash": "dot"},
        name="chance",
    )
    for curve in curves:
        kept = _thin_curve(np.asarray(curve.fpr), np.asarray(curve.tpr))
        fpr, tpr = np.asarray(curve.fpr)[kept], np.asarray(curve.tpr)[kept]
        at = np.full(len(kept), np.nan) if curve.thresholds is None else np.asarray(curve.thresholds)[kept]
        hover = [
            f"catches {_percent(t)} at {_percent(f)} false alarms"
            + ("" if np.isnan(c) else f"<br>threshold {number(c)}")
            for f, t, c in zip(fpr, tpr, at, strict=True)
        ]
        single = len(curves) == 1
        if curve.band is not None:
            grid, low, high = curve.band
            drawing.add_scatter(
                x=np.r_[grid, grid[::-1]], y=np.r_[high, low[::-1]], mode="lines", fill="toself", hoverinfo="skip",
                line={"width": 0}, fillcolor=colours.rgba(curve.colour, 0.25), name="95 % of resampled test sets",
            )  # fmt: skip
        drawing.add_scatter(
            # Plotly lets points be clicked that have a marker, be it one that cannot be seen.
            x=fpr, y=tpr, mode="lines+markers", name=chart(curve.name), customdata=hover, marker={"size": 10, "opacity": 0},
            selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
            line={"color": curve.colour, "width": 1.5 if curve.baseline else 2.5, "dash": _dash(curve)},
            fill="tozeroy" if single else None, fillcolor=colours.rgba(curve.colour, 0.1),
            hovertemplate=f"<b>{chart(curve.name)}</b><br>%{{customdata}}<extra></extra>",
        )  # fmt: skip
        if curve.point:
            _operating_point(drawing, curve, label=single)
    _aurocs(drawing, curves)
    return drawing.figure()


def roc_with_player(curve: RocCurve, player: Outcome, *, height: int = 380) -> go.Figure:
    """The curve of a detector and the point of a person, with the intervals of both rates."""
    figure = roc([curve], height=height)
    caught, alarms = player.caught, player.false_alarms
    words = f"you: catch {_percent(caught.value)} at {_percent(alarms.value)} false alarms"
    figure.add_scatter(
        x=[alarms.value], y=[caught.value], mode="markers+text", text=["you"], textposition="bottom right", name="you", cliponaxis=False,
        marker={"size": 13, "symbol": "diamond", "color": colours.NORMAL.both, "line": {"width": 2, "color": _PAGE}},
        error_x=_bars(alarms), error_y=_bars(caught), hovertemplate=f"<b>you</b><br>{words}<extra></extra>",
    )  # fmt: skip
    return figure


def _bars(rate: Share) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "array": [rate.high - rate.value], "arrayminus": [rate.value - rate.low],
        "color": colours.NORMAL.both, "thickness": 1.5,
    }  # fmt: skip


def _dash(curve: RocCurve | PrecisionCurve) -> str:
    return curve.baseline or "solid"


_DASHES = {"": "", "dash": "– – ", "dot": "· · · "}


def _called(curve: RocCurve | PrecisionCurve) -> str:
    return f"<span style='color:{curve.colour}'>{_DASHES.get(curve.baseline, '')}<b>{chart(curve.name)}</b></span>"


def _aurocs(drawing: Drawing, curves: Sequence[RocCurve]) -> None:
    """The areas, in the corner that a useful curve leaves free."""
    lines = [f"{_called(curve)}  {curve.auroc:.3f}" for curve in curves]
    text = (
        "<br>".join(["AUROC", *lines]) if len(curves) > 1 else f"AUROC <b>{curves[0].auroc:.3f}</b>" if curves else ""
    )
    drawing.add_annotation(text=text, x=0.98, y=0.03, xanchor="right", yanchor="bottom", align="right", showarrow=False)


def _operating_point(drawing: Drawing, curve: RocCurve, *, label: bool) -> None:
    assert curve.point is not None
    fpr, tpr = curve.point
    words = f"catches {_percent(tpr)} at {_percent(fpr)} false alarms"
    drawing.add_scatter(
        x=[fpr], y=[tpr], mode="markers", name="threshold", cliponaxis=False,
        marker={"size": 12, "color": curve.colour, "line": {"width": 2, "color": _PAGE}},
        hovertemplate=f"<b>{chart(curve.name)}</b>, threshold in use<br>{words}<extra></extra>",
    )  # fmt: skip
    if label:
        right = fpr < 0.45
        drawing.add_annotation(
            text=words.replace(" at ", "<br>at "), x=fpr, y=tpr, showarrow=False, xanchor="left" if right else "right",
            align="left" if right else "right", xshift=10 if right else -10, yshift=-6, yanchor="top",
        )  # fmt: skip


def precision_recall(
    precision: np.ndarray,
    recall: np.ndarray,
    prevalence: float,
    point: tuple[float, float] | None,
    *,
    height: int = 340,
) -> go.Figure:
    """Of the images called anomalous, how many are (precision), against how many anomalies are caught (recall).

    point: (recall, precision) of the threshold in use. The chance line is the prevalence, the share of anomalies in
    the test set: without it a precision of 0.9 says nothing.
    """
    colour = colours.ANOMALOUS.both
    drawing = _figure(height, top=8, bottom=44, right=24, **_precision_axes([np.asarray(precision)], prevalence))
    kept = _thin_curve(np.asarray(recall), np.asarray(precision))
    drawing.add_scatter(
        x=np.asarray(recall)[kept], y=np.asarray(precision)[kept], mode="lines", name="precision",
        line={"color": colour, "width": 2.5},
        hovertemplate="precision %{y:.1%}<br>recall %{x:.1%}<extra></extra>",
    )  # fmt: skip
    drawing.add_scatter(
        x=[0, 1], y=[prevalence] * 2, mode="lines", hoverinfo="skip", line={"color": _INK, "width": 1, "dash": "dot"}
    )
    high = prevalence > 0.5
    drawing.add_annotation(
        text=f"chance: {_percent(prevalence)} are anomalies", x=0.02, y=prevalence, xanchor="left", showarrow=False,
        yanchor="top" if high else "bottom",
    )  # fmt: skip
    if point:
        drawing.add_scatter(
            x=[point[0]], y=[point[1]], mode="markers", cliponaxis=False, name="threshold",
            marker={"size": 12, "color": colour, "line": {"width": 2, "color": _PAGE}},
            hovertemplate="threshold in use<br>precision %{y:.1%}<br>recall %{x:.1%}<extra></extra>",
        )  # fmt: skip
        words = f"at the threshold:<br>precision <b>{_percent(point[1])}</b>, recall <b>{_percent(point[0])}</b>"
        drawing.add_annotation(
            text=words, x=0.02, y=0.05 if prevalence > 0.25 else 0.35, yref="paper", xanchor="left", yanchor="bottom",
            align="left", showarrow=False,
        )  # fmt: skip
    return drawing.figure()


@dataclass(frozen=True)
class PrecisionCurve:
    """One precision-recall curve: recall and precision (K,), average precision, (recall, precision) of the threshold."""

    name: str
    recall: np.ndarray
    precision: np.ndarray
    area: float
    colour: str
    point: tuple[float, float] | None = None
    baseline: str = ""


def precision_recalls(lines: Sequence[PrecisionCurve], prevalence: float | None, *, height: int = 340) -> go.Figure:
    """Precision against recall of several runs; prevalence draws the chance line, None where they do not share one."""
    drawing = _figure(height, top=8, bottom=44, right=24, **_precision_axes([p.precision for p in lines], prevalence))
    if prevalence is not None:
        drawing.add_scatter(
            x=[0, 1], y=[prevalence] * 2, mode="lines", hoverinfo="skip", name="chance",
            line={"color": _INK, "width": 1, "dash": "dot"},
        )  # fmt: skip
    for line in lines:
        kept = _thin_curve(np.asarray(line.recall), np.asarray(line.precision))
        drawing.add_scatter(
            x=np.asarray(line.recall)[kept], y=np.asarray(line.precision)[kept], mode="lines", name=chart(line.name),
            line={"color": line.colour, "width": 1.5 if line.baseline else 2.5, "dash": _dash(line)},
            hovertemplate=f"<b>{chart(line.name)}</b><br>precision %{{y:.1%}}, recall %{{x:.1%}}<extra></extra>",
        )  # fmt: skip
        if line.point:
            drawing.add_scatter(
                x=[line.point[0]], y=[line.point[1]], mode="markers", name="threshold", cliponaxis=False,
                marker={"size": 12, "color": line.colour, "line": {"width": 2, "color": _PAGE}},
                hovertemplate=f"<b>{chart(line.name)}</b>, threshold in use<br>precision %{{y:.1%}}, recall %{{x:.1%}}<extra></extra>",
            )  # fmt: skip
    labels = [f"{_called(p)}  {p.area:.3f}" for p in lines]
    chance = [] if prevalence is None else [f"chance  {prevalence:.3f}"]
    drawing.add_annotation(
        text="<br>".join(["average precision", *labels, *chance]), x=0.02, y=0.09, yref="paper", xanchor="left", yanchor="bottom", align="left",
        showarrow=False,
    )  # fmt: skip
    return drawing.figure()


def _precision_axes(precisions: Sequence[np.ndarray], prevalence: float | None) -> dict[str, dict[str, Any]]:
    """Both axes from 0 to 1. Where nine images of ten are anomalies, all that can be told apart is above what guessing
    reaches, and precision begins there."""
    axes = _unit_square("recall: anomalies caught", "precision")
    lows = [float(np.min(p)) for p in precisions if len(p)] + ([] if prevalence is None else [prevalence])
    if lows and (lowest := min(lows)) > 0.5:
        room = 1 - lowest
        axes["y"] |= {
            "range": [lowest - 1.1 * room, 1 + 0.03 * room],
            "tickvals": None,
            "nticks": 6,
            "scaleanchor": False,
        }
    return axes
