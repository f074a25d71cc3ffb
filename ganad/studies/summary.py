"""What the runs of a study say together: a table, which setting mattered, what it cost."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganad import service
from ganad.errors import GanadError, RunError
from ganad.runs import run_directory
from ganad.runs.trials import value_at_end
from ganad.studies import store


@dataclass(frozen=True)
class Row:
    """One run of a study. values: what it has of the settings that vary; objective, auroc: None until known."""

    key: str
    run: str | None
    state: str
    method: str
    normal: tuple[int, ...]
    seed: int
    values: dict[str, Any]
    objective: float | None
    auroc: float | None
    """On the test set, at the run's own weights: to be reported, never to choose by."""
    seconds: float
    """Of training, on one core or GPU."""
    share: float
    """Of its training that is done."""
    early: float | None = None
    """The objective with which it was stopped early; another run's at its end is another thing."""
    named: tuple[str, ...] = ()
    """What the normal classes are called; () for digits, and where the images cannot be read any more."""

    @property
    def normal_in_words(self) -> str:
        """ "3 and 8", "Shirt": what is normal."""
        return service.in_words(self.named or list(map(str, self.normal)))


@dataclass(frozen=True)
class Mattered:
    """How much of the spread of the objective a choice explains: between-group over total sum of squares (η²), 0 to 1."""

    name: str
    share: float


def rows(study: Path) -> list[Row]:
    """A row for each planned run, in the order of the plan."""
    plan, known = store.plan_of(study), store.objectives(study)
    named = functools.cache(_class_names)  # of the images that all runs share: looked up once
    made = []
    for planned in store.planned(study):
        s, status = planned.settings, planned.status
        made.append(
            Row(
                planned.key,
                planned.run.name if planned.run else None,
                planned.state,
                s.method,
                s.normal,
                s.seed,
                {name: getattr(s, name) for name in plan.varied if hasattr(s, name)},
                known.get(planned.run.name) if planned.run else None,
                _auroc(planned.run) if planned.state == "finished" else None,
                status.seconds if status else 0.0,
                1.0
                if planned.state in ("finished", store.EARLY)
                else status.step / status.total
                if status and status.total
                else 0.0,
                value_at_end(planned.run) if planned.state == store.EARLY else None,
                _called(s.normal, named(s.data, s.class_names)),
            )
        )
    return made


def _called(normal: Sequence[int], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names[number] if number < len(names) else str(number) for number in normal)


def _class_names(data: str | None, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of the classes of own images; () for digits, and where the images cannot be read any more."""
    if data is None:
        return ()
    with contextlib.suppress(GanadError):
        return asked or service.class_names(data)
    return ()


def _auroc(run: Path) -> float | None:
    try:
        return float((run_directory.read_json(run / "report.json") or {})["auroc"])
    except (RunError, KeyError, TypeError, ValueError):
        return None


def mattered(made: Sequence[Row]) -> list[Mattered]:
    """Method, normal class, seed and each setting of the grid, the one that explains most of the objective first.

    Of finished runs with an objective; choices with one value only explain nothing and are left out.
    """
    known = [row for row in made if row.objective is not None]
    if len(known) < 3:
        return []
    values = np.array([row.objective for row in known])
    total = float(((values - values.mean()) ** 2).sum())
    choices = {
        "method": [r.method for r in known],
        "normal": [r.normal for r in known],
        "seed": [r.seed for r in known],
    }
    for name in known[0].values:
        choices[name] = [r.values.get(name) for r in known]
    found = []
    for name, chosen in choices.items():
        groups: dict[Any, list[float]] = {}
        for choice, value in zip(chosen, values, strict=True):
            groups.setdefault(choice, []).append(float(value))
        if len(groups) < 2 or total == 0:
            continue
        between = sum(len(g) * (np.mean(g) - values.mean()) ** 2 for g in groups.values())
        found.append(Mattered(name, float(between / total)))
    return sorted(found, key=lambda m: -m.share)


def best(made: Sequence[Row]) -> Row | None:
    """The finished run with the highest objective; the test set has no part in it."""
    known = [row for row in made if row.objective is not None]
    return max(known, key=lambda row: row.objective) if known else None


@dataclass(frozen=True)
class Choice:
    """A choice of settings: the mean objective over its classes and seeds, and how many runs that is."""

    values: dict[str, Any]
    objective: float
    runs: int


def best_trial(made: Sequence[Row]) -> Choice | None:
    """Of a search, the settings with the highest mean objective, of those whose runs have all finished."""
    groups: dict[tuple, list[Row]] = {}
    for row in made:
        groups.setdefault(tuple(row.values.items()), []).append(row)
    whole = [g for g in groups.values() if all(row.objective is not None for row in g)]
    choices = [Choice(g[0].values, float(np.mean([row.objective for row in g])), len(g)) for g in whole]
    return max(choices, key=lambda choice: choice.objective, default=None)


def core_hours(made: Sequence[Row]) -> float:
    """Hours of training that the runs have taken so far, on one core or GPU each."""
    return sum(row.seconds for row in made) / 3600


def counts(made: Sequence[Row]) -> dict[str, int]:
    """state -> how many runs are in it."""
    found: dict[str, int] = {}
    for row in made:
        found[row.state] = found.get(row.state, 0) + 1
    return found
