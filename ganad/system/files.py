"""Files that are whole or not there: replaced in one move, checked when they are read, swept after a crash."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import psutil

from ganad.errors import RunError, file_errors

CHECKSUMS = "checksums.json"
"""Beside the files that it speaks of: {"scores.npz": its SHA-256, ...}."""
MOST_JSON_BYTES = 50_000_000
"""No JSON or log of a run is larger; what is larger is no such file."""


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """An open file that takes path's place in one move once it is whole; on an error path stays as it was.

    Each write has a part file of its own, so any number of writers may replace the same file: the last one wins. Raises
    RunError, naming the cause, where the disk is full or read-only.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{uuid.uuid4().hex[:12]}.part")
    what, advice = f"{_named(path)} cannot be written", "Free some space or allow writing there, then try again."
    with file_errors(what, advice, RunError, faults=(OSError,)):
        try:
            with open(part, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove the part files in a folder whose writers are dead, as a killed process leaves them; returns how many."""

    gone = 0
    with contextlib.suppress(OSError):
        for part in folder.glob("*.part"):
            writer = part.name.split(".")[-2].split("-")[0]
            if writer.isdecimal() and int(writer) != os.getpid() and psutil.pid_exists(int(writer)):
                continue
            if int(writer if writer.isdecimal() else 0) == os.getpid():
                continue  # another thread of this process is writing it now
            with contextlib.suppress(OSError):
                part.unlink()
                gone += 1
    return gone


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raises RunError when the disk of a folder has fewer than `needed` bytes left. what: the start of the sentence."""
    with file_errors(f"{folder} cannot be used", "Set GANAD_RUNS to a folder that can be written.", RunError):
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            f"{what} needs about {needed / 1e6:,.0f} MB, and the disk of {folder} is full up to {free / 1e6:,.1f} MB (ENOSPC). "
            "Free some space there, or set GANAD_RUNS to another disk."
        )


# --- text and JSON ---------------------------------------------------------------------------------------------


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one move."""
    with replaced(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file in one move. Raises RunError for values that JSON does not have, such as NaN."""
    with file_errors(f"{_named(path)} cannot be written", kind=RunError):
        text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    write_text(path, text)


def read_json(path: Path) -> Any | None:
    """The value, or None if there is no such file. Raises RunError if it is something else than a file of JSON."""
    content = read_bytes(path, most=MOST_JSON_BYTES)
    if content is None:
        return None
    with file_errors(f"{_named(path)} is damaged", kind=RunError):
        return parse_json(content)


def parse_json(content: bytes) -> Any:
    """The value of JSON text. Raises ValueError, also for NaN and infinity, which Python's own reader lets pass."""
    return json.loads(content, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def read_bytes(path: Path, most: int | None = None) -> bytes | None:
    """The content, or None if there is no such file. Raises RunError for anything but a regular, readable file.

    most: a larger file is not read.
    """
    with file_errors(f"{_named(path)} cannot be read", kind=RunError):
        try:
            stats = path.stat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(stats.st_mode):
            raise RunError(f"{_named(path)} is {_kind(stats.st_mode)}, not a file. Remove it.")
        if most is not None and stats.st_size > most:
            raise RunError(f"{_named(path)} has {stats.st_size / 1e6:,.0f} MB, more than such a file ever has.")
        return path.read_bytes()


def _kind(mode: int) -> str:
    return "a directory" if stat.S_ISDIR(mode) else "a device or a pipe"


def _named(path: Path) -> str:
    """A file by its name and its run: "scores.npz of 0007-egbad-n8-s0"."""
    return f"{path.name} of {path.parent.name}"


# --- files that carry a checksum -------------------------------------------------------------------------------


@contextlib.contextmanager
def replaced_with_checksum(path: Path) -> Iterator[IO[bytes]]:
    """Like `replaced`, and the file's SHA-256 is kept in `checksums.json` beside it.

    The old checksum goes before the file is replaced and the new one comes after it: a process that is killed between the
    two leaves a file without a checksum, never a sound file that looks damaged.
    """
    _note_checksum(path, None)
    with replaced(path) as file:
        yield file
        file.flush()
        with open(file.name, "rb") as again:
            digest = hashlib.file_digest(again, "sha256").hexdigest()
    _note_checksum(path, digest)


def read_verified(path: Path) -> bytes | None:
    """The content, or None if there is no such file. Raises RunError if it differs from its checksum.

    A file without a checksum is read as it is: runs of before have none.
    """
    content = read_bytes(path)
    if content is None:
        return None
    wanted = checksums(path.parent).get(path.name)
    if wanted is not None and hashlib.sha256(content).hexdigest() != wanted:
        raise RunError(
            f"{_named(path)} is damaged: it has changed since it was written (its SHA-256 is another one). "
            "Bring it back from a copy, or train the run again."
        )
    return content


def checksums(folder: Path) -> dict[str, str]:
    """File name -> SHA-256, as written beside the files; empty where there are none. Raises RunError if damaged."""
    checksums = read_json(folder / CHECKSUMS)
    if checksums is None:
        return {}
    if not isinstance(checksums, dict) or not all(isinstance(v, str) for v in checksums.values()):
        raise RunError(
            f"{CHECKSUMS} of {folder.name} is damaged: it is no list of checksums. Remove it to read the files unchecked."
        )
    return checksums


def record_checksums(folder: Path, names: Iterable[str]) -> None:
    """Take the checksums of files as they lie there now; for copies of files that had been read and checked."""
    contents = {name: read_bytes(folder / name) for name in names}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items() if content is not None}
    write_json(folder / CHECKSUMS, digests)


def _note_checksum(path: Path, digest: str | None) -> None:
    try:
        known = checksums(path.parent)
    except RunError:
        known = {}
    changed = {k: v for k, v in known.items() if k != path.name} | ({path.name: digest} if digest else {})
    if changed != known:
        write_json(path.parent / CHECKSUMS, changed)
