"""Which run the pages show: the one that a link, the picker or a callback asks for, else one that has something to show."""

from __future__ import annotations

from collections.abc import Mapping

from ganad.service import RunInfo
from ganad.ui.state import address, cache
from ganad.ui.state.session import held, memory

PICKER = "run"
"""Key of the picker in the sidebar."""


def default_run(runs: list[RunInfo]) -> RunInfo:
    """The newest finished run that was trained long enough to show something, else the newest finished one, else the newest."""
    finished = [r for r in runs if r.state == "finished"]
    return next((r for r in finished if not r.short_in_words), finished[0] if finished else runs[0])


def pick(name: str | None = None) -> None:
    """Make a run the picked one from the next script run on, None: the one that a page opens by itself; for callbacks."""
    runs = cache.list_runs()
    if name or runs:
        memory().next_run = name or default_run(runs).name


def picked(runs: Mapping[str, RunInfo], labels: Mapping[str, str], *, same_page: bool) -> str | None:
    """The run to show, or None where the URL asks for one that is not here: no other is opened in its place.

    runs     name -> run, at least one
    labels   what the picker may have called a run -> its name: a browser reports the label that it has seen
    same_page   see `address.news`
    """
    m, asked, current = memory(), address.query().get("run"), held(PICKER)
    known = m.url.means.get("run") if m.url else None
    if asked in runs and (address.asks_for_another_run(same_page=same_page) or current is None):
        current = asked
    if m.next_run in runs:
        current = m.next_run
    m.next_run = None
    if current is not None and current not in runs:
        current = labels.get(current)
    if asked and asked not in runs and (asked != known or current not in runs):
        return None  # until one is picked, which then takes its place in the URL
    return current if current in runs else default_run(list(runs.values())).name
