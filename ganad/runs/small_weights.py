"""Weights in fewer bytes: half precision, and 8 bits a number for the weights of large layers. What scoring needs of a shipped run.

A slice of a layer's weights along their first axis, such as all those of one output, is kept as whole numbers from -127 to 127 and one step:
value = number x step. The steps of the weights `name` lie beside them as `name.step`. Principal directions are kept so too, where there are as many numbers.
Other fitted statistics are not: a covariance is spoilt by 8 bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

LARGE = 20_000
"""Numbers from which on the weights of a layer have 8 bits each."""
IN_8_BITS = (".weight", ".axes")
STEP = ".step"


def shrink(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a scoring state in fewer bytes; vectors and single numbers as they are."""
    small: dict[str, Tensor] = {}
    for name, values in state.items():
        if not values.is_floating_point() or values.ndim < 2:
            small[name] = values
        elif values.numel() < LARGE or not name.endswith(IN_8_BITS):
            small[name] = values.half()
        else:
            step = (values.abs().flatten(1).amax(dim=1) / 127).clamp(min=torch.finfo(torch.float32).tiny)
            small[name] = (values / _along_first(step, values)).round().to(torch.int8)
            small[name + STEP] = step.float()
    return small


def widen(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same in single precision, as nets take them. Raises KeyError where the weights of some steps are missing."""
    wide = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    for name in [k for k in tensors if k.endswith(STEP)]:
        weights = name.removesuffix(STEP)
        wide[weights] = wide[weights].float() * _along_first(wide.pop(name), wide[weights])
    return wide


def _along_first(steps: Tensor, values: Tensor) -> Tensor:
    """Steps (N,) in the shape that multiplies values (N, ...)."""
    return steps.reshape(-1, *[1] * (values.ndim - 1))
