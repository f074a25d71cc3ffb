"""Runs as a list or a picker shows them: read from their small files, damaged ones apart."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganad.config import (
    METHOD_NAMES,
    Settings,
    Weights,
    command,
)
from ganad.data import class_names
from ganad.errors import GanadError, RunError
from ganad.runs import run_directory
from ganad.training import jobs, length


@dataclass(frozen=True)
class RunInfo:
    """A run as a list or a picker shows it."""

    name: str
    label: str
    short: str
    shipped: bool
    settings: Settings
    status: run_directory.Status
    report: dict[str, Any] | None
    command: str
    note: str = ""
    classes: tuple[str, ...] = ()
    """Names of the classes 0, 1, ...; () in a run from before data had names, whose classes are digits."""
    preparation: str = "digit"
    """How a picture from elsewhere is made into what the nets were trained on, one of `data.preparation.KINDS`."""
    originals: dict[str, int] | None = None
    """train, val, test -> how many originals its normal images come from, where they are variants of few; else None."""
    damage: str | None = None
    """What of its files is damaged and what can be done, where the run can be listed all the same."""

    @property
    def held_out_originals(self) -> int | None:
        """How many originals the held-out images are variants of; None where each stands for itself."""
        return self.originals and self.originals["val"]

    @property
    def short_in_words(self) -> str:
        """By how much its training was too short, in a sentence or two (`training.length`); empty where it was long enough.

        A class of one's own has a length of its own (`service.own_class.EPOCHS`) and is never too short.
        """
        return "" if self.originals else length.too_short(self.settings, self.status.total)

    @property
    def state(self) -> str:
        return self.status.state

    @property
    def method(self) -> str:
        return self.settings.method

    @property
    def normal(self) -> tuple[int, ...]:
        return self.settings.normal

    @property
    def normal_in_words(self) -> str:
        """Names of the normal classes: "3", "3 and 8", "Shirt"."""
        return in_words([self.class_name(d) for d in self.normal])

    @property
    def normal_listed(self) -> str:
        """The normal classes, short: "0 1 2", "Shirt, Coat"."""
        return (", " if self.has_names else " ").join(map(self.class_name, self.normal))

    @property
    def has_names(self) -> bool:
        """False where the classes are digits."""
        return not class_names.are_digits(self.classes)

    @property
    def kind(self) -> str:
        """What a class of its images is called: "digit", or "class" where they have names."""
        return "class" if self.has_names else "digit"

    @property
    def kinds(self) -> str:
        """The same of several: "digits", "classes"."""
        return "classes" if self.has_names else "digits"

    def held_out_in_words(self, n: int) -> str:
        """ "585 held-out normal 3s": what the score of an image is compared with."""
        kinds = (
            "images"
            if self.has_names
            else "digits"
            if len(self.normal) > 2
            else " and ".join(f"{d}s" for d in self.normal)
        )
        return f"{n:,} held-out normal {kinds}"

    def class_name(self, number: int) -> str:
        """What a class is called: "Shirt", or its number."""
        return self.classes[number] if number < len(self.classes) else str(number)

    def a_class(self, number: int) -> str:
        """A class in a sentence: "digit 8", "Shirt"."""
        return self.class_name(number) if self.has_names else f"digit {number}"

    def image_of(self, number: int) -> str:
        """An image of a class in a sentence: "a 3", "an 8", "Shirt"."""
        name = self.class_name(number)
        if self.has_names:
            return name
        return f"{'an' if name in ('11', '18') or name.startswith('8') else 'a'} {name}"

    @property
    def weights(self) -> Weights:
        return self.settings.weights

    @property
    def at_work(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def seconds_left(self) -> float | None:
        """Of training alone, at the present speed; None while it cannot be said."""
        s = self.status
        if not s.step or not s.seconds or s.state != "running":
            return None
        return s.seconds / s.step * (s.total - s.step)


def digits_in_words(digits: Sequence[int]) -> str:
    """(3,) -> "3", (3, 8) -> "3 and 8", (1, 2, 3) -> "1, 2 and 3"."""
    return in_words(list(map(str, digits)))


def in_words(names: Sequence[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def list_runs() -> list[RunInfo]:
    """The user's runs, newest first, then the shipped ones, whole before light. `damaged_runs` has what cannot be read."""
    jobs.reap()
    own, shipped = readable(run_directory.root()), readable(run_directory.shelf())
    return own + sorted(shipped, key=_place_on_shelf)


def damaged_runs() -> list[tuple[str, str]]:
    """Name of each run that cannot even be listed, and what is wrong with it in a sentence."""
    damaged = []
    for folder in (run_directory.root(), run_directory.shelf()):
        for run in run_directory.listing(folder):
            try:
                _info(run)
            except GanadError as error:
                damaged.append((run.name, str(error)))
    return damaged


def run_info(name: str) -> RunInfo:
    """Raises RunError if there is no such run."""
    jobs.reap()
    return _info(run_directory.find(name))


def readable(folder: Path) -> list[RunInfo]:
    """The runs of a folder that can be listed, newest first."""
    infos = []
    for run in run_directory.listing(folder):
        with contextlib.suppress(GanadError):
            infos.append(_info(run))
    return infos


def _place_on_shelf(run: RunInfo) -> tuple[bool, int, int, str]:
    """Runs that open without a net first, the others by method and digit."""
    light = not (run_directory.shelf() / run.name / "reconstructions.npz").exists() or run.settings.preset != "tuned"
    return light, list(METHOD_NAMES).index(run.method), len(run.normal), run.name


def _info(run: Path) -> RunInfo:
    """How a run stands. What its files say is read again only when one of them has changed: many sessions ask, every second."""
    read = _read_files(
        run, run.parent.resolve() == run_directory.shelf().resolve(), tuple(_stamp(run / name) for name in _LISTED)
    )
    return replace(read, status=run_directory.status(run)) if read.status.state not in run_directory.ENDED else read


_LISTED = ("config.json", "status.json", "report.json", "meta.json", "note.txt")
"""Files that a list of runs shows something of."""


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Changes whenever a file is replaced or written to."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_mode


@functools.lru_cache(maxsize=2000)
def _read_files(run: Path, shipped: bool, stamps: tuple[tuple[int, ...] | None, ...]) -> RunInfo:
    settings = run_directory.settings(run)
    method = METHOD_NAMES[settings.method]
    damage, data = [], {}
    try:
        data = run_directory.read_meta(run).get("data") or {}
    except RunError:
        pass  # named below
    classes = tuple(settings.class_names or data.get("classes") or ())
    names = [classes[d] if d < len(classes) else str(d) for d in settings.normal]
    # Own images name their classes when they are read.
    known = [f"normal {in_words(names)}"] if classes or not settings.data else []
    own = [settings.name] if settings.name else [settings.preset, f"seed {settings.seed}"]
    label = " · ".join([method, *known, *(words for words in own if words not in names)])
    joint = "" if all(len(name) == 1 for name in names) else ", "
    short = settings.name or f"{method} · {joint.join(names)}"
    if settings.parent:
        label += f" · branched after epoch {settings.parent.epoch}"
        short += "" if settings.name else f" · from epoch {settings.parent.epoch}"
    report, note = None, ""
    try:
        report = run_directory.read_report(run)
    except RunError as error:
        damage.append(f"{error} `python -m ganad evaluate {run.name}` computes it from the scores.")
    try:
        note = run_directory.note(run)
    except RunError as error:
        damage.append(str(error))
    used = settings
    try:
        used = _as_trained(run, settings)
    except RunError as error:
        damage.append(str(error))
    return RunInfo(
        name=run.name,
        label=label,
        short=f"{short} · shipped" if shipped else f"{run.name[:4]} {short}",
        shipped=shipped,
        settings=settings,
        status=run_directory.status(run),
        report=report,
        command=command(used),
        note=note,
        classes=classes,
        preparation=data.get("preparation", "digit"),
        originals=data.get("originals"),
        damage=" ".join(damage) or None,
    )


def _as_trained(run: Path, settings: Settings) -> Settings:
    """The settings with the number format that "auto" came to, once the run has begun: on another machine it may be the other."""
    used = run_directory.read_meta(run).get("precision")
    return settings.model_copy(update={"precision": used}) if used in ("float32", "bf16") else settings
