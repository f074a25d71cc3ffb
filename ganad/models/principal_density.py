"""How unlikely many numbers of an image are among those of normal images, seen along their principal directions.

Features of a net or what a reconstruction leaves over are hundreds of numbers, too many for a mixture of Gaussians. Described by their
first principal directions among normal images they have one, as codes have in `density`. What no direction of those leans on is not seen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ganad.config.mixtures import DIRECTIONS
from ganad.models.density import CodeDensity
from ganad.models.losses import at_least_float32


class PrincipalDensity(nn.Module):
    """values (B, n) -> (B,) how unlikely they are, from 0 up, in the units that `fit` was given; 0 for all before `fit`.

    `axes` (n, m): the principal directions, m = directions, or n where there are fewer numbers. `mixture`: of the places along them.
    """

    axes: Tensor

    def __init__(self, n: int, directions: int = DIRECTIONS):
        super().__init__()
        directions = min(n, directions)
        self.register_buffer("axes", torch.zeros(n, directions))
        self.mixture = CodeDensity(directions)

    def forward(self, values: Tensor) -> Tensor:
        return self.mixture(self.mixture.surprise(at_least_float32(values) @ self.axes))

    def fit(
        self,
        values: np.ndarray,
        others: np.ndarray,
        unit: float,
        *,
        seed: int = 0,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Fit to values of normal images (N, n); the number of Gaussians is chosen by those of other ones (M, n).

        unit: the standard deviation that the result shall have over those. on_progress: as in `CodeDensity.fit`.
        """
        _, directions = np.linalg.eigh(np.cov(values.T.astype(np.float64)))
        axes = directions[:, ::-1][:, : self.axes.shape[1]].astype(np.float32)  # the widest first
        self.mixture.fit(values @ axes, others @ axes, unit, seed=seed, on_progress=on_progress)
        self.axes.copy_(torch.from_numpy(axes.copy()))
