"""The Methods page: what can be watched there, and the articles, docs/methods/*.md as they are in the repository."""

from __future__ import annotations

import streamlit as st

from ganad.runs.run_directory import HOME
from ganad.ui.messages import notices

VIEWS = {
    "slow motion": ":material/slow_motion_video: A step in slow motion",
    "race": ":material/timer: A race: a search against one pass",
    "generator": ":material/tune: Play with the generator",
}
"""What can be watched, one at a time, and what it is called."""


def article(method: str) -> None:
    """One method's page. Its first heading is left out, since the page has one already."""
    try:
        text = (HOME / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")
    except OSError:
        notices.info(f"docs/methods/{method}.md is missing from this installation.")
        return
    _, _, body = text.partition("\n")
    with st.container(width=900):
        st.markdown(body)
