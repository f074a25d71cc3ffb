"""How it learns: losses, held-out parts, and the descent of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ganad.ui.charts.base import _PAGE, _SMALL, Drawing, _above, _figure, _vertical, spread_apart
from ganad.ui.messages.escape import chart
from ganad.web import colours
from ganad.wording import number

MOST_POINTS = 200
"""Points of one loss curve; a chart is a few hundred pixels wide."""


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


PARENT = colours.THRESHOLD.faint(0.65)
"""The curve of the run that a branch branched off from."""
_ROW, _ROWS = 15, 3
"""Words of marks stand in so many rows, each so many pixels high."""


def losses(
    rows: Sequence[Mapping[str, Any]],
    player: str,
    *,
    parent: Sequence[Mapping[str, Any]] = (),
    marks: Sequence[tuple[float, str]] = (),
    height: int = 220,
) -> go.Figure:
    """One player's loss over the steps, and the terms that it is made of, each named at its end.

    rows: lines of metrics.jsonl with `step`, `loss/<player>` and `<player>/<term>`; other lines are passed over. Of
    more than 400 points the line is the mean of each stretch and the band its smallest and largest value.
    parent: the same of another run, whose loss stands grey beneath. marks: (step, words) where the run was steered.
    """
    colour = colours.PLAYERS.get(player, colours.THRESHOLD)
    drawing = _figure(height, top=30, bottom=44, right=96)
    drawing.add_annotation(
        text=f"<b style='color:{colour.both}'>{chart(player)}</b>", **_above(0, 6, "left", ref="paper")
    )
    lines = _loss_lines(rows, player)
    if not lines:
        drawing.add_annotation(text="no steps yet", x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
        drawing.update_layout(xaxis={"visible": False}, yaxis={"visible": False})
        return drawing.figure()
    beneath = _loss_lines(parent, player).get(f"loss/{player}")
    if beneath is not None:
        drawing.add_scatter(
            x=beneath.x, y=beneath.mean, name="parent", mode="lines", line={"color": PARENT, "width": 2},
            hovertemplate="step %{x:,.0f}<br>parent %{y:.4g}<extra></extra>",
        )  # fmt: skip
    for k, (name, line) in enumerate(lines.items()):
        if np.any(line.high > line.low):
            drawing.add_scatter(
                x=np.concatenate([line.x, line.x[::-1]]), y=np.concatenate([line.high, line.low[::-1]]), fill="toself",
                mode="lines", line={"width": 0}, fillcolor=colour.faint(0.18 if k == 0 else 0.1), hoverinfo="skip",
                name=f"{chart(name)} range",
            )  # fmt: skip
        drawing.add_scatter(
            x=line.x, y=line.mean, name=chart(name), opacity=0.75 if k else 1,
            mode="lines" if len(line.x) > 1 else "markers", cliponaxis=len(line.x) > 1,
            line={"color": colour.both, "width": 1.3 if k else 2, "dash": "dot" if k else "solid"},
            hovertemplate="step %{x:,.0f}<br>" + chart(name) + " %{y:.4g}<extra></extra>",
        )  # fmt: skip
    named = lines if beneath is None else lines | {"parent": beneath}
    low, high, peak = _loss_range(list(named.values()))
    high = low + (high - low) * (height - 74) / (
        height - 74 - _ROW * min(len(marks), _ROWS)
    )  # room for the words of the marks
    pixels = (height - 74) / (high - low)
    ends = [float(np.clip(line.mean[-1], low, high)) for line in named.values()]
    places = spread_apart([(end - low) * pixels for end in ends], gap=15)
    for name, line, end, place in zip(named, named.values(), ends, places, strict=True):
        word = "loss" if name.startswith("loss/") else name.split("/", 1)[-1]
        ink = colours.THRESHOLD.both if line is beneath else colour.both
        drawing.add_annotation(
            text=f"<span style='color:{ink}'>{chart(word)}</span>", x=line.x[-1], y=end,
            xanchor="left", xshift=6, yshift=place - (end - low) * pixels, showarrow=False, font={"size": _SMALL},
        )  # fmt: skip
    if peak > high:
        drawing.add_annotation(text=f"↑ {number(peak)}", **_above(1, 6, "right", ref="paper"))
    steps = [row["step"] for row in rows if "step" in row]
    first, last = min(steps), max(steps)
    longer = parent if beneath is not None and beneath.x[-1] > last else rows
    if beneath is not None:
        last = max(last, float(beneath.x[-1]))
    _mark(drawing, marks, first, last)
    drawing.update_xaxes(showgrid=False, range=[first, max(last, first + 1)], **_epoch_ticks(longer))
    drawing.update_yaxes(nticks=5, range=[low, high], fixedrange=True)
    drawing.update_layout(dragmode="zoom")
    return drawing.figure()


def _mark(drawing: Drawing, marks: Sequence[tuple[float, str]], first: float, last: float) -> None:
    """A thin line at each step, its words at the top beside it, in three rows by turns."""
    for k, (step, words) in enumerate(marks):
        _vertical(drawing, step, colour=colours.THRESHOLD.both, dash="dot", width=1)
        late = step > (first + last) / 2
        drawing.add_annotation(
            x=step, y=1, yref="paper", yanchor="top", yshift=-_ROW * (k % _ROWS), xanchor="right" if late else "left",
            xshift=-3 if late else 3, showarrow=False, text=chart(words), bgcolor=_PAGE, borderpad=0,
            font={"size": 12, "color": colours.THRESHOLD.both},
        )  # fmt: skip


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


def history(
    epochs: Sequence[float],
    values: Sequence[float],
    name: str,
    *,
    parent: tuple[Sequence[float], Sequence[float]] = ((), ()),
    height: int = 150,
) -> go.Figure:
    """One value an epoch, with the last one written at its end. parent: epochs and values of another run, grey beneath."""
    drawing = _figure(height, top=28, bottom=44, right=64)
    colour = colours.PARTS.get(name, colours.NORMAL).both
    drawing.add_annotation(text=f"<b>{name}</b>", font={"color": colour}, **_above(0, 6, "left", ref="paper"))
    if len(parent[0]):
        drawing.add_scatter(
            x=list(parent[0]), y=list(parent[1]), mode="lines", name="parent", line={"color": PARENT, "width": 2},
            hovertemplate="epoch %{x}<br>parent %{y:.4g}<extra></extra>",
        )  # fmt: skip
    drawing.add_scatter(
        x=list(epochs), y=list(values), mode="lines+markers" if len(values) <= 40 else "lines", name=name,
        line={"color": colour, "width": 2}, marker={"size": 5}, cliponaxis=False,
        hovertemplate="epoch %{x}<br>" + name + " %{y:.4g}<extra></extra>",
    )  # fmt: skip
    if len(values):
        drawing.add_annotation(
            text=f"<b>{number(values[-1])}</b>", x=epochs[-1], y=values[-1], xanchor="left", xshift=8, showarrow=False
        )
        every = [*epochs, *parent[0]]
        drawing.update_xaxes(range=[min(every), max(max(every), min(every) + 1)])
    drawing.update_xaxes(title_text="epoch", showgrid=False, nticks=8)
    drawing.update_yaxes(nticks=4)
    return drawing.figure()
