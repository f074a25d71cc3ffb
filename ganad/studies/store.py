"""A study on the disk: `studies/0003-latent/` in the folder of runs, with its plan; its runs are ordinary runs that name it.

study.json        the plan
objective.json    run -> what the study compares runs by; of training and held-out images, never of the test set
trials.json       of a search: the settings of each trial, in their order
states/KEY.zip    an unfinished run of a cluster, to go on from
.lock             held by whoever works on the study
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganad.config import Settings
from ganad.errors import ConfigError, RunError, file_errors
from ganad.runs import run_directory
from ganad.runs import trials as run_trials
from ganad.studies.plan import StudyPlan, key, parse

MARK = "study.txt"
"""In a run of a study: the study's name and the run's key there."""
EARLY = "stopped early"
"""The state of a run of a search that ended itself, since earlier trials were better."""
_NUMBERED = re.compile(r"(\d{4,})-.+")


@dataclass(frozen=True)
class Planned:
    """One run of a study, begun or not."""

    key: str
    settings: Settings
    run: Path | None
    status: run_directory.Status | None
    trial: dict[str, Any] | None = None
    """Of a search, when it begins: what it is compared with after each epoch (`runs.trials`)."""

    @property
    def state(self) -> str:
        """As of the run; `planned` before there is one, and EARLY."""
        if self.status is None:
            return "planned"
        early = self.status.state in ("stopped", "failed") and run_trials.ended_itself(self.run)
        return EARLY if early else self.status.state


def root() -> Path:
    """The folder of studies."""
    return run_directory.root() / "studies"


def listing() -> list[Path]:
    """Every study, newest first."""
    with file_errors(f"{root()} cannot be read", kind=RunError):
        return sorted((p.parent for p in root().glob("*/study.json")), key=lambda p: p.name, reverse=True)


def find(name: str | Path) -> Path:
    """The directory of a study: by its path, its name, or its number alone. Raises RunError if there is none."""
    path = Path(name)
    if len(str(name)) < 1000 and "\0" not in str(name):
        with file_errors(f"There is no study {str(name)[:80]!r}", kind=RunError):
            if (path / "study.json").exists():
                return path.resolve()
            for study in listing():
                number = _NUMBERED.fullmatch(study.name)
                if study.name == str(name) or (number and str(name).isdecimal() and int(number[1]) == int(str(name))):
                    return study.resolve()
    known = [study.name for study in listing()]
    there = f"There are: {', '.join(known[:8])}{' …' if len(known) > 8 else ''}." if known else "There are none yet."
    raise RunError(f"There is no study {str(name)[:80]!r}. {there}")


def create(plan: StudyPlan) -> Path:
    """A new study. Raises ConfigError for a plan without a run that fits, RunError where nothing can be written."""
    plan.runs()
    with file_errors("No study can be begun", "Free some space, or set GANAD_RUNS to another folder.", RunError):
        root().mkdir(parents=True, exist_ok=True)
        study = run_directory.numbered(root(), plan.slug)
        run_directory.write_json(study / "study.json", plan.model_dump(mode="json"))
    return study


def plan_of(study: Path) -> StudyPlan:
    """Raises RunError for a damaged study.json."""
    saved = run_directory.read_json(study / "study.json")
    try:
        return parse(saved)
    except ConfigError as error:
        raise RunError(f"study.json of {study.name} is damaged: {error}") from None


def mark(run: Path, study: Path, run_key: str) -> None:
    """Let a run name its study."""
    run_directory.write_text(run / MARK, f"{study.name} {run_key}\n")


def runs_of(study: Path) -> dict[str, Path]:
    """key -> run, of the runs that name the study; the newest of each key."""
    found: dict[str, Path] = {}
    for run in run_directory.listing(run_directory.root()):
        try:
            name, _, run_key = (run / MARK).read_text(encoding="utf-8").strip().partition(" ")
        except (OSError, UnicodeDecodeError):
            continue
        if name == study.name:
            found.setdefault(run_key, run)
    return found


def planned(study: Path) -> list[Planned]:
    """Every run that the study asks for, in the order of its plan, and how it stands; of a search, the runs of the trials so far.

    Of a trial that was stopped early the runs that are not begun are left out.
    """
    plan, there = plan_of(study), runs_of(study)
    if not plan.search:
        return planned_of(plan.runs(), there)
    rows: dict[str, Planned] = {}
    for values in trials(study):
        own = planned_of(plan.runs_of(values), there)
        stopped = any(row.state == EARLY for row in own)
        rows |= {row.key: row for row in own if not (stopped and row.run is None)}
    return list(rows.values())


def planned_of(settings: Sequence[Settings], there: dict[str, Path]) -> list[Planned]:
    """Runs of these settings, and how they stand. there: as `runs_of`."""
    rows = []
    for one in settings:
        run_key = key(one)
        run = there.get(run_key)
        rows.append(Planned(run_key, one, run, run_directory.status(run) if run else None))
    return rows


def to_come(study: Path) -> int:
    """Runs whose settings a search has not chosen yet."""
    plan = plan_of(study)
    return max(0, plan.trials - len(trials(study))) * len(plan.normal) * len(plan.seeds)


def trials(study: Path) -> list[dict[str, str]]:
    """The settings of each trial of a search, in their order. Raises RunError for a damaged trials.json."""
    saved: Any = run_directory.read_json(study / "trials.json")
    if saved is None:
        return []
    names, good = set(plan_of(study).search), isinstance(saved, list)
    for values in saved if good else ():
        good = (
            good
            and isinstance(values, dict)
            and set(values) == names
            and all(isinstance(v, str) for v in values.values())
        )
    if not good:
        raise RunError(
            f"trials.json of {study.name} is damaged: remove it, and the search begins anew with the runs that are there."
        )
    return saved


def keep_trial(study: Path, values: dict[str, str]) -> None:
    """Write down the settings of one more trial."""
    run_directory.write_json(study / "trials.json", [*trials(study), values])


def mark_trial(run: Path, trial: dict[str, Any] | None) -> None:
    """Let a run of a search know what it is compared with."""
    if trial is not None:
        run_directory.write_json(run / run_trials.TRIAL, trial)


def objectives(study: Path) -> dict[str, float]:
    """run -> objective, as far as known; a damaged file counts as none."""
    try:
        saved: Any = run_directory.read_json(study / "objective.json")
    except RunError:
        return {}
    return {k: float(v) for k, v in saved.items() if isinstance(v, int | float)} if isinstance(saved, dict) else {}


def keep_objective(study: Path, run: Path, value: float) -> None:
    """Write down a run's objective."""
    run_directory.write_json(study / "objective.json", objectives(study) | {run.name: value})
