"""What EGBAD and AnoGAN share: the DCGAN pieces, and a generator for each of three architectures.

Source  Radford, Metz, Chintala 2016, arXiv:1511.06434; `paper`: the released code of EGBAD; `article`: the tutorial.
Shapes  z (B, nz) -> (B, 1, S, S) in [-1, 1], S = 28 (`paper`), 64 (`article`), 32 (`small`).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from ganad.models.ops.fast_conv import Conv, Deconv

SLOPES = {"paper": 0.1, "article": 0.1, "small": 0.2}
"""architecture -> slope of LeakyReLU below 0."""


def conv(
    i: int, o: int, *, kernel: int = 4, stride: int = 2, padding: int = 1, slope: float, norm: bool
) -> list[nn.Module]:
    """A convolution, batch norm where asked for, LeakyReLU: (B, i, S, S) -> (B, o, S / stride, S / stride)."""
    layers: list[nn.Module] = [Conv(i, o, kernel_size=kernel, stride=stride, padding=padding)]
    if norm:
        layers.append(nn.BatchNorm2d(o))
    return [*layers, nn.LeakyReLU(slope, inplace=True)]


def deconv(i: int, o: int, *, stride: int = 2, padding: int = 1) -> list[nn.Module]:
    """A transposed 4x4 convolution, batch norm, ReLU: (B, i, S, S) -> (B, o, 2 S, 2 S); without padding 1x1 becomes 4x4."""
    return [
        Deconv(i, o, kernel_size=4, stride=stride, padding=padding),
        nn.BatchNorm2d(o),
        nn.ReLU(inplace=True),
    ]


def last_deconv(i: int) -> list[nn.Module]:
    """The last layer of a generator, no batch norm: (B, i, S, S) -> (B, 1, 2 S, 2 S), tanh."""
    return [Deconv(i, 1, kernel_size=4, stride=2, padding=1), nn.Tanh()]


def paper_generator(f: int, nz: int) -> nn.Sequential:
    """Two linear layers and two transposed convolutions, 28x28."""
    return nn.Sequential(
        nn.Linear(nz, 1024), nn.BatchNorm1d(1024), nn.ReLU(inplace=True),  # (B, nz) -> (B, 1024)
        nn.Linear(1024, 2 * f * 49), nn.BatchNorm1d(2 * f * 49), nn.ReLU(inplace=True),  # -> (B, 98f)
        nn.Unflatten(1, (2 * f, 7, 7)),  # -> (B, 2f, 7, 7)
        *deconv(2 * f, f),  # -> (B, f, 14, 14)
        *last_deconv(f),  # -> (B, 1, 28, 28)
    )  # fmt: skip


def article_generator(f: int, nz: int) -> nn.Sequential:
    """Five transposed convolutions, 64x64."""
    return nn.Sequential(
        nn.Unflatten(1, (nz, 1, 1)),  # (B, nz) -> (B, nz, 1, 1)
        *deconv(nz, 8 * f, stride=1, padding=0),  # -> (B, 8f, 4, 4)
        *deconv(8 * f, 4 * f),  # -> (B, 4f, 8, 8)
        *deconv(4 * f, 2 * f),  # -> (B, 2f, 16, 16)
        *deconv(2 * f, f),  # -> (B, f, 32, 32)
        *last_deconv(f),  # -> (B, 1, 64, 64)
    )


def small_generator(f: int, nz: int) -> nn.Sequential:
    """Four transposed convolutions, 32x32."""
    return nn.Sequential(
        nn.Unflatten(1, (nz, 1, 1)),  # (B, nz) -> (B, nz, 1, 1)
        *deconv(nz, 4 * f, stride=1, padding=0),  # -> (B, 4f, 4, 4)
        *deconv(4 * f, 2 * f),  # -> (B, 2f, 8, 8)
        *deconv(2 * f, f),  # -> (B, f, 16, 16)
        *last_deconv(f),  # -> (B, 1, 32, 32)
    )


def article_conv_stack(f: int) -> list[nn.Module]:
    """(B, 1, 64, 64) -> (B, 8f): the tutorial's E up to its linear layer, and the image branch of its D."""
    slope = SLOPES["article"]
    return [
        *conv(1, f, slope=slope, norm=True),  # (B, 1, 64, 64) -> (B, f, 32, 32)
        *conv(f, 2 * f, slope=slope, norm=True),  # -> (B, 2f, 16, 16)
        *conv(2 * f, 4 * f, slope=slope, norm=True),  # -> (B, 4f, 8, 8)
        *conv(4 * f, 8 * f, slope=slope, norm=True),  # -> (B, 8f, 4, 4)
        Conv(8 * f, 8 * f, kernel_size=4),  # -> (B, 8f, 1, 1)
        nn.Flatten(),  # -> (B, 8f)
    ]


def small_conv_stack(f: int) -> list[nn.Module]:
    """(B, 1, 32, 32) -> (B, 4f, 4, 4): three halvings."""
    slope = SLOPES["small"]
    return [
        *conv(1, f, slope=slope, norm=False),  # (B, 1, 32, 32) -> (B, f, 16, 16)
        *conv(f, 2 * f, slope=slope, norm=True),  # -> (B, 2f, 8, 8)
        *conv(2 * f, 4 * f, slope=slope, norm=True),  # -> (B, 4f, 4, 4)
    ]


GENERATORS: dict[str, Callable[[int, int], nn.Sequential]] = {
    "paper": paper_generator,
    "article": article_generator,
    "small": small_generator,
}
