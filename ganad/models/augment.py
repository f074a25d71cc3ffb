"""Training images varied as handwriting varies: moved, turned, enlarged, drawn with another pen.

A detector of MNIST's digits is asked about a user's, which were written and prepared elsewhere. Turns and sizes are those of
Simard et al. 2003 ("Best practices for convolutional neural networks applied to visual document analysis", ICDAR), without
elastic bending; another pen is a mixture of an image and its dilation or erosion by 3 x 3 pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganad.config import Settings

FURTHER = 1.5
"""So many times as far images are turned where the transforms are learned, so that a digit that is written askew is no transformed one."""


def augmented(x: Tensor, settings: Settings, rng: torch.Generator) -> Tensor:
    """x (B, 1, S, S) in [-1, 1], a share of its images varied as the settings ask; x itself where they ask for nothing.

    Each image draws its own numbers from rng, uniformly: `augment` is the largest shift in pixels, `augment_turn` the largest
    angle in degrees, `augment_scale` the largest change of the size, `augment_stroke` the largest share of the wider (or
    thinner) image.
    """
    s = settings
    if not s.augment_share or not any((s.augment, s.augment_turn, s.augment_scale, s.augment_stroke)):
        return x
    varied = _moved(x, s.augment, s.augment_turn, s.augment_scale, rng)
    if s.augment_stroke:
        varied = _redrawn(varied, s.augment_stroke * _uniform(len(x), rng))
    if s.augment_share < 1:
        chosen = torch.rand(len(x), generator=rng, device=x.device) < s.augment_share
        varied = torch.where(chosen[:, None, None, None], varied, x)
    return varied


def all_varied(settings: Settings) -> Settings:
    """Settings by which `augmented` varies what the transform error is learned from: every image, and turned further.

    `augment_share` says how many the nets of a game see varied; 0 varies none for them, and still all for this.
    """
    return settings.model_copy(update={"augment_share": 1.0, "augment_turn": FURTHER * settings.augment_turn})


def _uniform(n: int, rng: torch.Generator, columns: int | None = None) -> Tensor:
    """(n,) or (n, columns) numbers between -1 and 1."""
    shape = (n,) if columns is None else (n, columns)
    return torch.rand(shape, generator=rng, device=rng.device) * 2 - 1


def _moved(x: Tensor, shift: float, degrees: float, scale: float, rng: torch.Generator) -> Tensor:
    """Shifted, turned about the centre and enlarged in one go, bilinear; what comes in from outside is background, -1."""
    size = x.shape[-1]
    theta = torch.zeros((len(x), 2, 3), device=x.device)
    theta[:, :, 2] = _uniform(len(x), rng, 2) * (2 * shift / size)
    if degrees or scale:
        angle = _uniform(len(x), rng) * math.radians(degrees)
        factor = 1 + _uniform(len(x), rng) * scale
        cos, sin = angle.cos() / factor, angle.sin() / factor
        theta[:, 0, 0], theta[:, 0, 1], theta[:, 1, 0], theta[:, 1, 1] = cos, -sin, sin, cos
    else:
        theta[:, 0, 0] = theta[:, 1, 1] = 1
    grid = nn.functional.affine_grid(theta, list(x.shape), align_corners=False)
    return nn.functional.grid_sample(x + 1, grid, align_corners=False) - 1


def _redrawn(x: Tensor, by: Tensor) -> Tensor:
    """Strokes wider (by > 0) or thinner (by < 0): the share |by| (B,) of the image's dilation or erosion by 3 x 3 pixels."""
    share = by.abs()[:, None, None, None]
    # Thinner is wider with signs exchanged, so that each image is widened once.
    sign = torch.where(by > 0, 1.0, -1.0)[:, None, None, None]
    return torch.lerp(x, sign * _widest(_widest(sign * x, 2), 3), share)


def _widest(x: Tensor, axis: int) -> Tensor:
    """The largest of each pixel and its two neighbours along one axis: a tenth of the time of max_pool2d, which notes where it was."""
    n, widest = x.shape[axis] - 1, x.clone()
    left, right = x.narrow(axis, 0, n), x.narrow(axis, 1, n)
    widest.narrow(axis, 0, n).copy_(torch.maximum(left, right))
    widest.narrow(axis, 1, n).copy_(torch.maximum(widest.narrow(axis, 1, n), left))
    return widest
