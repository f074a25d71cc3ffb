"""What narrows the choice of images, in words, each to be taken away."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from ganad.service import RunInfo
from ganad.ui.messages import guard, notices
from ganad.ui.state import rule, selection

_ALL = selection.Selection()


def words(run: RunInfo) -> dict[str, str]:
    """Name of a field of `Selection` -> what it leaves, in words; only what narrows the choice."""
    chosen, said = selection.current(run), {}
    if chosen.digits:
        said["digits"] = "digit " + ", ".join(map(str, chosen.digits))
    if chosen.verdict != _ALL.verdict:
        said["verdict"] = selection.VERDICTS[chosen.verdict]
    if chosen.band:
        said["band"] = "score {:.4g} to {:.4g}".format(*map(rule.mix_of(run).units.shown, chosen.band))
    if chosen.lasso:
        said["lasso"] = "inside the lasso"
    return said


def chips(run: RunInfo, names: Collection[str] = ("digits", "verdict", "band", "lasso")) -> None:
    """A button for each of these that narrows the choice, which takes it away. For a horizontal container."""
    for name, said in words(run).items():
        if name in names:
            st.button(
                said, icon=":material/close:", key=f"no_{name}", on_click=guard.callback(selection.choose), args=(run,),
                kwargs={name: getattr(_ALL, name)}, help="Remove filter",
            )  # fmt: skip


def nothing_left(run: RunInfo) -> None:
    """Said instead of images where the choice leaves none."""
    notices.info(f"No test image fits all of this: {', '.join(words(run).values())}. Remove one of these filters.")
