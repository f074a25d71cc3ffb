"""Tell Streamlit of a component."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


def declare(name: str, html: str, css: str, js: str) -> Callable[..., Any]:
    """The component of a name, with its markup, style and script."""
    return st.components.v2.component(f"ganad_{name}", html=html, css=css, js=js)


def declare_beside(file: str) -> Callable[..., Any]:
    """The component whose Python file this is (`__file__`), out of the .html, .css and .js of the same name beside it."""
    path = Path(file)
    return declare(path.stem, *(path.with_suffix(end).read_text(encoding="utf-8") for end in (".html", ".css", ".js")))
