"""Convolutions that train fast in bfloat16 on a CPU; everywhere else they are PyTorch's own.

Three kinds of layers are slow there, and each is something else in disguise:
- between an image and one pixel: one matrix product;
- between one channel and many: four neighbours make four channels, and a 4x4 kernel of stride 2 a 2x2 of stride 1;
- a wide layer whose images are small: the gradient of its weight is one matrix product over the patches of its input.

Words   a patch is what one output pixel sees: k · k · C numbers. Images lie in memory with their channels last.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

WIDE = 2**18
"""From so many weights on, their gradient is a matrix product here. Measured; below it PyTorch's own is as fast."""


class Conv(nn.Conv2d):
    """nn.Conv2d with a square kernel, stride and padding. free: may round differently from it in float32 too."""

    free = False

    def forward(self, x: Tensor) -> Tensor:
        bf16 = _in_bf16(x)
        if not (bf16 or self.free):
            return super().forward(x)
        w, bias, shape = self.weight, self.bias, (self.kernel_size[0], self.stride[0], self.padding[0])
        if x.shape[-1] == shape[0] and shape[2] == 0:
            return F.linear(_matrix(x), _matrix(w), bias)[:, :, None, None]
        if bf16 and w.shape[1] == 1 and shape == (4, 2, 1) and x.shape[-1] % 2 == 0:
            return F.conv2d(_fours(F.pad(x.bfloat16(), (1, 1, 1, 1))), _fours_of_weight(w), bias)
        return _Wide.apply(x, w, bias, shape) if bf16 and w.numel() >= WIDE else super().forward(x)


class Deconv(nn.ConvTranspose2d):
    """nn.ConvTranspose2d with a square kernel, stride and padding. free: may round differently from it in float32 too."""

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
            y = F.conv_transpose2d(x, _fours_of_weight(w), None if bias is None else bias.expand(4))
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
    return torch.stack([x[:, 0, i::2, j::2] for i in (0, 1) for j in (0, 1)], dim=-1).permute(0, 3, 1, 2)


def _unfours(x: Tensor) -> Tensor:
    """What `_fours` did, undone."""
    b, _, h, w = x.shape
    return x.reshape(b, 2, 2, h, w).permute(0, 3, 1, 4, 2).reshape(b, 1, 2 * h, 2 * w)


def _fours_of_weight(w: Tensor) -> Tensor:
    """(O, 1, 4, 4) -> (O, 4, 2, 2)."""
    return w.reshape(len(w), 2, 2, 2, 2).permute(0, 2, 4, 1, 3).reshape(len(w), 4, 2, 2)


def _patches(x: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """(B, C, H, W) -> (B · H' · W', k · k · C), a row for each output pixel."""
    k, stride, padding = shape
    x = F.pad(x, (padding,) * 4).permute(0, 2, 3, 1).contiguous()
    b, h, w, c = x.shape
    at, down, right, _ = x.stride()
    seen = (b, (h - k) // stride + 1, (w - k) // stride + 1, k, k, c)
    return x.as_strided(seen, (at, stride * down, stride * right, down, right, 1)).reshape(-1, k * k * c)


def _of_weight(x: Tensor, y: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """The gradient of w (O, C, k, k) from what lies on its two sides, one a value and one a gradient."""
    k = shape[0]
    return (_rows(y).t() @ _patches(x, shape)).float().view(y.shape[1], k, k, x.shape[1]).permute(0, 3, 1, 2)


class _Asked(threading.local):
    """Of each thread its own: on a CPU a way back runs in the thread that asked for it."""

    parameters: set[int] | None = None


_asked = _Asked()


@contextlib.contextmanager
def gradients_of(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Inside, a way back finds gradients of these alone: autograd does not tell a Function what it was asked for."""
    before, _asked.parameters = _asked.parameters, {id(p) for p in parameters}
    try:
        yield
    finally:
        _asked.parameters = before


class _Wide(Function):
    """A convolution whose weight learns from a matrix product. shape: kernel, stride, padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: tuple[int, int, int]) -> Tensor:
        x, w = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, w)
        ctx.weight, ctx.shape = id(weight), shape
        return F.conv2d(x, w, None if bias is None else bias.bfloat16(), *shape[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, w = ctx.saved_tensors
        k, stride, padding = ctx.shape
        more = x.shape[-1] - ((grad.shape[-1] - 1) * stride - 2 * padding + k)  # what the stride has left out
        back = F.conv_transpose2d(grad, w, None, stride, padding, more) if ctx.needs_input_grad[0] else None
        return back, *_learned(ctx, x, grad, grad), None


class _WideUp(Function):
    """A transposed convolution whose weight learns from a matrix product. shape: kernel, stride, padding."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: tuple[int, int, int]) -> Tensor:
        x, w = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, w)
        ctx.weight, ctx.shape = id(weight), shape
        return F.conv_transpose2d(x, w, None if bias is None else bias.bfloat16(), *shape[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, w = ctx.saved_tensors
        back = F.conv2d(grad, w, None, *ctx.shape[1:]) if ctx.needs_input_grad[0] else None
        return back, *_learned(ctx, grad, x, grad), None


def _learned(ctx: Any, x: Tensor, y: Tensor, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """The gradients of weight and bias, each where it has a use."""
    _, weight, bias, _ = ctx.needs_input_grad
    asked = _asked.parameters is None or ctx.weight in _asked.parameters
    return (
        _of_weight(x, y, ctx.shape) if weight and asked else None,
        _rows(grad).sum(0, dtype=torch.float32) if bias and asked else None,
    )
