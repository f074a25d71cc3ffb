"""What the experiments share: a small training that is real, and waiting for states."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganad import runs
from ganad.config import Settings, resolve

PATIENCE_S = 300.0
"""A state that has not come after so long never will, on any machine."""


def small(**asked: Any) -> Settings:
    """A real training of a few seconds."""
    few = dict(normal=(8,), filters=4, latent=8, limit=400, test_limit=400, precision="float32", epochs=3)
    return resolve("ganomaly", "tuned", **(few | asked))


def until(there: Callable[[], Any], what: str) -> Any:
    """The first value of `there` that is true."""
    end = time.monotonic() + PATIENCE_S
    while not (found := there()):
        assert time.monotonic() < end, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.02)
    return found


def ended(run: Path) -> runs.Status:
    """The status of a run once it has ended."""
    until(lambda: runs.status(run).state in runs.ENDED, f"the end of {run.name}")
    return runs.status(run)
