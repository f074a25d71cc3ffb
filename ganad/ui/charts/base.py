"""The look of every chart, and what they share: colours of the page, axes, words for numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ganad.web import colours

CONFIG = {"displayModeBar": False, "scrollZoom": False}
"""Plotly's own options, for `st.plotly_chart(config=...)`: no toolbar over the picture."""

# Streamlit's front end writes the theme's own colours in the place of these (the template of `theme="streamlit"` is
# made of such codes). Anywhere else they are what they say: nearly black.
_TEXT = "#000037"
_PAGE = "#000038"

_GRID = colours.rgba(colours.THRESHOLD.both, 0.2)
_INK = colours.THRESHOLD.both
_SMALL = 13

_AS_IT_IS = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
"""What is clicked stays as it is: the choice is shown elsewhere."""


def _figure(
    height: int,
    *,
    top: int,
    bottom: int,
    right: int = 12,
    x: dict[str, Any] | None = None,
    y: dict[str, Any] | None = None,
    **layout: Any,
) -> Drawing:
    """An empty chart in the common look. x, y: what its axes have besides; layout: what the chart has."""
    words = {"size": _SMALL, "color": _TEXT}
    common = {
        "height": height, "margin": {"l": 8, "r": right, "t": top, "b": bottom, "pad": 4}, "showlegend": False,
        "dragmode": False, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 14, "color": _TEXT},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": _INK, "activecolor": _INK},
        "hoverlabel": {"align": "left", "bgcolor": _PAGE, "bordercolor": _INK, "font": {"size": 14, "color": _TEXT}},
    }  # fmt: skip
    for name, own in (("xaxis", x or {}), ("yaxis", y or {})):
        title = {"standoff": 8, "font": words} | ({"text": own["title_text"]} if "title_text" in own else {})
        usual = {
            "gridcolor": _GRID,
            "zeroline": False,
            "automargin": True,
            "tickangle": 0,
            "tickfont": words,
            "title": title,
        }
        common[name] = usual | {k: v for k, v in own.items() if k != "title_text"}
    return Drawing(common | layout)


class Drawing:
    """A chart while it is drawn, under the names that Plotly's figures use; `figure` makes it one of them.

    A Plotly figure checks itself anew at each step, which takes as long as checking all of it once, at the end.
    """

    def __init__(self, layout: dict[str, Any]):
        self.traces: list[dict[str, Any]] = []
        self.layout = layout | {"shapes": [], "annotations": []}

    def add_scatter(self, **trace: Any) -> None:
        self.traces.append({"type": "scatter", **trace})

    def add_bar(self, **trace: Any) -> None:
        self.traces.append({"type": "bar", **trace})

    def add_heatmap(self, **trace: Any) -> None:
        self.traces.append({"type": "heatmap", **trace})

    def add_shape(self, **shape: Any) -> None:
        self.layout["shapes"].append(shape)

    def add_annotation(self, **annotation: Any) -> None:
        self.layout["annotations"].append(annotation)

    def update_xaxes(self, **axis: Any) -> None:
        self.update_layout(xaxis=axis)

    def update_yaxes(self, **axis: Any) -> None:
        self.update_layout(yaxis=axis)

    def update_layout(self, **layout: Any) -> None:
        """What the chart, or one of its axes (`xaxis`, `yaxis`, `xaxis2`, …), has besides."""
        for name, value in layout.items():
            known = self.layout.get(name)
            self.layout[name] = known | value if isinstance(known, dict) and isinstance(value, dict) else value

    def figure(self) -> go.Figure:
        return go.Figure(self.traces, self.layout)


def _unit_square(x_title: str, y_title: str) -> dict[str, dict[str, Any]]:
    """Both axes from 0 to 1, as long as each other; for `_figure`."""
    ticks = {"tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "constrain": "domain"}
    return {
        "x": {"title_text": x_title, "range": [0, 1.005], "constraintoward": "left", **ticks},
        "y": {"title_text": y_title, "range": [0, 1.01], "scaleanchor": "x", "constraintoward": "top", **ticks},
    }


def _vertical(drawing: Drawing, x: float, *, colour: str, dash: str, width: float = 1.5) -> None:
    drawing.add_shape(
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


def _percent(share: float) -> str:
    """Whole percents; one decimal near 0 and 1, where it matters, and never "0 %" or "100 %" for almost."""
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    digits = 1 if share < 0.095 or share > 0.905 else 0
    return f"{round(100 * share, digits):g} %"


def spread_apart(at: Sequence[float], gap: float) -> list[float]:
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
