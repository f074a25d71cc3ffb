"""What a rule is given, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ganad.config import Settings


@dataclass(frozen=True)
class Evidence:
    """What a run has so far. Nothing in it was made with a test image or a test label."""

    settings: Settings
    rows: Sequence[Mapping[str, Any]] = ()
    """Lines of metrics.jsonl."""
    ended: bool = True
    """False while it trains."""
    error: str = ""
    """What a failed run said last."""
    steps: int = 0
    """Updates so far; of a finished run, of all its training."""
    usual_steps: int = 0
    """Updates that the preset is meant for (`training.length.usual`)."""
    short_in_words: str = ""
    """By how much it was shorter than that (`training.length.too_short`); empty if it was not."""
    looked_at: int = 0
    """Training images that were compared with other classes (`data.foreign`); 0 where they were not."""
    foreign: tuple[int, ...] = ()
    """Of these the foreign ones, by their position in the training file."""

    def losses(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(steps, values) of a loss or term, as far as it was logged."""
        pairs = [(row["step"], row[name]) for row in self.rows if name in row]
        steps, values = zip(*pairs, strict=True) if pairs else ((), ())
        return np.array(steps, float), np.array(values, float)

    def looks(self, *names: str) -> tuple[np.ndarray, np.ndarray]:
        """(epochs (E,), values (E, len(names))) of the kept epochs that have all of these: `val/residual`, `train/latent`, `spread`.

        Epochs in which the method cannot reconstruct yet are passed over.
        """
        found = []
        for row in self.rows:
            if row.get("epoch", 0) <= self.settings.epochs_without_reconstructions:
                continue
            flat = dict(row)
            for group in ("val", "train"):
                flat |= {f"{group}/{part}": value for part, value in (row.get(group) or {}).items()}
            if all(name in flat for name in names):
                found.append((row["epoch"], [flat[name] for name in names]))
        epochs, values = zip(*found, strict=True) if found else ((), np.zeros((0, len(names))))
        return np.array(epochs, float), np.array(values, float).reshape(-1, len(names))


@dataclass(frozen=True, eq=False)
class Curve:
    """A small picture of the evidence: a line, or two, and the stretch that gave offence."""

    x: np.ndarray
    lines: dict[str, np.ndarray]
    """What each line is called -> its values (len(x),)."""
    since: float
    """From here on the offending part is marked."""
    unit: str
    """What x counts: "step" or "epoch"."""
    level: tuple[float, str] | None = None
    """A value to compare with, and what it is."""
    log: bool = False


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that is wrong with a training."""

    name: str
    """A key of `doctor.RULES`."""
    title: str
    severity: Literal["serious", "mild"]
    """serious: its scores are of no use; mild: they could be better."""
    evidence: dict[str, float]
    """The numbers that it rests on, by name."""
    meaning: str
    """One or two sentences: what was seen and what that means."""
    change: dict[str, Any]
    """Settings of a run that would not have it, beside the others as they are; empty where there is none to suggest."""
    change_in_words: str = ""
    curve: Curve | None = None
    images: tuple[int, ...] = field(default=())
    """Training images that show it, by their position in the training file."""

    def values(self) -> dict[str, Any]:
        """What `--json` prints."""
        keys = ("name", "title", "severity", "evidence", "meaning", "change")
        return {key: getattr(self, key) for key in keys}


def last(values: np.ndarray, share: float) -> np.ndarray:
    """The last values of a curve: this share of them, at least one."""
    return values[-max(1, round(share * len(values))) :]
