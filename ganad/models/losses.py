"""The losses of the papers, from logits and in float32, and the differences that scores are made of.

PyTorch's own cross-entropy and squared loss are not used: the last digit of their gradients differs, and a run that was
begun with these must go on with the same numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, softplus


def at_least_float32(x: Tensor) -> Tensor:
    """At least float32: sums over many pixels lose too much in half precision."""
    return x if x.dtype == torch.float64 else x.float()


def bce_real(logits: Tensor) -> Tensor:
    """Binary cross-entropy of calling these real: mean of -log sigmoid(logit), >= 0; ln 2 = cannot tell."""
    return softplus(-at_least_float32(logits)).mean()


def bce_fake(logits: Tensor) -> Tensor:
    """Binary cross-entropy of calling these fake: mean of -log(1 - sigmoid(logit)), >= 0; ln 2 = cannot tell."""
    return softplus(at_least_float32(logits)).mean()


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference over everything."""
    return l1_loss(at_least_float32(a), at_least_float32(b))


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference over everything."""
    return (at_least_float32(a) - at_least_float32(b)).square().mean()


def sum_abs(a: Tensor, b: Tensor) -> Tensor:
    """(B,) sum of the absolute differences of each image."""
    return (at_least_float32(a) - at_least_float32(b)).abs().flatten(1).sum(1)


def mean_square(a: Tensor, b: Tensor) -> Tensor:
    """(B,) mean of the squared differences of each image."""
    return (at_least_float32(a) - at_least_float32(b)).square().flatten(1).mean(1)
