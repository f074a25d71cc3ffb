"""What the command line says. No text from outside is ever read as markup, nor as a control sequence of the terminal.

Run names, notes, paths, file names and errors come from anywhere. They are printed as they are, whatever brackets they
hold, and what cannot be seen (an escape, a bell, an arrow that turns the line around) is written as its code.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ganad.errors import GanadError, cause

Styled = tuple[str, str]
"""A text and the style it is printed in, such as ("failed:", "red")."""


class _Console(Console):
    def __init__(self, *, stderr: bool = False, width: int | None = None):
        super().__init__(stderr=stderr, width=width, soft_wrap=True, markup=False, emoji=False, highlight=False)

    def on_broken_pipe(self) -> NoReturn:
        """Rich would leave with 1 from anywhere; here `main` is told, and ends quietly."""
        raise BrokenPipeError


out, err = _Console(), _Console(stderr=True)


def plain(text: object) -> str:
    """One line of what can be seen: line breaks and tabs become spaces, other invisible characters their code."""
    line = " ".join(str(text).replace("\t", "\n").splitlines())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _text(pieces: tuple[object | Styled, ...]) -> Text:
    text = Text()
    for piece in pieces:
        words, style = piece if isinstance(piece, tuple) else (piece, "")
        text.append(plain(words), style)
    return text


def say(*pieces: object | Styled) -> None:
    """A line of results, on stdout, from texts and (text, style) pairs."""
    with _printed():
        out.print(_text(pieces))


def tell(*pieces: object | Styled) -> None:
    """A line beside the results, on stderr."""
    err.print(_text(pieces))


def complain(what: object, of: str = "error") -> None:
    """An error in one line."""
    tell((f"{of}:", "red"), f" {plain(what)}")


def path(value: object) -> None:
    """A path alone on its line, byte for byte as the file system has it, for programs to read."""
    with _printed():
        sys.stdout.flush()
        if hasattr(sys.stdout, "buffer"):
            sys.stdout.buffer.write(os.fsencode(str(value)) + b"\n")
            sys.stdout.buffer.flush()
        else:  # a stream of text alone, as a program that calls this one puts in its place
            print(value)


def put(text: str) -> None:
    """Text of our own making, as it is: JSON, or a table in Markdown."""
    with _printed():
        print(text)


def table(heads: tuple[str, ...], rows: list[tuple[object, ...]], right: tuple[str, ...] = ()) -> None:
    """Columns under their heads; the first is never wrapped, those named in `right` are set to the right."""
    table_ = Table(box=None, pad_edge=False)
    for i, head in enumerate(heads):
        table_.add_column(head, justify="right" if head in right else "left", no_wrap=i == 0)
    for row in rows:
        table_.add_row(*(Text(plain(cell)) for cell in row))
    with _printed():
        # Where nobody looks on, nothing is cut to the width of a screen.
        (out if out.is_terminal else _Console(width=400)).print(table_)


@contextlib.contextmanager
def _printed() -> Iterator[None]:
    """Results that cannot be printed, as with a full disk behind `> file`, are an error; nobody reading on is none."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        hang_up()
        raise GanadError(f"the results cannot be printed: {cause(error)}.") from None


def prepare() -> None:
    """What the terminal's encoding lacks is written as its code instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def hang_up() -> None:
    """Nobody reads on, as after `| head`: let what is still in the buffers go nowhere, without a word."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
