"""The same training once more: seed and commands decide every weight, on the same processor bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ganad.config import Settings, parse
from ganad.errors import ConfigError, RunError
from ganad.runs import commands, run_directory
from ganad.system import files


def replayed(run: Path) -> Path:
    """A new run, not yet at work, that trains from its first step as this one did: same settings, same commands, same number format.

    A branch and a run that was trained on are trained from the beginning too. Raises RunError for a shipped run, whose weights are
    rounded, and for one that has not finished.
    """
    if run.parent.resolve() == run_directory.shelf().resolve():
        raise RunError(
            f"{run.name} is shipped with rounded weights, so nothing can be compared with them. `train` repeats it."
        )
    if (state := run_directory.status(run).state) != "finished":
        raise RunError(f"{run.name} is {state}: only a run that has finished can be replayed.")
    settings = run_directory.settings(run)
    used = run_directory.read_meta(run).get("precision") or settings.precision
    return begun_with(parse(settings.model_dump() | {"parent": None, "precision": used}), commands.read(run))


def begun_with(settings: Settings, recorded: Sequence[commands.Command]) -> Path:
    """A new run, not yet at work, that follows commands from its beginning.

    Raises ConfigError for a command that these settings do not allow, and for one after their last epoch.
    """
    for command in recorded:
        commands.in_force(settings, recorded, command.epoch)
        if command.epoch > settings.epochs:
            raise ConfigError(f"a command is of epoch {command.epoch}, and the training has {settings.epochs} epochs")
    run = run_directory.create(settings)
    try:
        if recorded:
            commands.write(run, recorded)
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)
        raise
    return run


def same_weights(run: Path, other: Path) -> bool:
    """Whether two finished runs have the same weights, bit for bit. Raises RunError where one has none, or damaged ones."""
    return _weights(run) == _weights(other)


def _weights(run: Path) -> bytes:
    content = files.read_verified(run / "weights.safetensors")
    if content is None:
        raise RunError(f"{run.name} has no weights: nothing can be compared with them.")
    return content
