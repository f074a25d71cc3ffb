"""From a path that somebody typed to a file that may be read: a regular one, of at most so many bytes."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ganad.errors import DataError, file_errors
from ganad.system import limits


def typed(text: str | Path) -> Path:
    """The absolute path that a text means, with ~ for a home directory; whether anything is there is not asked.

    Raises DataError for a text that can be no path: too long, with a NUL, or with the home of an unknown user.
    """
    typed = str(text)
    if len(typed) > limits.PATH_LENGTH:
        raise DataError(
            f"The path {shown(typed)} has {len(typed):,} characters, expected at most {limits.PATH_LENGTH:,}."
        )
    if "\0" in typed:
        raise DataError(f"The path {shown(typed)} holds a NUL character, which no path can: type it anew.")
    with file_errors(f"The path {shown(typed)} cannot be followed", "Type the whole path, from / on.", DataError):
        return Path(typed).expanduser().absolute()


def shown(path: str | Path) -> str:
    """A path for a sentence: without what is no printable character, and its middle left out where it is long."""
    printable = "".join(c if c.isprintable() else "�" for c in str(path))
    return printable if len(printable) <= 300 else f"{printable[:140]} … {printable[-140:]}"


@contextlib.contextmanager
def opened(path: Path, most: int, what: str = "file") -> Iterator[BinaryIO]:
    """A regular file, open for reading bytes. Raises DataError for any other kind, and for more than `most` bytes.

    Nothing is waited for: a pipe that nobody writes to is refused like a device. what: how the sentence calls the file.
    """
    with file_errors(f"{shown(path)} cannot be read", kind=DataError):
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(number, "rb") as file:
        stats = os.fstat(number)
        if not stat.S_ISREG(stats.st_mode):
            raise DataError(f"{shown(path)} is {kind_of(stats.st_mode)}, expected a regular file.")
        if stats.st_size > most:
            raise DataError(f"{shown(path)} has {size(stats.st_size)}, and a {what} may have {size(most)} at most.")
        yield file


def contents(path: Path, most: int, what: str = "file") -> bytes:
    """All bytes of a regular file. Raises DataError for any other kind, and for more than `most` bytes."""
    with opened(path, most, what) as file:
        with file_errors(f"{shown(path)} cannot be read", kind=DataError):
            content = file.read(most + 1)
    if len(content) > most:  # it grew meanwhile, or is one of those that the system makes up and calls empty
        raise DataError(f"{shown(path)} has more than {size(most)}, which is the most a {what} may have.")
    return content


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, by name. Raises DataError when it cannot be read or holds more than limits.FOLDER_ENTRIES."""
    entries = []
    with file_errors(f"{shown(folder)} cannot be read", kind=DataError), os.scandir(folder) as inside:
        for entry in inside:
            entries.append(entry)
            if len(entries) > limits.FOLDER_ENTRIES:
                raise DataError(
                    f"{shown(folder)} holds more than {limits.FOLDER_ENTRIES:,} files, which is the most that are looked at."
                )
    return sorted(entries, key=lambda entry: entry.name)


def kind_of(mode: int) -> str:
    """What a path is that is neither a regular file nor a folder, in words."""
    kinds = {stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a folder" if stat.S_ISDIR(mode) else "no regular file")


def size(n: int) -> str:
    """Bytes in words: 2_800_000 -> "2.8 MB"."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if n >= unit:
            return f"{n / unit:,.3g} {name}"
    return f"{n:,} bytes"
