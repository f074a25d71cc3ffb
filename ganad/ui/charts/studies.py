"""Studies: a matrix that fills, one setting against the objective, which choice mattered, many settings at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ganad.ui.charts.base import _GRID, _INK, _SMALL, _TEXT, _figure
from ganad.ui.messages.escape import chart
from ganad.web import colours


@dataclass(frozen=True)
class Cell:
    """The runs of one method on one normal class."""

    mean: float | None
    """Mean objective of the finished ones, None before there is any."""
    done: int
    asked: int
    runs: str
    """Their names, for the hover text."""


def study_matrix(methods: Sequence[str], classes: Sequence[str], cells: Sequence[Sequence[Cell]]) -> go.Figure:
    """A row a method, a column a normal class: the mean objective, and while it fills how many runs are done."""
    drawing = _figure(90 + 46 * len(methods), top=40, bottom=8, right=8)
    z = np.array([[np.nan if c.mean is None else c.mean for c in row] for row in cells])
    text = [
        [
            (f"{c.mean:.3f}".removeprefix("0") if c.mean is not None else "")
            + (f" · {c.done}/{c.asked}" if c.done < c.asked else "")
            for c in row
        ]
        for row in cells
    ]
    hover = [
        [
            f"<b>{chart(methods[i])}, normal {chart(classes[j])}</b><br>{c.done} of {c.asked} runs done<br>{chart(c.runs)}"
            for j, c in enumerate(row)
        ]
        for i, row in enumerate(cells)
    ]
    known = z[np.isfinite(z)]
    low = float(known.min()) if len(known) else 0.5
    drawing.add_heatmap(
        z=np.where(np.isfinite(z), z, low), x=list(range(len(classes))), y=list(range(len(methods))), text=text, texttemplate="%{text}",
        hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", zmin=min(low, 0.5) if len(known) < 2 else low - 0.02, zmax=1, showscale=False,
        xgap=2, ygap=2, colorscale=[[0, colours.NORMAL.faint(0.03)], [1, colours.NORMAL.faint(0.75)]],
        textfont={"size": _SMALL, "color": _TEXT},
    )  # fmt: skip
    drawing.update_xaxes(
        title_text="normal",
        side="top",
        showgrid=False,
        ticks="",
        tickvals=list(range(len(classes))),
        ticktext=[chart(c) for c in classes],
    )
    drawing.update_yaxes(
        showgrid=False,
        ticks="",
        tickvals=list(range(len(methods))),
        ticktext=[chart(m) for m in methods],
        range=[len(methods) - 0.5, -0.5],
    )
    return drawing.figure()


def setting_curve(
    name: str, values: Sequence[Any], lines: Mapping[str, Sequence[Sequence[float]]], *, height: int = 260
) -> go.Figure:
    """The objective at each value of a setting. lines: method -> for each value the objectives of its runs.

    The line is their mean; the bar twice the standard error to either side, where there are at least two.
    """
    drawing = _figure(height, top=12, bottom=46, right=70)
    at = list(range(len(values)))
    for (method, groups), colour in zip(lines.items(), colours.RUNS, strict=False):
        known = [i for i in at if groups[i]]
        means = [float(np.mean(groups[i])) for i in known]
        errors = [
            2 * float(np.std(groups[i], ddof=1)) / len(groups[i]) ** 0.5 if len(groups[i]) > 1 else 0.0 for i in known
        ]
        drawing.add_scatter(
            x=known, y=means, mode="lines+markers", name=chart(method), line={"color": colour, "width": 2}, marker={"size": 9, "color": colour},
            error_y={"type": "data", "array": errors, "color": colour, "thickness": 1.5, "width": 5},
            customdata=[[str(values[i]), len(groups[i])] for i in known],
            hovertemplate=f"<b>{chart(method)}</b><br>{chart(name)} %{{customdata[0]}}: %{{y:.4f}}, mean of %{{customdata[1]}}<extra></extra>",
        )  # fmt: skip
        if known:
            drawing.add_annotation(
                x=known[-1],
                y=means[-1],
                text=chart(method),
                xanchor="left",
                xshift=10,
                showarrow=False,
                font={"color": colour, "size": _SMALL},
            )
    drawing.update_xaxes(
        title_text=chart(name), tickvals=at, ticktext=[chart(str(v)) for v in values], range=[-0.2, len(values) - 0.8]
    )
    drawing.update_yaxes(title_text="objective")
    return drawing.figure()


def mattered(rows: Sequence[tuple[str, float]]) -> go.Figure:
    """What share of the objective's spread each choice explains: (name, 0 to 1), the largest first."""
    drawing = _figure(50 + 34 * len(rows), top=8, bottom=40, right=50)
    names = [chart(name) for name, _ in rows]
    drawing.add_bar(
        x=[share for _, share in rows], y=names, orientation="h", marker={"color": _INK}, text=[f"{share:.0%}" for _, share in rows],
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:.1%} of the spread<extra></extra>",
    )  # fmt: skip
    drawing.update_xaxes(range=[0, 1], tickformat=".0%", title_text="share of the objective's spread that it explains")
    drawing.update_yaxes(autorange="reversed", showgrid=False)
    return drawing.figure()


def parallel(
    dimensions: Sequence[tuple[str, Sequence[Any]]], objective: Sequence[float], *, height: int = 320
) -> go.Figure:
    """A line for each run through its settings to its objective: (name, value of each run); brush an axis to keep some."""
    axes = []
    for name, values in dimensions:
        kinds = sorted(set(values), key=lambda v: (isinstance(v, str), v))
        axes.append(
            {
                "label": chart(name),
                "values": [kinds.index(v) for v in values],
                "tickvals": list(range(len(kinds))),
                "ticktext": [str(k) for k in kinds],
                "range": [0, max(1, len(kinds) - 1)],
            }
        )
    axes.append({"label": "objective", "values": list(objective)})
    figure = go.Figure(
        go.Parcoords(
            dimensions=axes, line={"color": list(objective), "colorscale": [[0, colours.ANOMALOUS.both], [1, colours.NORMAL.both]]},
            labelfont={"size": 14, "color": _TEXT}, tickfont={"size": _SMALL, "color": _TEXT}, rangefont={"size": _SMALL, "color": _TEXT},
        )
    )  # fmt: skip
    figure.update_layout(
        height=height, margin={"l": 60, "r": 60, "t": 50, "b": 20}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor=_GRID
    )
    return figure
