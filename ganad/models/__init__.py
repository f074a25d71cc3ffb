"""The methods: one paper, one file. `build` makes one from its settings."""

from __future__ import annotations

import importlib

import torch

from ganad.config import SETTINGS_OF, Settings
from ganad.models.base import Method, Parts

METHODS: dict[str, type[Method]] = {
    name: getattr(importlib.import_module(f"ganad.models.{name}"), name.capitalize()) for name in SETTINGS_OF
}
"""Every method that has settings: `egbad` is the class Egbad of ganad/models/egbad.py."""


def build(settings: Settings, seed: int | None = None) -> Method:
    """A method with its first weights, drawn from the seed (default: the settings'); nothing outside is seeded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed if seed is None else seed)
        return METHODS[settings.method](settings)


__all__ = ["METHODS", "Method", "Parts", "build"]
