"""Do what is left of a study, by the engine that its plan names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ganad.errors import GanadError
from ganad.runs import run_directory
from ganad.studies import local_engine, ray_engine, store
from ganad.studies.local_engine import Progress
from ganad.studies.objective import objective
from ganad.studies.plan import StudyPlan
from ganad.system import access

Ended = Callable[[str, Path], None]
"""Told the key and the run, whenever one has ended."""


def go_on(
    study: Path, progress: Progress, ended: Ended, *, engine: str | None = None, address: str | None = None
) -> None:
    """Train what is planned, stopped or failed, and note each finished run's objective. What is finished is never done again.

    engine, address: in place of the plan's. An error or Ctrl+C leaves everything so that it can be gone on with. Raises RunError
    where another process works on the study.
    """
    plan = store.plan_of(study)
    with store.owned(study):
        rows = store.planned(study)
        for row in rows:
            if row.state == "finished":
                _judge(study, row.run)
        todo = [row for row in rows if row.state != "finished"]
        how, where = engine or plan.engine, address or plan.address
        runs = (
            ray_engine.run_all(study, todo, progress, address=where)
            if how == "ray"
            else local_engine.run_all(study, todo, progress)
        )
        try:
            for run_key, run in runs:
                if run_directory.status(run).state == "finished":
                    _judge(study, run)
                ended(run_key, run)
        finally:
            runs.close()


def _judge(study: Path, run: Path) -> None:
    if run.name in store.objectives(study):
        return
    try:
        store.keep_objective(study, run, objective(run.name))
    except GanadError:
        return  # the run is sound without it, and says itself what it lacks


def begin_in_background(plan: StudyPlan) -> str:
    """A new study, worked on by a process of its own; returns its name. Raises ConfigError or RunError."""
    access.allow("training")
    study = store.create(plan)
    go_on_in_background(study)
    return study.name


def go_on_in_background(study: Path) -> None:
    """Let a process of its own go on with a study; what it says is in sweep.txt there."""
    access.allow("training")
    with open(study / "sweep.txt", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "ganad", "sweep", str(study)], cwd=run_directory.HOME, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
