"""Text from outside, made harmless at each door: Markdown, HTML, Plotly.

From outside comes whatever somebody else may have written: names and notes of runs, what an imported run says of itself,
file names, paths, everything in an address. It is shown as it was typed, and read as nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape

NARROW = "\u200b"
"""A space of no width. What Streamlit looks for after Markdown was parsed, no backslash can hide: addresses, emoji, icons and
arrows are found in the text as it is read, so one of their characters is held off by this."""

_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>$~|&#]")
_AT_THE_START = re.compile(r"^([-+=]|\d+(?=[.)]))(.?)")
_AFTER = re.compile(r"([:@])(?=\S)|(www)(?=\.)", re.IGNORECASE)
_ARROWS = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")


class Markdown(str):
    """Markdown of our own, with nothing of outside in it that was not made plain."""

    __slots__ = ()


def markdown(template: str, *outside: object) -> Markdown:
    """Our own Markdown with {} where text from outside goes: `markdown("**{}** failed", run.label)`."""
    return Markdown(template.format(*map(plain, outside)))


def plain(text: object) -> str:
    """Text from outside for a place that reads Markdown: one line that is shown as it was typed.

    No picture, link, heading, colour, icon, emoji, formula or tag comes out of it. What `markdown` made is left as it is.
    """
    if isinstance(text, Markdown):
        return text
    escaped = _ARROWS.sub(lambda m: m[0][0] + NARROW + m[0][1:], one_line(text))
    escaped = _AFTER.sub(lambda m: m[0] + NARROW, escaped)
    escaped = _MARKDOWN.sub(r"\\\g<0>", escaped)
    return _AT_THE_START.sub(_held_back, escaped)


def _held_back(m: re.Match[str]) -> str:
    """A list, a rule or a numbered line begins a block: "- a", "+ a", "1. a", "2) a"."""
    return f"{m[1]}\\{m[2]}" if m[1].isdecimal() else f"\\{m[1]}{m[2]}"


def chart(text: object) -> str:
    """Text from outside for Plotly, which reads some tags, links among them, and %{...} in what it shows on hovering."""
    return escape(one_line(text), quote=False).replace("%{", "%" + NARROW + "{")


def html(text: object) -> str:
    """Text from outside for HTML, inside of an attribute too."""
    return escape(visible(text), quote=True)


def one_line(text: object) -> str:
    """The text with every run of white space as one blank."""
    return " ".join(visible(text).split())


def visible(text: object) -> str:
    """The text without characters that no one sees and that change how others are read: controls, and marks that turn the
    direction of writing."""
    return "".join(
        c if c in "\n\t " or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _TURNS) else "\ufffd"
        for c in str(text)
    )


_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
