"""How unlikely a code is among those of normal images: a mixture of Gaussians, fitted once when the training is over.

A code may be reconstructed well and still lie where no normal image lies; the distance of two codes does not see that. The
density of codes as an anomaly score: Zong et al. 2018 (DAGMM, ICLR), there trained together with the encoder, here fitted
after it, so that the training is that of the paper.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from ganad.config.mixtures import tried
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
        codes, others = codes.astype(np.float32), others.astype(np.float32)
        best, likelihood = None, -math.inf
        for count in tried(len(codes)):
            mixture = _mixture(codes, count, seed, on_progress)
            if (reached := mixture.score(others)) <= likelihood:
                break  # more Gaussians than that only learn the codes by heart
            best, likelihood = mixture, reached
        device, latent = self.mean.device, codes.shape[1]
        log_det = np.log(np.diagonal(best.precisions_cholesky_, axis1=1, axis2=2), dtype=np.float64).sum(axis=1)
        surprise = -best.score_samples(others).astype(np.float64)

        def tensor(values: np.ndarray | float) -> Tensor:
            return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=device)

        self.log_weight = tensor(np.log(best.weights_) + log_det - latent / 2 * math.log(2 * math.pi))
        self.mean, self.whiten = tensor(best.means_), tensor(best.precisions_cholesky_)
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
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    noise, seconds = np.random.default_rng(0).normal(size=(1000, latent)).astype(np.float32), []
    mixture = GaussianMixture(10, reg_covar=1.0, init_params="random", random_state=0, tol=0.0, max_iter=2)
    with warnings.catch_warnings(), threadpool_limits(torch.get_num_threads()):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(3):
            began = time.perf_counter()
            mixture.fit(noise)
            seconds.append(time.perf_counter() - began)
    # Half a step at the beginning, two, and half a one at the end.
    return 3 * len(noise) * 10 / min(seconds)


def _mixture(codes: np.ndarray, count: int, seed: int, on_progress: Callable[[], None]):
    """A fitted sklearn GaussianMixture of so many Gaussians with full covariances."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    smallest = SMALLEST_VARIANCE * float(codes.var(axis=0).mean()) or SMALLEST_VARIANCE
    mixture = GaussianMixture(count, reg_covar=smallest, random_state=seed, max_iter=1, warm_start=True)
    before = -math.inf
    for _ in range(ROUNDS):
        # Matrices this small are slower on many threads, the more so where another process wants a core.
        with warnings.catch_warnings(), threadpool_limits(torch.get_num_threads()):
            warnings.simplefilter("ignore", ConvergenceWarning)  # one round at a time never converges
            mixture.fit(codes)
        on_progress()
        if mixture.lower_bound_ - before < mixture.tol:
            break
        before = mixture.lower_bound_
    return mixture
