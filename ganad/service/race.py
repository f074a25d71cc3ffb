"""How long each method takes for one image on this machine, and what it has drawn by when."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ganad.config import METHOD_NAMES
from ganad.service.nets import method
from ganad.service.runs import run_info

TIMED = 9
"""So often a method without a search scores the image; the median counts."""
FRAMES = 30
"""Pictures of a search, at most."""


@dataclass(frozen=True)
class Lane:
    """One method's way to the score of an image."""

    run: str
    method: str  # as the paper spells it
    steps: int  # of its search; 0: there is none
    looks: int  # at the image, a pass each where nothing is searched
    seconds: np.ndarray  # (K,) after the start, rising: when each picture was there; the last is the whole time
    frames: np.ndarray  # (K, 28, 28) uint8: the reconstruction by then


def race(names: Sequence[str], image: np.ndarray) -> list[Lane]:
    """Score one (28, 28) uint8 image by each run, one after the other, on one thread, the nets loaded. In the order of `names`.

    A search is timed as it goes, once. Its pictures are drawn afterwards and cost no time. Raises RunError for a run without weights.
    """
    import torch

    from ganad.scoring.score import to_input, to_picture

    lanes = []
    for name in names:
        net = method(name)
        settings = run_info(name).settings
        x = to_input(image[None], settings.image_size, next(net.parameters()).device)
        with torch.no_grad():
            if not settings.scores_by_search:
                net.parts(x)  # the first pass sets things up
                times = []
                for _ in range(TIMED):
                    began = time.perf_counter()
                    parts = net.parts(x)
                    times.append(time.perf_counter() - began)
                seconds, frames, steps = [statistics.median(times)], to_picture(parts.reconstruction), 0
            else:
                next(net.search(x))
                looks, stamps, began = [], [], time.perf_counter()
                for look in net.search(x):
                    looks.append(look)
                    stamps.append(time.perf_counter() - began)
                shown = np.unique(np.linspace(0, len(looks) - 1, min(FRAMES, len(looks))).round().astype(int))
                seconds, steps = [stamps[i] for i in shown], len(looks) - 1
                frames = to_picture(net.picture(torch.cat([looks[i].z for i in shown])))
        looks = 3 if settings.further_looks else 1
        lanes.append(Lane(name, METHOD_NAMES[settings.method], steps, looks, np.array(seconds), frames))
    return lanes
