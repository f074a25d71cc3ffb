"""commands.jsonl of a run: which settings were changed from which epoch on. Seed, config.json and this file give the same weights again.

Each line is a `Command`, in the order in which they took effect; a run that was never steered has no such file. Anybody may ask
for a change: that is a file of its own in `asked/`. The one process that trains the run takes these over when an epoch begins
(`take`), so commands.jsonl has one writer. Nothing here knows a network.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganad.config import UNSET, Settings, parse
from ganad.errors import ConfigError, RunError, file_errors
from ganad.runs import schemas
from ganad.system import files

FILE = "commands.jsonl"
ASKED = "asked"
"""Folder of the changes that were asked for and have not yet taken effect, a file each, named by the time."""
MOST = 2_000
"""Commands of one run."""

_EXACT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class Command(BaseModel):
    """A line of commands.jsonl: from the first step of an epoch on, settings have other values.

    Only settings that are numbers can be changed; None is the empty one, as in `lr_d`.
    """

    model_config = _EXACT
    epoch: int = Field(ge=1)
    set: dict[str, float | None] = Field(min_length=1)
    asked: str = Field("", max_length=60)
    """The name of the file that asked for it; empty where a branch began with it."""


class _Asked(BaseModel):
    model_config = _EXACT
    set: dict[str, float | None] = Field(min_length=1)


def read(run: Path) -> list[Command]:
    """The commands of a run, first to last; [] where it was never steered. Raises RunError if the file is damaged."""
    content = files.read_bytes(run / FILE, most=files.MOST_JSON_BYTES)
    return [] if content is None else parsed(content, f"{FILE} of {run.name}")


def parsed(content: bytes, what: str) -> list[Command]:
    """The commands of a file's content. Raises RunError naming the line that is none; what: names the file in the message."""
    commands: list[Command] = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            command = Command.model_validate(files.parse_json(line))
        except ValidationError as error:
            raise RunError(f"Line {number} of {what} is damaged: {schemas.first_fault(error)}.") from None
        except (ValueError, RecursionError):
            raise RunError(f"Line {number} of {what} is damaged: it is no JSON, got {line[:60]!r}.") from None
        if commands and command.epoch < commands[-1].epoch:
            raise RunError(
                f"Line {number} of {what} is of epoch {command.epoch}, and the line before it of epoch "
                f"{commands[-1].epoch}: commands stand in the order in which they took effect."
            )
        commands.append(command)
    if len(commands) > MOST:
        raise RunError(f"{what} has {len(commands):,} lines, a run has at most {MOST:,} commands.")
    return commands


def write(run: Path, commands: Sequence[Command]) -> None:
    """Replace commands.jsonl in one move: a line more is there whole or not at all."""
    lines = [json.dumps(c.model_dump(exclude_defaults=True), allow_nan=False) for c in commands]
    files.write_text(run / FILE, "".join(line + "\n" for line in lines))


def in_force(settings: Settings, commands: Iterable[Command], epoch: int) -> Settings:
    """The settings that an epoch is trained with: the run's own, changed by every command up to that epoch.

    Raises ConfigError for a command that names a setting which cannot change, or a value that it cannot have.
    """
    changed: dict[str, float | None] = {}
    for command in commands:
        if command.epoch <= epoch:
            changed |= command.set
    return changed_settings(settings, changed, settings.steerable + settings.branchable) if changed else settings


def changed_settings(settings: Settings, values: Mapping[str, Any], allowed: Sequence[str]) -> Settings:
    """The settings with some of them otherwise. Raises ConfigError for one that is not allowed to change, and for a bad value."""
    old_names = settings.old_names
    for name in values:
        if old_names.get(name, name) in allowed:
            continue
        known = old_names.get(name, name) in type(settings).model_fields
        why = f"{name} cannot change from one epoch to the next" if known else f"there is no setting {name!r}"
        raise ConfigError(f"{why}; of {settings.title} these can: {', '.join(allowed)}")
    asked = {old_names.get(name, name): None if value is UNSET else value for name, value in values.items()}
    return parse(settings.model_dump() | asked)


def differences(old: Settings, new: Settings) -> dict[str, float | None]:
    """setting -> its new value, of those that a command can set and that are not the same."""
    names = old.steerable + old.branchable
    return {name: getattr(new, name) for name in names if getattr(new, name) != getattr(old, name)}


# --- asking -----------------------------------------------------------------------------------------------------


def ask(run: Path, values: Mapping[str, float | None]) -> None:
    """Ask the run's process for other values, from the next epoch on. The caller has checked them (`changed_settings`)."""
    folder = run / ASKED
    with file_errors(f"{run.name} cannot be steered", "Free some space or allow writing in its folder.", RunError):
        folder.mkdir(exist_ok=True)
    # Names sort by time; the rest keeps two that ask in the same moment apart.
    files.write_json(folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.json", {"set": dict(values)})


def asked(run: Path) -> dict[str, float | None]:
    """What was asked for and has not yet taken effect; later wishes count."""
    known = {command.asked for command in read(run)}
    values: dict[str, float | None] = {}
    for path in _wishes(run):
        if path.name not in known:
            with contextlib.suppress(RunError):
                values |= _wish(path)
    return values


def take(run: Path, settings: Settings, epoch: int) -> list[str]:
    """Let what was asked for take effect in an epoch that is about to begin; for the process that trains the run.

    Writes commands.jsonl first and removes the wishes then, so that a process which is killed in between loses none and takes
    none twice. A run that was killed may train some epochs again: their commands stand, and wishes wait until those epochs are
    over. Returns a sentence about each wish that could not be followed.
    """
    commands, refused = read(run), []
    wishes = _wishes(run)
    if not wishes or (commands and epoch < commands[-1].epoch):
        return refused
    known = {command.asked for command in commands}
    more: list[Command] = []
    for path in wishes:
        if path.name in known:
            continue
        try:
            if len(commands) + len(more) >= MOST:
                raise RunError(f"{run.name} was steered {MOST:,} times, which is the most.")
            wish = _wish(path)
            before = in_force(settings, [*commands, *more], epoch)
            changed = differences(before, changed_settings(before, wish, settings.steerable))
        except (RunError, ConfigError) as error:
            refused.append(f"not followed: {error}")
            continue
        if changed:
            more.append(Command(epoch=epoch, set=changed, asked=path.name))
    if more:
        write(run, [*commands, *more])
    for path in wishes:
        with contextlib.suppress(OSError):
            path.unlink()
    return refused


def forget_asked(run: Path) -> int:
    """Remove what was asked for and came too late, for a run that has ended for good; returns how many wishes that were."""
    wishes = _wishes(run)
    for path in wishes:
        with contextlib.suppress(OSError):
            path.unlink()
    return len(wishes)


def _wishes(run: Path) -> list[Path]:
    """The files of `asked/`, first to last."""
    with file_errors(f"{ASKED} of {run.name} cannot be read", kind=RunError):
        return sorted((run / ASKED).glob("*.json"))


def _wish(path: Path) -> dict[str, float | None]:
    try:
        return _Asked.model_validate(files.read_json(path)).set
    except ValidationError as error:
        raise RunError(f"{path.name} is damaged: {schemas.first_fault(error)}.") from None
