"""The runs of a study on this machine: as many at once as GANAD_SLOTS says, each a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ganad.runs import run_directory
from ganad.service.quota import room_for
from ganad.studies import store
from ganad.studies.store import Planned
from ganad.training import context, jobs

LOOK_S = 0.3
"""Seconds between two looks at the runs at work."""
More = Callable[[], list[Planned]]
"""Runs that may begin now. Asked at first and again whenever a run has ended; all is done when none is left and none at work."""
Progress = Callable[[str, run_directory.Status], None]
"""Told the key of a run and how it stands, whenever it was looked at."""


def run_all(study: Path, more: More, progress: Progress) -> Iterator[tuple[str, Path]]:
    """Do the runs that `more` gives; yields (key, run) of each as it ends. Closing the generator stops those at work, to be resumed."""
    waiting = more()
    working: dict[str, Path] = {}
    try:
        while waiting or working:
            while waiting and len(working) < context.slots():
                planned = waiting.pop(0)
                working[planned.key] = _begin(study, planned)
            for run_key, run in list(working.items()):
                status = run_directory.status(run)
                progress(run_key, status)
                if status.state in run_directory.ENDED:
                    del working[run_key]
                    yield run_key, run
                    waiting += more()
            if working:
                time.sleep(LOOK_S)
    finally:
        for run in working.values():
            jobs.stop(run)
        for run in working.values():
            jobs.stop(run, wait=True)


def _begin(study: Path, planned: Planned) -> Path:
    if planned.run is None:
        with room_for():
            return jobs.start(planned.settings, lambda run: _prepare(run, study, planned))
    if planned.state in ("stopped", "failed"):
        jobs.resume(planned.run)
    return planned.run


def _prepare(run: Path, study: Path, planned: Planned) -> None:
    store.mark(run, study, planned.key)
    store.mark_trial(run, planned.trial)
