"""A mixture of Gaussians with full covariances, fitted by expectation maximisation: scikit-learn's `GaussianMixture`, in less time.

scikit-learn looks at every code for every Gaussian in both halves of a step, and takes one half more where the steps are
taken one by one, as they must be for a fit that can be stopped: then it takes 2.4 times as long (docs/performance.md). But a code of a hundred numbers belongs to one Gaussian, or to two:
here a Gaussian is made of the codes that have a share in it, which is what the others would not change. Same start (k-means),
same formulas, same end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

NO_SHARE = 1e-6
"""A code whose probability of belonging to a Gaussian is less has no share in it."""
RESTS = 1e-3
"""The fit ends when a step makes a code likelier by less than so many nats on average: scikit-learn's default."""


@dataclass(frozen=True)
class GaussianMixture:
    """K Gaussians in d dimensions, float32."""

    weight: Tensor
    """(K,) their shares; they add up to 1."""
    mean: Tensor
    """(K, d)"""
    whiten: Tensor
    """(K, d, d) upper triangular: times its transpose it is the inverse of the covariance."""

    @property
    def log_weight(self) -> Tensor:
        """(K,) the log density of each Gaussian at its mean, times its share: log πₖ + log det Lₖ - d/2 log 2π."""
        log_det = self.whiten.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        return self.weight.log() + log_det - self.mean.shape[1] / 2 * math.log(2 * math.pi)

    def log_joint(self, codes: Tensor) -> Tensor:
        """codes (N, d) -> (N, K): log of the density of a code together with the Gaussian that it comes from."""
        squared = [
            (codes @ axes - mean @ axes).square().sum(dim=1) for mean, axes in zip(self.mean, self.whiten, strict=True)
        ]
        return self.log_weight - torch.stack(squared, dim=1) / 2

    def log_density(self, codes: Tensor) -> Tensor:
        """codes (N, d) -> (N,) log p."""
        return self.log_joint(codes).logsumexp(dim=1)


@torch.no_grad()
def fit(
    codes: Tensor,
    count: int,
    *,
    added: float,
    seed: int,
    rounds: int,
    on_progress: Callable[[], None] = lambda: None,
) -> GaussianMixture:
    """A mixture of `count` Gaussians for codes (N, d) float32, on the CPU.

    added: to each variance. rounds: steps at most. on_progress is called after each; an error that it raises ends the fit.
    """
    mixture, before = _maximised(codes, _start(codes, count, seed), added), -math.inf
    for _ in range(rounds):
        joint = mixture.log_joint(codes)
        log_density = joint.logsumexp(dim=1)
        mixture = _maximised(codes, (joint - log_density[:, None]).exp(), added)
        on_progress()
        reached = log_density.double().mean().item()
        if abs(reached - before) < RESTS:
            break
        before = reached
    return mixture


def _start(codes: Tensor, count: int, seed: int) -> Tensor:
    """(N, count): each code belongs to its nearest of so many means."""
    from sklearn.cluster import KMeans

    # Matrices this small are slower on many threads, the more so where another process wants a core.
    with threadpool_limits(torch.get_num_threads()):
        nearest = KMeans(count, n_init=1, random_state=seed).fit(codes.numpy()).labels_
    return torch.eye(count)[torch.from_numpy(nearest.astype(np.int64))]


def _maximised(codes: Tensor, share: Tensor, added: float) -> GaussianMixture:
    """The Gaussians that are likeliest when each code belongs to them by so much: share (N, K), rows that add up to 1."""
    size = share.sum(dim=0) + 10 * torch.finfo(share.dtype).eps
    mean = (share.T @ codes) / size[:, None]
    covariance = torch.empty(len(size), codes.shape[1], codes.shape[1])
    for k in range(len(size)):
        own = (share[:, k] > NO_SHARE).nonzero()[:, 0]
        off = codes[own] - mean[k]
        covariance[k] = (off * share[own, k, None]).T @ off / size[k]
    covariance.diagonal(dim1=1, dim2=2).add_(added)
    ones = torch.eye(codes.shape[1]).expand_as(covariance)
    whiten = torch.linalg.solve_triangular(torch.linalg.cholesky(covariance), ones, upper=False).mT.contiguous()
    return GaussianMixture(size / size.sum(), mean, whiten)
