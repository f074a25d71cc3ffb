"""Convolutions that train fast in bfloat16 on a CPU; everywhere else they are PyTorch's own.

PyTorch is slow there for three kinds of layers, each of which can be computed as another operation with the same result:
- a kernel as large as the image (or the other way round, from one pixel): one matrix product;
- one channel in or out, 4x4 kernel, stride 2: each 2x2 square of pixels becomes four channels, and the kernel a 2x2 of stride 1;
- many weights and small images: the gradient of the weight is one matrix product over the patches of the input.

A patch is what one output pixel sees: k · k · C numbers. Images lie in memory with their channels last.
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

WIDE = 2**18
"""From so many weights on, their gradient is a matrix product here. Measured; below it PyTorch's own is as fast."""


class Conv(nn.Conv2d):
    """nn.Conv2d with a square kernel, stride and padding. free: the fast ways are taken in float32 too, which round differently."""

    free = False

    def forward(self, x: Tensor) -> Tensor:
        bf16 = _in_bf16(x)
        if not (bf16 or self.free):
            return super().forward(x)
        w, bias, shape = self.weight, self.bias, (self.kernel_size[0], self.stride[0], self.padding[0])
        if x.shape[-1] == shape[0] and shape[2] == 0:
            return F.linear(_matrix(x), _matrix(w), bias)[:, :, None, None]
        if bf16 and w.shape[1] == 1 and shape == (4, 2, 1) and x.shape[-1] % 2 == 0:
            return F.conv2d(_fours(F.pad(x.bfloat16(), (1, 1, 1, 1))), F.pixel_unshuffle(w, 2), bias)
        return _Wide.apply(x, w, bias, shape) if bf16 and w.numel() >= WIDE else super().forward(x)


class Deconv(nn.ConvTranspose2d):
    """nn.ConvTranspose2d with a square kernel, stride and padding. free: as in Conv."""

    free = False

    def forward(self, x: Tensor) -> Tensor:
        bf16 = _in_bf16(x)
        if not (bf16 or self.free):
            return super().forward(x)
        w, bias, shape = self.weight, self.bias, (self.kernel_size[0], self.stride[0], self.padding[0])
        if x.shape[-1] == 1 and shape[2] == 0:
            y = F.linear(x.flatten(1), _matrix(w).t()).view(len(x), shape[0], shape[0], -1).permute(0, 3, 1, 2)
            return y if bias is None else y + bias.to(y.dtype)[:, None, None]
        if w.shape[1] == 1 and shape == (4, 2, 1):
            y = F.conv_transpose2d(x, F.pixel_unshuffle(w, 2), None if bias is None else bias.expand(4))
            return _unfours(y)[:, :, 1:-1, 1:-1]
        return _WideUp.apply(x, w, bias, shape) if bf16 and w.numel() >= WIDE else super().forward(x)


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


def _fours(x: Tensor) -> Tensor:
    """(B, 1, H, W) -> (B, 4, H / 2, W / 2): the pixels of each square of four as channels."""
    # F.pixel_unshuffle, which takes 2.9 times as long here (64 images of 34x34, 125 µs instead of 43).
    return torch.stack([x[:, 0, i::2, j::2] for i in (0, 1) for j in (0, 1)], dim=-1).permute(0, 3, 1, 2)


def _unfours(x: Tensor) -> Tensor:
    """What `_fours` did, undone."""
    # F.pixel_shuffle, which takes 2.1 times as long here (238 µs instead of 114).
    b, _, h, w = x.shape
    return x.reshape(b, 2, 2, h, w).permute(0, 3, 1, 4, 2).reshape(b, 1, 2 * h, 2 * w)


def _patches(x: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """(B, C, H, W) -> (B · H' · W', k · k · C), a row for each output pixel."""
    # F.unfold has no fast kernel for bfloat16: 18 times as long (64 images of 16x16 with 64 channels, 18.2 ms instead of 1.0).
    k, stride, padding = shape
    x = F.pad(x, (padding,) * 4).permute(0, 2, 3, 1).contiguous()
    b, h, w, c = x.shape
    at, down, right, _ = x.stride()
    seen = (b, (h - k) // stride + 1, (w - k) // stride + 1, k, k, c)
    return x.as_strided(seen, (at, stride * down, stride * right, down, right, 1)).reshape(-1, k * k * c)


def _of_weight(x: Tensor, y: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """The gradient of a weight (O, C, k, k): x is the layer's input and y the gradient of its output; transposed, the other way."""
    k = shape[0]
    return (_rows(y).t() @ _patches(x, shape)).float().view(y.shape[1], k, k, x.shape[1]).permute(0, 3, 1, 2)


class _Wanted(threading.local):
    """A value for each thread: on a CPU, autograd runs a backward pass in the thread that called it."""

    parameters: set[int] | None = None


_wanted = _Wanted()


@contextlib.contextmanager
def gradients_of(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Inside, backward passes compute gradients of these alone: autograd does not tell a Function which ones are wanted."""
    before, _wanted.parameters = _wanted.parameters, {id(p) for p in parameters}
    try:
        yield
    finally:
        _wanted.parameters = before


class _Wide(Function):
    """A convolution; the gradient of its weight is a matrix product. shape: kernel, stride, padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: tuple[int, int, int]) -> Tensor:
        x, w = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, w)
        ctx.weight, ctx.shape = id(weight), shape
        return F.conv2d(x, w, None if bias is None else bias.bfloat16(), *shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        _refuse_second_derivative()
        x, w = ctx.saved_tensors
        k, stride, padding = ctx.shape
        more = x.shape[-1] - ((grad.shape[-1] - 1) * stride - 2 * padding + k)  # what the stride has left out
        back = F.conv_transpose2d(grad, w, None, stride, padding, more) if ctx.needs_input_grad[0] else None
        return back, *_learned(ctx, x, grad, grad), None


class _WideUp(Function):
    """A transposed convolution; the gradient of its weight is a matrix product. shape: kernel, stride, padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: tuple[int, int, int]) -> Tensor:
        x, w = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, w)
        ctx.weight, ctx.shape = id(weight), shape
        return F.conv_transpose2d(x, w, None if bias is None else bias.bfloat16(), *shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        _refuse_second_derivative()
        x, w = ctx.saved_tensors
        back = F.conv2d(grad, w, None, *ctx.shape[1:]) if ctx.needs_input_grad[0] else None
        return back, *_learned(ctx, grad, x, grad), None


def _refuse_second_derivative() -> None:
    """Gradients are enabled in a backward pass only where `create_graph=True` asks for its own derivative."""
    if torch.is_grad_enabled():
        raise RuntimeError(
            "This layer has no second derivative in bfloat16: its backward pass works on rounded copies, of which autograd knows "
            "nothing. Compute what needs `create_graph=True`, such as a gradient penalty, in float32: inside "
            'torch.autocast("cpu", enabled=False).'
        )


def _learned(ctx: Any, x: Tensor, y: Tensor, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """The gradients of weight and bias, each where it has a use."""
    _, weight, bias, _ = ctx.needs_input_grad
    wanted = _wanted.parameters is None or ctx.weight in _wanted.parameters
    return (
        _of_weight(x, y, ctx.shape) if weight and wanted else None,
        _rows(grad).sum(0, dtype=torch.float32) if bias and wanted else None,
    )
