"""Taking things along: the scores of the chosen images as CSV, each chart as PNG or SVG."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from ganad.config import PARTS
from ganad.evaluation import metrics
from ganad.service import RunInfo
from ganad.ui import charts
from ganad.ui.state import address, cache, selection
from ganad.ui.state.rule import Mix

FORMATS = ("PNG", "SVG")


def config(name: str, *buttons: str) -> dict[str, object]:
    """Plotly's own options for a chart: a camera that saves it under a sensible name, seen while the pointer is on it.

    buttons: others that the chart wants, by Plotly's names; they are then always seen.
    """
    saved = {
        "format": st.session_state.get("chart_format", FORMATS[0]).lower(),
        "filename": f"ganad-{name}",
        "scale": 2,
    }
    return charts.CONFIG | {
        "displayModeBar": True if buttons else "hover",
        "modeBarButtons": [["toImage", *buttons]],
        "toImageButtonOptions": saved,
        "displaylogo": False,
    }


def offer(run: RunInfo, mix: Mix) -> None:
    """A button that downloads the chosen images' scores; the file is made when it is clicked."""
    chosen = selection.current(run)
    st.download_button(
        "Scores as CSV" if chosen.whole else "These scores as CSV",
        lambda: table(run, mix, chosen).to_csv(index=False),  # called later, outside of the session
        f"{run.name}-scores.csv",
        "text/csv",
        icon=":material/download:",
        key="scores_csv",
        on_click="ignore",
        help="Index in the test set, digit, truth, verdict, parts, score and percentile of each image that is chosen, in its order.",
    )
    st.segmented_control(
        "Charts are saved as", FORMATS, default=FORMATS[0], key="chart_format", required=True, persist_state="session",
        label_visibility="collapsed", help="What the camera in the corner of a chart saves, on every page.",
    )  # fmt: skip


def link(run: RunInfo) -> None:
    """The address of the view that is on screen, to copy: the same run, weights, line, choice and image."""
    with st.popover("Link to this view", icon=":material/link:", type="tertiary"):
        st.code(f"{st.context.url}?{urlencode(address.to_query(run), safe=',:~')}", language=None, wrap_lines=True)
        st.caption("It stands in the address bar too, and opens the same view for everybody who reaches this server.")


def table(run: RunInfo, mix: Mix, chosen: selection.Selection) -> pd.DataFrame:
    """One row a chosen test image, in the chosen order."""
    found = cache.scores(run.name)
    val, test = cache.totals(run.name, mix.weights)
    rows = selection.rows(run, mix, chosen)
    return pd.DataFrame(
        {
            "test_index": found.test.index[rows],
            "digit": found.test.digit[rows],
            "truth": np.where(found.anomalous[rows], "anomalous", "normal"),
            "verdict": np.where(test[rows] > mix.threshold, "anomalous", "normal"),
            **{p: found.test.parts[p][rows] for p in PARTS},
            "score": test[rows],
            "percentile": metrics.percentile(test[rows], val),
            "threshold": mix.threshold if np.isfinite(mix.threshold) else None,
        }
    )
