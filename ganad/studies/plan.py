"""What a study asks for: methods, normal classes, seeds and a grid over settings, written down so that it can be done again."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ganad.config import METHOD_NAMES, SETTINGS_OF, Settings, from_text, resolve
from ganad.errors import ConfigError

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
    engine: Literal["local", "ray"] = "local"
    address: str = "auto"
    """Where Ray's cluster is: `auto`, `local` or ray://HOST:PORT."""

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

    @field_validator("settings", "grid")
    @classmethod
    def _known(cls, value: dict[str, Any]) -> dict[str, Any]:
        known = {name for kind in SETTINGS_OF.values() for name in kind.model_fields} - _NOT_HERE
        for name in value:
            if name not in known:
                raise ValueError(f"{name!r} is no setting that a study can vary")
        return value

    def runs(self) -> list[Settings]:
        """The settings of every run, each once. Raises ConfigError for a value that does not fit, or for more than MOST_RUNS."""
        made: dict[str, Settings] = {}
        for method, normal, seed, values in itertools.product(self.methods, self.normal, self.seeds, self._values()):
            own = SETTINGS_OF[method].model_fields
            asked = {name: from_text(name, text) for name, text in (self.settings | values).items() if name in own}
            settings = resolve(method, self.preset, normal=normal, seed=seed, **asked)
            made.setdefault(key(settings), settings)
            if len(made) > MOST_RUNS:
                raise ConfigError(
                    f"A study has at most {MOST_RUNS:,} runs, and this one asks for more: narrow its grid."
                )
        return list(made.values())

    def _values(self) -> Iterator[dict[str, str]]:
        for chosen in itertools.product(*self.grid.values()):
            yield dict(zip(self.grid, chosen, strict=True))

    @property
    def slug(self) -> str:
        """What the study's folder is called after its number."""
        words = self.name or "-".join([*self.methods, *self.grid]) or "study"
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
