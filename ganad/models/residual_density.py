"""How unlikely what a reconstruction leaves over is, among what it leaves over of normal images.

The residual part adds up how much differs; where and in which pattern is lost in the sum. Here the difference of image and
reconstruction is averaged over squares of 2x2 pixels and described by its first principal directions, and a mixture of Gaussians
says how unlikely that description is, as `density` does for codes. An image that is coded as usual and redrawn wrongly in an unusual
pattern may be found by nothing else. What no direction of normal residuals leans on is not seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganad.models.density import CodeDensity
from ganad.models.losses import at_least_float32

DIRECTIONS = 32
"""Principal directions that describe what is left over; 64 find less in EGBAD's residuals of digits (docs/choices.md)."""


class ResidualDensity(nn.Module):
    """x, x̂ (B, 1, S, S) -> (B,) how unlikely x - x̂ is, from 0 up, in the units that `fit` was given; 0 for all before `fit`.

    `axes` (S²/4, 32): the principal directions. `mixture`: of the places along them. size: the side S.
    """

    axes: Tensor

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("axes", torch.zeros((size // 2) ** 2, DIRECTIONS))
        self.mixture = CodeDensity(DIRECTIONS)

    def forward(self, x: Tensor, x_hat: Tensor) -> Tensor:
        return self.mixture(self.mixture.surprise(averaged(x, x_hat) @ self.axes))

    def fit(
        self,
        left: np.ndarray,
        others: np.ndarray,
        unit: float,
        *,
        seed: int = 0,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Fit to what is left over of normal images, as `averaged` gives it (N, S²/4); the number of Gaussians by that of other ones (M, S²/4).

        unit: the standard deviation that `forward` shall have over those. on_progress: as in `CodeDensity.fit`.
        """
        _, directions = np.linalg.eigh(np.cov(left.T.astype(np.float64)))
        axes = directions[:, ::-1][:, :DIRECTIONS].astype(np.float32)  # the widest first
        self.mixture.fit(left @ axes, others @ axes, unit, seed=seed, on_progress=on_progress)
        self.axes.copy_(torch.from_numpy(axes.copy()))


def averaged(x: Tensor, x_hat: Tensor) -> Tensor:
    """x - x̂ (B, 1, S, S), averaged over squares of 2x2 pixels -> (B, S²/4), row by row."""
    return avg_pool2d(at_least_float32(x) - at_least_float32(x_hat), 2).flatten(1)
