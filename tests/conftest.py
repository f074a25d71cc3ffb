"""What tests share: an empty folder of runs, and one thread a process."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    """An empty folder of runs and an empty shelf of shipped ones."""
    monkeypatch.setenv("GANAD_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GANAD_CHECKPOINTS", str(tmp_path / "checkpoints"))
    return tmp_path / "runs"
