"""The address of a view: what is chosen stands in the URL, so that a link, a reload and the back button bring it back.

Session state is what counts while a session lasts; the URL is its copy. It is read only where it says something that this
session did not put there itself: a link that was opened, or a step back. Otherwise a rerun would undo what was just chosen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from ganad.service import RunInfo
from ganad.ui.messages import notices
from ganad.ui.state import rule, selection

NAMES = (*rule.NAMES, *selection.NAMES)
UNDERWAY = 0.25
"""Seconds. So long after a change, a browser may still report what stood there before. Nobody steps back that fast."""


@dataclass(frozen=True)
class _Known:
    """What this session last knew of its URL.

    said      as it stands there, perhaps in the words of somebody's link
    means     the same in words of our own
    before    what stood there before, and at which time it was replaced
    """

    said: dict[str, str]
    means: dict[str, str]
    before: dict[str, str] | None = None
    at: float = 0.0


def to_query(run: RunInfo) -> dict[str, str]:
    """What is in force as it stands in a URL, the run included: for links that shall open the same view."""
    return {"run": run.name} | rule.to_query(run) | selection.to_query(run)


def passed_on() -> dict[str, str]:
    """What the address says of run and view, for links that lead on; nothing else that somebody may have put there."""
    return {name: st.query_params[name] for name in ("run", *NAMES) if name in st.query_params}


def arrive(run: RunInfo, same_page: bool) -> dict[str, str]:
    """Take over what the URL asks for, if that is news, and write what is in force. Once a script run, before any view.

    Returns the words for links to other pages.

    same_page: the last script run was of this page too. Then a URL without a choice is a step back to before any choice; on
    another page it is a link that leaves the choice alone, and so is the menu's, which may be older than the choice.
    """
    said, known = _said(), st.session_state.get("_known")
    from_menu = not same_page and said == st.session_state.get("_menu_says")
    if _is_news(said, known) and not from_menu and (said or same_page):
        odd = [*rule.from_query(run, said), *selection.from_query(run, said)]
        if odd:
            notices.toast(f"The link says {' and '.join(odd)}: that was left out.", icon=":material/link_off:")
        else:  # it stands there well enough: written anew, it would be one step more for the back button
            st.session_state["_known"] = _Known(said, _ours(run))
    write(run)
    st.session_state["_menu_says"] = _ours(run)
    return to_query(run)


def write(run: RunInfo) -> None:
    """Bring the URL up to date, in one step of the browser's history; what is as usual is left out."""
    said, means, known = _said(), _ours(run), st.session_state.get("_known")
    if said != means and not (known and (said, means) == (known.said, known.means)):
        others = {k: st.query_params.get_all(k) for k in st.query_params if k not in NAMES}
        st.query_params.from_dict(others | {"run": run.name} | means)
        st.session_state["_known"] = _Known(means, means, said, time.monotonic())
    elif known is None or means != known.means:
        st.session_state["_known"] = _Known(said, means)


def _is_news(said: dict[str, str], known: _Known | None) -> bool:
    if known is None:
        return bool(said)
    late = said == known.before and time.monotonic() - known.at < UNDERWAY
    return said != known.said and not late


def _said() -> dict[str, str]:
    return {name: st.query_params[name] for name in NAMES if name in st.query_params}


def _ours(run: RunInfo) -> dict[str, str]:
    return rule.to_query(run) | selection.to_query(run)
