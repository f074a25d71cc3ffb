"""What a run does when an epoch begins: it takes over what was asked for meanwhile, and goes on with the settings in force."""

from __future__ import annotations

from pathlib import Path

from ganad.config import Settings
from ganad.models import Method
from ganad.runs import commands
from ganad.training.context import RunContext


def steer(run: Path, context: RunContext, method: Method, settings: Settings, epoch: int, *, begins: bool) -> None:
    """Give a method the settings in force in an epoch.

    settings   of config.json, before any command
    begins     False where a stopped run goes on in the middle of the epoch: what is asked for then waits for the next one, so that
               every command holds for whole epochs

    Raises ConfigError for commands that the settings do not allow, and RunError where commands.jsonl is damaged.
    """
    if begins:
        for refused in commands.take(run, settings, epoch):
            context.log(refused)
    now = commands.in_force(settings, commands.read(run), epoch)
    for name, value in commands.differences(method.settings, now).items():
        context.log(f"from epoch {epoch} on: {name} {value} (was {getattr(method.settings, name)})")
    method.steer(now)
