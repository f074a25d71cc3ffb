"""What the experiments share: a small training that is real, and waiting for states."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganad.config import Settings, resolve
from ganad.runs import run_directory

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


def ended(run: Path) -> run_directory.Status:
    """The status of a run once it has ended."""
    until(lambda: run_directory.status(run).state in run_directory.ENDED, f"the end of {run.name}")
    return run_directory.status(run)
