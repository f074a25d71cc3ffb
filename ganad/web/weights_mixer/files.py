"""The mixer's markup, style and script as text."""

from __future__ import annotations

from pathlib import Path

from ganad.web.bundle import bundle

_HERE = Path(__file__).parent

MARKUP = (_HERE / "mixer.html").read_text(encoding="utf-8")
STYLE = (_HERE / "mixer.css").read_text(encoding="utf-8")
MODULE = bundle(_HERE / "mixer.js")
"""One module whose default export is called with each new state, as a component of Streamlit is."""
