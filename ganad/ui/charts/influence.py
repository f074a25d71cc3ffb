"""Which influence of the parts tells normal from anomalous best: a map of AUROC over all divisions of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ganad.ui.charts.base import _AS_IT_IS, _INK, _PAGE, _figure
from ganad.web import colours

_CORNERS = ((0.5, 0.94, "center", "bottom"), (0.0, -0.05, "left", "top"), (1.0, -0.05, "right", "top"))
"""Of the first three parts: x, y, and how their names stand there."""
_APART = 1.25
"""From one triangle of a map of four parts to the next; a triangle is 1 wide."""


def influence_map(
    parts: Sequence[str], shares: np.ndarray, areas: np.ndarray, now: Sequence[float], *, height: int = 380
) -> go.Figure:
    """AUROC for each division of the influence among three parts (a triangle) or four (one triangle for each share of the fourth).

    shares  (K, parts): rows that add up to 1. areas: (K,) AUROC. now: (parts,) the shares in force
    A click selects a point with its row in `shares` as customdata.
    """
    drawing = _figure(height, top=26, bottom=34)
    levels = np.unique(shares[:, 3]) if len(parts) > 3 else np.zeros(1)
    x, y = _place(shares, levels)
    size = 19 if len(levels) == 1 else 11
    best = int(np.argmax(areas))
    hover = [
        "influence " + ", ".join(f"{p} {s:.2f}" for p, s in zip(parts, share, strict=True)) + f"<br>AUROC {a:.4f}"
        for share, a in zip(shares, areas, strict=True)
    ]
    drawing.add_scatter(
        x=x, y=y, mode="markers", name="weights", customdata=list(range(len(shares))), text=hover,
        hovertemplate="%{text}<extra></extra>",
        marker={
            "size": size, "symbol": "hexagon", "color": areas, "colorscale": "Cividis", "line": {"width": 0},
            "colorbar": {"title": "AUROC", "thickness": 12, "len": 0.8, "outlinewidth": 0},
        },
        **_AS_IT_IS,
    )  # fmt: skip
    drawing.add_scatter(
        x=x[[best]], y=y[[best]], mode="markers", name="best", hoverinfo="skip",
        marker={"size": size + 2, "symbol": "hexagon-open", "color": _INK, "line": {"width": 2.5}}, **_AS_IT_IS,
    )  # fmt: skip
    px, py = _place(np.asarray([now], dtype=float), levels)
    drawing.add_scatter(
        x=px, y=py, mode="markers", name="now", hoverinfo="skip",
        marker={"size": 11, "symbol": "diamond", "color": colours.ANOMALOUS.both, "line": {"width": 2, "color": _PAGE}}, **_AS_IT_IS,
    )  # fmt: skip
    for name, (cx, cy, xanchor, yanchor) in zip(parts, _CORNERS, strict=False):
        text = f"<b style='color:{colours.PARTS[name].both}'>{name}</b>"
        drawing.add_annotation(text=text, x=cx, y=cy, showarrow=False, xanchor=xanchor, yanchor=yanchor)
    columns = min(len(levels), 3)
    if len(levels) > 1:
        for level in levels:
            left, bottom = _corner_of(np.asarray([level]), levels)
            text = f"<b style='color:{colours.PARTS[parts[3]].both}'>{parts[3]}</b> {level:.0%}"
            drawing.add_annotation(text=text, x=left[0] + 0.5, y=bottom[0] - 0.14, showarrow=False, yanchor="middle")
    rows = -(-len(levels) // columns)
    drawing.update_xaxes(visible=False, range=[-0.06, (columns - 1) * _APART + 1.06], fixedrange=True)
    drawing.update_yaxes(
        visible=False, range=[-(rows - 1) * _APART - 0.2, 1.02] if rows > 1 else [-0.14, 1.02], scaleanchor="x", fixedrange=True
    )  # fmt: skip
    return drawing.figure()


def _corner_of(level: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower left corner of the triangle for each share of the fourth part: three triangles a row."""
    nearest = np.abs(levels[None, :] - level[:, None]).argmin(axis=1)
    return nearest % 3 * _APART, -(nearest // 3) * _APART


def _place(shares: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where shares of the influence lie: in a triangle with the first part on top, the second on the left, the third on the right."""
    fourth = shares[:, 3] if shares.shape[1] > 3 else np.zeros(len(shares))
    left, bottom = _corner_of(fourth, levels)
    return left + shares[:, 2] + (shares[:, 0] + fourth) / 2, bottom + shares[:, 0] * np.sqrt(3) / 2
