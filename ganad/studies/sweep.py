"""Do what is left of a study, by the engine that its plan names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ganad.errors import GanadError
from ganad.runs import run_directory
from ganad.studies import local_engine, process, ray_engine, store
from ganad.studies.local_engine import Progress
from ganad.studies.objective import objective

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
    with run_directory.owned(study):
        process.note(study, os.getpid())
        try:
            _train_what_is_left(study, progress, ended, engine or plan.engine, address or plan.address)
        finally:
            process.forget(study)


def _train_what_is_left(study: Path, progress: Progress, ended: Ended, engine: str, address: str) -> None:
    rows = store.planned(study)
    for row in rows:
        if row.state == "finished":
            _judge(study, row.run)
    todo = [row for row in rows if row.state != "finished"]
    runs = (
        ray_engine.run_all(study, todo, progress, address=address)
        if engine == "ray"
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
