"""The filters that are on, a chip each, to be removed by a click."""

from __future__ import annotations

import streamlit as st

from ganad.ui.messages import guard, notices
from ganad.ui.state import current
from ganad.ui.state.filters import FILTERS
from ganad.ui.state.scored_view import ScoredView


def chips(view: ScoredView, names: tuple[str, ...] = tuple(f.name for f in FILTERS)) -> None:
    """A button for each of these filters that is on, which turns it off. For a horizontal container."""
    for selected, value in view.selection.active:
        if selected.name in names:
            st.button(
                selected.label(value, view), icon=":material/close:", key=f"no_{selected.name}", on_click=guard.callback(current.select),
                args=(view.run,), kwargs={selected.name: selected.off}, help="Remove filter",
            )  # fmt: skip


def nothing_left(view: ScoredView) -> None:
    """Said instead of images where the filters leave none."""
    labels = ", ".join(view.selection.labels(view).values())
    notices.info(f"No test image fits all of this: {labels}. Remove one of these filters.")
