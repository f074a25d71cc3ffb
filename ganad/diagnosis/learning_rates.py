"""Other learning rates to try."""

from __future__ import annotations

from typing import Any

from ganad.config import Settings, resolve


def usual_or_less(settings: Settings, *names: str, times: float) -> dict[str, Any]:
    """The preset's own values of `lr` and `lr_d` where those of the run differ; else the names' ones so many times smaller.

    They are made smaller as well where they are below the preset's already: going back to it would bring back what that was tried against.
    """
    preset = resolve(settings.method, settings.preset, normal=settings.normal)
    own = {name: getattr(preset, name) for name in ("lr", "lr_d") if getattr(preset, name) != getattr(settings, name)}
    if not own or (own.keys() <= set(names) and all(_rate(settings, n) < _rate(preset, n) for n in own)):
        return {name: _rate(settings, name) / times for name in names}
    return own


def _rate(settings: Settings, name: str) -> float:
    return getattr(settings, name) or settings.lr
