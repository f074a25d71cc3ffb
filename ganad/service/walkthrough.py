"""One more training step of a finished run, and the score of an image, to be watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ganad.runs import run_directory
from ganad.service.images import data_of, dataset
from ganad.service.runs import run_info
from ganad.training import throughput

if TYPE_CHECKING:
    from ganad.walkthrough.scenes import Scene


def walkthrough(name: str, image: np.ndarray) -> list[Scene]:
    """The scenes of a run's method on an image (28, 28) uint8 and, beside it, normal training images of the run's data.

    The run itself stays as it is. Raises RunError for a run without weights, GanadError where its data are gone.
    """
    import torch

    from ganad.runs.checkpoint import load_method
    from ganad.walkthrough.walkthrough import scenes

    throughput.limit_threads()
    run = run_directory.find(name)
    settings = run_info(name).settings
    train = dataset(data_of(run)).train
    normal = np.flatnonzero(np.isin(train.digit, settings.normal))
    others = np.random.default_rng(settings.seed).permutation(normal)[: settings.batch_size - 1]
    return scenes(load_method(run, torch.device("cpu")), image, train.images[others])
