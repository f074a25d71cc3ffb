"""What a server that others can reach lets its visitors do. The policy stands in the environment:

    GANAD_READONLY=1         look, judge images, download; nothing is trained, stopped, changed, imported or read by a path
    GANAD_DATA=/folder       own images by a path come from this folder alone; `none`: by no path at all
    GANAD_MAX_QUEUED         runs that may wait for their turn
    GANAD_MAX_RUNS_BYTES     bytes of the whole folder of runs, trash and uploads included; 20G is 20,000,000,000
    GANAD_MAX_UPLOAD_BYTES   bytes of one upload: images, or the zip of a run

Every function of `service` that changes or reads something asks here, so that a hidden button is not the only lock.
Without GANAD_DATA any path is read where only this machine reaches the server, and none where others do.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from ganad.errors import ConfigError, DataError, GanadError, file_errors
from ganad.system import limits

MOST_ENTRIES = 200_000
"""Files of one folder of images that are looked at for links out of GANAD_DATA."""

_DEFAULTS = {
    "GANAD_MAX_QUEUED": 100,
    "GANAD_MAX_RUNS_BYTES": None,
    "GANAD_MAX_UPLOAD_BYTES": 200_000_000,
    "GANAD_CACHE_BYTES": limits.CACHE_BYTES,
}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_HERE = {"localhost", "127.0.0.1", "::1", "[::1]"}

_others_reach_it = False


class AccessError(GanadError):
    """Something that this server does not let its visitors do. The text says why, and who can change that."""


def serve(address: str | None, hosts: Sequence[str]) -> None:
    """Tell how this process is served; the command line, which is not, never calls this.

    address: what it listens on, None for every network; hosts: the names that it answers to, none for any.
    """
    global _others_reach_it
    _others_reach_it = not _is_loopback(address) or not hosts or any(h.strip().lower() not in _HERE for h in hosts)


def shared() -> bool:
    """True when this process is a server that other machines reach, directly or through a proxy."""
    return _others_reach_it


def _is_loopback(address: str | None) -> bool:
    if address in _HERE:
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


# --- changing anything -----------------------------------------------------------------------------------------


def readonly() -> bool:
    """True when GANAD_READONLY is set to anything that does not mean no."""
    return os.environ.get("GANAD_READONLY", "").strip().lower() not in ("", "0", "no", "false", "off")


def allow(what: str) -> None:
    """Raise AccessError where everything is read-only. what: the deed as a noun, as in "training"."""
    if readonly():
        raise AccessError(
            f"Everything here is read-only, so {what} is switched off. Do it with ganad on your own machine, or ask "
            "whoever runs this one to start it without GANAD_READONLY."
        )


# --- own images ------------------------------------------------------------------------------------------------


def paths_are_free() -> bool:
    """True when own images may lie anywhere on this machine."""
    return not os.environ.get("GANAD_DATA", "").strip() and not shared()


def data_folder() -> Path | None:
    """The one folder that own images by a path may come from, with all links followed; None when there is none."""
    named = os.environ.get("GANAD_DATA", "").strip()
    if not named or named.lower() == "none":
        return None
    with file_errors(f"GANAD_DATA={named} cannot be used", "Set it to a folder that exists.", ConfigError):
        return Path(named).expanduser().resolve()


def data_path(path: str | Path, *also: Path) -> str:
    """The path of own images with all links followed, if it may be read; a relative one begins at GANAD_DATA.

    also: folders that may be read as well. Raises AccessError, in the same words whether there is such a file or not.
    """
    with _a_path(path):
        typed = Path(path).expanduser()
        folder = None if paths_are_free() else data_folder()
        resolved = (folder / typed if folder else typed).resolve()
        if paths_are_free():
            resolved.exists()  # raises for what no file system takes
            return str(resolved)
    allowed = [f.resolve() for f in (folder, *also) if f is not None]
    home = next((f for f in allowed if resolved.is_relative_to(f)), None)
    if home is None:
        raise AccessError(_not_there(folder))
    with _a_path(path):
        resolved.exists()
    for entry in _within(resolved):
        if entry.is_symlink() and not entry.resolve().is_relative_to(home):
            raise AccessError(
                f"{entry.name} is a link out of the folder of images, so it is not read. {_not_there(folder)}"
            )
    return str(resolved)


def _a_path(path: str | Path) -> AbstractContextManager[None]:
    return file_errors(f"{str(path)[:80]!r} cannot be a path", "Type the path of a file or folder.", DataError)


def _not_there(folder: Path | None) -> str:
    if folder is None:
        return (
            "This server reads no images by a path. Upload them, or ask whoever runs it to name a folder for them "
            "in GANAD_DATA."
        )
    return (
        f"This server reads images by a path from {folder} alone. Put them there, upload them, or ask whoever runs it "
        "to name another folder in GANAD_DATA."
    )


def _within(path: Path) -> Iterator[Path]:
    """What is read together with this path: the CSVs beside a CSV, or what lies in a folder, three levels deep."""
    if not path.is_dir():
        yield from path.parent.glob("*.csv") if path.suffix.lower() == ".csv" else ()
        return
    seen, below = 0, [(path, 0)]
    while below:
        folder, depth = below.pop()
        with file_errors(f"{folder.name} cannot be read", "Look at its permissions.", DataError):
            entries = list(os.scandir(folder))
        for entry in entries:
            seen += 1
            if seen > MOST_ENTRIES:
                raise DataError(
                    f"{path.name} holds more than {MOST_ENTRIES:,} files. Name the folder of one set of images."
                )
            yield Path(entry.path)
            if depth < 2 and entry.is_dir(follow_symlinks=False):
                below.append((Path(entry.path), depth + 1))


# --- quotas ----------------------------------------------------------------------------------------------------


def quota(name: str) -> int | None:
    """A quota from the environment; None means none. Raises ConfigError for what is no number."""
    text = os.environ.get(name, "").strip()
    if not text:
        return _DEFAULTS[name]
    match = re.fullmatch(r"([0-9]{1,15})([KMGT]?)", text.upper())
    if match is None:
        raise ConfigError(f"{name} is a whole number, or one with K, M, G or T as in 20G, got {text!r}")
    return int(match[1]) * _UNITS[match[2]]


def check_queue(waiting: int) -> None:
    """Raise AccessError when one more run would be too many in the queue."""
    most = quota("GANAD_MAX_QUEUED")
    if most is not None and waiting >= most:
        raise AccessError(
            f"{waiting} runs wait for their turn already, and at most {most} may (GANAD_MAX_QUEUED). "
            "Start again when one has begun, or stop one that is not needed."
        )


def check_space(used: int, more: int = 0) -> None:
    """Raise AccessError when the folder of runs, with so many bytes more, would be larger than it may be."""
    most = quota("GANAD_MAX_RUNS_BYTES")
    if most is not None and used + more >= most:
        raise AccessError(
            f"The runs take {used / 1e6:,.0f} MB{f', {more / 1e6:,.1f} MB would come' if more else ''}, and at most "
            f"{most / 1e6:,.0f} MB may (GANAD_MAX_RUNS_BYTES). Whoever runs this server can empty the trash or raise it."
        )


def check_upload(size: int) -> None:
    """Raise AccessError when an upload is larger than one may be."""
    most = quota("GANAD_MAX_UPLOAD_BYTES")
    if most is not None and size > most:
        raise AccessError(
            f"The upload has {size / 1e6:,.1f} MB, and at most {most / 1e6:,.1f} MB are taken (GANAD_MAX_UPLOAD_BYTES). "
            "Upload fewer images."
        )
