"""The bounds of a shared server: how much the folder of runs may hold."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from ganad.errors import RunError, file_errors
from ganad.runs import run_directory
from ganad.system import access


@contextlib.contextmanager
def room_for(more: int = 0) -> Iterator[None]:
    """Hold the folder of runs to its quota: one visitor at a time looks whether there is room and takes it."""

    with file_errors("The folder of runs cannot be written", "Look at the disk.", RunError):
        run_directory.root().mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(run_directory.root() / ".quota.lock")
        lock.acquire()
    try:
        check_space(more)
        yield
    finally:
        lock.release()


def check_space(more: int = 0) -> None:
    """Raises AccessError where the folder of runs would hold more bytes than it may, with `more` put in."""
    if access.quota("GANAD_MAX_RUNS_BYTES") is not None:  # else nothing is counted
        # Everything counts: runs, trash, uploads, what was measured.
        access.check_space(bytes_in(run_directory.root()), more)


def bytes_in(top: Path) -> int:
    """Bytes of every file below a folder; 0 where there is none."""
    total = 0
    for folder, _, names in os.walk(top):
        for name in names:
            with contextlib.suppress(OSError):  # it went away in the meantime
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
