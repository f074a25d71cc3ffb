"""Other learning rates to try."""

from __future__ import annotations

from typing import Any

from ganad.config import Settings, resolve


def usual_or_less(settings: Settings, *names: str, times: float) -> dict[str, Any]:
    """The preset's own values of `lr` and `lr_d` where those of the run differ; else these, the names' ones so many times smaller."""
    preset = resolve(settings.method, settings.preset, normal=settings.normal)
    own = {name: getattr(preset, name) for name in ("lr", "lr_d") if getattr(preset, name) != getattr(settings, name)}
    return own or {name: (getattr(settings, name) or settings.lr) / times for name in names}
