"""Commands that change a training on its way: steer it, branch off from it, replay it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganad import service
from ganad.cli import terminal
from ganad.cli.app import Run, app
from ganad.cli.terminal import say, tell
from ganad.cli.training import foreground, pairs
from ganad.config import METHOD_NAMES, SETTINGS_OF
from ganad.runs import run_directory
from ganad.system import access
from ganad.training import branching, replay
from ganad.wording import value, values

_CAN = "; ".join(f"{METHOD_NAMES[m]}: {', '.join(kind.steerable)}" for m, kind in SETTINGS_OF.items())


@app.command()
def steer(
    run: Run,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help=f"learning rates and weights of losses; repeat. {_CAN}"),
    ] = None,
) -> None:
    """Change a run while it trains, from its next epoch on. Without --set: what is in force, and what was changed before."""

    name = run_directory.find(run).name
    if not set_:
        _show(name)
        return
    changed = service.steer(name, pairs(set_))
    if changed:
        tell(f"{name}: {values(changed)}, from its next epoch on.")
    else:
        tell(f"{name}: nothing changes, these values are in force or asked for already.")


def _show(name: str) -> None:
    now, waiting = service.in_force(name), service.asked(name)
    rows = [(key, value(getattr(now, key)), value(waiting[key]) if key in waiting else "") for key in now.steerable]
    terminal.table(("setting", "in force", "asked for"), rows, right=("in force", "asked for"))
    for command in service.commands_of(name):
        say(f"from epoch {command.epoch} on: {values(command.set)}")


@app.command()
def branch(
    run: Run,
    epoch: Annotated[int, typer.Option(help="the epoch after which it branches off, one whose state was kept", min=1)],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="what `steer` can set; augment and its kin; epochs, name; repeat"
        ),
    ] = None,
) -> None:
    """Go on from a kept epoch of a run that has ended, as a new run with other settings. Without any it ends as its parent did."""

    access.allow("training")
    foreground(branching.branched(run_directory.find(run), epoch, pairs(set_)))


@app.command("replay")
def replay_(run: Run) -> None:
    """Train a finished run once more from its first step, with its seed and its commands, and compare the weights.

    Exit code 1 where they differ: on another processor, another number of threads or another version of torch they may.
    """

    access.allow("training")
    original = run_directory.find(run)

    def compared(again: Path) -> bool:
        same = replay.same_weights(original, again)
        tell(
            f"Its weights are those of {original.name}, bit for bit."
            if same
            else f"Its weights differ from {original.name}'s."
        )
        return same

    foreground(replay.replayed(original), compared)
