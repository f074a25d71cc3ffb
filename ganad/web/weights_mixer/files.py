"""The mixer's markup, style and scripts as text. One script for the browser, written in four files."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
_ENTRY = "export default function (component)"


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


MARKUP = _text("mixer.html")
STYLE = _text("mixer.css")
SCRIPTS = {name: _text(f"{name}.js") for name in ("numbers", "drawing", "picture", "mixer")}
"""What is computed, what is drawn, what is saved, what is dragged."""
MODULE = "\n".join(SCRIPTS.values())
"""One module whose default export is called with each new state, as a component of Streamlit is."""


def script(name: str) -> str:
    """The module as a plain script that defines the function `name`: a module in a file on disk cannot be imported."""
    if MODULE.count(_ENTRY) != 1 or "</script" in MODULE:
        raise ValueError("The scripts of the mixer have changed: they need one default export, and no end of a script.")
    return MODULE.replace(_ENTRY, f"function {name}(component)")
