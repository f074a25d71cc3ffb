"""Tell Streamlit of a component."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from ganad.web.bundle import bundle


def declare(name: str, html: str, css: str, js: str) -> Callable[..., Any]:
    """The component of a name, with its markup, style and script."""
    return st.components.v2.component(f"ganad_{name}", html=html, css=css, js=js)


def declare_beside(file: str) -> Callable[..., Any]:
    """The component of a folder, out of the .html, .css and .js there that are named like it. file: `__file__` of its Python."""
    folder = Path(file).parent
    html, css = ((folder / f"{folder.name}{end}").read_text(encoding="utf-8") for end in (".html", ".css"))
    return declare(folder.name, html, css, bundle(folder / f"{folder.name}.js"))
