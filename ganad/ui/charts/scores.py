"""Scores of many images as bars, of a few as dots, of one as a waterfall, and where codes lie."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ganad.evaluation.metrics import RAW, Units
from ganad.ui.charts.base import (
    _AS_IT_IS,
    _INK,
    _PAGE,
    _SMALL,
    _TEXT,
    Drawing,
    _above,
    _figure,
    _percent,
    _side,
    _vertical,
)
from ganad.ui.messages.escape import chart
from ganad.web import colours
from ganad.wording import number

BINS = 48
"""Bars of a histogram."""


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


def histogram(
    normal_scores: np.ndarray,
    anomalous_scores: np.ndarray,
    threshold: float,
    *,
    marked: float | None = None,
    marked_label: str = "",
    band: tuple[float, float] | None = None,
    height: int = 260,
    units: Units = RAW,
) -> go.Figure:
    """Scores of normal and of anomalous images, each class as a density, with the threshold between them.

    Scores: (N,) and (M,), raw, higher = more anomalous; either may be empty. Each class has area 1, so that 9,000
    anomalies do not bury 1,000 normals; the counts are in the hover text. `marked` pins one image's score, `band` shades
    scores from, to. All of them raw; `units` are what they are shown in.
    """
    x_title = "score"
    if units != RAW:
        x_title = "score in standard deviations (z)"
        normal_scores, anomalous_scores, threshold = map(units.shown, (normal_scores, anomalous_scores, threshold))
        marked = None if marked is None else units.shown(marked)
        band = None if band is None else (units.shown(band[0]), units.shown(band[1]))
    binned = bin_scores((normal_scores, anomalous_scores), include=(threshold,))
    edges, width = binned.edges, binned.edges[1] - binned.edges[0]
    drawing = _figure(height, top=62, bottom=44)
    peak = 0.0
    hover = [f"{number(a)} to {number(b)}" for a, b in itertools.pairwise(edges)]
    if binned.clipped:
        hover[-1] = f"{number(edges[-2])} and above"
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
        drawing.add_scatter(
            x=x, y=y, mode="lines", fill="tozeroy", fillcolor=colour.faint(0.28), hoverinfo="skip", name=name,
            line={"color": colour.both, "width": 1.6},
        )  # fmt: skip
    drawing.add_bar(
        x=(edges[:-1] + edges[1:]) / 2, y=np.full(len(hover), peak or 1.0), width=width, customdata=hover, name="count",
        hovertemplate="%{customdata}<extra></extra>", marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        **_AS_IT_IS,
    )  # fmt: skip
    if band is not None:
        low, high = (float(np.clip(b, edges[0], edges[-1])) for b in band)
        drawing.add_shape(
            type="rect", x0=low, x1=high, y0=0, y1=1, yref="paper", fillcolor=colours.THRESHOLD.faint(0.16),
            line={"color": _INK, "width": 1}, layer="below",
        )  # fmt: skip
    drawing.add_annotation(text="&nbsp;&nbsp;&nbsp;".join(heading), **_above(0, 40, "left", ref="paper"))
    if np.isfinite(threshold):
        _vertical(drawing, threshold, colour=_INK, dash="dash")
        drawing.add_annotation(text=f"threshold {number(threshold)}", **_above(threshold, 4, _side(threshold, edges)))
    if marked is not None and np.isfinite(marked):
        _pin(drawing, marked, marked_label, edges)
    note = f" · the last bar holds {binned.clipped:,} above {number(edges[-1])}" if binned.clipped else ""
    drawing.update_xaxes(title_text=x_title + note, range=[edges[0], edges[-1]], showgrid=False)
    drawing.update_yaxes(visible=False, range=[0, (peak or 1.0) * 1.08])
    drawing.update_layout(hovermode="closest", bargap=0)
    return drawing.figure()


def _pin(drawing: Drawing, marked: float, label: str, edges: np.ndarray) -> None:
    at = float(np.clip(marked, edges[0], edges[-1]))
    beyond = " →" if marked > edges[-1] else ""
    _vertical(drawing, at, colour=_TEXT, dash="solid", width=1.5)
    drawing.add_scatter(
        x=[at], y=[0], mode="markers", hoverinfo="skip", cliponaxis=False, name="marked",
        marker={"size": 13, "color": _TEXT, "symbol": "diamond", "line": {"width": 2, "color": _PAGE}},
    )  # fmt: skip
    words = f"<b>{label or 'this image'}</b> {number(marked)}{beyond}"
    drawing.add_annotation(text=words, **_above(at, 22, _side(at, edges)))


def score_strip(rows: Sequence[tuple[str, float, str]], threshold: float, *, height: int = 150) -> go.Figure:
    """A few scored images on one line, with the threshold between the verdicts.

    rows: (label, score, verdict) with verdict `normal` or `anomalous`; a label of one or two letters is written into
    its dot. Dots that would touch are stacked.
    """
    drawing = _figure(height, top=30, bottom=44)
    scores = np.array([s for _, s, _ in rows], dtype=np.float64)
    line = [threshold] if np.isfinite(threshold) else []
    low, high = float(min([*scores, *line, 0.0])), float(max([*scores, *line]))
    pad = (high - low or 1.0) * 0.05
    low, high = low - pad, high + pad
    levels = stack(scores, (high - low) / 26)
    if line:
        for x0, x1, colour in ((threshold, high, colours.ANOMALOUS), (low, threshold, colours.NORMAL)):
            drawing.add_shape(
                type="rect", x0=x0, x1=x1, y0=0, y1=1, yref="paper", fillcolor=colour.faint(0.07), line_width=0, layer="below"
            )  # fmt: skip
    for verdict, colour in colours.VERDICTS.items():
        chosen = [i for i, row in enumerate(rows) if row[2] == verdict]
        drawing.add_scatter(
            x=scores[chosen], y=levels[chosen], mode="markers+text", text=[chart(rows[i][0]) for i in chosen], name=verdict,
            textposition=["middle center" if len(rows[i][0]) < 3 else "top center" for i in chosen],
            textfont={"size": _SMALL + 1, "color": ["white" if len(rows[i][0]) < 3 else _TEXT for i in chosen]},
            marker={"size": 26, "color": colour.both, "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate="%{text}: %{x:.4g}, " + verdict + "<extra></extra>",
        )  # fmt: skip
    if line:
        _vertical(drawing, threshold, colour=_INK, dash="dash")
        drawing.add_annotation(text="called normal ", **_above(threshold, 4, "right"), font_color=colours.NORMAL.both)
        drawing.add_annotation(
            text=" called anomalous", **_above(threshold, 4, "left"), font_color=colours.ANOMALOUS.both
        )
    drawing.update_xaxes(title_text="score", range=[low, high], showgrid=False)
    drawing.update_yaxes(visible=False, range=[-0.7, max(1.0, levels.max(initial=0)) + 0.7])
    return drawing.figure()


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
    drawing = _figure(height, top=22, bottom=40, right=14)
    rows, at = len(parts) + 1, 0.0
    ends = np.cumsum([0.0, *(part["contribution"] for part in parts.values())])
    reach = [*ends, threshold] if np.isfinite(threshold) else list(ends)
    low, high = min(0.0, *reach), max(0.0, *reach)
    high = high if high > low else low + 1.0
    for row, (name, part) in enumerate(parts.items()):
        colour, end = colours.PARTS.get(name, colours.THRESHOLD), at + part["contribution"]
        drawing.add_bar(
            x=[end - at], base=[at], y=[row + 0.16], orientation="h", width=0.34, marker={"color": colour.both}, name=name,
            hovertemplate=f"{name}: {number(part['value'])} × {part['weight']:.3g} = {number(part['contribution'])}<br>"
            f"above {part['percentile']:.1f} % of the held-out normal images<extra></extra>",
        )  # fmt: skip
        drawing.add_shape(
            type="line", x0=end, x1=end, y0=row + 0.16, y1=row + 1.16, line={"color": _INK, "width": 1, "dash": "dot"}
        )
        above = {"y": row - 0.22, "showarrow": False, "yanchor": "middle", "xref": "paper"}
        drawing.add_annotation(text=f"<b style='color:{colour.both}'>{name}</b>", x=0, xanchor="left", **above)
        words = f"{number(part['contribution'])} · above {part['percentile']:.1f} % of normals"
        if not part["weight"]:
            words = f"weight 0; its {number(part['value'])}: above {part['percentile']:.1f} % of normals"
        # Small, so that it has room beside the name where the explanation is a third of a small laptop's screen.
        drawing.add_annotation(text=words, x=1, xanchor="right", font={"size": 12}, **above)
        at = end
    verdict = colours.ANOMALOUS if at > threshold else colours.NORMAL
    drawing.add_bar(
        x=[at], y=[rows - 1 + 0.16], orientation="h", width=0.34, marker={"color": verdict.both}, name="score",
        hovertemplate=f"score {number(at)}<extra></extra>",
    )  # fmt: skip
    total = {"y": rows - 1 - 0.22, "showarrow": False, "yanchor": "middle", "xref": "paper"}
    drawing.add_annotation(text=f"<b style='color:{verdict.both}'>score</b>", x=0, xanchor="left", **total)
    drawing.add_annotation(text=f"<b>{number(at)}</b>", x=1, xanchor="right", **total)
    margin = 0.02 * (high - low)
    if np.isfinite(threshold):
        for row in range(rows):  # only across the bars: the words between them stay readable
            drawing.add_shape(
                type="line", x0=threshold, x1=threshold, y0=row + 0.01, y1=row + 0.38, line={"color": _TEXT, "width": 2}
            )
        side = "left" if threshold < (low + high) / 2 else "right"
        drawing.add_annotation(text=f"threshold {number(threshold)}", **_above(threshold, 3, side))
    drawing.update_layout(barmode="overlay")
    drawing.update_xaxes(title_text="score", range=[low - margin * (low < 0), high + margin], showgrid=False)
    drawing.update_yaxes(visible=False, range=[rows - 0.5, -0.5])
    return drawing.figure()
