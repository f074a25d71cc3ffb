"""Tell Streamlit of a component: its Python file's name, and the .html, .css and .js beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st


def declare(file: str, js: str | None = None) -> Callable[..., Any]:
    """The component whose Python file this is (`__file__`); js: its script, where that is not the one file beside it."""
    path = Path(file)
    html, css, script = (path.with_suffix(end) for end in (".html", ".css", ".js"))
    return st.components.v2.component(
        f"ganad_{path.stem}",
        html=html.read_text(encoding="utf-8"),
        css=css.read_text(encoding="utf-8"),
        js=script.read_text(encoding="utf-8") if js is None else js,
    )
