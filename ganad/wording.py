"""Numbers and counts as every page, sentence and command writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping


def number(value: float) -> str:
    """A score for the eye: three significant digits, thousands with commas. 0.05231 -> "0.0523", 1234.5 -> "1,234"."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "not a number"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(share: float) -> str:
    """A share in [0, 1] with one decimal: 0.05 -> "5.0 %"."""
    return f"{100 * share:.1f} %"


def times(relative: float) -> str:
    """A score over its threshold, with as many decimals (two to five) as show on which side of 1 it lies: 1.3 -> "1.30", 0.9996 -> "0.9996"."""
    return next(text for n in (2, 3, 4, 5) if float(text := f"{relative:.{n}f}") != 1 or relative == 1 or n == 5)


def value(of_setting: object) -> str:
    """The value of a setting, None as "none"."""
    if of_setting is None:
        return "none"
    return f"{of_setting:g}" if isinstance(of_setting, float) else str(of_setting)


def values(settings: Mapping[str, object]) -> str:
    """{"lr": 0.001, "lr_d": None} -> "lr 0.001, lr_d as lr": without a rate of its own the discriminator has that of the others."""
    return ", ".join(
        f"{name} {'as lr' if (name, one) == ('lr_d', None) else value(one)}" for name, one in settings.items()
    )


def plural(n: int, noun: str) -> str:
    """ "1 run", "2 runs", "1,000 images"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
