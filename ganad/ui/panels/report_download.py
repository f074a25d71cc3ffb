"""A run to take along: the button that writes its report as one HTML file."""

from __future__ import annotations

import streamlit as st

from ganad import service
from ganad.report import html_report
from ganad.service import RunInfo
from ganad.ui.state import cache


def offer(run: RunInfo) -> None:
    """A download of the run's report. It is put together when somebody asks for it, and kept until the scores change."""
    version = service.version(run.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Report", lambda: _report(run.name, version, run.label), f"{run.name}.html", "text/html", key="report",
            on_click="ignore", icon=":material/description:",
        )  # fmt: skip
        st.caption(
            "This run as one file that opens without network: numbers at the default weights, the live mixer with every "
            "test image, each class, a pad to draw on, settings. About 4 MB."
        )


@cache.kept()
def _report(name: str, version: int, label: str) -> str:
    return html_report.report_html(name)
