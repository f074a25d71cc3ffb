"""A folder of runs for a benchmark alone, in place of the user's."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def folder_of_runs() -> Iterator[None]:
    """An empty folder of runs and studies, which is gone with all that is in it afterwards."""
    before = os.environ.get("GANAD_RUNS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GANAD_RUNS"] = str(Path(folder) / "runs")
        try:
            yield
        finally:
            os.environ.pop("GANAD_RUNS") if before is None else os.environ.update(GANAD_RUNS=before)
