"""Bring a part of the page into view when it has news: on a narrow page cause and effect would be screens apart."""

from __future__ import annotations

from ganad.ui.components.declare import declare_beside

_VIEW = declare_beside(__file__)


def into_view(target: str, news: str | int | None) -> None:
    """To be drawn inside the container of the key `target`. Where that can be seen anyway, nothing moves.

    news: whenever it changes, the page scrolls to the container; what it is at first counts as known.
    """
    _VIEW(key=f"into_view_{target}", data={"target": target, "news": news}, height="content")
