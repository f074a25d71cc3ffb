"""The Browse page: the gallery of test images, and the one that is picked, explained."""

from __future__ import annotations

import streamlit as st

from ganad.service import RunInfo
from ganad.ui.messages import guard
from ganad.ui.panels import gallery, inspector
from ganad.ui.panels.weights import mixer
from ganad.ui.theme import layout


def browse(run: RunInfo) -> None:
    """Weights and threshold folded away, tiles on the left, the picked image on the right."""
    with st.expander("Weights and threshold", icon=":material/tune:", expanded=False):
        view = guard.or_end_page(mixer, run)
    left, right = layout.side_by_side("browse", [6, 5])
    with left, guard.part():
        gallery.gallery(view)
    with right, guard.part():
        inspector.inspect(view)
