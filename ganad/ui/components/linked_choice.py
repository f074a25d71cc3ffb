"""A row of buttons, one of them chosen, and the choice stands in the address: one view of a page out of several."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from ganad.ui.messages import guard
from ganad.ui.state import address
from ganad.ui.state.session import held, set_widget


def linked_choice(label: str, options: Mapping[str, str], *, name: str, default: str | None = None) -> str:
    """Which of the options is chosen, also after a reload and on the way back to the page.

    label     for screen readers
    options   as the address names them -> as the buttons say it
    name      of the choice in the address, and of the widget
    default   before any choice; else the first option
    """
    asked = address.choice(name)
    first = default if default in options else next(iter(options))
    wanted = asked if asked in options else first
    # A widget is told only what it does not hold: told what it holds, it would undo a click that is on its way.
    told = held(name, wanted) != wanted
    if told:
        set_widget(name, wanted)
    return st.segmented_control(
        label, list(options), default=None if told else wanted, key=name, format_func=options.get, required=True,
        label_visibility="collapsed", wrap=True, persist_state="session", on_change=guard.callback(_chosen), args=(name,),
    )  # fmt: skip


def _chosen(name: str) -> None:
    address.choose(name, held(name))
