"""The process that works on a study in the background: begun, found and stopped by whoever looks at the study."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from ganad import service
from ganad.errors import RunError, file_errors
from ganad.runs import run_directory
from ganad.studies import store
from ganad.studies.plan import StudyPlan
from ganad.system import access

NOTE = "process.json"
"""In a study: number and start of the process that works on it, or worked last."""


def begin(plan: StudyPlan) -> str:
    """A new study, worked on by a process of its own; returns its name.

    Raises ConfigError or RunError, DataError where its data cannot be used, and AccessError where too many are at work already.
    """
    access.allow("training")
    service.check_data(plan.runs()[0])
    access.check_queue(sum(at_work(other) for other in store.listing()))
    study = store.create(plan)
    go_on(study)
    return study.name


def go_on(study: Path) -> None:
    """Let a process of its own go on with a study; what it says is in sweep.txt there."""
    access.allow("training")
    with file_errors(f"No process can be started for {study.name}", "Free some memory or disk space.", RunError):
        with open(study / "sweep.txt", "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "ganad", "sweep", str(study)], cwd=run_directory.HOME, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        note(study, child.pid)


def note(study: Path, pid: int) -> None:
    """Write down who works on it."""
    process = psutil.Process(pid)
    run_directory.write_json(study / NOTE, {"pid": pid, "started": process.create_time()})


def forget(study: Path) -> None:
    """Nobody works on it any more."""
    (study / NOTE).unlink(missing_ok=True)


def _pid(study: Path) -> int | None:
    """The process, while it is there."""
    try:
        saved = run_directory.read_json(study / NOTE) or {}
        pid, started = int(saved["pid"]), float(saved["started"])
    except (RunError, KeyError, TypeError, ValueError):
        return None
    return pid if run_directory.alive(pid, started) else None


def at_work(study: Path) -> bool:
    """Whether a process works on it at this moment."""
    return _pid(study) is not None


def stop(study: Path) -> None:
    """Ask it to stop; its runs are saved, and it can be gone on with."""
    access.allow("stopping runs")
    if (pid := _pid(study)) is not None:
        os.kill(pid, signal.SIGTERM)
