"""Studies: a matrix that fills, one setting against the objective, which choice mattered, a search as it went, many settings at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ganad.ui.charts.base import _GRID, _INK, _SMALL, _TEXT, _figure
from ganad.ui.messages.escape import chart
from ganad.web import colours

MOST_TICKS = 8
"""Values of a setting that are written at an axis, one by one."""


@dataclass(frozen=True)
class Cell:
    """The runs of one method on one normal class."""

    mean: float | None
    """Mean objective of the finished ones, None before there is any."""
    done: int
    asked: int
    begun: int


def _in_cell(cell: Cell) -> str:
    """The mean, and below it how many runs are done while some are missing; nothing before there is anything."""
    mean = f"{cell.mean:.3f}".removeprefix("0") if cell.mean is not None else ""
    part = f"{cell.done}/{cell.asked}" if cell.begun and cell.done < cell.asked else ""
    return "<br>".join(t for t in (mean, part) if t)


def study_matrix(methods: Sequence[str], classes: Sequence[str], cells: Sequence[Sequence[Cell]]) -> go.Figure:
    """A row a method, a column a normal class: the mean objective, and while it fills how many runs are done."""
    drawing = _figure(90 + 46 * len(methods), top=40, bottom=8, right=8)
    z = np.array([[np.nan if c.mean is None else c.mean for c in row] for row in cells])
    text = [[_in_cell(c) for c in row] for row in cells]
    hover = [
        [
            f"<b>{chart(methods[i])}, normal {chart(classes[j])}</b><br>{c.done} of {c.asked} runs done"
            for j, c in enumerate(row)
        ]
        for i, row in enumerate(cells)
    ]
    known = z[np.isfinite(z)]
    begun = [(i, j) for i, row in enumerate(cells) for j, c in enumerate(row) if c.begun]
    low = float(known.min()) if len(known) else 0.5
    drawing.add_heatmap(
        z=np.where(np.isfinite(z), z, low), x=list(range(len(classes))), y=list(range(len(methods))), text=text, texttemplate="%{text}",
        hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", zmin=min(low, 0.5) if len(known) < 2 else low - 0.02, zmax=1, showscale=False,
        xgap=2, ygap=2, colorscale=[[0, colours.NORMAL.faint(0.03)], [1, colours.NORMAL.faint(0.75)]],
        textfont={"size": _SMALL, "color": _TEXT},
    )  # fmt: skip
    # A heatmap cannot be clicked in Streamlit, markers can: some that nobody sees across each cell.
    spots = [(i, j, shift / 10) for i, j in begun for shift in range(-4, 5)]
    drawing.add_scatter(
        x=[j + shift for _, j, shift in spots], y=[i for i, _, _ in spots], mode="markers", customdata=[[i, j] for i, j, _ in spots],
        text=[hover[i][j] for i, j, _ in spots],
        marker={"symbol": "square", "size": 34, "opacity": 0}, selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
        hovertemplate="%{text}<br>click: to its runs<extra></extra>",
    )  # fmt: skip
    drawing.update_xaxes(
        range=[-0.5, len(classes) - 0.5],
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
    at, ends = list(range(len(values))), []
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
            ends.append((means[-1], known[-1], method, colour))
    lowest, low, high = -np.inf, *_span(lines)
    for mean, x, method, colour in sorted(ends):
        lowest = max(
            mean, lowest + (high - low) / 10
        )  # names of lines that end close together stand one above the other
        drawing.add_annotation(
            x=x, y=lowest, text=chart(method), xanchor="left", xshift=10, showarrow=False, font={"color": colour, "size": _SMALL}
        )  # fmt: skip
    drawing.update_xaxes(
        title_text=chart(name), tickvals=at, ticktext=[chart(str(v)) for v in values], range=[-0.2, len(values) - 0.8]
    )
    drawing.update_yaxes(title_text="objective")
    return drawing.figure()


def _span(lines: Mapping[str, Sequence[Sequence[float]]]) -> tuple[float, float]:
    means = [float(np.mean(group)) for groups in lines.values() for group in groups if group]
    return (min(means), max(means)) if means else (0.0, 1.0)


@dataclass(frozen=True)
class Point:
    """A run of a search. early: it was stopped early, and this is the objective that it had then."""

    run: str
    at: float
    """Its place on the x axis: the value of a setting, or its number."""
    objective: float
    early: bool


def searched(
    points: Sequence[Point], title: str, *, log: bool = False, best: bool = False, height: int = 260
) -> go.Figure:
    """The runs of a search along a number, those that were stopped early hollow. best: with the best objective so far as a line."""
    drawing = _figure(height, top=26, bottom=46, right=12)
    if best:
        whole = [p for p in points if not p.early] or points[:1]
        values = [p.objective for p in whole]
        drawing.add_scatter(
            x=[*(p.at for p in whole), points[-1].at], y=[*np.maximum.accumulate(values), max(values)], mode="lines", name="best so far",
            line={"color": _INK, "width": 1.5, "shape": "hv"}, hovertemplate="best so far: %{y:.4f}<extra></extra>",
        )  # fmt: skip
    for early, name, symbol in ((False, "trained to its end", "circle"), (True, "stopped early", "circle-open")):
        own = [p for p in points if p.early == early]
        if own:
            drawing.add_scatter(
                x=[p.at for p in own], y=[p.objective for p in own], mode="markers", name=name, text=[chart(p.run) for p in own],
                marker={"size": 9, "symbol": symbol, "color": colours.NORMAL.both},
                hovertemplate="%{text}<br>" + chart(title) + " %{x}: %{y:.4f}<extra>" + name + "</extra>",
            )  # fmt: skip
    drawing.update_xaxes(title_text=chart(title), type="log" if log else "linear")
    drawing.update_yaxes(title_text="objective")
    figure = drawing.figure()
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
    return figure


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
    dimensions: Sequence[tuple[str, Sequence[Any]]],
    objective: Sequence[float],
    *,
    logarithmic: Sequence[str] = (),
    height: int = 320,
) -> go.Figure:
    """A line for each run through its settings to its objective: (name, value of each run); brush an axis to keep some.

    Numbers of more than MOST_TICKS kinds have an axis of numbers, by powers of ten where `logarithmic` names it; all else one of kinds.
    """
    axes = []
    for name, values in dimensions:
        kinds = sorted(set(values), key=lambda v: (isinstance(v, str), v))
        if len(kinds) > MOST_TICKS and not any(isinstance(v, str) for v in kinds):
            axes.append(_number_axis(name, values, log=name in logarithmic))
            continue
        axes.append(
            {
                "label": chart(name),
                "values": [kinds.index(v) for v in values],
                "tickvals": list(range(len(kinds))),
                "ticktext": [str(k) for k in kinds],
                "range": [0, max(1, len(kinds) - 1)],
            }
        )
    axes.append({"label": "objective", "values": list(objective), "tickformat": ".2f"})
    # The ends of the ranges, which Plotly writes as well, would lie on the ticks: they are not shown.
    figure = go.Figure(
        go.Parcoords(
            dimensions=axes, line={"color": list(objective), "colorscale": [[0, colours.ANOMALOUS.both], [1, colours.NORMAL.both]]},
            labelfont={"size": 14, "color": _TEXT}, tickfont={"size": _SMALL, "color": _TEXT}, rangefont={"size": _SMALL, "color": "rgba(0,0,0,0)"},
        )
    )  # fmt: skip
    figure.update_layout(
        height=height, margin={"l": 60, "r": 60, "t": 50, "b": 20}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor=_GRID
    )
    return figure


def _number_axis(name: str, values: Sequence[float], *, log: bool) -> dict[str, Any]:
    if not log:
        return {"label": chart(name), "values": list(values)}
    powers = np.log10(values)
    ticks = np.linspace(powers.min(), powers.max(), 5)
    return {
        "label": chart(name),
        "values": powers.tolist(),
        "tickvals": ticks.tolist(),
        "ticktext": [f"{10**t:.2g}" for t in ticks],
    }
