"""What a study asks for: methods, normal classes, seeds and a grid over settings or a space to search, written down to be done again."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ganad.config import METHOD_NAMES, SETTINGS_OF, Settings, from_text, resolve
from ganad.errors import ConfigError
from ganad.studies.space import Space, space

MOST_RUNS = 2000
"""Runs of one study."""
_NOT_HERE = {"method", "preset", "normal", "seed", "name", "parent"}


class StudyPlan(BaseModel):
    """Saved word for word as a study's `study.json`. `runs` makes the settings of every run of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(max_length=60)] = ""
    methods: tuple[str, ...]
    preset: str = "tuned"
    normal: tuple[tuple[int, ...], ...]
    """A run for each of these, which has all of its classes normal."""
    seeds: tuple[int, ...] = (0,)
    settings: dict[str, str] = {}
    """Settings that all runs have, as `--set` writes them; a method without such a setting leaves it out."""
    grid: dict[str, tuple[str, ...]] = {}
    """setting -> the values that are tried, each with each."""
    search: dict[str, str] = {}
    """In place of a grid: setting -> what may be tried of it, as `studies.space` reads it. A study with a search has one method."""
    trials: Annotated[int, Field(ge=0, le=MOST_RUNS)] = 0
    """Choices of settings that a search tries, each on every normal class and seed."""
    stop_early: Literal["none", "median", "asha"] = "none"
    """What ends a trial that earlier ones are better than: their median after each epoch, or successive halving."""
    at_once: Annotated[int, Field(ge=1, le=1000)] = 1
    """Trials at work at a time. A trial learns from those so many before it: another number searches otherwise."""
    search_seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    engine: Literal["local", "ray"] = "local"
    address: str = "auto"
    """Where Ray's cluster is: `auto`, `local` or ray://HOST:PORT."""
    cpus: Annotated[float, Field(ge=0, le=1024)] = 1.0
    """Processors of the cluster that a run reserves; it computes on one thread."""
    gpus: Annotated[float, Field(ge=0, le=64)] = 0.0
    """GPUs of the cluster that a run reserves, also a share of one."""
    shared_disk: bool = False
    """The folder of runs is the same one on every node: runs are written there, and none is sent."""

    @field_validator("methods")
    @classmethod
    def _methods(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(m not in METHOD_NAMES for m in value):
            raise ValueError(f"methods are one or more of {', '.join(METHOD_NAMES)}, got {', '.join(value) or 'none'}")
        return tuple(dict.fromkeys(value))

    @field_validator("normal", "seeds")
    @classmethod
    def _some(cls, value: tuple) -> tuple:
        if not value:
            raise ValueError("name at least one")
        return tuple(dict.fromkeys(value))

    @field_validator("settings", "grid", "search")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        known = {name for kind in SETTINGS_OF.values() for name in kind.model_fields} - _NOT_HERE
        for name in value:
            if name not in known:
                raise ValueError(f"{name!r} is no setting that a study can vary")
        return value

    @model_validator(mode="after")
    def _searched(self) -> StudyPlan:
        if not self.search:
            if self.trials or self.stop_early != "none":
                raise ValueError("trials and stop_early are of a search: name what to search")
            return self
        if self.grid:
            raise ValueError("a study has a grid or a search, not both")
        if len(self.methods) > 1:
            raise ValueError("a search is of one method: begin a study for each")
        if not self.trials:
            raise ValueError("a search wants the number of its trials")
        if self.stop_early != "none" and SETTINGS_OF[self.methods[0]].scores_by_search:
            raise ValueError(
                f"{SETTINGS_OF[self.methods[0]].title} takes minutes to score and is not judged after each epoch: stop_early none"
            )
        return self

    def runs(self) -> list[Settings]:
        """The settings of every run, each once; of a search, those at the ends of its ranges, which stand for all.

        Raises ConfigError for a value that does not fit, or for more than MOST_RUNS.
        """
        made: dict[str, Settings] = {}
        if self.trials * len(self.normal) * len(self.seeds) > MOST_RUNS:
            raise ConfigError(f"A study has at most {MOST_RUNS:,} runs, and this one asks for more: fewer trials.")
        for values in self._ends() if self.search else self._values():
            for settings in self.runs_of(values):
                made.setdefault(key(settings), settings)
                if len(made) > MOST_RUNS:
                    raise ConfigError(
                        f"A study has at most {MOST_RUNS:,} runs, and this one asks for more: narrow its grid."
                    )
        return list(made.values())

    def runs_of(self, values: dict[str, str]) -> list[Settings]:
        """The settings of the runs with these values: each method on each normal class with each seed. Raises ConfigError."""
        made = []
        for method, normal, seed in itertools.product(self.methods, self.normal, self.seeds):
            own = SETTINGS_OF[method].model_fields
            asked = {name: from_text(name, text) for name, text in (self.settings | values).items() if name in own}
            made.append(resolve(method, self.preset, normal=normal, seed=seed, **asked))
        return made

    def spaces(self) -> dict[str, Space]:
        """What a search may try of each setting. Raises ConfigError for a text that says none."""
        return {name: space(self.methods[0], name, text) for name, text in self.search.items()}

    @property
    def varied(self) -> tuple[str, ...]:
        """Settings in which its runs differ."""
        return tuple(self.grid or self.search)

    def _ends(self) -> Iterator[dict[str, str]]:
        """Every end of every range, the other settings at their first: so each is looked at once."""
        spaces = self.spaces()
        first = {name: s.ends[0] for name, s in spaces.items()}
        yield first
        for name, s in spaces.items():
            for value in s.ends[1:]:
                yield first | {name: value}

    def _values(self) -> Iterator[dict[str, str]]:
        for chosen in itertools.product(*self.grid.values()):
            yield dict(zip(self.grid, chosen, strict=True))

    @property
    def slug(self) -> str:
        """What the study's folder is called after its number."""
        words = self.name or "-".join([*self.methods, *self.varied]) or "study"
        return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40] or "study"


def key(settings: Settings) -> str:
    """Twelve hex digits that are equal where the settings are: so a study knows what has been done."""
    content = json.dumps(settings.model_dump(mode="json") | {"name": ""}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def parse(values: Any) -> StudyPlan:
    """A plan out of JSON values. Raises ConfigError in words."""
    try:
        return StudyPlan.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise ConfigError(f"The plan of the study does not fit: {faults}") from None
