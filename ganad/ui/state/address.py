"""The address bar: what is chosen stands in the URL, so that a link, a reload and the back button bring it back.

Session memory is what counts while a session lasts; the URL is its copy. It is read only where it says something that this
session did not put there itself: a link that was opened, or a step back. Otherwise a rerun would undo what was just chosen.

A browser may report an older URL for as long as a newer one is on its way to it. How long that takes is nobody's to know, so
no clock decides: on one and the same page, what this session once wrote is news only after a step in the browser's history.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ganad.ui.state import decision_rule, selection
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.session import LinkedChoice, memory

VIEW = (*decision_rule.NAMES, *selection.NAMES)
NAMES = ("run", *VIEW)
"""Our names in a URL: the run, and how it is looked at."""
LESSON = ("lesson", "step")
"""The lesson under way, and its step from 1."""
_MOST_EARLIER = 50
"""So many earlier URLs are remembered. None that is older is still on its way."""


@dataclass(frozen=True)
class Url:
    """What a session last knew of its URL: our names in it.

    text      as it stands there, perhaps as somebody's link has it
    means     the same as we write it
    earlier   what stood there before, the last one first, without repetition: a browser that has not heard of
              `text` yet reports one of these
    """

    text: dict[str, str]
    means: dict[str, str]
    earlier: tuple[dict[str, str], ...] = ()


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


def opened_lesson(*, same_page: bool) -> tuple[str, int] | None:
    """The lesson that a link, a reload or a step back asks for, once, and at which step, from 0.

    No link leads from a page to itself: there, a browser reports late what was asked for before.
    """
    asked, m = {name: st.query_params[name] for name in LESSON if name in st.query_params}, memory()
    if "lesson" not in asked or asked == m.lesson_link or (same_page and not _is_step()):
        return None
    m.lesson_link = asked
    step = asked.get("step", "")
    return asked["lesson"], int(step) - 1 if re.fullmatch("[1-9][0-9]?", step) else 0


def opened_own_class() -> bool:
    """True where a link asks for one's own class, once."""
    text, m = st.query_params.get("own"), memory()
    if text is None or text == m.own_link:
        return False
    m.own_link = text
    return text == "1"


def lesson_query(lesson: str, step: int) -> dict[str, str]:
    """A lesson at a step, from 0, as it stands in a URL; at its first one the step goes without saying."""
    return {"lesson": lesson} | ({"step": str(step + 1)} if step else {})


def write_lesson(lesson: str, step: int, *, same_page: bool) -> None:
    """Let the URL ask for the lesson under way, so that a reload goes on with it. same_page: see `news`."""
    means, m = lesson_query(lesson, step), memory()
    if (m.lesson_link == means and (same_page or "lesson" in st.query_params)) or _is_step():
        return
    _replace(LESSON, means)
    m.lesson_link = means


def close_lesson() -> None:
    """The lesson is over: the URL no longer asks for it, and a link may ask for it again."""
    _replace(LESSON, {})
    memory().lesson_link = None


def choice(name: str) -> str | None:
    """What was chosen last under a name of the URL (a page's view, a study), here or by a link; None before that."""
    asked, own = st.query_params.get(name), memory().choices.setdefault(name, LinkedChoice())
    if asked and asked != own.heard and (asked not in own.written or _is_step()):
        own.value = own.heard = asked  # what this session once wrote itself is only told late
    elif asked is None and _is_step():
        own.value = own.heard = None
    return own.value


def choose(name: str, value: str | None, *, write: bool = True) -> None:
    """Choose under a name from the next script run on. write: the URL asks for it too."""
    own = memory().choices.setdefault(name, LinkedChoice())
    own.value = own.heard = value
    if value is not None:
        own.written.add(value)
    if write and value is not None:
        st.query_params[name] = value
    elif write:
        st.query_params.pop(name, None)


def to_query(view: ScoredView) -> dict[str, str]:
    """What is in force as it stands in a URL, the run included: for links that shall open the same view."""
    default = DecisionRule(view.run.weights)
    return (
        {"run": view.run.name}
        | decision_rule.to_query(view.rule, default, view.test)
        | selection.to_query(view.selection, view)
    )


def asks_for_another_run(*, same_page: bool) -> bool:
    """True where the URL names a run that this session did not put there. same_page: see `news`."""
    url, now = memory().url, query()
    if "run" not in now or (url and now["run"] == url.means.get("run")):
        return False
    return not (_is_late(now) if same_page else now == memory().menu_url)


def news(*, same_page: bool) -> dict[str, str] | None:
    """What the URL asks of the view, where this session did not put it there; else None.

    same_page: the last script run was of this page too. Then a URL without a choice is a step back to before any choice; on
    another page it is a link that leaves the choice alone, and so is the menu's, which may be older than the choice.
    """
    now, m = query(), memory()
    asked = {name: text for name, text in now.items() if name in VIEW}
    if m.url is None:
        return asked or None
    if same_page:
        return asked if now != m.url.text and not _is_late(now) else None
    return asked if asked and now not in (m.url.text, m.menu_url) else None


def accept(means: dict[str, str] | None = None) -> None:
    """Leave the URL as it is: what it says is in force, although it may not be as we write it.

    To write it anew would be one step more for the back button.

    means   as we write it; None: nothing is in force, and whatever is linked to from here is news
    """
    text, url = query(), memory().url
    memory().url = Url(text, text) if means is None else Url(text, means, _earlier(url))


def write(means: dict[str, str]) -> None:
    """Bring the URL up to date, in one step of the browser's history. means: what is in force."""
    text, url = query(), memory().url
    if url is not None and (text, means) == (url.text, url.means):
        return
    # Also where it says so already, if it says so late: something else is still on its way there.
    if text != means or (url is not None and url.text != means):
        _replace(NAMES, means)
    memory().url = Url(means, means, _earlier(url, text))


def write_run(name: str, *, same_page: bool) -> dict[str, str]:
    """The same for a run that has no view yet; what else stands there stays. Returns what is in force."""
    text, url = query(), memory().url
    if url and same_page and _is_late(text):
        text = url.text
    means = text | {"run": name}
    if same_page and "run" not in text and url and url.means.get("run") == name:
        accept(means)  # a step back to where there was no run: written there again, it would lead no further back
    write(means)
    return {"run": name}


def _replace(names: tuple[str, ...], means: dict[str, str]) -> None:
    """What the URL says under these names, in one step of the browser's history; the others stay."""
    others = {k: st.query_params.get_all(k) for k in st.query_params if k not in names}
    st.query_params.from_dict(others | means)


def _earlier(url: Url | None, *texts: dict[str, str]) -> tuple[dict[str, str], ...]:
    """What stands there no longer when something else is written: these texts, and what was known of."""
    known = texts if url is None else (*texts, url.text, *url.earlier)
    return tuple(text for i, text in enumerate(known) if text not in known[:i])[:_MOST_EARLIER]


def _is_late(now: dict[str, str]) -> bool:
    """What a browser reports on the page that it was on was said there before the last change reached it."""
    url = memory().url
    return url is not None and now in url.earlier and not _is_step()


def _is_step() -> bool:
    """This script run answers a step in the browser's history."""
    run = get_script_run_ctx(suppress_warning=True)
    return run is not None and run.is_history_navigation
