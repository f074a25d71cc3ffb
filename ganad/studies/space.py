"""What a search may try of one setting: `0.1:10:log`, `16:128` or `16,32,64`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from ganad.config import SETTINGS_OF
from ganad.errors import ConfigError

FORMS = "LOW:HIGH, LOW:HIGH:log or VALUE,VALUE,..."


@dataclass(frozen=True)
class Space:
    """Either a few values or a range. Values are texts, as `--set` writes them."""

    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    """Whole numbers only, as the setting itself has."""

    @property
    def ends(self) -> tuple[str, ...]:
        """Every value of a few, or both ends of a range: where these fit, all do."""
        return self.choices or (self.text(self.low), self.text(self.high))

    def text(self, value: float) -> str:
        """A number of the range as a setting is written: with four digits, where that does not leave the range."""
        if self.whole:
            return str(int(value))
        short = f"{value:.4g}"
        return short if self.low <= float(short) <= self.high else repr(float(value))

    def number(self, text: str) -> float:
        """The number of such a text."""
        return int(text) if self.whole else float(text)


def space(method: str, setting: str, text: str) -> Space:
    """Read one. Raises ConfigError for a text that is none, or a range of a setting that is no number."""
    if setting not in SETTINGS_OF[method].model_fields:
        raise ConfigError(f"{SETTINGS_OF[method].title} has no setting {setting!r} to search.")
    if ":" not in text:
        values = tuple(dict.fromkeys(v.strip() for v in text.split(",")))
        if len(values) < 2 or not all(values):
            raise ConfigError(f"The values of {setting} to search are {FORMS}, got {text!r}")
        return Space(choices=values)
    kind = SETTINGS_OF[method].model_fields[setting].annotation
    kinds = {kind, *get_args(kind)}
    if not kinds & {int, float}:
        raise ConfigError(f"{setting} is no number: name its values, such as {setting}=a,b, got {text!r}")
    low, high, *how = (part.strip() for part in text.split(":"))
    whole = float not in kinds
    try:
        made = Space(low=float(low), high=float(high), log=how == ["log"], whole=whole)
    except ValueError:
        raise ConfigError(f"A range of {setting} is {FORMS}, got {text!r}") from None
    if how not in ([], ["log"]) or not (math.isfinite(made.low) and math.isfinite(made.high) and made.low < made.high):
        raise ConfigError(f"A range of {setting} is LOW:HIGH or LOW:HIGH:log with LOW below HIGH, got {text!r}")
    if made.log and made.low <= 0:
        raise ConfigError(f"A logarithmic range begins above 0, got {setting}={text!r}")
    if whole and not (made.low.is_integer() and made.high.is_integer()):
        raise ConfigError(f"{setting} is a whole number, got {text!r}")
    return made
