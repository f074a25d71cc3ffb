"""Start, resume and stop worker processes. All that is known of them is in their run directories."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil

from ganad import runs
from ganad.config import Settings
from ganad.errors import RunError

PATIENCE_S = 15.0
"""A worker obeys within two seconds; one that has not after so long is hung, and killed."""

_children: list[subprocess.Popen[bytes]] = []


def start(settings: Settings) -> Path:
    """A new run, at work in a process of its own that outlives this one. It queues if another is at work."""
    run = runs.create(settings)
    launch(run)
    return run


def resume(run: Path) -> None:
    """Let a stopped or failed run go on from its last saved state. Raises RunError if there is nothing to resume."""
    requeue(run)
    launch(run)


def requeue(run: Path) -> None:
    """Back into the line, without a process yet. Raises RunError for a run that is finished, at work, or shipped."""
    if run.parent == runs.shelf().resolve():
        raise RunError(f"{run.name} is shipped with the project and finished: there is nothing to resume.")
    status = runs.status(run)
    if status.state == "finished":
        raise RunError(f"{run.name} is finished: there is nothing to resume. Start a new run for more epochs.")
    if status.state in ("queued", "running"):
        raise RunError(f"{run.name} is {status.state} already.")
    runs.settings(run)
    (run / "stop").unlink(missing_ok=True)
    now = time.time()
    runs.write_status(run, replace(status, state="queued", since=now, pid=None, process_started=None, error=None))


def launch(run: Path) -> None:
    """The worker, detached: Ctrl+C for the server does not reach it, and what it prints goes to log.txt."""
    with open(run / "log.txt", "ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "ganad", "work", str(run)],
            cwd=runs.HOME,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children.append(child)


def reap() -> None:
    """Take note of children that ended: until then they are zombies."""
    _children[:] = [child for child in _children if child.poll() is None]


def stop(run: Path, *, wait: bool = False) -> None:
    """Ask a run to stop; should it not obey, kill it after making sure that it is still the same process.

    Asking twice, or asking a run that has ended, does no harm.
    """
    if runs.status(run).state in runs.ENDED:
        return
    runs.ask_to_stop(run)
    said = runs.read_status(run)
    if said.pid is not None and runs.alive(said.pid, said.process_started):
        _signal(said.pid, signal.SIGTERM)
    if wait:
        _see_to_it(run)
    else:
        threading.Thread(target=_see_to_it, args=(run,), daemon=True).start()


def _see_to_it(run: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        reap()
        if runs.status(run).state in runs.ENDED:
            return
        time.sleep(0.1)
    said = runs.read_status(run)
    if said.pid is not None and said.pid != os.getpid() and runs.alive(said.pid, said.process_started):
        _signal(said.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError, psutil.Error):
        pass
