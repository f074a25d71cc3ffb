"""What a run of a search keeps beside its other files: what it is compared with, its objective after each epoch, how it ended."""

from __future__ import annotations

from pathlib import Path

from ganad.errors import RunError
from ganad.runs import run_directory

TRIAL, NOTE = "trial.json", "stopped_early.json"
"""What a run of a search is compared with; and after which epoch it ended itself, with which objective."""


def curve(run: Path) -> dict[int, float]:
    """epoch -> objective, as far as the run was judged while it trained."""
    return {row["epoch"]: float(row["objective"]) for row in run_directory.read_metrics(run) if "objective" in row}


def value_at_end(run: Path) -> float | None:
    """The objective with which it ended itself; None where that is not known."""
    try:
        return float((run_directory.read_json(run / NOTE) or {})["objective"])
    except (RunError, KeyError, TypeError, ValueError):
        return None


def ended_itself(run: Path) -> bool:
    """Whether it was once stopped early; it may have been resumed by hand since."""
    return (run / NOTE).exists()
