"""How unlikely what a reconstruction leaves over is, among what it leaves over of normal images.

The residual part adds up how much differs; where and in which pattern is lost in the sum. Here the difference of image and
reconstruction is averaged over squares of 2x2 pixels, and what comes of it has a density. An image that is coded as usual and redrawn
wrongly in an unusual pattern may be found by nothing else.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganad.models.losses import at_least_float32
from ganad.models.principal_density import PrincipalDensity


class ResidualDensity(PrincipalDensity):
    """x, x̂ (B, 1, S, S) -> (B,) how unlikely x - x̂ is; fitted to what `averaged` gives, (N, S²/4). size: the side S."""

    def __init__(self, size: int):
        super().__init__((size // 2) ** 2)

    def forward(self, x: Tensor, x_hat: Tensor) -> Tensor:
        return super().forward(averaged(x, x_hat))


def averaged(x: Tensor, x_hat: Tensor) -> Tensor:
    """x - x̂ (B, 1, S, S), averaged over squares of 2x2 pixels -> (B, S²/4), row by row."""
    return avg_pool2d(at_least_float32(x) - at_least_float32(x_hat), 2).flatten(1)
