"""The methods: one paper, one file. `build` makes one from its settings."""

from __future__ import annotations

import torch

from ganad.config import Settings
from ganad.models.anogan import Anogan
from ganad.models.base import Method, Parts
from ganad.models.egbad import Egbad
from ganad.models.ganomaly import Ganomaly

METHODS: dict[str, type[Method]] = {"ganomaly": Ganomaly, "egbad": Egbad, "anogan": Anogan}


def build(settings: Settings, seed: int | None = None) -> Method:
    """A method with its first weights, drawn from the seed (default: the settings'); nothing outside is seeded."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed if seed is None else seed)
        return METHODS[settings.method](settings)


__all__ = ["METHODS", "Method", "Parts", "build"]
