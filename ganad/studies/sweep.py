"""Do what is left of a study, by the engine that its plan names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganad.errors import GanadError
from ganad.runs import run_directory
from ganad.studies import local_engine, process, ray_engine, store
from ganad.studies.local_engine import More, Progress
from ganad.studies.objective import objective
from ganad.studies.plan import StudyPlan
from ganad.studies.search import Search
from ganad.studies.store import EARLY, Planned

Ended = Callable[[str, Path], None]
"""Told the key and the run, whenever one has ended."""


def go_on(study: Path, progress: Progress, ended: Ended, **instead: Any) -> None:
    """Train what is planned, stopped or failed, and note each finished run's objective. What is finished is never done again.

    instead: engine, address, cpus, gpus, shared_disk in place of the plan's, where not None. An error or Ctrl+C leaves everything so
    that it can be gone on with. Raises RunError where another process works on the study.
    """
    plan = store.plan_of(study).model_copy(update={name: v for name, v in instead.items() if v is not None})
    with run_directory.owned(study):
        process.note(study, os.getpid())
        try:
            _train_what_is_left(study, plan, progress, ended)
        finally:
            process.forget(study)


def _train_what_is_left(study: Path, plan: StudyPlan, progress: Progress, ended: Ended) -> None:
    rows = store.planned(study)
    for row in rows:
        if row.state == "finished":
            _judge(study, row.run)
    search = Search(study) if plan.search else None
    left = [row for row in rows if row.state not in ("finished", EARLY)]
    if not left and not search:
        return  # no cluster need be asked for nothing
    more = search.ready if search else given(left)
    runs = (
        ray_engine.run_all(study, more, progress, ray_engine.Cluster.of(plan))
        if plan.engine == "ray"
        else local_engine.run_all(study, more, progress)
    )
    try:
        for run_key, run in runs:
            if run_directory.status(run).state == "finished":
                _judge(study, run)
            if search:
                search.has_ended(run_key)
            ended(run_key, run)
    finally:
        runs.close()


def given(todo: list[Planned]) -> More:
    """As an engine asks for them: all of these at first, and no more."""
    waiting = list(todo)

    def more() -> list[Planned]:
        first, waiting[:] = list(waiting), []
        return first

    return more


def _judge(study: Path, run: Path) -> None:
    if run.name in store.objectives(study):
        return
    try:
        store.keep_objective(study, run, objective(run.name))
    except GanadError:
        return  # the run is sound without it, and says itself what it lacks
