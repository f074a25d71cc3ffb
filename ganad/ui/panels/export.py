"""Taking things along: the scores of the chosen images as CSV, each chart as PNG or SVG."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from ganad.evaluation import metrics
from ganad.ui import charts
from ganad.ui.state import address
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import held

FORMATS = ("PNG", "SVG")


def config(name: str, *buttons: str) -> dict[str, object]:
    """Plotly's own options for a chart: a camera that saves it under a sensible name, seen while the pointer is on it.

    buttons: others that the chart wants, by Plotly's names; they are then always seen.
    """
    saved = {
        "format": held("chart_format", FORMATS[0]).lower(),
        "filename": f"ganad-{name}",
        "scale": 2,
    }
    return charts.CONFIG | {
        "displayModeBar": True if buttons else "hover",
        "modeBarButtons": [["toImage", *buttons]],
        "toImageButtonOptions": saved,
        "displaylogo": False,
    }


def offer(view: ScoredView) -> None:
    """A button that downloads the selected images' scores; the file is made when it is clicked."""
    st.download_button(
        "Scores as CSV" if view.selection.whole else "These scores as CSV",
        lambda: table(view).to_csv(index=False),  # called later, outside of the session
        f"{view.run.name}-scores.csv",
        "text/csv",
        icon=":material/download:",
        key="scores_csv",
        on_click="ignore",
        help="Index in the test set, digit, truth, verdict, parts, score and percentile of each image that is chosen, in its order.",
    )
    st.segmented_control(
        "Charts are saved as", FORMATS, default=FORMATS[0], key="chart_format", required=True, persist_state="session",
        label_visibility="collapsed", help="What the camera in the corner of a chart saves, on every page.", wrap=True,
    )  # fmt: skip


def link(view: ScoredView) -> None:
    """The address of the view that is on screen, to copy: the same run, weights, threshold, selection and image."""
    with st.popover("Link to this view", icon=":material/link:", type="tertiary"):
        st.code(f"{st.context.url}?{urlencode(address.to_query(view), safe=',:~')}", language=None, wrap_lines=True)
        st.caption("It stands in the address bar too, and opens the same view for everybody who reaches this server.")


def table(view: ScoredView) -> pd.DataFrame:
    """One row a selected test image, in the chosen order."""
    rows, images, score = view.rows, view.scores.test, view.test[view.rows]
    return pd.DataFrame(
        {
            "test_index": images.index[rows],
            "digit": images.digit[rows],
            **({"class": [view.run.class_name(d) for d in images.digit[rows]]} if view.run.has_names else {}),
            "truth": np.where(view.scores.anomalous[rows], "anomalous", "normal"),
            "verdict": np.where(view.called[rows], "anomalous", "normal"),
            **{p: values[rows] for p, values in images.parts.items()},
            "score": score,
            "percentile": metrics.percentile(score, view.val),
            "threshold": view.threshold if np.isfinite(view.threshold) else None,
        }
    )
