"""The loop: a generator of steps. It knows no method, no file and no screen; its caller logs, saves and stops.

The random numbers of step k depend on the seed and on k alone, and the order of the images on the seed and the epoch.
So a run that is resumed at step k goes on with the very numbers of one that was never interrupted.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganad.errors import GanadError
from ganad.models import Method
from ganad.scoring.score import to_input
from ganad.training.length import steps_per_epoch


class Step(NamedTuple):
    """One update of all players, just done."""

    number: int  # 1 to total
    epoch: int  # 1 to epochs
    scalars: dict[str, float]
    images: int
    ends_epoch: bool


def train(
    method: Method,
    images: np.ndarray,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    size: int,
    precision: str = "float32",
    start: int = 0,
    on_epoch: Callable[[int, bool], None] = lambda epoch, begins: None,
) -> Iterator[Step]:
    """Yield after every step; the caller stops by breaking out.

    images: (N, 28, 28) uint8, normal images only. size: side of the image that the nets see.
    precision: float32 or bf16.
    start: steps already done, when resuming.
    on_epoch: called before the first step of each epoch, counted from 1, with True; and with False before the first step of all
    where that is in the middle of an epoch. It may steer the method.
    Raises GanadError when a loss stops being finite.
    """
    device = next(method.parameters()).device
    per_epoch = steps_per_epoch(len(images), batch_size)
    x_all = to_input(images, size, device)
    if precision == "bf16" or device.type == "cpu":
        # Channels last in memory: a step of the shipped presets takes 0.85 to 0.92 of the time on a CPU.
        x_all = x_all.contiguous(memory_format=torch.channels_last)
        method.lay_channels_last()
    rng = torch.Generator(device=device)
    method.train()
    for number in range(start + 1, epochs * per_epoch + 1):
        epoch, k = divmod(number - 1, per_epoch)
        if k == 0 or number == start + 1:
            order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(images))).to(device)
            on_epoch(epoch + 1, k == 0)
        x = x_all[order[k * batch_size : (k + 1) * batch_size]]
        rng.manual_seed(_mix(seed, number))
        method.set_progress((number - 1) / (epochs * per_epoch))
        with autocast(device, precision):
            scalars = {name: float(value) for name, value in method.step(x, rng).items()}
        check_finite(scalars, number)
        yield Step(number, epoch + 1, scalars, len(x), k + 1 == per_epoch)


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager:
    """Layers in bfloat16, losses in float32; or everything in float32."""
    if precision == "bf16":
        return torch.autocast(device_type=device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def check_finite(scalars: dict[str, float | Tensor], number: int) -> None:
    """Raises GanadError naming the losses that are no longer finite."""
    if bad := [name for name, value in scalars.items() if not math.isfinite(value)]:
        raise GanadError(
            f"{', '.join(bad)} stopped being finite at step {number}: the players ran away from each other. "
            "Try a smaller lr, or precision=float32."
        )


def _mix(seed: int, number: int) -> int:
    """A seed for step `number` of run `seed`: far apart for neighbours, equal for equals."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0] >> 1)
