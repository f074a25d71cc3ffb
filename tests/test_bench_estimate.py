"""The benchmark of the promised time trains what it estimated, and says how long that took."""

import time

import pytest

from ganad import service
from ganad.bench import estimate as b
from ganad.errors import RunError
from ganad.runs import run_directory
from ganad.service import Estimate


@pytest.fixture
def promised(monkeypatch):
    """Nothing is measured; the promise is two seconds."""
    asked = []

    class Child:
        def wait(self, timeout):
            asked.append("measured")

    monkeypatch.setattr(b.measure_queue, "launch", lambda settings: Child())
    monkeypatch.setattr(service, "estimate", lambda settings: asked.append(settings.normal) or Estimate(2.0, 1.0, 1))
    return asked


def ends(monkeypatch, seconds, state="finished", error=None):
    """Trainings that end so, after so long."""

    def start(settings):
        run = run_directory.create(settings)
        time.sleep(seconds)
        run_directory.write_status(run, run_directory.Status(state=state, error=error))
        return run

    monkeypatch.setattr(b.jobs, "start", start)


def test_each_training_is_estimated_first_and_compared_with_how_long_it_took(runs_dir, promised, monkeypatch):
    ends(monkeypatch, 0.05)
    rows = b.compare(["ganomaly", "egbad"], [8, 3], "tuned", 1, print)
    assert promised == ["measured", (8,), "measured", (3,)] * 2
    assert [(r["method"], r["normal"]) for r in rows] == [("ganomaly", 8), ("ganomaly", 3), ("egbad", 8), ("egbad", 3)]
    for row in rows:
        assert row["took"] >= 0.05
        assert row["ratio"] == pytest.approx(row["took"] / 2)
    assert not runs_dir.exists(), "all of it is in a folder of its own"


def test_a_training_that_fails_gives_no_time(runs_dir, promised, monkeypatch):
    ends(monkeypatch, 0, "failed", "the disk is full")
    with pytest.raises(RunError, match="GANomaly tuned, normal 8 failed: the disk is full"):
        b.compare(["ganomaly"], [8], "tuned", 1, print)


def test_the_table_counts_what_lies_within_a_fifth():
    rows = [
        {"method": "ganomaly", "preset": "tuned", "normal": 8, "expected": 100, "took": took, "ratio": took / 100}
        for took in (79, 81, 120, 121)
    ]
    assert b.table(rows).endswith("2 of 4 within 20 %.")
    assert "| GANomaly | tuned | 8 | 100 | 79 | 0.79 |" in b.table(rows)
