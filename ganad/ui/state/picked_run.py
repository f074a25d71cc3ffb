"""Which run the pages show: the one that was picked, or the one that a page opens by itself."""

from __future__ import annotations

import streamlit as st

from ganad.service import RunInfo
from ganad.ui.state import cache


def default_run(found: list[RunInfo]) -> RunInfo:
    """The newest run that has something to show, else the newest."""
    return next((r for r in found if r.state == "finished"), found[0])


def pick(name: str | None = None) -> None:
    """Make a run the picked one from the next script run on, None: the one that a page opens by itself; for callbacks."""
    found = cache.list_runs()
    if name or found:
        st.session_state["_pick"] = name or default_run(found).name
