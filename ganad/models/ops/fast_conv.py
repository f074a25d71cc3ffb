"""Convolutions that train fast in bfloat16 on a CPU; everywhere else they are PyTorch's own.

PyTorch is slow there for three kinds of layers. Each has a form that is fast and gives the same numbers:
- an image of one pixel on one side: one matrix product;
- one channel on one side: the four pixels of each 2x2 square become four channels, which makes a 4x4 kernel of stride 2
  a 2x2 kernel of stride 1;
- many weights and small images: the gradient of the weight is one matrix product over the patches of the input.

A patch is the part of the input that one output pixel depends on: k · k · C numbers. Images lie in memory with their
channels last. All gradients can be differentiated again, as a gradient penalty does.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F

MANY_WEIGHTS = 2**18
"""A layer of so many weights or more finds their gradient by patches. Measured; with fewer PyTorch's own is as fast."""


class Conv(nn.Conv2d):
    """nn.Conv2d with a square kernel, stride and padding."""

    fast_in_float32 = False
    """True in a net that only scores: the fast forms are used in float32 too, where they round differently."""

    def forward(self, x: Tensor) -> Tensor:
        bf16 = _in_bf16(x)
        if not (bf16 or self.fast_in_float32):
            return super().forward(x)
        w, bias, shape = self.weight, self.bias, (self.kernel_size[0], self.stride[0], self.padding[0])
        if x.shape[-1] == shape[0] and shape[2] == 0:
            return F.linear(_matrix(x), _matrix(w), bias)[:, :, None, None]
        if bf16 and w.shape[1] == 1 and shape == (4, 2, 1) and x.shape[-1] % 2 == 0:
            squares = F.pixel_unshuffle(F.pad(x.bfloat16(), (1, 1, 1, 1)), 2)
            return F.conv2d(squares.contiguous(memory_format=torch.channels_last), F.pixel_unshuffle(w, 2), bias)
        if bf16 and w.numel() >= MANY_WEIGHTS:
            return PatchConv.apply(x.bfloat16(), w.bfloat16(), bias, shape, id(w))
        return super().forward(x)


class Deconv(nn.ConvTranspose2d):
    """nn.ConvTranspose2d with a square kernel, stride and padding."""

    fast_in_float32 = False
    """As in `Conv`."""

    def forward(self, x: Tensor) -> Tensor:
        bf16 = _in_bf16(x)
        if not (bf16 or self.fast_in_float32):
            return super().forward(x)
        w, bias, shape = self.weight, self.bias, (self.kernel_size[0], self.stride[0], self.padding[0])
        if x.shape[-1] == 1 and shape[2] == 0:
            y = F.linear(x.flatten(1), _matrix(w).t()).view(len(x), shape[0], shape[0], -1).permute(0, 3, 1, 2)
            return y if bias is None else y + bias.to(y.dtype)[:, None, None]
        if w.shape[1] == 1 and shape == (4, 2, 1):
            y = F.conv_transpose2d(x, F.pixel_unshuffle(w, 2), None if bias is None else bias.expand(4))
            return F.pixel_shuffle(y, 2)[:, :, 1:-1, 1:-1]
        if bf16 and w.numel() >= MANY_WEIGHTS:
            return PatchDeconv.apply(x.bfloat16(), w.bfloat16(), bias, shape, id(w))
        return super().forward(x)


def _in_bf16(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") == torch.bfloat16
    )


def _rows(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B · H · W, C)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _matrix(w: Tensor) -> Tensor:
    """(O, C, k, k) -> (O, k · k · C)."""
    return w.permute(0, 2, 3, 1).reshape(len(w), -1)


def _patches(x: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """(B, C, H, W) -> (B · H' · W', k · k · C), a row for each output pixel. F.unfold takes 7 times as long or more."""
    k, stride, padding = shape
    x = F.pad(x, (padding,) * 4).permute(0, 2, 3, 1).contiguous()
    windows = x.unfold(1, k, stride).unfold(2, k, stride)  # (B, H', W', C, k, k)
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, k * k * x.shape[-1])


def _weight_gradient(x: Tensor, y: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """The gradient of a weight (O, C, k, k) between x (B, C, H, W) and y (B, O, H', W'): one is a value, one a gradient."""
    k = shape[0]
    return (_rows(y).t() @ _patches(x, shape)).view(y.shape[1], k, k, x.shape[1]).permute(0, 3, 1, 2)


class _Wanted(threading.local):
    """Each thread has its own: on a CPU, gradients are computed in the thread that asked for them."""

    parameters: set[int] | None = None


_wanted = _Wanted()


@contextlib.contextmanager
def gradients_of(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Inside, only these parameters get a gradient from a layer by patches: autograd does not tell a Function which it needs."""
    before, _wanted.parameters = _wanted.parameters, {id(p) for p in parameters}
    try:
        yield
    finally:
        _wanted.parameters = before


class PatchConv(Function):
    """A convolution that finds the gradient of its weight by patches.

    shape: kernel, stride, padding; parameter: the id of the parameter that w is a copy of, in another number format.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, bias: Tensor | None, shape: tuple[int, int, int], parameter: int):
        ctx.save_for_backward(x, w)
        ctx.shape, ctx.parameter = shape, parameter
        return F.conv2d(x, w, None if bias is None else bias.to(x.dtype), *shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, w = ctx.saved_tensors
        k, stride, padding = ctx.shape
        left_out = x.shape[-1] - ((grad.shape[-1] - 1) * stride - 2 * padding + k)  # last rows that no kernel reaches
        grad_x = F.conv_transpose2d(grad, w, None, stride, padding, left_out) if ctx.needs_input_grad[0] else None
        return grad_x, *_parameter_gradients(ctx, x, grad, grad), None, None


class PatchDeconv(Function):
    """A transposed convolution that finds the gradient of its weight by patches; shape and parameter as in `PatchConv`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, bias: Tensor | None, shape: tuple[int, int, int], parameter: int):
        ctx.save_for_backward(x, w)
        ctx.shape, ctx.parameter = shape, parameter
        return F.conv_transpose2d(x, w, None if bias is None else bias.to(x.dtype), *shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, w = ctx.saved_tensors
        grad_x = F.conv2d(grad, w, None, *ctx.shape[1:]) if ctx.needs_input_grad[0] else None
        return grad_x, *_parameter_gradients(ctx, grad, x, grad), None, None


def _parameter_gradients(ctx: Any, x: Tensor, y: Tensor, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """The gradients of weight and bias, each only where it is needed; x and y as in `_weight_gradient`."""
    _, weight, bias, *_ = ctx.needs_input_grad
    wanted = _wanted.parameters is None or ctx.parameter in _wanted.parameters
    at_least_float32 = torch.promote_types(grad.dtype, torch.float32)
    return (
        _weight_gradient(x, y, ctx.shape) if weight and wanted else None,
        _rows(grad).sum(0, dtype=at_least_float32) if bias and wanted else None,
    )
