"""The Methods page: what can be watched there, and the articles, docs/methods/*.md as they are in the repository."""

from __future__ import annotations

import posixpath
import re

import streamlit as st

from ganad.runs.run_directory import HOME
from ganad.ui.messages import notices

_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([\w./-]+\.md(?:#[\w-]+)?)\)")
_PICTURE = re.compile(r"!\[([^\]]*)\]\(\.\./images/([\w.-]+)\)")
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
    body = _LINK.sub(lambda found: f"{found[1]} ({_in_the_repository(found[2])})", body)
    with st.container(width=900):
        words, *more = _PICTURE.split(body)
        st.markdown(words)
        for caption, picture, words in zip(more[::3], more[1::3], more[2::3], strict=True):
            st.image(HOME / "docs" / "images" / picture, caption=caption)
            st.markdown(words)


def _in_the_repository(link: str) -> str:
    """Where a link of an article leads: pages of the app cannot open it."""
    return posixpath.normpath(f"docs/methods/{link.partition('#')[0]}")
