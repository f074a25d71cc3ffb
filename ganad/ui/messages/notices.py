"""Messages. Whatever is said here is shown as it is: what `text.markdown` made as Markdown, anything else as plain text.

Pages and views say through these, never through Streamlit's functions of the same names, which read any text as Markdown.
"""

from __future__ import annotations

import streamlit as st

from ganad.ui.messages.escape import plain

Said = str | Exception


def error(what: Said, icon: str = ":material/error:") -> None:
    """Something went wrong, or does not fit; an exception is said in its own words."""
    st.error(plain(what), icon=icon)


def warning(what: Said, icon: str = ":material/warning:") -> None:
    """Something works that may mislead."""
    st.warning(plain(what), icon=icon)


def info(what: Said, icon: str = ":material/info:") -> None:
    """Something that is missing, or good to know."""
    st.info(plain(what), icon=icon)


def toast(what: Said, icon: str = ":material/info:") -> None:
    """A word at the edge of the page that goes away by itself; for callbacks."""
    st.toast(plain(what), icon=icon)


def caption(what: Said) -> None:
    """A small line."""
    st.caption(plain(what))
