"""After each kept epoch: the wall of probe images as the nets see it now, and those nets, for who watches the run learn.

It is monitoring. Test images are looked at here, and nothing is chosen, weighed or stopped by what is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ganad.config import Settings
from ganad.errors import RunError, file_errors
from ganad.models import Method
from ganad.runs import checkpoint, epoch_nets, wall
from ganad.runs.wall import Wall
from ganad.scoring.score import ScoredBatch, score, to_picture

EACH = 10
"""Images of normal classes on the wall, and as many of others."""


class EpochKeeper:
    """Writes wall.npz and epoch_nets/ of a run."""

    def __init__(self, run: Path, split: Any, settings: Settings, probe: np.ndarray):
        """probe: positions in the test images of those that are drawn after each epoch (`run_training.probe_rows`).

        A method that searches for its codes shows these alone, since they are searched for anyway.
        """
        self.run, self.settings = run, settings
        digit = split.test.digit
        normal = np.isin(digit, settings.normal)
        rows = np.concatenate([_of_each(digit, normal), _of_each(digit, ~normal)])
        if settings.scores_by_search:
            rows = np.array([row for row in probe if row in rows], dtype=int)
        self.rows, self.probe = rows, list(probe)
        self.given, self.digit, self.normal = split.test.images[rows], digit[rows], normal[rows]

    def keep(
        self,
        method: Method,
        epoch: int,
        shown: ScoredBatch | None,
        on_batch: Callable[[int], None],
        *,
        is_finished: bool = False,
    ) -> None:
        """Write what the method makes of the wall. shown: what it made of the probe images, None in a phase without reconstructions.

        The method is left in eval(), and nothing in it changes.
        """
        generated = method.eval().generated(len(self.rows))
        if generated is not None:
            drawn, parts = to_picture(generated), {}
        elif self.settings.scores_by_search:
            if shown is None:
                return  # the nets are those of the last epoch, whose search was shown
            at = [self.probe.index(row) for row in self.rows]
            drawn, parts = shown.reconstruction[at], {part: values[at] for part, values in shown.parts.items()}
        else:
            scored = score(method, self.given, on_batch=on_batch)
            drawn, parts = scored.reconstruction, scored.parts
        parts = {part: values.astype(np.float32) for part, values in parts.items()}
        wall.write(
            self.run, Wall(epoch, is_finished, generated is not None, self.given, drawn, self.digit, self.normal, parts)
        )
        if generated is None and not is_finished and not self.settings.scores_by_search:
            self._keep_nets(method, epoch)

    def _keep_nets(self, method: Method, epoch: int) -> None:
        content = checkpoint.epoch_content(method)
        if not epoch_nets.fits(len(content)):
            return
        advice = "Free some space or allow writing there."
        with file_errors(f"{epoch_nets.FOLDER} of {self.run.name} cannot be written", advice, RunError):
            (self.run / epoch_nets.FOLDER).mkdir(exist_ok=True)
        checkpoint.save_epoch(self.run, epoch, content)
        epoch_nets.prune(self.run, self.settings.looked_at, epoch)


def _of_each(digit: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Positions of `EACH` images at most: the first of each wanted class, then the second of each, and so on; sorted by class.

    Of more classes than that, classes at equal distances.
    """
    classes = np.unique(digit[wanted])
    if len(classes) > EACH:
        classes = classes[np.linspace(0, len(classes) - 1, EACH).round().astype(int)]
    ranked = [(nth, c, int(row)) for c in classes for nth, row in enumerate(np.flatnonzero(digit == c)[:EACH])]
    return np.array([row for _, row in sorted((c, row) for _, c, row in sorted(ranked)[:EACH])], dtype=int)
