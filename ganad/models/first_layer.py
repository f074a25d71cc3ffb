"""What the first layer of a net sees, averaged over regions of the image: over its quarters, and over its ninths.

A first layer answers to strokes and edges of one direction each; how much of them there is where, a normal class has in its own way.
Averages over grids of several sizes: Lazebnik et al. 2006 ("Beyond bags of features: spatial pyramid matching", CVPR), in nets He et al.
2014 (arXiv:1406.4729).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

SIDES = (2, 3)
"""Regions along either side of the image, in each of the grids."""
REGIONS = sum(side**2 for side in SIDES)
"""Regions of all grids together."""


def averages(layers: nn.Sequential, x: Tensor) -> Tensor:
    """(B, 13 f): the averages of the f maps of the first layer, its activation included, of x (B, 1, S, S).

    layers: of a discriminator; a region of three to a side reaches a little into the next where three does not divide the maps' side.
    """
    maps = layers[: 1 + next(i for i, layer in enumerate(layers) if isinstance(layer, nn.LeakyReLU))](x)
    return torch.cat([adaptive_avg_pool2d(maps, side).flatten(1) for side in SIDES], dim=1)
