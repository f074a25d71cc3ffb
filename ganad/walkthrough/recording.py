"""Watch nets at work: what they were given, what each of their layers gave, and whose weights a loss changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganad.models import Method
from ganad.models.layers import Dropout
from ganad.walkthrough.scenes import Call, Layer


@dataclass(frozen=True)
class Update:
    """A step of the optimisers of some nets down a loss, which is a mean over the batch."""

    nets: tuple[str, ...]
    loss: float


@dataclass
class Recording:
    """Passes and updates in the order in which they happened."""

    events: list[Call | Update] = field(default_factory=list)

    def calls(self, net: str) -> list[Call]:
        """The passes through one net."""
        return [e for e in self.events if isinstance(e, Call) and e.net == net]

    @property
    def updates(self) -> list[Update]:
        return [e for e in self.events if isinstance(e, Update)]


@contextlib.contextmanager
def record(method: Method, nets: Mapping[str, nn.Module]) -> Iterator[Recording]:
    """Record what `nets` of the method do inside the block with the first image of each batch, and each update.

    nets: name -> module, none inside another. The method computes what it always computes.
    """
    recording = Recording()
    layers: list[Layer] = []
    weights = _Weights()
    hooks = []

    def end_of(net: str) -> Any:
        def note(module: nn.Module, given: tuple[Tensor, ...], made: Tensor | tuple[Tensor, ...]) -> None:
            outputs = made if isinstance(made, tuple) else (made,)
            recording.events.append(
                Call(net, tuple(map(_first, given)), tuple(map(_first, outputs)), tuple(layers)),
            )
            layers.clear()

        return note

    def layer(module: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> None:
        layers.append(Layer(layer_name(module), _first(made), _window(module), *weights.of(module, given[0])))

    for name, net in nets.items():
        for module in net.modules():
            if not list(module.children()) and not _does_nothing(module):
                hooks.append(module.register_forward_hook(layer))
        hooks.append(net.register_forward_hook(end_of(name)))
    update = method.update

    def noted(loss: Tensor, *names: str, again: bool = False) -> None:
        update(loss, *names, again=again)
        recording.events.append(Update(names, float(loss.detach())))

    method.update = noted
    try:
        yield recording
    finally:
        del method.update
        for hook in hooks:
            hook.remove()


def _does_nothing(module: nn.Module) -> bool:
    return isinstance(module, nn.Identity | nn.Flatten | nn.Unflatten) or (
        isinstance(module, Dropout) and not module.share
    )


def layer_name(module: nn.Module) -> str:
    """What a layer is, in words."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        kind = "Transposed convolution" if isinstance(module, nn.ConvTranspose2d) else "Convolution"
        size, stride = module.kernel_size[0], module.stride[0]
        return f"{kind} {size}×{size}" + (f", stride {stride}" if stride > 1 else "")
    if isinstance(module, nn.LeakyReLU):
        return f"Leaky ReLU, slope {module.negative_slope:g}"
    if isinstance(module, Dropout):
        return f"Dropout {module.share:g}"
    names = {
        nn.Linear: "Linear layer", nn.BatchNorm1d: "Batch norm", nn.BatchNorm2d: "Batch norm", nn.LayerNorm: "Layer norm", nn.ReLU: "ReLU",
        nn.Tanh: "tanh", nn.Upsample: "Upsampling", nn.AvgPool2d: "Average pooling",
    }  # fmt: skip
    return names.get(type(module), type(module).__name__)


def _window(module: nn.Module) -> tuple[int, int, int] | None:
    if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return None
    sign = -1 if isinstance(module, nn.ConvTranspose2d) else 1
    return module.kernel_size[0], sign * module.stride[0], module.padding[0]


class _Weights:
    """What a layer was given, its weight and its bias: copies, since a step changes weights where they lie; one copy while they are the same."""

    def __init__(self) -> None:
        self._copies: dict[int, np.ndarray] = {}

    def of(self, module: nn.Module, given: Tensor) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
        if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            return None, None, None
        weight = module.weight.transpose(0, 1) if isinstance(module, nn.ConvTranspose2d) else module.weight
        bias = None if module.bias is None else self._copy(module.bias, module.bias)
        return _first(given), self._copy(module.weight, weight), bias

    def _copy(self, parameter: Tensor, seen: Tensor) -> np.ndarray:
        now = seen.detach().float().cpu().contiguous().numpy()
        if not np.array_equal(self._copies.get(id(parameter)), now):
            self._copies[id(parameter)] = now.copy()
        return self._copies[id(parameter)]


def _first(x: Tensor) -> np.ndarray:
    """Of the first image, copied: later layers may write into the tensor itself."""
    return x.detach()[0].float().cpu().clone().contiguous().numpy()


def standing_still(method: Method) -> Method:
    """The method with the weights that score also in the nets that train, so that one more step can be taken; its images are not varied."""
    if method.settings.ema_decay > 0:
        method.nets.load_state_dict(method.averaged.state_dict())
    method.settings = method.settings.model_copy(update={"augment_share": 0.0})
    method.nets.requires_grad_(True)
    return method.float()


def noise(seed: int) -> torch.Generator:
    """The random numbers of the recorded step: the same at each look."""
    return torch.Generator().manual_seed(seed)
