"""Start, resume and stop worker processes. All that is known of them is in their run directories."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from ganad.config import Settings, parse
from ganad.errors import ConfigError, RunError, file_errors
from ganad.runs import commands, run_directory
from ganad.training import branching

PATIENCE_S = 15.0
"""A worker obeys within two seconds; one that has not after so long is hung, and killed."""
SILENT_PATIENCE_S = 3.0
"""One that is not answering anyway gets so long."""
DEATH_S = 30.0
"""So long a killed process may take to be gone: the system writes back what it had open."""
HANDOVER_S = 5.0
"""So long to wait for a process that has said its last word and is about to leave its run."""

_children: list[subprocess.Popen[bytes]] = []


def start(settings: Settings, prepare: Callable[[Path], None] = lambda run: None) -> Path:
    """A new run, at work in a process of its own that outlives this one. It queues if another is at work.

    prepare: told the run before its process begins.

    Raises RunError, and leaves nothing behind, where the disk is full or cannot be written.
    """
    run = run_directory.create(settings)
    begin(run, prepare)
    return run


def resume(run: Path) -> None:
    """Let a stopped or failed run go on from its last saved state. Raises RunError if there is nothing to resume.

    Whoever holds the run's lock may resume it, so of two who try at once one starts a process and the other is told.
    """
    _refuse_shipped(run)
    with run_directory.owned(run, wait=HANDOVER_S):
        _requeue(run)
        launch(run)


def continued(run: Path, epochs: int) -> Path:
    """A new run, not yet at work, that goes on where a finished one ended, for so many epochs more.

    It ends with the weights that a run of all these epochs would have. The finished run stays as it is. Raises RunError where nothing
    was kept to go on from, and for a method whose training depends on the number of its epochs.
    """
    status, settings = run_directory.status(run), run_directory.settings(run)
    if status.state != "finished":
        raise RunError(f"{run.name} is {status.state}: `resume` goes on with a run that has not finished.")
    if not (run / "state.pt").exists():
        raise RunError(
            f"{run.name} kept no state to go on from: shipped and imported runs have none. Train it anew with more epochs."
        )
    if settings.epochs_without_reconstructions:
        raise RunError(
            f"{settings.title} trains in phases whose length is a share of all epochs, so {run.name} cannot have more: train a new run."
        )
    try:
        more = parse(settings.model_dump() | {"epochs": settings.epochs + epochs})
    except ConfigError as error:
        raise RunError(f"{run.name} cannot have {epochs} epochs more: {error}.") from None
    said = f"goes on from {run.name}, which had {settings.epochs} epochs"
    return branching.copied(run, more, run / "state.pt", settings.epochs, commands.read(run), said)


def begin(run: Path, prepare: Callable[[Path], None] = lambda run: None) -> None:
    """Start the process of a run that has just been made. Where that fails the run is gone again. prepare: as of `start`."""
    try:
        with run_directory.owned(run):
            prepare(run)
            launch(run)
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        raise


def requeue(run: Path) -> None:
    """Back into the line, to be worked on by this very process. Raises RunError as `resume` does."""
    _refuse_shipped(run)
    with run_directory.owned(run, wait=HANDOVER_S):
        _requeue(run)
        _note_process(run, psutil.Process())


def _refuse_shipped(run: Path) -> None:
    if run.parent.resolve() == run_directory.shelf().resolve():
        raise RunError(f"{run.name} is shipped with the project and finished: there is nothing to resume.")


def _requeue(run: Path) -> None:
    status = run_directory.status(run)
    if status.state == "finished":
        raise RunError(f"{run.name} is finished: there is nothing to resume. Start a new run for more epochs.")
    if status.state in ("queued", "running"):
        raise RunError(f"{run.name} is {status.state} already.")
    run_directory.settings(run)
    with file_errors(f"{run.name} cannot be resumed", "Allow writing in its folder.", RunError):
        (run / "stop").unlink(missing_ok=True)
    queued = replace(status, state="queued", since=time.time(), pid=None, process_started=None, error=None, doing="")
    run_directory.write_status(run, queued)


def launch(run: Path) -> None:
    """The worker, detached: Ctrl+C for the server does not reach it, and what it prints goes to log.txt.

    The caller owns the run. The process waits for that to end, so its number is on record before it begins, and a stop
    reaches it at any moment.
    """
    with file_errors(f"No process can be started for {run.name}", "Free some memory or disk space.", RunError):
        with open(run / "log.txt", "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "ganad", "work", str(run)],
                cwd=run_directory.HOME,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    _children.append(child)
    try:
        _note_process(run, psutil.Process(child.pid))
    except BaseException:
        child.kill()
        child.wait()
        raise


def _note_process(run: Path, process: psutil.Process) -> None:
    status = run_directory.read_status(run)
    run_directory.write_status(
        run, replace(status, pid=process.pid, process_started=process.create_time(), doing="starting")
    )


def reap() -> None:
    """Take note of children that ended: until then they are zombies."""
    _children[:] = [child for child in _children if child.poll() is None]


def stop(run: Path, *, wait: bool = False) -> None:
    """Ask a run to stop; should it not obey, kill it after making sure that it is still the same process.

    Asking twice, or asking a run that has ended, does no harm. wait: return when the run has ended; raises RunError if
    its process cannot be ended.
    """
    status = run_directory.status(run)
    if status.state in run_directory.ENDED:
        return
    run_directory.ask_to_stop(run)
    if status.pid is not None and run_directory.alive(status.pid, status.process_started):
        _signal(status.pid, signal.SIGTERM)
    patience = PATIENCE_S if status.answering else SILENT_PATIENCE_S
    if not wait:
        threading.Thread(target=_see_to_it, args=(run, patience), daemon=True).start()
    elif not _see_to_it(run, patience):
        pid = run_directory.read_status(run).pid
        raise RunError(
            f"{run.name} was asked to stop and killed, and its process {pid} is still there. Look at it with `ps`."
        )


def _see_to_it(run: Path, patience: float) -> bool:
    """Wait until the run has ended; after `patience` seconds kill its process. True when it has ended."""
    if _ended(run, patience):
        return True
    status = run_directory.read_status(run)
    if status.pid is None or status.pid == os.getpid():
        return False
    if run_directory.alive(status.pid, status.process_started):
        _signal(status.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    return _ended(run, DEATH_S)


def _ended(run: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        reap()
        if run_directory.status(run).state in run_directory.ENDED:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.05)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError, psutil.Error):
        pass
