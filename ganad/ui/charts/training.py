"""The descent of a search."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from ganad.ui.charts.base import _SMALL, _figure
from ganad.web import colours
from ganad.wording import number


def descent(score: np.ndarray, paths: np.ndarray, *, height: int = 190) -> go.Figure:
    """How a search for z comes down. score: (T,) of the best z so far; paths: (T, R) of each path, faint."""
    drawing = _figure(height, top=8, bottom=40, right=52)
    steps = np.arange(len(score))
    for path in paths.T[:8]:
        drawing.add_scatter(
            x=steps, y=path, mode="lines", line={"color": colours.GENERATOR.faint(0.35), "width": 1}, hoverinfo="skip"
        )
    drawing.add_scatter(
        x=steps, y=score, mode="lines", line={"color": colours.GENERATOR.both, "width": 2.5},
        hovertemplate="step %{x}<br>score %{y:.4g}<extra></extra>",
    )  # fmt: skip
    drawing.add_annotation(
        x=steps[-1], y=score[-1], text=number(float(score[-1])), showarrow=False, xanchor="left", xshift=6,
        font={"color": colours.GENERATOR.both, "size": _SMALL},
    )  # fmt: skip
    low, high = float(np.min(score)), float(max(score[0], np.quantile(paths[np.isfinite(paths)], 0.98)))
    pad = 0.06 * (high - low or 1.0)
    drawing.update_xaxes(title_text="step of the search", rangemode="tozero")
    drawing.update_yaxes(title_text="score", range=[low - pad, high + pad])
    return drawing.figure()
