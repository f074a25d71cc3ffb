"""Every chart of the dashboard: plain numbers in, a Plotly figure out.

Backgrounds are transparent and words take the colour of the page, so each figure is right on the light theme and on
the dark one. Show them with `st.plotly_chart(figure, config=charts.CONFIG)`; width is the column's, height is the
figure's. Lines are named where they run, so there is no legend to look up.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ganad.config import PARTS
from ganad.ui import colours

CONFIG = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's own options, for `st.plotly_chart(config=...)`: no toolbar over the picture."""

BINS = 48
"""Bars of a histogram."""

MOST_POINTS = 200
"""Points of one loss curve; a chart is a few hundred pixels wide."""

# Streamlit's front end writes the theme's own colours in the place of these (the template of `theme="streamlit"` is
# made of such codes). Anywhere else they are what they say: nearly black.
_TEXT = "#000037"
_PAGE = "#000038"

_GRID = colours.rgba(colours.THRESHOLD.both, 0.2)
_INK = colours.THRESHOLD.both
_SMALL = 13


@dataclass(frozen=True)
class Curve:
    """One ROC curve.

    fpr, tpr      (K,) false-alarm rate and share of anomalies caught, each in [0, 1], falling threshold
    auroc         area under it, in [0, 1]
    colour        `#rrggbb`
    point         (fpr, tpr) of the threshold in use, or None
    thresholds    (K,) score above which an image is called anomalous, or None; the first may be infinite
    baseline      drawn thin and dashed: something to beat, not something that was trained
    band          (M,) each: false-alarm rates, and the lowest and the highest share caught there, or None
    """

    name: str
    fpr: np.ndarray
    tpr: np.ndarray
    auroc: float
    colour: str = colours.ANOMALOUS.both
    point: tuple[float, float] | None = None
    thresholds: np.ndarray | None = None
    baseline: bool = False
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None


# --- scores ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bins:
    """Common bins of several samples; the last one also holds whatever lies above it.

    edges     (bins + 1,) equal widths
    counts    one (bins,) int array for each sample; each sums to the sample's finite size
    clipped   how many values lie above the last edge and were counted in the last bin
    """

    edges: np.ndarray
    counts: tuple[np.ndarray, ...]
    clipped: int


def bin_scores(samples: Sequence[np.ndarray], *, bins: int = BINS, include: Sequence[float] = ()) -> Bins:
    """Count several samples in common bins over a range that a few extreme scores cannot stretch.

    The range runs from the smallest value to the 99th percentile of each sample, whichever is larger, and is widened
    to hold the values in `include` (a threshold). Values that are not finite are left out.
    """
    finite = [s[np.isfinite(s)] for s in (np.asarray(s, dtype=np.float64).ravel() for s in samples)]
    filled = [s for s in finite if len(s)]
    wanted = [v for v in include if np.isfinite(v)]
    low = min([*(s.min() for s in filled), *wanted], default=0.0)
    high = max([*(np.quantile(s, 0.99) for s in filled), *wanted], default=1.0)
    if not high > low:
        low, high = low - 0.5, low + 0.5
    high += (high - low) / bins  # a threshold at the very edge would have nothing to its right
    edges = np.linspace(low, high, bins + 1)
    counts = tuple(np.histogram(np.clip(s, low, high), edges)[0] for s in finite)
    return Bins(edges, counts, int(sum((s > high).sum() for s in finite)))


_AS_IT_IS = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
"""What is clicked stays as it is: the choice is shown elsewhere."""


def histogram(
    normal_scores: np.ndarray,
    anomalous_scores: np.ndarray,
    threshold: float,
    *,
    marked: float | None = None,
    marked_label: str = "",
    band: tuple[float, float] | None = None,
    height: int = 260,
    x_title: str = "score",
) -> go.Figure:
    """Scores of normal and of anomalous images, each class as a density, with the threshold between them.

    Scores: (N,) and (M,), raw, higher = more anomalous; either may be empty. Each class has area 1, so that 9,000
    anomalies do not bury 1,000 normals; the counts are in the hover text. `marked` pins one image's score, `band` shades
    scores from, to.
    """
    binned = bin_scores((normal_scores, anomalous_scores), include=(threshold,))
    edges, width = binned.edges, binned.edges[1] - binned.edges[0]
    figure = _figure(height, top=62, bottom=44)
    peak = 0.0
    hover = [f"{_number(a)} to {_number(b)}" for a, b in itertools.pairwise(edges)]
    if binned.clipped:
        hover[-1] = f"{_number(edges[-2])} and above"
    heading = []
    for name, counts in zip(("normal", "anomalous"), binned.counts, strict=True):
        n, colour = int(counts.sum()), colours.VERDICTS[name]
        if not n:
            continue
        density = counts / (n * width)
        peak = max(peak, float(density.max()))
        heading.append(f"<span style='color:{colour.both}'>■ <b>{name}</b></span> {n:,}")
        hover = [f"{h}<br>{name}: {c:,} of {n:,} ({_percent(c / n)})" for h, c in zip(hover, counts, strict=True)]
        # Twice each edge, so that the outline rises and falls at the ends as well.
        x = np.repeat(edges, 2)
        y = np.concatenate([[0.0], np.repeat(density, 2), [0.0]])
        figure.add_scatter(
            x=x, y=y, mode="lines", fill="tozeroy", fillcolor=colour.faint(0.28), hoverinfo="skip", name=name,
            line={"color": colour.both, "width": 1.6},
        )  # fmt: skip
    figure.add_bar(
        x=(edges[:-1] + edges[1:]) / 2, y=np.full(len(hover), peak or 1.0), width=width, customdata=hover, name="count",
        hovertemplate="%{customdata}<extra></extra>", marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        **_AS_IT_IS,
    )  # fmt: skip
    if band is not None:
        low, high = (float(np.clip(b, edges[0], edges[-1])) for b in band)
        figure.add_shape(
            type="rect", x0=low, x1=high, y0=0, y1=1, yref="paper", fillcolor=colours.THRESHOLD.faint(0.16),
            line={"color": _INK, "width": 1}, layer="below",
        )  # fmt: skip
    figure.add_annotation(text="&nbsp;&nbsp;&nbsp;".join(heading), **_above(0, 40, "left", ref="paper"))
    if np.isfinite(threshold):
        _vertical(figure, threshold, colour=_INK, dash="dash")
        figure.add_annotation(text=f"threshold {_number(threshold)}", **_above(threshold, 4, _side(threshold, edges)))
    if marked is not None and np.isfinite(marked):
        _pin(figure, marked, marked_label, edges)
    note = f" · the last bar holds {binned.clipped:,} above {_number(edges[-1])}" if binned.clipped else ""
    figure.update_xaxes(title_text=x_title + note, range=[edges[0], edges[-1]], showgrid=False)
    figure.update_yaxes(visible=False, range=[0, (peak or 1.0) * 1.08])
    figure.update_layout(hovermode="closest", bargap=0)
    return figure


def _pin(figure: go.Figure, marked: float, label: str, edges: np.ndarray) -> None:
    at = float(np.clip(marked, edges[0], edges[-1]))
    beyond = " →" if marked > edges[-1] else ""
    _vertical(figure, at, colour=_TEXT, dash="solid", width=1.5)
    figure.add_scatter(
        x=[at], y=[0], mode="markers", hoverinfo="skip", cliponaxis=False, name="marked",
        marker={"size": 13, "color": _TEXT, "symbol": "diamond", "line": {"width": 2, "color": _PAGE}},
    )  # fmt: skip
    words = f"<b>{label or 'this image'}</b> {_number(marked)}{beyond}"
    figure.add_annotation(text=words, **_above(at, 22, _side(at, edges)))


def score_strip(rows: Sequence[tuple[str, float, str]], threshold: float, *, height: int = 150) -> go.Figure:
    """A few scored images on one line, with the threshold between the verdicts.

    rows: (label, score, verdict) with verdict `normal` or `anomalous`; a label of one or two letters is written into
    its dot. Dots that would touch are stacked.
    """
    figure = _figure(height, top=30, bottom=44)
    scores = np.array([s for _, s, _ in rows], dtype=np.float64)
    low, high = float(min([*scores, threshold, 0.0])), float(max([*scores, threshold]))
    pad = (high - low or 1.0) * 0.05
    low, high = low - pad, high + pad
    levels = stack(scores, (high - low) / 26)
    figure.add_vrect(x0=threshold, x1=high, fillcolor=colours.ANOMALOUS.faint(0.07), line_width=0, layer="below")
    figure.add_vrect(x0=low, x1=threshold, fillcolor=colours.NORMAL.faint(0.07), line_width=0, layer="below")
    for verdict, colour in colours.VERDICTS.items():
        chosen = [i for i, row in enumerate(rows) if row[2] == verdict]
        figure.add_scatter(
            x=scores[chosen], y=levels[chosen], mode="markers+text", text=[rows[i][0] for i in chosen], name=verdict,
            textposition=["middle center" if len(rows[i][0]) < 3 else "top center" for i in chosen],
            textfont={"size": _SMALL + 1, "color": ["white" if len(rows[i][0]) < 3 else _TEXT for i in chosen]},
            marker={"size": 26, "color": colour.both, "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate="%{text}: %{x:.4g}, " + verdict + "<extra></extra>",
        )  # fmt: skip
    _vertical(figure, threshold, colour=_INK, dash="dash")
    figure.add_annotation(text="called normal ", **_above(threshold, 4, "right"), font_color=colours.NORMAL.both)
    figure.add_annotation(text=" called anomalous", **_above(threshold, 4, "left"), font_color=colours.ANOMALOUS.both)
    figure.update_xaxes(title_text="score", range=[low, high], showgrid=False)
    figure.update_yaxes(visible=False, range=[-0.7, max(1.0, levels.max(initial=0)) + 0.7])
    return figure


def stack(values: np.ndarray, apart: float) -> np.ndarray:
    """Level (0, 1, 2, …) of each value, so that values on one level lie at least `apart` from each other."""
    levels = np.zeros(len(values))
    last: list[float] = []
    for i in np.argsort(values, kind="stable"):
        level = next((k for k, end in enumerate(last) if values[i] - end >= apart), len(last))
        last[level : level + 1] = [values[i]]
        levels[i] = level
    return levels


def waterfall(parts: Mapping[str, Mapping[str, float]], threshold: float, *, height: int = 210) -> go.Figure:
    """How the parts of one image add up to its score, beside the threshold.

    parts: part -> value, weight, contribution (value times weight, may be negative where parts are standardised) and
    percentile (share of held-out normal images that score lower, 0..100).
    """
    figure = _figure(height, top=22, bottom=40, right=14)
    rows, at = len(parts) + 1, 0.0
    ends = np.cumsum([0.0, *(part["contribution"] for part in parts.values())])
    reach = [*ends, threshold] if np.isfinite(threshold) else list(ends)
    low, high = min(0.0, *reach), max(0.0, *reach)
    high = high if high > low else low + 1.0
    for row, (name, part) in enumerate(parts.items()):
        colour, end = colours.PARTS.get(name, colours.THRESHOLD), at + part["contribution"]
        figure.add_bar(
            x=[end - at], base=[at], y=[row + 0.16], orientation="h", width=0.34, marker={"color": colour.both}, name=name,
            hovertemplate=f"{name}: {_number(part['value'])} × {part['weight']:.3g} = {_number(part['contribution'])}<br>"
            f"above {part['percentile']:.1f} % of the held-out normal images<extra></extra>",
        )  # fmt: skip
        figure.add_shape(
            type="line", x0=end, x1=end, y0=row + 0.16, y1=row + 1.16, line={"color": _INK, "width": 1, "dash": "dot"}
        )
        above = {"y": row - 0.2, "showarrow": False, "yanchor": "middle", "xref": "paper"}
        figure.add_annotation(text=f"<b style='color:{colour.both}'>{name}</b>", x=0, xanchor="left", **above)
        words = f"{_number(part['contribution'])} · above {part['percentile']:.1f} % of the normals"
        figure.add_annotation(text=words, x=1, xanchor="right", **above)
        at = end
    verdict = colours.ANOMALOUS if at > threshold else colours.NORMAL
    figure.add_bar(
        x=[at], y=[rows - 1 + 0.16], orientation="h", width=0.34, marker={"color": verdict.both}, name="score",
        hovertemplate=f"score {_number(at)}<extra></extra>",
    )  # fmt: skip
    total = {"y": rows - 1 - 0.2, "showarrow": False, "yanchor": "middle", "xref": "paper"}
    figure.add_annotation(text=f"<b style='color:{verdict.both}'>score</b>", x=0, xanchor="left", **total)
    figure.add_annotation(text=f"<b>{_number(at)}</b>", x=1, xanchor="right", **total)
    margin = 0.02 * (high - low)
    if np.isfinite(threshold):
        for row in range(rows):  # only across the bars: the words between them stay readable
            figure.add_shape(
                type="line", x0=threshold, x1=threshold, y0=row - 0.06, y1=row + 0.38, line={"color": _TEXT, "width": 2}
            )
        side = "left" if threshold < (low + high) / 2 else "right"
        figure.add_annotation(text=f"threshold {_number(threshold)}", **_above(threshold, 3, side))
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text="score", range=[low - margin * (low < 0), high + margin], showgrid=False)
    figure.update_yaxes(visible=False, range=[rows - 0.5, -0.5])
    return figure


# --- how good is it -------------------------------------------------------------------------------------------------


def roc(curves: Sequence[Curve], *, height: int = 340) -> go.Figure:
    """Share of anomalies caught against the share of normal images called anomalous, for every threshold."""
    figure = _figure(height, top=8, bottom=44)
    figure.add_scatter(
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
            + ("" if np.isnan(c) else f"<br>threshold {_number(c)}")
            for f, t, c in zip(fpr, tpr, at, strict=True)
        ]
        single = len(curves) == 1
        if curve.band is not None:
            grid, low, high = curve.band
            figure.add_scatter(
                x=np.r_[grid, grid[::-1]], y=np.r_[high, low[::-1]], mode="lines", fill="toself", hoverinfo="skip",
                line={"width": 0}, fillcolor=colours.rgba(curve.colour, 0.25), name="95 % of resampled test sets",
            )  # fmt: skip
        figure.add_scatter(
            # Plotly lets points be clicked that have a marker, be it one that cannot be seen.
            x=fpr, y=tpr, mode="lines+markers", name=curve.name, customdata=hover, marker={"size": 10, "opacity": 0},
            selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
            line={"color": curve.colour, "width": 1.5 if curve.baseline else 2.5, "dash": _dash(curve)},
            fill="tozeroy" if single else None, fillcolor=colours.rgba(curve.colour, 0.1),
            hovertemplate=f"<b>{curve.name}</b><br>%{{customdata}}<extra></extra>",
        )  # fmt: skip
        if curve.point:
            _operating_point(figure, curve, label=single)
    _aurocs(figure, curves)
    _unit_square(figure, "false alarms", "anomalies caught")
    return figure


def _dash(curve: Curve) -> str:
    return "dash" if curve.baseline else "solid"


def _aurocs(figure: go.Figure, curves: Sequence[Curve]) -> None:
    """The areas, in the corner that a useful curve leaves free."""
    lines = [f"<span style='color:{curve.colour}'><b>{curve.name}</b></span>  {curve.auroc:.3f}" for curve in curves]
    text = (
        "<br>".join(["AUROC", *lines]) if len(curves) > 1 else f"AUROC <b>{curves[0].auroc:.3f}</b>" if curves else ""
    )
    figure.add_annotation(text=text, x=0.98, y=0.03, xanchor="right", yanchor="bottom", align="right", showarrow=False)


def _operating_point(figure: go.Figure, curve: Curve, *, label: bool) -> None:
    assert curve.point is not None
    fpr, tpr = curve.point
    words = f"catches {_percent(tpr)} at {_percent(fpr)} false alarms"
    figure.add_scatter(
        x=[fpr], y=[tpr], mode="markers", name="threshold", cliponaxis=False,
        marker={"size": 12, "color": curve.colour, "line": {"width": 2, "color": _PAGE}},
        hovertemplate=f"<b>{curve.name}</b>, threshold in use<br>{words}<extra></extra>",
    )  # fmt: skip
    if label:
        right = fpr < 0.45
        figure.add_annotation(
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
    figure = _figure(height, top=8, bottom=44)
    kept = _thin_curve(np.asarray(recall), np.asarray(precision))
    figure.add_scatter(
        x=np.asarray(recall)[kept], y=np.asarray(precision)[kept], mode="lines", name="precision",
        line={"color": colour, "width": 2.5},
        hovertemplate="precision %{y:.1%}<br>recall %{x:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=[prevalence] * 2, mode="lines", hoverinfo="skip", line={"color": _INK, "width": 1, "dash": "dot"}
    )
    high = prevalence > 0.5
    figure.add_annotation(
        text=f"chance: {_percent(prevalence)} are anomalies", x=0.02, y=prevalence, xanchor="left", showarrow=False,
        yanchor="top" if high else "bottom",
    )  # fmt: skip
    if point:
        figure.add_scatter(
            x=[point[0]], y=[point[1]], mode="markers", cliponaxis=False, name="threshold",
            marker={"size": 12, "color": colour, "line": {"width": 2, "color": _PAGE}},
            hovertemplate="threshold in use<br>precision %{y:.1%}<br>recall %{x:.1%}<extra></extra>",
        )  # fmt: skip
        words = f"at the threshold:<br>precision <b>{_percent(point[1])}</b>, recall <b>{_percent(point[0])}</b>"
        figure.add_annotation(
            text=words, x=0.02, y=0.03 if prevalence > 0.25 else 0.35, xanchor="left", yanchor="bottom", align="left",
            showarrow=False,
        )  # fmt: skip
    _unit_square(figure, "recall: anomalies caught", "precision")
    return figure


def latent_map(
    val: np.ndarray, test: np.ndarray, anomalous: np.ndarray, names: Sequence[str], *,
    lasso: Sequence[tuple[float, float]] = (), height: int = 430,
) -> go.Figure:  # fmt: skip
    """Codes on a plane: held-out normals (n, 2) in grey below test images (m, 2) by their label; names: m words."""
    figure = _figure(height, top=30, bottom=34)
    figure.add_scatter(
        x=val[:, 0], y=val[:, 1], mode="markers", name="held-out normals", hoverinfo="skip",
        marker={"size": 5, "color": colours.THRESHOLD.both, "opacity": 0.45, "symbol": "circle-open"}, **_AS_IT_IS,
    )  # fmt: skip
    for name, rows in (("anomalous", np.flatnonzero(anomalous)), ("normal", np.flatnonzero(~anomalous))):
        figure.add_scatter(
            x=test[rows, 0], y=test[rows, 1], mode="markers", name=name, customdata=[names[r] for r in rows],
            marker={"size": 5, "color": colours.VERDICTS[name].both, "opacity": 0.55},
            hovertemplate="%{customdata}<extra>" + name + "</extra>", selected={"marker": {"opacity": 0.9}},
            unselected={"marker": {"opacity": 0.35}},
        )  # fmt: skip
    if lasso:
        path = "M" + "L".join(f"{x},{y}" for x, y in lasso) + "Z"
        figure.add_shape(
            type="path", path=path, line={"color": _INK, "width": 1.5}, fillcolor=colours.THRESHOLD.faint(0.12)
        )
    figure.update_layout(
        dragmode="lasso", showlegend=True, hovermode="closest",
        legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "itemsizing": "constant", "bgcolor": "rgba(0,0,0,0)"},
    )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return figure


def ternary(says: np.ndarray, areas: np.ndarray, now: Sequence[float], *, height: int = 380) -> go.Figure:
    """AUROC for each share of say among residual (top), discrimination (left) and latent (right): says (K, 3), areas (K,).

    now: the shares in force, three numbers. A click selects a point with its row in `says` as customdata.
    """
    figure = _figure(height, top=26, bottom=34)
    x, y = _corner(says)
    best = int(np.argmax(areas))
    hover = [
        "say " + ", ".join(f"{p} {s:.2f}" for p, s in zip(PARTS, say, strict=True)) + f"<br>AUROC {a:.4f}"
        for say, a in zip(says, areas, strict=True)
    ]
    figure.add_scatter(
        x=x, y=y, mode="markers", name="weights", customdata=list(range(len(says))), text=hover,
        hovertemplate="%{text}<extra></extra>",
        marker={
            "size": 19, "symbol": "hexagon", "color": areas, "colorscale": "Cividis", "line": {"width": 0},
            "colorbar": {"title": "AUROC", "thickness": 12, "len": 0.8, "outlinewidth": 0},
        },
        **_AS_IT_IS,
    )  # fmt: skip
    figure.add_scatter(
        x=x[[best]], y=y[[best]], mode="markers", name="best", hoverinfo="skip",
        marker={"size": 21, "symbol": "hexagon-open", "color": _INK, "line": {"width": 2.5}}, **_AS_IT_IS,
    )  # fmt: skip
    px, py = _corner(np.asarray([now], dtype=float))
    figure.add_scatter(
        x=px, y=py, mode="markers", name="now", hoverinfo="skip",
        marker={"size": 11, "symbol": "diamond", "color": colours.ANOMALOUS.both, "line": {"width": 2, "color": _PAGE}}, **_AS_IT_IS,
    )  # fmt: skip
    for name, (cx, cy), anchor in (
        ("residual", (0.5, 0.94), "center"), ("discrimination", (0.0, -0.05), "left"), ("latent", (1.0, -0.05), "right"),
    ):  # fmt: skip
        figure.add_annotation(
            text=f"<b style='color:{colours.PARTS[name].both}'>{name}</b>", x=cx, y=cy, showarrow=False, xanchor=anchor,
            yanchor="bottom" if name == "residual" else "top",
        )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.06, 1.06], fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.14, 1.02], scaleanchor="x", fixedrange=True)
    return figure


def _corner(says: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where shares of say lie in a triangle with residual on top, discrimination on the left, latent on the right."""
    return says[:, 2] + says[:, 0] / 2, says[:, 0] * np.sqrt(3) / 2


# --- how it learns --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Envelope:
    """A long curve in few points: x, mean, low and high of each stretch, all (K,)."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def thin(x: np.ndarray, y: np.ndarray, *, most: int = MOST_POINTS) -> Envelope:
    """At most `most` points of a curve, with the smallest and largest value that each stands for: no spike is lost."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(x) <= most:
        return Envelope(x, y, y, y)
    starts = np.linspace(0, len(x), most + 1).astype(int)[:-1]
    sizes = np.diff(np.append(starts, len(x)))
    return Envelope(
        np.add.reduceat(x, starts) / sizes,
        np.add.reduceat(y, starts) / sizes,
        np.minimum.reduceat(y, starts),
        np.maximum.reduceat(y, starts),
    )


def losses(rows: Sequence[Mapping[str, Any]], player: str, *, height: int = 220) -> go.Figure:
    """One player's loss over the steps, and the terms that it is made of, each named at its end.

    rows: lines of metrics.jsonl with `step`, `loss/<player>` and `<player>/<term>`; other lines are passed over. Of
    more than 400 points the line is the mean of each stretch and the band its smallest and largest value.
    """
    colour = colours.PLAYERS.get(player, colours.THRESHOLD)
    figure = _figure(height, top=30, bottom=44, right=96)
    figure.add_annotation(text=f"<b style='color:{colour.both}'>{player}</b>", **_above(0, 6, "left", ref="paper"))
    lines = _loss_lines(rows, player)
    if not lines:
        figure.add_annotation(text="no steps yet", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        return figure.update_xaxes(visible=False).update_yaxes(visible=False)
    for k, (name, line) in enumerate(lines.items()):
        if np.any(line.high > line.low):
            figure.add_scatter(
                x=np.concatenate([line.x, line.x[::-1]]), y=np.concatenate([line.high, line.low[::-1]]), fill="toself",
                mode="lines", line={"width": 0}, fillcolor=colour.faint(0.18 if k == 0 else 0.1), hoverinfo="skip",
                name=f"{name} range",
            )  # fmt: skip
        figure.add_scatter(
            x=line.x, y=line.mean, name=name, opacity=0.75 if k else 1,
            mode="lines" if len(line.x) > 1 else "markers", cliponaxis=len(line.x) > 1,
            line={"color": colour.both, "width": 1.3 if k else 2, "dash": "dot" if k else "solid"},
            hovertemplate="step %{x:,.0f}<br>" + name + " %{y:.4g}<extra></extra>",
        )  # fmt: skip
    low, high, peak = _loss_range(list(lines.values()))
    pixels = (height - 74) / (high - low)
    ends = [float(np.clip(line.mean[-1], low, high)) for line in lines.values()]
    places = spread([(end - low) * pixels for end in ends], gap=15)
    for name, line, end, place in zip(lines, lines.values(), ends, places, strict=True):
        word = "loss" if name.startswith("loss/") else name.split("/", 1)[1]
        figure.add_annotation(
            text=f"<span style='color:{colour.both}'>{word}</span>", x=line.x[-1], y=end,
            xanchor="left", xshift=6, yshift=place - (end - low) * pixels, showarrow=False, font={"size": _SMALL},
        )  # fmt: skip
    if peak > high:
        figure.add_annotation(text=f"↑ {_number(peak)}", **_above(1, 6, "right", ref="paper"))
    steps = [row["step"] for row in rows if "step" in row]
    first, last = min(steps), max(steps)
    figure.update_xaxes(showgrid=False, range=[first, max(last, first + 1)], **_epoch_ticks(rows))
    figure.update_yaxes(nticks=5, range=[low, high], fixedrange=True)
    figure.update_layout(dragmode="zoom")
    return figure


def _loss_lines(rows: Sequence[Mapping[str, Any]], player: str) -> dict[str, Envelope]:
    """The player's loss first, then its terms by name; steps without a value, or with one not finite, are left out."""
    lines = {}
    for name in [f"loss/{player}", *sorted({k for row in rows for k in row if k.startswith(f"{player}/")})]:
        pairs = [(row["step"], row[name]) for row in rows if row.get(name) is not None and np.isfinite(row[name])]
        if pairs:
            lines[name] = thin(*np.array(pairs, dtype=np.float64).T)
    return lines


def _loss_range(lines: Sequence[Envelope]) -> tuple[float, float, float]:
    """Lower and upper end of the axis, and the largest value: a few wild first steps do not flatten the rest."""
    highs = np.concatenate([line.high for line in lines])
    low, high, peak = float(min(line.low.min() for line in lines)), float(highs.max()), float(highs.max())
    usual = float(np.quantile(highs, 0.97))
    if high - low > 3 * (usual - low) > 0:
        high = low + 1.5 * (usual - low)
    pad = 0.06 * (high - low) or 0.5
    return low - pad, high + pad, peak


def spread(at: Sequence[float], gap: float) -> list[float]:
    """Positions next to those asked for, no two nearer than `gap`, in the same order: names at the ends of lines."""
    order = sorted(range(len(at)), key=at.__getitem__)
    groups: list[tuple[float, list[int]]] = []  # (sum of the wishes, who), each group standing centred on its mean wish
    for k in order:
        groups.append((at[k], [k]))
        while len(groups) > 1:
            (a, below), (b, above) = groups[-2:]
            room = b / len(above) - a / len(below)
            if room >= gap * (len(above) + len(below)) / 2:
                break
            groups[-2:] = [(a + b, below + above)]
    placed = [0.0] * len(at)
    for total, members in groups:
        for place, k in enumerate(members):
            placed[k] = total / len(members) + gap * (place - (len(members) - 1) / 2)
    return placed


def descent(score: np.ndarray, paths: np.ndarray, *, height: int = 190) -> go.Figure:
    """How a search for z comes down. score: (T,) of the best z so far; paths: (T, R) of each path, faint."""
    figure = _figure(height, top=8, bottom=40, right=52)
    steps = np.arange(len(score))
    for path in paths.T[:8]:
        figure.add_scatter(
            x=steps, y=path, mode="lines", line={"color": colours.GENERATOR.faint(0.35), "width": 1}, hoverinfo="skip"
        )
    figure.add_scatter(
        x=steps, y=score, mode="lines", line={"color": colours.GENERATOR.both, "width": 2.5},
        hovertemplate="step %{x}<br>score %{y:.4g}<extra></extra>",
    )  # fmt: skip
    figure.add_annotation(
        x=steps[-1], y=score[-1], text=_number(float(score[-1])), showarrow=False, xanchor="left", xshift=6,
        font={"color": colours.GENERATOR.both, "size": _SMALL},
    )  # fmt: skip
    low, high = float(np.min(score)), float(max(score[0], np.quantile(paths[np.isfinite(paths)], 0.98)))
    pad = 0.06 * (high - low or 1.0)
    figure.update_xaxes(title_text="step of the search", rangemode="tozero")
    figure.update_yaxes(title_text="score", range=[low - pad, high + pad])
    return figure


def _epoch_ticks(rows: Sequence[Mapping[str, Any]], most: int = 8) -> dict[str, Any]:
    """Ticks where epochs begin, if the rows name their epoch: the axis still counts steps."""
    first: dict[int, int] = {}
    for row in rows:
        if row.get("epoch") is not None and "step" in row:
            first.setdefault(int(row["epoch"]), int(row["step"]))
    if len(first) < 2:
        return {"title_text": "step", "nticks": 6}
    shown = sorted(first.items())[:: -(-len(first) // most)]
    return {
        "title_text": "epoch",
        "tickvals": [step for _, step in shown],
        "ticktext": [str(epoch) for epoch, _ in shown],
    }


def history(epochs: Sequence[float], values: Sequence[float], name: str, *, height: int = 150) -> go.Figure:
    """One value an epoch, with the last one written at its end."""
    figure = _figure(height, top=28, bottom=44, right=64)
    colour = colours.PARTS.get(name, colours.NORMAL).both
    figure.add_annotation(text=f"<b>{name}</b>", font={"color": colour}, **_above(0, 6, "left", ref="paper"))
    figure.add_scatter(
        x=list(epochs), y=list(values), mode="lines+markers" if len(values) <= 40 else "lines", name=name,
        line={"color": colour, "width": 2}, marker={"size": 5}, cliponaxis=False,
        hovertemplate="epoch %{x}<br>" + name + " %{y:.4g}<extra></extra>",
    )  # fmt: skip
    if len(values):
        figure.add_annotation(
            text=f"<b>{_number(values[-1])}</b>", x=epochs[-1], y=values[-1], xanchor="left", xshift=8, showarrow=False
        )
        figure.update_xaxes(range=[min(epochs), max(max(epochs), min(epochs) + 1)])
    figure.update_xaxes(title_text="epoch", showgrid=False, nticks=8)
    figure.update_yaxes(nticks=4)
    return figure


# --- the look of all of them ----------------------------------------------------------------------------------------


def _figure(height: int, *, top: int, bottom: int, right: int = 12) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=height, margin={"l": 8, "r": right, "t": top, "b": bottom, "pad": 4}, showlegend=False, dragmode=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"size": 14, "color": _TEXT},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": _INK, "activecolor": _INK},
        hoverlabel={"align": "left", "bgcolor": _PAGE, "bordercolor": _INK, "font": {"size": 14, "color": _TEXT}},
    )  # fmt: skip
    words = {"size": _SMALL, "color": _TEXT}
    axis = {"gridcolor": _GRID, "zeroline": False, "automargin": True, "title_standoff": 8, "tickangle": 0}
    figure.update_xaxes(tickfont=words, title_font=words, **axis)
    figure.update_yaxes(tickfont=words, title_font=words, **axis)
    return figure


def _unit_square(figure: go.Figure, x_title: str, y_title: str) -> None:
    ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "constrain": "domain"}
    figure.update_xaxes(title_text=x_title, range=[0, 1.005], constraintoward="left", **ticks)
    figure.update_yaxes(title_text=y_title, range=[0, 1.01], scaleanchor="x", constraintoward="top", **ticks)


def _vertical(figure: go.Figure, x: float, *, colour: str, dash: str, width: float = 1.5) -> None:
    figure.add_shape(
        type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line={"color": colour, "width": width, "dash": dash}
    )


def _above(x: float, pixels: int, anchor: str, ref: str = "x") -> dict[str, Any]:
    """Where words stand that belong above the plot, `pixels` over its upper edge."""
    return {
        "x": x, "xref": ref, "y": 1, "yref": "paper", "yshift": pixels, "yanchor": "bottom", "xanchor": anchor,
        "showarrow": False,
    }  # fmt: skip


def _side(x: float, edges: np.ndarray) -> str:
    """Words near the left edge run to the right, near the right edge to the left, in between they are centred."""
    share = (x - edges[0]) / (edges[-1] - edges[0])
    return "left" if share < 0.2 else "right" if share > 0.8 else "center"


def _thin_curve(x: np.ndarray, y: np.ndarray, most: int = 500) -> np.ndarray:
    """Positions of at most `most` points, evenly spread along the curve, its ends included."""
    if len(x) <= most:
        return np.arange(len(x))
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    return np.unique(np.append(np.searchsorted(length, np.linspace(0, length[-1], most - 1)), len(x) - 1))


def _number(value: float) -> str:
    """A score for the eye: three significant digits, thousands with commas."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "not a number"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _percent(share: float) -> str:
    """Whole percents; one decimal near 0 and 1, where it matters, and never "0 %" or "100 %" for almost."""
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    digits = 1 if share < 0.095 or share > 0.905 else 0
    return f"{round(100 * share, digits):g} %"


# --- runs beside each other -----------------------------------------------------------------------------------------


def digit_dots(runs: Sequence[tuple[str, str, Mapping[int, float]]], *, height: int = 440) -> go.Figure:
    """AUROC of each anomalous digit, a dot for each run: (name, `#rrggbb`, digit -> AUROC). 0.5 is guessing."""
    figure = _figure(height, top=10, bottom=44, right=24)
    digits = sorted({d for _, _, areas in runs for d in areas})
    for at, d in enumerate(digits):
        found = [areas[d] for _, _, areas in runs if d in areas]
        figure.add_scatter(
            x=[min(found), max(found)], y=[at, at], mode="lines", hoverinfo="skip",
            line={"color": colours.THRESHOLD.faint(0.16), "width": 22},
        )  # fmt: skip
    step = min(0.16, 0.44 / max(1, len(runs) - 1))  # beside each other, so that none hides another
    for i, (name, colour, areas) in enumerate(runs):
        own = sorted(areas)
        figure.add_scatter(
            x=[areas[d] for d in own], y=[digits.index(d) + (i - (len(runs) - 1) / 2) * step for d in own],
            mode="markers", name=name, cliponaxis=False, customdata=own,
            marker={"size": 11, "color": colour, "line": {"width": 1.2, "color": _PAGE}},
            hovertemplate=f"<b>{name}</b><br>digit %{{customdata}}: AUROC %{{x:.4f}}<extra></extra>",
        )  # fmt: skip
    lowest = min((a for _, _, areas in runs for a in areas.values()), default=0.5)
    figure.update_xaxes(title_text="AUROC of this digit against the normal ones", range=[_floor(lowest), 1.003])
    figure.update_yaxes(
        range=[len(digits) - 0.5, -0.5], showgrid=False, title_text="digit", tickvals=list(range(len(digits))),
        ticktext=[str(d) for d in digits],
    )  # fmt: skip
    return figure


@dataclass(frozen=True)
class Standing:
    """Runs that differ by their seed alone, beside the best such group.

    areas     AUROC of each run
    interval  (gap, low, high) of this group against the best one; None for the best itself
    """

    name: str
    colour: str
    areas: tuple[float, ...]
    interval: tuple[float, float, float] | None


def standings(groups: Sequence[Standing]) -> go.Figure:
    """Left: each run's AUROC, mean and spread of each group. Right: the gap to the best group, with its interval."""
    row = 78
    figure = _figure(row * len(groups) + 60, top=26, bottom=44, right=16)
    for i, g in enumerate(groups):
        mean, y = float(np.mean(g.areas)), -i
        spread = float(np.std(g.areas, ddof=1)) if len(g.areas) > 1 else 0.0
        figure.add_scatter(
            x=[mean - spread, mean + spread], y=[y, y], mode="lines", hoverinfo="skip",
            line={"color": colours.rgba(g.colour, 0.3), "width": 12},
        )  # fmt: skip
        figure.add_scatter(
            x=list(g.areas), y=[y] * len(g.areas), mode="markers", name=g.name, cliponaxis=False,
            marker={"size": 11, "color": g.colour, "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate=f"<b>{g.name}</b><br>AUROC %{{x:.4f}}<extra></extra>",
        )  # fmt: skip
        said = f"{mean:.4f}" + (f" ± {spread:.4f}" if spread else "")
        words = f"<span style='color:{g.colour}'><b>{g.name}</b></span>  {said}"
        figure.add_annotation(
            text=words, x=0, xref="paper", y=y, yshift=20, xanchor="left", showarrow=False, yanchor="middle"
        )
        if g.interval is None:
            figure.add_annotation(
                text="the best", x=0, xref="x2", y=y, showarrow=False, xanchor="right", xshift=-10, yanchor="middle"
            )
            continue
        gap, low, high = g.interval
        figure.add_scatter(
            x=[low, high], y=[y, y], mode="lines", xaxis="x2", hoverinfo="skip", line={"color": g.colour, "width": 3}
        )
        figure.add_scatter(
            x=[gap], y=[y], mode="markers", xaxis="x2", name=f"gap of {g.name}", cliponaxis=False,
            marker={"size": 11, "color": g.colour, "symbol": "diamond", "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate=f"<b>{g.name}</b><br>{gap:+.4f}, between {low:+.4f} and {high:+.4f}<extra></extra>",
        )  # fmt: skip
    ends = [e for g in groups if g.interval for e in g.interval] or [-0.01]
    reach = max(0.002, -min(ends), max(ends)) * 1.15
    figure.update_layout(
        xaxis={"domain": [0, 0.52], "title_text": "AUROC"},
        xaxis2={**figure.layout.xaxis.to_plotly_json(), "domain": [0.6, 1], "anchor": "y", "range": [-reach, max(0.0, *ends) + 0.15 * reach]},
    )  # fmt: skip
    figure.update_layout(
        xaxis2={"title_text": "gap to the best, 95 % interval", "tickformat": "+.3~f", "nticks": 5}, xaxis={"nticks": 6}
    )
    areas = [a for g in groups for a in g.areas]
    pad = max(0.002, (max(areas) - min(areas)) * 0.12)
    figure.update_layout(xaxis={"range": [min(areas) - pad, max(areas) + pad]})
    figure.add_shape(
        type="line", x0=0, x1=0, xref="x2", y0=0, y1=1, yref="paper", line={"color": _INK, "width": 1.5, "dash": "dot"}
    )
    figure.update_yaxes(visible=False, range=[-len(groups) + 0.5, 0.55])
    return figure


def trade(runs: Sequence[tuple[str, str, float, float]], *, height: int = 380) -> go.Figure:
    """Quality against cost: (name, `#rrggbb`, milliseconds an image, AUROC). Up and to the left is better."""
    figure = _figure(height, top=24, bottom=48, right=24)
    times, areas = np.array([ms for _, _, ms, _ in runs]), [area for *_, area in runs]
    pad = max(0.004, (max(areas) - min(areas)) * 0.2)
    middle = np.sqrt(times.min() * times.max())
    written = spread(areas, (max(areas) - min(areas) + 2 * pad) / 15)  # names keep a line's distance from each other
    for (name, colour, ms, area), y in zip(runs, written, strict=True):
        figure.add_scatter(
            x=[ms], y=[area], mode="markers", name=name, cliponaxis=False,
            marker={"size": 15, "color": colour, "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate=f"<b>{name}</b><br>{_number(ms)} ms an image, AUROC {area:.4f}<extra></extra>",
        )  # fmt: skip
        left = ms > middle
        figure.add_annotation(
            text=f"<b>{name}</b>", x=np.log10(ms), y=y, font={"color": colour}, showarrow=False,
            xanchor="right" if left else "left", xshift=-13 if left else 13,
        )  # fmt: skip
    room = max(0.35, np.log10(times.max() / times.min()) * 0.15)
    figure.update_xaxes(
        type="log", title_text="milliseconds to score one image, many at once", tickformat="~g",
        dtick="D1" if times.max() < 5 * times.min() else "D2",
        range=[np.log10(times.min()) - room, np.log10(times.max()) + room],
    )  # fmt: skip
    figure.update_yaxes(title_text="AUROC", nticks=6, range=[min(areas) - pad, max(areas) + pad])
    return figure


PASSES = 0.3
"""An AUROC so far below 1 has the full colour in the matrix."""


def matrix(areas: np.ndarray, names: Mapping[int, str], *, height: int = 520) -> go.Figure:
    """(10, 10) AUROC, row: the normal digit of a run, column: the anomalous digit; NaN where there is no run.

    names: normal digit -> the run's name, for the hover text. The redder a cell, the more often this digit passes.
    """
    figure = _figure(height, top=34, bottom=10, right=10)
    text = [["" if np.isnan(a) else f"{a:.3f}".removeprefix("0") for a in row] for row in areas]
    hover = [
        [
            "" if np.isnan(a) else f"<b>{names.get(i, '')}</b><br>normal {i}, anomalous {j}: AUROC {a:.4f}"
            for j, a in enumerate(row)
        ]
        for i, row in enumerate(areas)
    ]
    figure.add_heatmap(
        z=np.clip((1 - areas) / PASSES, 0, 1), x=list(range(10)), y=list(range(10)), text=text, texttemplate="%{text}",
        hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
        colorscale=[[0, colours.WRONG.faint(0.04)], [1, colours.WRONG.faint(0.85)]], hoverongaps=False,
        textfont={"size": _SMALL, "color": _TEXT},
    )  # fmt: skip
    # A heatmap cannot be clicked in Streamlit, markers can: one nobody sees on each cell.
    cells = np.argwhere(~np.isnan(areas))
    figure.add_scatter(
        x=cells[:, 1], y=cells[:, 0], mode="markers", name="cells", customdata=cells.tolist(),
        marker={"symbol": "square", "size": 30, "opacity": 0}, selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}}, text=[hover[i][j] for i, j in cells],
        hovertemplate="%{text}<br>click: its images<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        title_text="anomalous digit", side="top", showgrid=False, ticks="", tickvals=list(range(10)), range=[-0.5, 9.5]
    )
    figure.update_yaxes(
        title_text="normal digit", showgrid=False, ticks="", tickvals=list(range(10)), range=[9.5, -0.5]
    )
    return figure


def agreement(names: Sequence[str], together: np.ndarray, *, height: int = 300) -> go.Figure:
    """(R, R) rank correlations of the scores of R runs, as a square of cells; the diagonal is left empty."""
    figure = _figure(height, top=8, bottom=10, right=10)
    z = np.where(np.eye(len(names), dtype=bool), np.nan, together)
    figure.add_heatmap(
        z=z, x=list(range(len(names))), y=list(range(len(names))), zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
        text=[["" if np.isnan(v) else f"{v:.2f}" for v in row] for row in z], texttemplate="%{text}", hoverongaps=False,
        customdata=[[f"{a}<br>{b}" for b in names] for a in names], textfont={"color": _TEXT},
        hovertemplate="%{customdata}<br>rank correlation %{z:.3f}<extra></extra>",
        colorscale=[[0, colours.THRESHOLD.faint(0.05)], [1, colours.THRESHOLD.faint(0.75)]],
    )  # fmt: skip
    figure.update_xaxes(visible=False)  # the same order as on the left, as the empty diagonal shows
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(names))), ticktext=list(names), showgrid=False, ticks=""
    )
    return figure


def _floor(lowest: float) -> float:
    """Where an axis of areas begins: 0.5, or lower if an area lies there, or a round number just below all of them."""
    return float(np.floor((lowest - 0.01) * 20) / 20)
