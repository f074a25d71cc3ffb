"""What may be changed while a run trains, what was, and runs that branch off from another one's epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganad.config import Settings
from ganad.errors import ConfigError, RunError
from ganad.runs import commands, kept_states, run_directory
from ganad.service.images import data_of
from ganad.service.quota import room_for
from ganad.service.training import queue_has_room
from ganad.system import access
from ganad.training import branching, jobs


def steer(name: str, values: Mapping[str, Any]) -> dict[str, float | None]:
    """Ask a run to go on with other learning rates or weights of losses from its next epoch on; returns what will change.

    Raises ConfigError for settings that cannot change or values that they cannot have, and RunError for a run that has ended.
    """
    access.allow("steering runs")
    run = run_directory.find(name)
    status = run_directory.status(run)
    if status.state not in ("queued", "running"):
        raise RunError(
            f"{run.name} is {status.state}, so nothing would change. `resume` lets a stopped run go on, `branch` goes on from one of its epochs."
        )
    if status.epochs and status.epoch >= status.epochs:
        raise RunError(
            f"{run.name} is in its last epoch, and changes take effect when one begins. `branch` goes on from one of its epochs."
        )
    now, waiting = in_force(run.name), commands.asked(run)
    expected = commands.changed_settings(now, waiting, now.steerable) if waiting else now
    changed = commands.differences(expected, commands.changed_settings(expected, values, now.steerable))
    if changed:
        commands.ask(run, changed)
    return changed


def in_force(name: str) -> Settings:
    """The settings that a run is trained with at this moment, or was at its end. Raises RunError if its commands are damaged."""
    run = run_directory.find(name)
    return _in_force(run, run_directory.settings(run), max(1, run_directory.read_status(run).epoch))


def _in_force(run: Any, settings: Settings, epoch: int) -> Settings:
    try:
        return commands.in_force(settings, commands.read(run), epoch)
    except ConfigError as error:
        raise RunError(f"{commands.FILE} of {run.name} is damaged: {error}.") from None


def asked(name: str) -> dict[str, float | None]:
    """What somebody asked a run for and has not yet taken effect."""
    return commands.asked(run_directory.find(name))


def commands_of(name: str) -> list[commands.Command]:
    """What was changed while a run trained, first to last. Raises RunError if the file is damaged."""
    return commands.read(run_directory.find(name))


def branch_epochs(name: str) -> list[int]:
    """The epochs of a run that has ended after which its state was kept, so that a branch can begin there."""
    run = run_directory.find(name)
    return list(kept_states.available(run)) if run_directory.status(run).state in run_directory.ENDED else []


def settings_after(name: str, epoch: int) -> Settings:
    """The settings that a run had in an epoch."""
    run = run_directory.find(name)
    return _in_force(run, run_directory.settings(run), epoch)


def branch(name: str, epoch: int, values: Mapping[str, Any]) -> str:
    """A new run that goes on from a run's state after an epoch, with other settings, in the background; returns its name.

    values: as of `training.branching.branched`. Raises RunError or ConfigError where that cannot be.
    """
    access.allow("training")
    run = run_directory.find(name)
    data_of(run)
    with room_for():
        queue_has_room()
        made = branching.branched(run, epoch, values)
        jobs.begin(made)
    return made.name


def parent_metrics(name: str) -> list[dict[str, Any]]:
    """Lines of the metrics.jsonl of the run that a branch branched off from, as it was then; [] for a run that is no branch."""
    return run_directory.parent_metrics(run_directory.find(name))
