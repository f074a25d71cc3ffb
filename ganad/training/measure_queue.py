"""Which settings are measured when: one process at a time, however many pages ask; none is left behind as a zombie."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ganad.errors import GanadError
from ganad.runs import run_directory

PATIENCE_S = 5.0
"""A page asks every second. Settings that nobody has asked for within so long are not measured when their turn comes."""
MOST_S = 300.0
"""A measurement takes seconds; one that has not ended after so long is hung, and killed."""
AGAIN_S = 60.0
"""A measurement that failed is not tried again before."""


class Child(Protocol):
    """A process, as `subprocess.Popen` is one."""

    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


def launch(settings_json: str) -> Child:
    """The process that measures the speed of some settings and remembers it."""
    return subprocess.Popen(
        [sys.executable, "-m", "ganad", "measure", settings_json],
        cwd=run_directory.HOME, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


class Line:
    """Settings that wait to be measured, first come, first served; one for all pages of a server."""

    def __init__(self, begin: Callable[[str], Child] = launch, clock: Callable[[], float] = time.monotonic):
        self._begin, self._clock = begin, clock
        self._lock = threading.Lock()
        self._waiting: dict[Path, tuple[str, float]] = {}  # where the result will lie -> settings, when last asked for
        self._now: Path | None = None
        self._failed: dict[Path, float] = {}

    def ask(self, where: Path, settings_json: str) -> None:
        """Measure, now or when it is their turn; asking again is how a page says that it still waits.

        where: the file that the measurement leaves. Raises GanadError if it failed within the last minute.
        """
        with self._lock:
            if self._clock() - self._failed.get(where, float("-inf")) < AGAIN_S:
                raise GanadError("The speed of this machine could not be measured, so there is no estimate.")
            if where != self._now:
                self._waiting[where] = settings_json, self._clock()
                if self._now is None:
                    self._go_on()

    def _go_on(self) -> None:
        """Begin with the next that somebody still waits for. The lock is held."""
        self._now = None
        while self._waiting and self._now is None:
            where = next(iter(self._waiting))
            settings_json, asked = self._waiting.pop(where)
            if self._clock() - asked > PATIENCE_S:
                continue
            try:
                child = self._begin(settings_json)
            except OSError:
                self._failed[where] = self._clock()
                continue
            self._now = where
            threading.Thread(target=self._see_out, args=(where, child), daemon=True, name="measuring").start()

    def _see_out(self, where: Path, child: Child) -> None:
        """Wait for the process in a thread of its own: the page that asked for it may be gone."""
        try:
            code = child.wait(timeout=MOST_S)
        except subprocess.TimeoutExpired:
            child.kill()
            code = child.wait() or 1
        with self._lock:
            if code or not where.exists():
                self._failed[where] = self._clock()
            self._go_on()
