"""The worker's side of a run directory: it writes status and log, waits for its turn, and reads requests to stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock
import psutil

from ganad.errors import RunError, Stopped, file_errors
from ganad.runs import commands, epoch_nets, kept_states, run_directory
from ganad.system import files

BEAT_S = 0.5
"""A status is written at most so often, unless something changed."""
RESERVE, RESERVE_BYTES = ".reserve", 65_536
"""A file that only takes room: it is removed when the disk is full, so that the run can say why it ended."""


class RunContext:
    """Status, log, queue and stop requests, for the one process that writes a run.

    That process owns the run (`runs.owned`) before it makes a context.
    """

    def __init__(self, run: Path, on_status: Callable[[run_directory.Status], None], *, on_node: bool = False):
        """on_node: the process has no number that another machine could look for; its heartbeat alone says that it lives."""
        self.run, self.on_status = run, on_status
        me = psutil.Process()
        status = run_directory.read_status(run)
        self.status = replace(
            status,
            state="queued",
            since=status.since or time.time(),
            pid=None if on_node else me.pid,
            process_started=None if on_node else me.create_time(),
            error=None,
            doing="starting",
        )
        self._asked = False
        self._interruptible = True
        self._beaten = 0.0
        for folder in (run, run / "samples", run / kept_states.FOLDER, run / epoch_nets.FOLDER, run / commands.ASKED):
            files.sweep(folder)
        with file_errors(f"{run.name} cannot be written", "Free some space or allow writing there.", RunError):
            (run / RESERVE).write_bytes(bytes(RESERVE_BYTES))
        self.set_status()

    def set_status(self, **changes: Any) -> None:
        """Write the status, at once."""
        self.status = replace(self.status, **changes)
        self._beaten = time.monotonic()
        run_directory.write_status(self.run, self.status)
        self.on_status(self.status)

    def last_word(self, **changes: Any) -> None:
        """Say how it ended, if there is any way to: where the disk is full the reserve makes room for that."""
        self.status = replace(self.status, **changes)
        with contextlib.suppress(OSError):
            (self.run / RESERVE).unlink(missing_ok=True)
        try:
            run_directory.write_status(self.run, self.status)
        except RunError:
            # Somebody else has taken that room as well. A file that is there can still be written over, in its own block.
            with contextlib.suppress(OSError), open(self.run / "status.json", "r+b") as file:
                file.write(json.dumps(run_directory.status_values(self.status)).encode())
                file.truncate()
        self.on_status(self.status)

    def heartbeat(self, **changes: Any) -> None:
        """Write the status if that was half a second ago; raises Stopped where a stop is requested."""
        if time.monotonic() - self._beaten > BEAT_S:
            self.set_status(**changes)
        else:
            self.status = replace(self.status, **changes)
        self.raise_if_stopped()

    def raise_if_stopped(self) -> None:
        """Raises Stopped where a stop is requested."""
        if self._asked or (self.run / "stop").exists():
            raise Stopped

    def log(self, text: str) -> None:
        """A line of log.txt. Where the disk is full the line is lost and the training goes on."""
        with contextlib.suppress(OSError), open(self.run / "log.txt", "a", encoding="utf-8") as file:
            file.write(f"{datetime.now():%H:%M:%S}  {text}\n")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """SIGTERM and Ctrl+C are requests to stop, too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def asked(*_: Any) -> None:
            self._asked = True
            if self._interruptible:
                raise Stopped

        before = {s: signal.signal(s, asked) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """In here a signal waits until the next `heartbeat`: nothing is torn in the middle of a step."""
        self._interruptible = False
        try:
            yield
        finally:
            self._interruptible = True

    @contextmanager
    def slot(self) -> Iterator[None]:
        """One of GANAD_SLOTS places to work (default 1); whoever has waited longest goes first.

        A lock frees itself when its process dies, however it dies.
        """
        folder = self.run.parent / ".slots"
        with file_errors(f"{folder} cannot be made", "Free some space or allow writing there.", RunError):
            folder.mkdir(exist_ok=True)
        locks = [filelock.FileLock(folder / f"{i}.lock") for i in range(slots())]
        while True:
            if self._first_in_line():
                for lock in locks:
                    try:
                        lock.acquire(blocking=False)
                    except filelock.Timeout:
                        continue
                    try:
                        self.raise_if_stopped()  # asked while it waited
                        yield
                    finally:
                        lock.release()
                    return
            self.heartbeat(doing="waiting for another run to end")
            time.sleep(0.3)

    def _first_in_line(self) -> bool:
        mine = (self.status.since, self.run.name)
        for other in run_directory.listing(self.run.parent):
            status = run_directory.read_status(other)
            if other != self.run and status.state == "queued" and (status.since, other.name) < mine:
                now = run_directory.status(other)
                if status.pid is not None and now.state == "queued" and now.answering:
                    return False
        return True


def slots() -> int:
    """How many runs may be at work at once: GANAD_SLOTS, by default 1. Raises RunError for anything but a number above 0."""
    asked = os.environ.get("GANAD_SLOTS") or "1"
    if not asked.isdecimal() or int(asked) < 1:
        raise RunError(f"GANAD_SLOTS is the number of runs at work at once, 1 or more, got {asked[:40]!r}.")
    return int(asked)
