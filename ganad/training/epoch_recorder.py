"""After each kept epoch: what the nets say of a small fixed sample, so that one can watch the run learn afterwards.

It is monitoring. Test images are looked at here, and nothing is chosen, weighed or stopped by what is seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ganad.data.sources import spread_evenly
from ganad.errors import RunError
from ganad.models import Method
from ganad.runs import history
from ganad.runs.history import History
from ganad.scoring.score import score
from ganad.training.length import HELD_OUT_FOLLOWED, TEST_FOLLOWED


class EpochRecorder:
    """Writes history.npz of a run, row by row. Nothing for a method that searches for its codes: that takes minutes."""

    def __init__(self, run: Path, split: Any, *, searches: bool, epochs_done: int):
        """epochs_done: of a run that is resumed; later rows are forgotten, since they come again."""
        self.run, self.searches = run, searches
        val = spread_evenly(np.arange(len(split.val.digit)), split.val.digit, HELD_OUT_FOLLOWED)
        test = _of_each(split.test.digit, TEST_FOLLOWED)
        self.images = np.concatenate([split.val.images[val], split.test.images[test]])
        self.empty = History(
            epoch=np.zeros(0, np.int32),
            is_finished=np.zeros(0, bool),
            held_out=np.arange(len(self.images)) < len(val),
            row=np.concatenate([val, test]).astype(np.int32),
            digit=np.concatenate([split.val.digit[val], split.test.digit[test]]).astype(np.uint8),
            parts={},
        )
        self.known = None
        if not searches and epochs_done:
            with contextlib.suppress(RunError):  # a damaged one is begun anew: the training needs it not
                known = history.read(run)
                self.known = known and history.until(known, epochs_done)

    def record(self, method: Method, epoch: int, on_batch: Callable[[int], None], *, is_finished: bool = False) -> None:
        """Score the sample and write the history with that row more. The method is left in eval()."""
        if self.searches:
            return
        scored = score(method, self.images, on_batch=on_batch)
        row = replace(
            self.empty,
            epoch=np.array([epoch], np.int32),
            is_finished=np.array([is_finished]),
            parts={part: values[None].astype(np.float32) for part, values in scored.parts.items()},
            z=scored.z[None].astype(np.float16),
        )
        self.known = row if self.known is None else _joined(self.known, row)
        history.write(self.run, self.known)


def _of_each(digit: np.ndarray, most: int) -> np.ndarray:
    """Positions of about equally many images of each class, at equal distances, at most `most` in all."""
    classes = np.unique(digit)
    each = max(1, most // len(classes))
    rows = [spread_evenly(np.flatnonzero(digit == c), digit, each) for c in classes]
    return np.sort(np.concatenate(rows))


def _joined(a: History, b: History) -> History:
    return replace(
        a,
        epoch=np.concatenate([a.epoch, b.epoch]),
        is_finished=np.concatenate([a.is_finished, b.is_finished]),
        parts={part: np.concatenate([values, b.parts[part]]) for part, values in a.parts.items()},
        z=np.concatenate([a.z, b.z]),
    )
