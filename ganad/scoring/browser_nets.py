"""The nets that judge, in one compact file for a browser: their scoring program, and weights in half precision.

The file: the length of a header in bytes (uint32, little endian), the header (JSON, UTF-8), then the numbers that the header
points into. A tensor is {"at": bytes from the end of the header, "length": numbers, "half": bool}; half means float16, else float32.
Batch norms are folded. Weights lie as the browser reads them, channels last:

conv     (o, k, k, i)      deconv   (k, k, o, i)      linear   (o, i)

Half precision moves a score by 0.3 % at most (1,500 test images under six shipped runs); what is added or exponentiated, such
as biases and the weights of a mixture, stays in single precision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganad.models import Method, looks
from ganad.models.density import CodeDensity
from ganad.models.layers import Dropout
from ganad.models.principal_density import PrincipalDensity
from ganad.models.scoring_program import ScoringProgram
from ganad.models.transforms import ASKED, SURE, TransformError, matrices

MOST_MULTIPLICATIONS = 40_000_000
"""Of one image's pass. The tuned presets take 6 to 12 million; more than this would make a hand wait for its verdict."""
MOST_FILTERS = 32
"""Of a generator that draws some thirty pictures for each move."""
SIZES = (28, 32)
"""Sides of the nets' input that a browser can make of a 28x28 picture by padding."""


class _File:
    """Numbers that are laid one after the other, and where each tensor begins."""

    def __init__(self) -> None:
        self.content = bytearray()

    def put(self, tensor: Tensor, *, half: bool) -> dict[str, Any]:
        values = tensor.detach().cpu().float().numpy().astype("<f2" if half else "<f4")
        at = len(self.content)
        self.content += values.tobytes()
        self.content += bytes(-len(self.content) % 4)
        return {"at": at, "length": int(values.size), "half": half}


def pack(method: Method) -> bytes | None:
    """The file of a method; None where a browser cannot or should not judge: a search, an input of 64x64, a large net, a part without steps."""
    folded = method.eval().folded()
    program = folded.scoring_program()
    if program is None or method.settings.image_size not in SIZES or multiplications(folded) > MOST_MULTIPLICATIONS:
        return None
    if not {*method.settings.parts, "reconstruction"} <= {step.output for step in program.steps}:
        return None
    return _packed(folded, program, method.settings.parts)


def pack_generator(method: Method) -> bytes | None:
    """The file of a method's generator alone, which draws codes; None where it is too large for a browser."""
    folded = method.eval().folded()
    if method.settings.image_size not in SIZES or method.settings.filters > MOST_FILTERS:
        return None
    return _packed(folded, folded.drawing_program(), ())


def _packed(folded: Method, program: ScoringProgram, parts: Sequence[str]) -> bytes | None:
    file = _File()
    try:
        nets = {name: list(_layers(net, file)) for name, net in program.nets.items()}
    except NotImplementedError:
        return None
    header = {
        "size": folded.settings.image_size,
        "parts": list(parts),
        "nets": nets,
        "steps": [step._asdict() for step in program.steps],
        "statistics": _statistics(folded, file) if parts else None,
        "features": _along_axes(folded.features, file) if parts else None,
        "encoded": _along_axes(folded.encoded, file) if parts else None,
        "transforms": _transforms(folded.transforms, file) if parts else None,
        "looks": [looks.matrix(angle).flatten().tolist() for angle in looks.turns(folded.settings.further_looks)],
        "lowest": [part for part in parts if part in looks.LOWEST],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return len(text).to_bytes(4, "little") + text + bytes(file.content)


@torch.no_grad()
def multiplications(method: Method) -> int:
    """How many numbers the layers multiply to score one image."""
    device = next(method.parameters()).device
    side = method.settings.image_size
    with FlopCounterMode(display=False) as counted:
        method.parts(torch.zeros(1, 1, side, side, device=device))
    return counted.get_total_flops() // 2


def _layers(net: nn.Module, file: _File) -> Iterator[dict[str, Any]]:
    """What a net does, layer by layer. Raises NotImplementedError for a kind of layer that the browser does not know."""
    match net:
        case nn.Sequential():
            for layer in net:
                yield from _layers(layer, file)
        case nn.Conv2d():
            yield _convolution("conv", net, net.weight.permute(0, 2, 3, 1), file)
        case nn.ConvTranspose2d():
            yield _convolution("deconv", net, net.weight.permute(2, 3, 1, 0), file)
        case nn.Linear():
            yield {"kind": "linear", "in": net.in_features, "out": net.out_features, **_weights(net, net.weight, file)}
        case nn.LeakyReLU():
            yield {"kind": "leaky_relu", "slope": net.negative_slope}
        case nn.ReLU():
            yield {"kind": "leaky_relu", "slope": 0.0}
        case nn.AvgPool2d():
            yield {"kind": "average_pool", "kernel": net.kernel_size}
        case nn.Tanh():
            yield {"kind": "tanh"}
        case nn.Flatten():
            yield {"kind": "flatten"}
        case nn.Unflatten():
            yield {"kind": "unflatten", "shape": list(net.unflattened_size)}
        case nn.Identity() | Dropout():
            pass
        case _:
            raise NotImplementedError(type(net).__name__)


def _convolution(kind: str, layer: nn.Conv2d | nn.ConvTranspose2d, weight: Tensor, file: _File) -> dict[str, Any]:
    return {
        "kind": kind,
        "in": layer.in_channels,
        "out": layer.out_channels,
        "kernel": layer.kernel_size[0],
        "stride": layer.stride[0],
        "padding": layer.padding[0],
        **_weights(layer, weight, file),
    }


def _weights(layer: Any, weight: Tensor, file: _File) -> dict[str, Any]:
    bias = None if layer.bias is None else file.put(layer.bias, half=False)
    return {"weight": file.put(weight, half=True), "bias": bias}


def _statistics(method: Method, file: _File) -> dict[str, Any] | None:
    """What `Method.latent_part` adds: the mixture of codes, typicality, and the mixture of residuals where there is one."""
    if method.density is None:
        return None
    typicality = method.typicality
    return {
        "codes": _mixture(method.density, file),
        "residuals": _along_axes(method.residuals, file),
        "usual": typicality.mean.tolist(),
        "usual_whiten": typicality.whiten.flatten().tolist(),
        "usual_unit": float(typicality.unit),
    }


def _along_axes(density: PrincipalDensity | None, file: _File) -> dict[str, Any] | None:
    """A mixture in the first principal directions; `axes` one after the other."""
    if density is None:
        return None
    return {"axes": file.put(density.axes.T, half=False), **_mixture(density.mixture, file)}


def _transforms(error: TransformError | None, file: _File) -> dict[str, Any] | None:
    """What tells maps apart, and those that are asked for: their numbers and matrices, row by row."""
    if error is None or not error.is_fitted:
        return None
    return {
        "layers": [*_layers(error.see, file), *_layers(error.guess, file)],
        "maps": [(which, matrices()[which].flatten().tolist()) for which in ASKED],
        "sure": SURE,
        "unit": float(error.unit),
    }


def _mixture(density: CodeDensity, file: _File) -> dict[str, Any]:
    """`whiten` holds each matrix row by row from its diagonal on."""
    state = density.state_dict()
    return {
        "length": density.mean.shape[1],
        "log_weight": file.put(state["log_weight"], half=False),
        "mean": file.put(state["mean"], half=False),
        "whiten": file.put(state["whiten"], half=True),
        "likeliest": float(state["likeliest"]),
        "unit": float(state["unit"]),
    }
