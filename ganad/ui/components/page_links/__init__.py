"""What was moved or typed just before a click on a link to another page is not lost by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ganad.ui.components.declare import declare_beside
from ganad.ui.state.session import sent

_LINKS = declare_beside(__file__)
_KEY = "page_links"


def page_links(heard: float, on_left: Callable[[Any], None]) -> None:
    """To be drawn once on every page, outside of fragments; it shows nothing.

    Streamlit sends the change of a widget a moment after it was made. If it belongs to a fragment and comes after the change
    of page, that fragment is gone: the change is lost, and the browser clears the page that it has just been given. So a
    click on a link waits for what is on its way. A server that is busy may still drop it for the change of page; the next
    page then hears of it from here.

    heard     when the last report of the live mixer was made that has been heard, in ms
    on_left   called with a later one, as the browser tells it: {"run": name, "mix": report}
    """
    _LINKS(key=_KEY, data={"heard": heard}, on_left_change=lambda: on_left(sent(_KEY, "left")), height="content")
