"""A link to a run that is not here: say which one was asked for, open none, and offer those that are."""

from __future__ import annotations

import streamlit as st

from ganad import service
from ganad.service import RunInfo
from ganad.ui.messages import notices
from ganad.ui.messages.escape import html, plain

OFFERED = 9
"""So many runs stand on the page; the picker has them all."""


def unknown(asked: str, runs: list[RunInfo], page: str) -> None:
    """Which run a link asked for, and links that open others on the same page.

    asked   the run's name as it stands in the address: anybody's words, shown as text and never read as Markdown
    runs    the runs that are here
    page    the page's path, as in `page.MENU`
    """
    name = f"<b style='overflow-wrap: anywhere'>{html(asked[:80])}{'…' if len(asked) > 80 else ''}</b>"
    with st.container(border=True, key="unknown_run"):
        reason = dict(service.damaged_runs()).get(asked)
        st.html(
            "<div style='font-size: 1.08rem'>"
            + (
                f"The run {name} is here but cannot be read."
                if reason
                else f"There is no run {name} here, so none is shown."
            )
            + "</div>"
        )
        if reason:
            notices.error(reason, icon=":material/heart_broken:")
        elif asked in service.trashed():
            st.caption("It lies in the trash: **Compare** brings it back.")
        else:
            st.caption("It may be misspelt or deleted, or the link comes from another machine. These runs are here:")
        ready = [r for r in runs if r.state == "finished"] or runs
        with st.grid("auto", min_column_width=210, gap="small"):
            for r in ready[:OFFERED]:
                # By its name alone: what else stood in the address was meant for the other run.
                st.page_link(page, label=plain(r.short), icon=":material/arrow_forward:", query_params={"run": r.name})
        if len(ready) > OFFERED:
            st.caption(f"{len(ready) - OFFERED} more are in the list of runs at the side.")
