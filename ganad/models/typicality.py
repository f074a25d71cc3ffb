"""Whether two statistics of an image are usual together: both tails are strange.

A simple image is easily reconstructed and its code may be likely, and still it is unlike every normal image: it has too
little ink for so likely a code. That more likely than usual is strange too is the idea of typicality tests (Nalisnick et al.
2019, arXiv:1906.02994) and of the density of states (Morningstar et al. 2020, arXiv:2006.09273); here it is one Gaussian.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class Typicality(nn.Module):
    """Statistics (B, 2) -> (B,) half their squared Mahalanobis distance, times `unit`; 0 for all before `fit`.

    Buffers: `mean` (2,); `whiten` (2, 2), L with L Lᵀ the inverse of the covariance; `unit`.
    """

    mean: Tensor
    whiten: Tensor
    unit: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("whiten", torch.zeros(2, 2))
        self.register_buffer("unit", torch.zeros(()))

    def forward(self, statistics: Tensor) -> Tensor:
        return self.unit / 2 * ((statistics - self.mean) @ self.whiten).square().sum(dim=1)

    def fit(self, statistics: np.ndarray, unit: float) -> None:
        """Fit to the statistics (N, 2) of normal images. unit: the standard deviation that `forward` shall have over them."""
        covariance = np.cov(statistics.T) + 1e-9 * np.eye(2)
        whiten = np.linalg.cholesky(np.linalg.inv(covariance))
        half = ((statistics - statistics.mean(axis=0)) @ whiten) ** 2 / 2
        self.mean.copy_(torch.as_tensor(statistics.mean(axis=0)))
        self.whiten.copy_(torch.as_tensor(whiten))
        self.unit.fill_(unit / (half.sum(axis=1).std() or 1.0))


def log_ink(x: Tensor) -> Tensor:
    """(B, 1, S, S) in [-1, 1] -> (B,) log of the mean grey in [0, 1], at least log 10⁻⁴."""
    return (x.float().mean(dim=(1, 2, 3)) / 2 + 0.5).clamp(min=1e-4).log()
