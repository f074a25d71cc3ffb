"""The address bar: what is chosen stands in the URL, so that a link, a reload and the back button bring it back.

Session memory is what counts while a session lasts; the URL is its copy. It is read only where it says something that this
session did not put there itself: a link that was opened, or a step back. Otherwise a rerun would undo what was just chosen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from ganad.ui.state import decision_rule, selection
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import memory

VIEW = (*decision_rule.NAMES, *selection.NAMES)
NAMES = ("run", *VIEW)
"""Our names in a URL: the run, and how it is looked at."""
UNDERWAY = 0.25
"""Seconds. So long after a change, a browser may still report what stood there before. Nobody steps back that fast."""


@dataclass(frozen=True)
class Url:
    """What a session last knew of its URL: our names in it.

    text      as it stands there, perhaps as somebody's link has it
    means     the same as we write it
    before    what stood there until this was written, and at which time that was replaced
    """

    text: dict[str, str]
    means: dict[str, str]
    before: dict[str, str] | None = None
    at: float = 0.0


def query() -> dict[str, str]:
    """What the URL says of run and view at this moment."""
    return {name: st.query_params[name] for name in NAMES if name in st.query_params}


def opened_game() -> int | None:
    """The game that a link asks for, once: its number in 0..9999, or None."""
    text, m = st.query_params.get("game"), memory()
    if text is None or text == m.game_link:
        return None
    m.game_link = text
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def opened_lesson() -> str | None:
    """The lesson that a link asks for, once."""
    text, m = st.query_params.get("lesson"), memory()
    if text is None or text == m.lesson_link:
        return None
    m.lesson_link = text
    return text


def opened_own_class() -> bool:
    """True where a link asks for one's own class, once."""
    text, m = st.query_params.get("own"), memory()
    if text is None or text == m.own_link:
        return False
    m.own_link = text
    return text == "1"


def close_lesson() -> None:
    """The lesson is over: the URL no longer asks for it, and a link may ask for it again."""
    st.query_params.pop("lesson", None)
    memory().lesson_link = None


def study() -> str | None:
    """The study that the URL asks for."""
    return st.query_params.get("study")


def show_study(name: str) -> None:
    """Let the URL ask for a study."""
    st.query_params["study"] = name


def to_query(view: ScoredView) -> dict[str, str]:
    """What is in force as it stands in a URL, the run included: for links that shall open the same view."""
    default = DecisionRule(view.run.weights)
    return (
        {"run": view.run.name}
        | decision_rule.to_query(view.rule, default, view.test)
        | selection.to_query(view.selection, view)
    )


def asks_for_another_run() -> bool:
    """True where the URL names a run that this session did not put there."""
    url, now = memory().url, query()
    return "run" in now and (url is None or now["run"] != url.means.get("run")) and not _late(now)


def news(*, same_page: bool) -> dict[str, str] | None:
    """What the URL asks of the view, where this session did not put it there; else None.

    same_page: the last script run was of this page too. Then a URL without a choice is a step back to before any choice; on
    another page it is a link that leaves the choice alone, and so is the menu's, which may be older than the choice.
    """
    now, m = query(), memory()
    asked = {name: text for name, text in now.items() if name in VIEW}
    is_new = bool(asked) if m.url is None else now != m.url.text and not _late(now)
    from_menu = not same_page and now == m.menu_url
    return asked if is_new and not from_menu and (asked or same_page) else None


def accept(means: dict[str, str] | None = None) -> None:
    """Leave the URL as it is: what it says is in force, although it may not be as we write it.

    To write it anew would be one step more for the back button. means: as we write it; None: as it stands there.
    """
    text = query()
    memory().url = Url(text, text if means is None else means)


def write(means: dict[str, str]) -> None:
    """Bring the URL up to date, in one step of the browser's history. means: what is in force."""
    text, url = query(), memory().url
    if text != means and not (url and (text, means) == (url.text, url.means)):
        others = {k: st.query_params.get_all(k) for k in st.query_params if k not in NAMES}
        st.query_params.from_dict(others | means)
        memory().url = Url(means, means, text, time.monotonic())
    elif url is None or means != url.means:
        memory().url = Url(text, means)


def write_run(name: str, *, same_page: bool) -> dict[str, str]:
    """The same for a run that has no view yet; what else stands there stays. Returns what is in force."""
    text, url = query(), memory().url
    means = text | {"run": name}
    if same_page and "run" not in text and url and url.means.get("run") == name:
        accept(means)  # a step back to where there was no run: written there again, it would lead no further back
    write(means)
    return {"run": name}


def _late(now: dict[str, str]) -> bool:
    url = memory().url
    return url is not None and now == url.before and time.monotonic() - url.at < UNDERWAY
