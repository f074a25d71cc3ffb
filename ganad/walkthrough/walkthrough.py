"""Which scenes a method has."""

from __future__ import annotations

import numpy as np

from ganad.models import Method
from ganad.scoring.score import to_input
from ganad.walkthrough import anogan, egbad, fanogan, ganomaly
from ganad.walkthrough.recording import standing_still
from ganad.walkthrough.scenes import Scene

_SCENES = {"anogan": anogan.scenes, "egbad": egbad.scenes, "fanogan": fanogan.scenes, "ganomaly": ganomaly.scenes}


def scenes(method: Method, image: np.ndarray, others: np.ndarray) -> list[Scene]:
    """One more training step of a trained method on an image and others beside it, and the score of the image.

    method: unfolded, and given away: it has taken the step afterwards. image (28, 28) uint8; others (B - 1, 28, 28) uint8, normal
    training images that make the batch full. The nets that train begin with the weights that score, images are not
    varied, and everything is computed in float32.
    """
    device = next(method.parameters()).device
    batch = to_input(np.concatenate([image[None], others]), method.settings.image_size, device)
    return _SCENES[method.settings.method](standing_still(method), batch)
