"""The mixer that follows the drag, on a run: the same weights and rule as `mixer.py` keeps, and the same answer."""

from __future__ import annotations

import streamlit as st

from ganad.config import FALSE_ALARMS
from ganad.service import RunInfo
from ganad.ui.components.live_mixer import Setting, last_report, live_mixer, reported
from ganad.ui.messages import guard
from ganad.ui.panels import linked_charts
from ganad.ui.panels.weights import scales_of
from ganad.ui.state import cache, selection
from ganad.ui.state.rule import Mix, advised, keep, mix_of, rule_of, standardised, weights_of


def live(run: RunInfo) -> Mix:
    """Draw the live mixer of a finished run and return what it was last left at.

    Weights and rule are kept per run in `st.session_state`, so that Browse and Score follow, and it follows them.
    """
    key = state_key(run)
    take_over(run, key)
    live_mixer(
        cache.packed(run.name),
        key=key,
        version=f"{run.name}/{cache.version(run.name)}",
        scales=scales_of(run),
        defaults=Setting(run.weights, "false alarms", FALSE_ALARMS),
        current=Setting(weights_of(run), *rule_of(run), selection.current(run).band, standardised()),
        advised=advised(run),
        on_pick=guard.callback(lambda: linked_charts.picked_on_strip(run, key)),
    )
    return mix_of(run)


def state_key(run: RunInfo) -> str:
    """Where the browser's word lives for a run: each run has a mixer of its own."""
    return f"live_{run.name}"


def take_over(run: RunInfo, key: str) -> None:
    """Keep what the browser said, once: what it said earlier must not undo what was chosen elsewhere since."""
    report, said = last_report(key), reported(key)
    if report != st.session_state.get(f"{key}/taken"):
        st.session_state[f"{key}/taken"] = report
        if said is not None:
            was = rule_of(run)
            keep(run, said.weights, (said.rule, said.value))
            st.session_state["standardised"] = said.standardised
            moved = said.rule == "manual" and rule_of(run) != was
            nearest = {"image": selection.nearest_to(run, mix_of(run))} if moved else {}
            selection.choose(run, band=said.band, **nearest)
