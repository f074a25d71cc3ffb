"""Weights in fewer bytes: half precision, and 8 bits a number for large linear layers. What scoring needs of a shipped run.

A row of a linear layer's weights (one output's) is kept as whole numbers from -127 to 127 and one step: value = number x step. The steps
of the weights `name` lie beside them as `name.step`.
"""

from __future__ import annotations

import torch
from torch import Tensor

LARGE = 20_000
"""Numbers from which on the weights of a linear layer have 8 bits each."""
STEP = ".step"


def shrink(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a scoring state in fewer bytes; vectors and single numbers as they are."""
    small: dict[str, Tensor] = {}
    for name, values in state.items():
        if values.is_floating_point() and values.ndim == 2 and values.numel() >= LARGE:
            step = (values.abs().amax(dim=1) / 127).clamp(min=torch.finfo(torch.float32).tiny)
            small[name] = (values / step[:, None]).round().to(torch.int8)
            small[name + STEP] = step.float()
        else:
            small[name] = values.half() if values.is_floating_point() and values.ndim > 1 else values
    return small


def widen(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same in single precision, as nets take them. Raises KeyError where the weights of some steps are missing."""
    wide = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    for name in [k for k in tensors if k.endswith(STEP)]:
        weights = name.removesuffix(STEP)
        wide[weights] = wide[weights].float() * wide.pop(name)[:, None]
    return wide
