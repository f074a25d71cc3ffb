"""A new run that begins with the state of another one: trained on for more epochs, or branched off after one of them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganad.config import Parent, Settings, parse
from ganad.errors import ConfigError, RunError, file_errors
from ganad.runs import commands, epoch_nets, history, kept_states, run_directory, wall
from ganad.wording import plural

PARENT_METRICS = run_directory.PARENT_METRICS
OF_ITS_OWN = ("epochs", "name")
"""What a branch may have otherwise besides what can be steered and how images are varied."""


def branched(run: Path, epoch: int, values: Mapping[str, Any]) -> Path:
    """A new run, not yet at work, that goes on from the state of a run after an epoch, with other settings from the next epoch on.

    values   setting -> value: what can be steered, `branchable` settings, and `epochs` and `name` of the new run; {} for none

    Without values it ends with the weights of its parent, bit for bit on the same processor. The parent stays as it is. Raises
    RunError where nothing was kept of that epoch, and ConfigError for settings that a branch cannot have.
    """
    status, old = run_directory.status(run), run_directory.settings(run)
    if status.state not in run_directory.ENDED:
        raise RunError(f"{run.name} is {status.state}: stop it or let it finish, then branch off.")
    states = kept_states.available(run)
    if epoch not in states:
        raise RunError(_not_kept(run, epoch, list(states)))
    recorded = [command for command in commands.read(run) if command.epoch <= epoch]
    before = commands.in_force(old, recorded, epoch)
    allowed = (*OF_ITS_OWN, *old.steerable, *old.branchable)
    try:
        now = commands.changed_settings(before, values, allowed)
    except ConfigError as error:
        raise ConfigError(f"{run.name} cannot be branched so: {error}") from None
    if now.epochs <= epoch:
        raise ConfigError(
            f"epochs of a branch after epoch {epoch} must be {epoch + 1} or more, got {now.epochs}: give it more epochs"
        )
    if now.epochs != old.epochs and old.epochs_without_reconstructions:
        raise ConfigError(
            f"{old.title} trains in phases whose length is a share of all epochs, so a branch of {run.name} has its {old.epochs} too"
        )
    if changed := commands.differences(before, now):
        recorded.append(commands.Command(epoch=epoch + 1, set=changed))
    own = {
        "epochs": now.epochs,
        "name": now.name if "name" in values else "",
        "parent": Parent(run=run.name, epoch=epoch),
    }
    said = f"branches off from {run.name} after epoch {epoch}"
    parent = run_directory.read_metrics(run)
    return copied(run, parse(old.model_dump() | own), states[epoch], epoch, recorded, said, parent)


def copied(
    run: Path,
    settings: Settings,
    state: Path,
    epoch: int,
    recorded: Sequence[commands.Command],
    said: str,
    parent: Sequence[Mapping[str, Any]] | None = None,
) -> Path:
    """A new run with these settings and commands, that knows of another what it was until an epoch, and its state after that.

    said: the first line of its log; parent: the metrics of the run that it branches off from, None where that is as of `run`. Raises
    RunError, and leaves nothing behind, where the disk is full or cannot be written.
    """
    made = run_directory.create(settings)
    try:
        with file_errors(f"{made.name} cannot be written", "Free some space or allow writing there.", RunError):
            (made / "samples").mkdir()
            shutil.copyfile(state, made / "state.pt")
            for at, picture in run_directory.samples(run).items():
                if at <= epoch:
                    shutil.copyfile(picture, made / "samples" / picture.name)
            for at, nets in epoch_nets.kept(run).items():
                if at <= epoch:
                    epoch_nets.place(made, at).parent.mkdir(exist_ok=True)
                    shutil.copyfile(nets, epoch_nets.place(made, at))
            if parent is None and (run / PARENT_METRICS).exists():  # of a branch that is trained on
                shutil.copyfile(run / PARENT_METRICS, made / PARENT_METRICS)
        logged = [row for row in run_directory.read_metrics(run) if row["epoch"] <= epoch]
        run_directory.write_text(made / "metrics.jsonl", _lines(logged))
        if parent is not None:
            run_directory.write_text(made / PARENT_METRICS, _lines(parent))
        run_directory.write_text(made / "log.txt", f"{said}\n")
        if recorded:
            commands.write(made, recorded)
        with contextlib.suppress(RunError):  # a damaged one is begun anew: the training needs it not
            known = history.read(run)
            if known is not None and (kept := history.until(known, epoch)) is not None:
                history.write(made, kept)
        with contextlib.suppress(RunError):  # the same
            seen = wall.read(run)
            if seen is not None and seen.epoch <= epoch:
                wall.write(made, seen)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return made


def _lines(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _not_kept(run: Path, epoch: int, kept: list[int]) -> str:
    if not kept:
        return (
            f"{run.name} kept no state to branch off from: shipped and imported runs have none, and a state of large nets is kept at "
            "the end alone. Train it anew."
        )
    there = ", ".join(map(str, kept))
    return f"{run.name} kept no state after epoch {epoch}. It did after {plural(len(kept), 'epoch')}: {there}."
