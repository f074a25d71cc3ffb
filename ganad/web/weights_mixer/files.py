"""The mixer's markup, style and script as text."""

from __future__ import annotations

from pathlib import Path

from ganad.web.bundle import bundle

_HERE = Path(__file__).parent
_ENTRY = "export default function (component)"

MARKUP = (_HERE / "mixer.html").read_text(encoding="utf-8")
STYLE = (_HERE / "mixer.css").read_text(encoding="utf-8")
MODULE = bundle(_HERE / "mixer.js")
"""One module whose default export is called with each new state, as a component of Streamlit is."""


def script(name: str) -> str:
    """The module as a plain script that defines the function `name`: a module in a file on disk cannot be imported."""
    if MODULE.count(_ENTRY) != 1 or "</script" in MODULE:
        raise ValueError("The scripts of the mixer have changed: they need one default export, and no end of a script.")
    return MODULE.replace(_ENTRY, f"function {name}(component)")
