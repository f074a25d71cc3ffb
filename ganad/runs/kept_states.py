"""states/ of a run: what the training stood at after a few of its epochs, so that another run can branch off there.

The state after the last epoch is state.pt. Which epochs are kept follows from their number and from the size of a state, so a run
that is resumed keeps the same ones as one that was never interrupted.
"""

from __future__ import annotations

import re
from pathlib import Path

from ganad.errors import RunError, file_errors
from ganad.runs import run_directory

FOLDER = "states"
MOST, MOST_BYTES = 4, 100_000_000
"""States in the folder of one run, and bytes of all of them together, at most. Where one alone is larger none is kept."""


def stride(epochs: int, every: int, size: int) -> int | None:
    """A state is kept after each so many epochs, but the last; None where none is.

    every   epochs from one that is looked at (`max_checkpoints`) to the next
    size    bytes of one state
    """
    most = min(MOST, MOST_BYTES // max(1, size))
    if not most:
        return None
    found = every
    while (epochs - 1) // found > most:
        found += every
    return found


def path(run: Path, epoch: int) -> Path:
    """Where the state after an epoch lies."""
    return run / FOLDER / f"{epoch:05d}.pt"


def available(run: Path) -> dict[int, Path]:
    """epoch -> the state after it, for each epoch that a run can be branched off from, in their order."""
    kept = {int(p.stem): p for p in (run / FOLDER).glob("*.pt") if re.fullmatch("[0-9]{1,9}", p.stem)}
    if run_directory.read_status(run).state == "finished" and (run / "state.pt").is_file():
        kept[run_directory.settings(run).epochs] = run / "state.pt"
    return dict(sorted(kept.items()))


def cut(run: Path, epoch: int) -> None:
    """Forget the states after later epochs: a resumed run comes by there again, and may be steered before it does."""
    with file_errors(f"{FOLDER} of {run.name} cannot be written", "Allow writing there.", RunError):
        for later in (run / FOLDER).glob("*.pt"):
            if later.stem.isdecimal() and int(later.stem) > epoch:
                later.unlink()
