"""What a finding of the doctor rests on: a small curve, the stretch that gave offence marked."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from ganad.diagnosis.finding import Curve
from ganad.ui.charts.base import _SMALL, _above, _figure, spread_apart
from ganad.ui.messages.escape import chart
from ganad.web import colours
from ganad.web.envelope import envelope

_BUCKETS = 100
"""Stretches of a curve, the least and the greatest value of each of which are drawn."""

_HUES = (colours.ANOMALOUS, colours.NORMAL)


def finding(curve: Curve, *, height: int = 170) -> go.Figure:
    """The lines of the curve, each named at its end, the stretch from `since` shaded, and the level to compare with dashed."""
    drawing = _figure(height, top=26, bottom=44, right=112)
    lines = {name: envelope(curve.x, values, _BUCKETS).T for name, values in curve.lines.items()}
    shown = np.concatenate([y for _, y in lines.values()] + ([np.array([curve.level[0]])] if curve.level else []))
    if curve.log:
        shown = np.log10(np.maximum(shown, 1e-12))
    low, high = float(shown.min()), float(shown.max())
    pad = 0.08 * (high - low) or 0.5
    first, end = float(curve.x[0]), float(max(curve.x[-1], curve.x[0] + 1))
    drawing.add_shape(
        type="rect", x0=curve.since, x1=end, y0=0, y1=1, yref="paper", line={"width": 0}, layer="below",
        fillcolor=colours.ANOMALOUS.faint(0.18),
    )  # fmt: skip
    ends, words = [], []
    for (name, (x, y)), hue in zip(lines.items(), _HUES, strict=False):
        drawing.add_scatter(
            x=x, y=y, mode="lines", name=chart(name), line={"color": hue.both, "width": 2},
            hovertemplate=f"{curve.unit} %{{x:,.0f}}<br>{chart(name)} %{{y:.3g}}<extra></extra>",
        )  # fmt: skip
        ends.append(float(y[-1]))
        words.append((chart(name), hue))
    if curve.level:
        level, name = curve.level
        drawing.add_shape(
            type="line", x0=first, x1=end, y0=level, y1=level, line={"color": colours.THRESHOLD.both, "width": 1.5, "dash": "dash"}
        )  # fmt: skip
        ends.append(level)
        words.append((chart(name), colours.THRESHOLD))
    at = [float(np.log10(max(y, 1e-12))) if curve.log else y for y in ends]
    pixels = (height - 70) / (high - low + 2 * pad)
    for (name, hue), y, place in zip(words, at, spread_apart([y * pixels for y in at], gap=15), strict=True):
        drawing.add_annotation(
            text=f"<span style='color:{hue.both}'>{name}</span>", x=end, y=y, yshift=place - y * pixels, xanchor="left",
            xshift=6, showarrow=False, font={"size": _SMALL},
        )  # fmt: skip
    drawing.add_annotation(
        text="here", font={"color": colours.ANOMALOUS.both}, **_above((curve.since + end) / 2, 4, "center")
    )
    ticks = {"dtick": max(1, round((end - first) / 6))} if curve.unit == "epoch" else {"nticks": 6}
    drawing.update_xaxes(title_text=curve.unit, showgrid=False, range=[first, end], **ticks)
    drawing.update_yaxes(nticks=4, range=[low - pad, high + pad], fixedrange=True)
    if curve.log:
        drawing.update_yaxes(type="log", dtick=max(1, round((high - low) / 4)), exponentformat="power")
    return drawing.figure()
