"""How unlikely a code is among those of normal images: a mixture of Gaussians, fitted once when the training is over.

A code may be reconstructed well and still lie where no normal image lies; the distance of two codes does not see that. The
density of codes as an anomaly score: Zong et al. 2018 (DAGMM, ICLR), there trained together with the encoder, here fitted
after it, so that the training is that of the paper.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ganad.config.mixtures import tried
from ganad.models import gaussian_mixture
from ganad.models.losses import at_least_float32

ROUNDS = 40
"""Steps of expectation maximisation, at most."""
SMALLEST_VARIANCE = 3e-3
"""Added to each variance, as a share of the mean variance of the codes."""


class CodeDensity(nn.Module):
    """`surprise`: z (B, nz) -> (B,) how unlikely codes are, in nats. Called with that: the same from 0 up, in the units that `fit` was given.

    Buffers: for each of K Gaussians `log_weight` (K,), that is log πₖ + log det Lₖ - nz/2 log 2π; `mean` (K, nz); `whiten`
    (K, nz, nz), Lₖ with Lₖ Lₖᵀ the inverse of its covariance. `likeliest`: -log p of the likeliest code
    among those that K was chosen by. `unit`: what one nat of -log p counts.
    """

    log_weight: Tensor
    mean: Tensor
    whiten: Tensor
    likeliest: Tensor
    unit: Tensor

    def __init__(self, latent: int):
        super().__init__()
        self.register_buffer("log_weight", torch.zeros(0))
        self.register_buffer("mean", torch.zeros(0, latent))
        self.register_buffer("whiten", torch.zeros(0, latent, latent))
        self.register_buffer("likeliest", torch.zeros(()))
        self.register_buffer("unit", torch.zeros(()))

    @property
    def is_fitted(self) -> bool:
        return len(self.log_weight) > 0

    def surprise(self, z: Tensor) -> Tensor:
        """(B,) -log p(z) in nats; 0 for all before `fit`."""
        if not self.is_fitted:
            return torch.zeros(len(z), device=z.device)
        z = at_least_float32(z)
        centred = torch.einsum("kd,kde->ke", self.mean, self.whiten)  # (K, nz): the means in the whitened axes
        axes = self.whiten.permute(1, 0, 2).flatten(1)  # (nz, K nz)
        squared = ((z @ axes).view(len(z), -1, self.mean.shape[1]) - centred).square().sum(dim=2)  # (B, K)
        return -torch.logsumexp(self.log_weight - squared / 2, dim=1)

    def forward(self, surprise: Tensor) -> Tensor:
        return self.unit * (surprise - self.likeliest).clamp(min=0)

    def fit(
        self,
        codes: np.ndarray,
        others: np.ndarray,
        unit: float,
        *,
        seed: int = 0,
        on_progress: Callable[[], None] = lambda: None,
    ) -> np.ndarray:
        """Fit to codes (N, nz), choose K by other ones (M, nz), both of normal images; -> (M,) the surprise of those.

        unit: the standard deviation that `forward` shall have over them. on_progress is called after each step of
        expectation maximisation; an error that it raises ends the fit, and nothing has changed.
        """
        # Single precision halves the time; the likelihood is the same to six digits.
        learned, asked = torch.from_numpy(codes.astype(np.float32)), torch.from_numpy(others.astype(np.float32))
        added = SMALLEST_VARIANCE * float(codes.var(axis=0).mean()) or SMALLEST_VARIANCE
        surprise, least = None, math.inf
        for count in tried(len(codes)):
            mixture = gaussian_mixture.fit(
                learned, count, added=added, seed=seed, rounds=ROUNDS, on_progress=on_progress
            )
            of_others = -mixture.log_density(asked).double().numpy()
            if of_others.mean() >= least:
                break  # more Gaussians than that only learn the codes by heart
            best, surprise, least = mixture, of_others, of_others.mean()
        device = self.mean.device

        def tensor(values: Tensor | float) -> Tensor:
            return torch.as_tensor(values, dtype=torch.float32, device=device)

        self.log_weight, self.mean, self.whiten = map(tensor, (best.log_weight, best.mean, best.whiten))
        self.likeliest = tensor(surprise.min())
        self.unit = tensor(unit / (surprise.std() or 1.0))
        return surprise

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        """In a state, `whiten` is (K, nz (nz + 1) / 2): below the diagonals are zeros, half of all that would be kept."""
        super()._save_to_state_dict(destination, prefix, keep_vars)
        rows, columns = self._triangle()
        destination[prefix + "whiten"] = destination[prefix + "whiten"][:, rows, columns]

    def _triangle(self) -> Tensor:
        """(2, P) rows and columns on and above the diagonal of a matrix of `whiten`."""
        return torch.triu_indices(self.mean.shape[1], self.mean.shape[1], device=self.mean.device)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: object) -> None:
        """K is known when the state is: the buffers take the shapes of what is loaded. Whole matrices are read too."""
        packed = state_dict.get(prefix + "whiten")
        rows, columns = self._triangle()
        if packed is not None and packed.ndim == 2 and packed.shape[1] == len(rows):
            whole = packed.new_zeros(len(packed), self.mean.shape[1], self.mean.shape[1])
            whole[:, rows, columns] = packed
            state_dict[prefix + "whiten"] = whole
        for name, buffer in list(self.named_buffers()):
            if (given := state_dict.get(prefix + name)) is not None and given.ndim == buffer.ndim:
                setattr(self, name, buffer.new_empty(given.shape))
        super()._load_from_state_dict(state_dict, prefix, *args)


def speed(latent: int) -> float:
    """Codes times Gaussians that one step of expectation maximisation gets through in a second here, measured in well under one."""
    noise, seconds = torch.randn(1000, latent, generator=torch.Generator().manual_seed(0)), []
    for _ in range(4):
        ends: list[float] = []
        gaussian_mixture.fit(
            noise, 10, added=1.0, seed=0, rounds=3, on_progress=lambda ends=ends: ends.append(time.perf_counter())
        )
        seconds += np.diff(ends).tolist()
    return len(noise) * 10 / min(seconds)
