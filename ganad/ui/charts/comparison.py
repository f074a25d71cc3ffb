"""Runs beside each other: digits, significance, speed, the matrix of all digits, agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ganad.ui.charts.base import _GRID, _INK, _PAGE, _SMALL, _TEXT, _figure, spread_apart
from ganad.ui.messages.escape import chart
from ganad.web import colours
from ganad.wording import number


def digit_dots(
    runs: Sequence[tuple[str, str, Mapping[str, float]]],
    names: Sequence[str],
    *,
    kind: str = "digit",
    height: int = 440,
) -> go.Figure:
    """AUROC of each anomalous class, a dot for each run: (name, `#rrggbb`, class -> AUROC). 0.5 is guessing.

    names: of the classes, from above; those that no run has are left out. kind: what a class is called, "digit" or "class".
    """
    drawing = _figure(height, top=10, bottom=44, right=24)
    digits = [d for d in names if any(d in areas for _, _, areas in runs)]
    for at, d in enumerate(digits):
        aurocs = [areas[d] for _, _, areas in runs if d in areas]
        drawing.add_scatter(
            x=[min(aurocs), max(aurocs)], y=[at, at], mode="lines", hoverinfo="skip",
            line={"color": colours.THRESHOLD.faint(0.16), "width": 22},
        )  # fmt: skip
    step = min(0.16, 0.44 / max(1, len(runs) - 1))  # beside each other, so that none hides another
    for i, (name, colour, areas) in enumerate(runs):
        own = [d for d in digits if d in areas]
        drawing.add_scatter(
            x=[areas[d] for d in own], y=[digits.index(d) + (i - (len(runs) - 1) / 2) * step for d in own],
            mode="markers", name=chart(name), cliponaxis=False, customdata=[chart(d) for d in own],
            marker={"size": 11, "color": colour, "line": {"width": 1.2, "color": _PAGE}},
            hovertemplate=f"<b>{chart(name)}</b><br>{kind} %{{customdata}}: AUROC %{{x:.4f}}<extra></extra>",
        )  # fmt: skip
    lowest = min((a for _, _, areas in runs for a in areas.values()), default=0.5)
    drawing.update_xaxes(title_text=f"AUROC of this {kind} against the normal ones", range=[_floor(lowest), 1.003])
    drawing.update_yaxes(
        range=[len(digits) - 0.5, -0.5], showgrid=False, title_text=kind, tickvals=list(range(len(digits))),
        ticktext=[chart(d) for d in digits],
    )  # fmt: skip
    return drawing.figure()


@dataclass(frozen=True)
class DigitCurve:
    """One run's ROC curve for one anomalous class against the normal ones."""

    run: str
    colour: str
    fpr: np.ndarray
    tpr: np.ndarray
    auroc: float


def digit_curves(
    panels: Mapping[str, Sequence[DigitCurve]], *, kind: str = "digit", columns: int = 5, panel: int = 190
) -> go.Figure:
    """A small ROC for each anomalous class, by its name and in this order, the runs over each other; the axes are those of every panel."""
    digits, rows = list(panels), -(-len(panels) // columns)
    drawing = _figure(rows * panel + 56, top=26, bottom=30)
    across, down = 1 / columns, 1 / rows
    layout = {}
    for at, d in enumerate(digits):
        row, column, n = at // columns, at % columns, "" if at == 0 else str(at + 1)
        top = 1 - row * down
        ticks = {
            "tickvals": [0, 0.5, 1],
            "ticktext": ["0", "½", "1"],
            "showgrid": True,
            "gridcolor": _GRID,
            "zeroline": False,
        }
        words = {"tickfont": {"size": _SMALL - 1, "color": _TEXT}}
        layout[f"xaxis{n}"] = {
            "domain": [column * across + 0.012, (column + 1) * across - 0.012], "anchor": f"y{n}", "range": [-0.02, 1.02],
            "showticklabels": row == rows - 1 or at + columns >= len(digits), **ticks, **words,
        }  # fmt: skip
        layout[f"yaxis{n}"] = {
            "domain": [top - down * 0.8, top - down * 0.0], "anchor": f"x{n}", "range": [-0.02, 1.04], "showticklabels": column == 0,
            **ticks, **words,
        }  # fmt: skip
        axes = {"xaxis": f"x{n}", "yaxis": f"y{n}"}
        for curve in panels[d]:
            drawing.add_scatter(
                x=curve.fpr, y=curve.tpr, mode="lines", name=chart(curve.run), line={"color": curve.colour, "width": 2}, **axes,
                hovertemplate=f"<b>{chart(curve.run)}</b>, {kind} {chart(d)}<br>AUROC {curve.auroc:.4f}<br>catches %{{y:.1%}} at %{{x:.1%}} false alarms"
                "<extra></extra>",
            )  # fmt: skip
        labels = "<br>".join(f"<span style='color:{c.colour}'>●</span> {c.auroc:.3f}" for c in panels[d])
        here = {"xref": f"x{n} domain", "yref": f"y{n} domain", "showarrow": False}
        drawing.add_annotation(
            text=labels, x=0.97, y=0.03, xanchor="right", yanchor="bottom", align="right", font={"size": 12}, **here
        )
        drawing.add_annotation(text=f"<b>{chart(d)}</b>", x=0.5, y=1.0, xanchor="center", yanchor="bottom", **here)
    drawing.update_layout(**layout)
    return drawing.figure()


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
    drawing = _figure(row * len(groups) + 60, top=26, bottom=44, right=16)
    for i, g in enumerate(groups):
        mean, y = float(np.mean(g.areas)), -i
        spread_apart = float(np.std(g.areas, ddof=1)) if len(g.areas) > 1 else 0.0
        drawing.add_scatter(
            x=[mean - spread_apart, mean + spread_apart], y=[y, y], mode="lines", hoverinfo="skip",
            line={"color": colours.rgba(g.colour, 0.3), "width": 12},
        )  # fmt: skip
        drawing.add_scatter(
            x=list(g.areas), y=[y] * len(g.areas), mode="markers", name=chart(g.name), cliponaxis=False,
            marker={"size": 11, "color": g.colour, "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate=f"<b>{chart(g.name)}</b><br>AUROC %{{x:.4f}}<extra></extra>",
        )  # fmt: skip
        label = f"{mean:.4f}" + (f" ± {spread_apart:.4f}" if spread_apart else "")
        words = f"<span style='color:{g.colour}'><b>{chart(g.name)}</b></span>  {label}"
        drawing.add_annotation(
            text=words, x=0, xref="paper", y=y, yshift=20, xanchor="left", showarrow=False, yanchor="middle"
        )
        if g.interval is None:
            drawing.add_annotation(
                text="the best", x=0, xref="x2", y=y, showarrow=False, xanchor="right", xshift=-10, yanchor="middle"
            )
            continue
        gap, low, high = g.interval
        drawing.add_scatter(
            x=[low, high], y=[y, y], mode="lines", xaxis="x2", hoverinfo="skip", line={"color": g.colour, "width": 3}
        )
        drawing.add_scatter(
            x=[gap], y=[y], mode="markers", xaxis="x2", name=f"gap of {chart(g.name)}", cliponaxis=False,
            marker={"size": 11, "color": g.colour, "symbol": "diamond", "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate=f"<b>{chart(g.name)}</b><br>{gap:+.4f}, between {low:+.4f} and {high:+.4f}<extra></extra>",
        )  # fmt: skip
    ends = [e for g in groups if g.interval for e in g.interval] or [-0.01]
    reach = max(0.002, -min(ends), max(ends)) * 1.15
    drawing.update_layout(
        xaxis={"domain": [0, 0.52], "title_text": "AUROC"},
        xaxis2={**drawing.layout["xaxis"], "domain": [0.6, 1], "anchor": "y", "range": [-reach, max(0.0, *ends) + 0.15 * reach]},
    )  # fmt: skip
    drawing.update_layout(
        xaxis2={"title_text": "gap to the best, 95 % interval", "tickformat": "+.3~f", "nticks": 5}, xaxis={"nticks": 6}
    )
    areas = [a for g in groups for a in g.areas]
    pad = max(0.002, (max(areas) - min(areas)) * 0.12)
    drawing.update_layout(xaxis={"range": [min(areas) - pad, max(areas) + pad]})
    drawing.add_shape(
        type="line", x0=0, x1=0, xref="x2", y0=0, y1=1, yref="paper", line={"color": _INK, "width": 1.5, "dash": "dot"}
    )
    drawing.update_yaxes(visible=False, range=[-len(groups) + 0.5, 0.55])
    return drawing.figure()


def trade(runs: Sequence[tuple[str, str, float, float]], *, height: int = 380) -> go.Figure:
    """Quality against time: (name, `#rrggbb`, milliseconds an image, AUROC). Up and to the left is better."""
    drawing = _figure(height, top=24, bottom=48, right=24)
    times, areas = np.array([ms for _, _, ms, _ in runs]), [area for *_, area in runs]
    pad = max(0.004, (max(areas) - min(areas)) * 0.2)
    middle = np.sqrt(times.min() * times.max())
    written = spread_apart(
        areas, (max(areas) - min(areas) + 2 * pad) / 15
    )  # names keep a line's distance from each other
    for (name, colour, ms, area), y in zip(runs, written, strict=True):
        drawing.add_scatter(
            x=[ms], y=[area], mode="markers", name=chart(name), cliponaxis=False,
            marker={"size": 15, "color": colour, "line": {"width": 1.5, "color": _PAGE}},
            hovertemplate=f"<b>{chart(name)}</b><br>{number(ms)} ms an image, AUROC {area:.4f}<extra></extra>",
        )  # fmt: skip
        left = ms > middle
        drawing.add_annotation(
            text=f"<b>{chart(name)}</b>", x=np.log10(ms), y=y, font={"color": colour}, showarrow=False,
            xanchor="right" if left else "left", xshift=-13 if left else 13,
        )  # fmt: skip
    room = max(0.35, np.log10(times.max() / times.min()) * 0.15)
    drawing.update_xaxes(
        type="log", title_text="milliseconds to score one image, many at once", tickformat="~g",
        dtick="D1" if times.max() < 5 * times.min() else "D2",
        range=[np.log10(times.min()) - room, np.log10(times.max()) + room],
    )  # fmt: skip
    drawing.update_yaxes(title_text="AUROC", nticks=6, range=[min(areas) - pad, max(areas) + pad])
    return drawing.figure()


PASSES = 0.3
"""An AUROC so far below 1 has the full colour in the matrix."""


def matrix(areas: np.ndarray, names: Mapping[int, str], *, height: int = 520) -> go.Figure:
    """(10, 10) AUROC, row: the normal digit of a run, column: the anomalous digit; NaN where there is no run.

    names: normal digit -> the run's name, for the hover text. The redder a cell, the more often this digit passes.
    """
    drawing = _figure(height, top=34, bottom=10, right=10)
    text = [["" if np.isnan(a) else f"{a:.3f}".removeprefix("0") for a in row] for row in areas]
    hover = [
        [
            "" if np.isnan(a) else f"<b>{chart(names.get(i, ''))}</b><br>normal {i}, anomalous {j}: AUROC {a:.4f}"
            for j, a in enumerate(row)
        ]
        for i, row in enumerate(areas)
    ]
    drawing.add_heatmap(
        z=np.clip((1 - areas) / PASSES, 0, 1), x=list(range(10)), y=list(range(10)), text=text, texttemplate="%{text}",
        hovertext=hover, hovertemplate="%{hovertext}<extra></extra>", zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
        colorscale=[[0, colours.WRONG.faint(0.04)], [1, colours.WRONG.faint(0.85)]], hoverongaps=False,
        textfont={"size": _SMALL, "color": _TEXT},
    )  # fmt: skip
    # A heatmap cannot be clicked in Streamlit, markers can: one nobody sees on each cell.
    cells = np.argwhere(~np.isnan(areas))
    drawing.add_scatter(
        x=cells[:, 1], y=cells[:, 0], mode="markers", name="cells", customdata=cells.tolist(),
        marker={"symbol": "square", "size": 30, "opacity": 0}, selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}}, text=[hover[i][j] for i, j in cells],
        hovertemplate="%{text}<br>click: its images<extra></extra>",
    )  # fmt: skip
    drawing.update_xaxes(
        title_text="anomalous digit", side="top", showgrid=False, ticks="", tickvals=list(range(10)), range=[-0.5, 9.5]
    )
    drawing.update_yaxes(
        title_text="normal digit", showgrid=False, ticks="", tickvals=list(range(10)), range=[9.5, -0.5]
    )
    return drawing.figure()


def agreement(names: Sequence[str], together: np.ndarray, *, height: int = 300) -> go.Figure:
    """(R, R) rank correlations of the scores of R runs, as a square of cells; the diagonal is left empty."""
    drawing = _figure(height, top=8, bottom=10, right=10)
    z = np.where(np.eye(len(names), dtype=bool), np.nan, together)
    drawing.add_heatmap(
        z=z, x=list(range(len(names))), y=list(range(len(names))), zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
        text=[["" if np.isnan(v) else f"{v:.2f}" for v in row] for row in z], texttemplate="%{text}", hoverongaps=False,
        customdata=[[f"{chart(a)}<br>{chart(b)}" for b in names] for a in names], textfont={"color": _TEXT},
        hovertemplate="%{customdata}<br>rank correlation %{z:.3f}<extra></extra>",
        colorscale=[[0, colours.THRESHOLD.faint(0.05)], [1, colours.THRESHOLD.faint(0.75)]],
    )  # fmt: skip
    drawing.update_xaxes(visible=False)  # the same order as on the left, as the empty diagonal shows
    drawing.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(names))),
        ticktext=list(map(chart, names)),
        showgrid=False,
        ticks="",
    )
    return drawing.figure()


def _floor(lowest: float) -> float:
    """Where an axis of areas begins: 0.5, or lower if an area lies there, or a round number just below all of them."""
    return float(np.floor((lowest - 0.01) * 20) / 20)
