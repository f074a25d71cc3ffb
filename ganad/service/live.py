"""A run as somebody watches it learn: its wall of probe images, and what its nets of an epoch say of one's own drawing."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganad.config import FALSE_ALARMS
from ganad.evaluation import metrics, thresholds
from ganad.runs import epoch_nets, history, run_directory, wall
from ganad.service.nets import BrowserNets, for_browser
from ganad.training import throughput


@dataclass(frozen=True, eq=False)
class Wall(wall.Wall):
    """Twenty fixed test images as the nets see them after an epoch (`runs.wall`), with their scores; monitoring alone.

    score         (W,) under the run's own weights; None without scores
    threshold     of that epoch, from the held-out normals of `history.npz`; None where that has no such row, or too few images
    """

    score: np.ndarray | None
    threshold: float | None


def wall_version(name: str) -> int:
    """Changes with each kept epoch; 0 where no wall was kept: in runs of earlier versions, and before the first epoch has ended."""
    return _stamp(run_directory.find(name) / wall.FILE)


def probe_wall(name: str) -> Wall | None:
    """None where none was kept. Raises RunError for a damaged file."""
    run = run_directory.find(name)
    kept = wall.read(run)
    if kept is None:
        return None
    settings = run_directory.settings(run)
    score = metrics.total(kept.parts, settings.weights) if kept.parts else None
    held_out = held_out_parts(name, kept.epoch, is_finished=kept.is_finished) if kept.parts else None
    return Wall(**vars(kept), score=score, threshold=_threshold(held_out, settings.weights))


def held_out_parts(name: str, epoch: int, *, is_finished: bool = False) -> dict[str, np.ndarray] | None:
    """part -> (n,) of the held-out normals of the run's history after an epoch; None where that was not kept. RunError if damaged."""
    kept = history.read(run_directory.find(name))
    if kept is None:
        return None
    rows = np.flatnonzero((kept.epoch == epoch) & (kept.is_finished == is_finished))
    return {part: values[rows[-1]][kept.held_out] for part, values in kept.parts.items()} if len(rows) else None


def _threshold(held_out: dict[str, np.ndarray] | None, weights: Any) -> float | None:
    if held_out is None:
        return None
    threshold = thresholds.threshold_for(metrics.total(held_out, weights), FALSE_ALARMS)
    return threshold if math.isfinite(threshold) else None


def epochs_with_nets(name: str) -> list[int]:
    """The epochs whose nets were kept (`runs.epoch_nets`), in order."""
    return list(epoch_nets.kept(run_directory.find(name)))


def nets_version(name: str) -> int:
    """Changes whenever the nets of another epoch are there; 0 where none are."""
    kept = epoch_nets.kept(run_directory.find(name))
    return _stamp(kept[max(kept)]) if kept else 0


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def method_after(name: str, epoch: int) -> Any:
    """The nets of a run after an epoch, frozen and folded. Raises RunError where they were not kept, or are damaged."""
    path = epoch_nets.place(run_directory.find(name), epoch)
    return _method_after(str(path.parents[1]), epoch, _stamp(path))


@functools.lru_cache(maxsize=3)
def _method_after(run: str, epoch: int, version: int) -> Any:
    from ganad.runs.checkpoint import load_epoch

    throughput.limit_threads()
    return load_epoch(Path(run), epoch).folded()


@dataclass(frozen=True, eq=False)
class DrawingScore:
    """What the nets of an epoch say of one image. percentile: share of that epoch's held-out normals that score lower, 0 to 100."""

    epoch: int
    score: float
    threshold: float | None
    percentile: float | None
    reconstruction: np.ndarray  # (28, 28) uint8


def score_after(name: str, epoch: int, image: np.ndarray) -> DrawingScore:
    """Score (28, 28) uint8 by the nets of an epoch that were kept. Raises RunError where they were not."""
    from ganad.scoring.score import score

    settings = run_directory.settings(run_directory.find(name))
    scored = score(method_after(name, epoch), image[None])
    total = float(metrics.total(scored.parts, settings.weights)[0])
    held_out = held_out_parts(name, epoch)
    percentile = None
    if held_out is not None:
        percentile = float(metrics.percentile(np.array([total]), metrics.total(held_out, settings.weights))[0])
    return DrawingScore(epoch, total, _threshold(held_out, settings.weights), percentile, scored.reconstruction[0])


def browser_nets_after(name: str, epoch: int) -> BrowserNets | None:
    """The nets of an epoch for the pad in the browser; None where they are not for it. Raises RunError where they were not kept."""
    return for_browser(name, method_after(name, epoch))
