"""An image looked at three times: as it is, and turned a little to either side.

The discrimination part and the latent part of a score are then each the lowest of the three: an image is as strange as it is in its most
usual stance. That a test image is varied and what is said of its variants is put together is common (ten crops and mirror images,
averaged: Krizhevsky et al. 2012); here the lowest counts and not the mean, since what normal images look like is known and what
anomalies look like is not (docs/choices/looks.md compares the two). The turned image is made by cubic convolution (Keys 1981, a = -0.75 as in
PyTorch), since linear interpolation smooths it more. Smooth images seem more usual to the nets, so looks that smooth are kinder to
MNIST's sharp images, by which the threshold is set, than to what people draw and photograph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

LOWEST = ("discrimination", "latent")
"""Parts that are the lowest of all looks. The residual part is that of the image as it is, whose pixels it adds up."""


def turns(degrees: float) -> tuple[float, ...]:
    """The angles of the further looks."""
    return (degrees, -degrees) if degrees else ()


def matrix(degrees: float, scale: float = 1.0, shear: float = 0.0) -> Tensor:
    """(2, 3): where in the image, from -1 to 1 either way, a pixel of the turned, scaled and sheared image comes from."""
    cos, sin = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    return torch.tensor([[cos, shear - sin, 0.0], [sin, cos, 0.0]])


def further_looks(x: Tensor, degrees: float) -> Iterator[Tensor]:
    """x (B, 1, S, S) in [-1, 1] turned to the one side and to the other; nothing for 0 degrees."""
    for angle in turns(degrees):
        yield mapped(x, matrix(angle).to(x).expand(len(x), 2, 3), "bicubic").clamp(-1, 1)


def mapped(x: Tensor, matrices: Tensor, between: Literal["bilinear", "bicubic"] = "bilinear") -> Tensor:
    """x (B, 1, S, S) in [-1, 1], each image by its matrix (B, 2, 3); what comes in from outside is -1.

    between: how pixels are interpolated. "bicubic" keeps edges sharper and can go a little beyond [-1, 1] beside them.
    """
    if not len(x):
        return x  # PyTorch samples no empty batch
    grid = affine_grid(matrices, list(x.shape), align_corners=False)
    return grid_sample(x + 1, grid, mode=between, align_corners=False) - 1
