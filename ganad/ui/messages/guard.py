"""What goes wrong in one part of a page stays in that part, in one sentence; its traceback is the server's.

A GanadError is said in its own words. Anything else is a fault of ours: it is named, and the page goes on around it.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st
from streamlit.errors import FragmentHandledException

from ganad.errors import GanadError
from ganad.ui.messages import notices

_LOG = logging.getLogger("ganad.ui")


def unexpected(fault: Exception) -> str:
    """A sentence about a fault of ours, whose traceback goes to the server's log."""
    _LOG.error("A part of a page could not be drawn", exc_info=fault)
    return (
        f"This part could not be shown: an unexpected {type(fault).__name__}. Reload the page; if it comes back, the "
        "server's log has the details."
    )


@contextlib.contextmanager
def part() -> Iterator[None]:
    """A part of a page, or all of it: its error is said where it would have gone on.

    `st.stop()` and `st.rerun()` pass: they are no errors, and Streamlit does not derive them from Exception.
    """
    try:
        yield
    except FragmentHandledException:  # a fragment in it has said its error already
        raise
    except GanadError as error:
        notices.error(error)
    except Exception as fault:
        notices.error(unexpected(fault))


def fragment(view: Callable[..., None], run_every: float | None = None) -> Callable[..., None]:
    """`st.fragment` whose error is said inside of it; when it is drawn anew, by itself or with the page, that is too."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> None:
        with part():
            view(*args, **kwargs)

    return st.fragment(guarded, run_every=run_every)


def callback(deed: Callable[..., None]) -> Callable[..., None]:
    """What a click or a slider does: its error is a word at the edge of the page, which is then drawn as things stand."""

    @functools.wraps(deed)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            deed(*args, **kwargs)
        except GanadError as error:
            notices.toast(error, icon=":material/error:")
        except Exception as fault:
            notices.toast(
                unexpected(fault).replace("This part could not be shown", "That could not be done"),
                icon=":material/error:",
            )

    return guarded


def or_end_page(call, *args):
    """Call a service; on an error that is meant for users show it and end the page, without a traceback."""
    try:
        return call(*args)
    except GanadError as error:
        notices.error(error)
        st.stop()


def or_none(call, *args):
    """Like `or_end_page` for a part of a page that is not its purpose: say why it is missing, return None, and go on."""
    try:
        return call(*args)
    except GanadError as error:
        notices.info(error)
        return None
