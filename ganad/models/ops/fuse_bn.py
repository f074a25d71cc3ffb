"""Batch norm, once its statistics stand still, is a scale and a shift: the layer before it can do both by itself."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from ganad.models.ops.fast_conv import Conv, Deconv


def fold(net: nn.Module) -> nn.Module:
    """A copy of net, frozen and in eval(), that answers the same up to rounding: faster, and on a CPU much faster.

    Batch norms in an nn.Sequential go into the layer before them, and what is left lies in memory channels last.
    """
    folded = _fold(copy.deepcopy(net).eval()).requires_grad_(False)
    for layer in folded.modules():
        if isinstance(layer, Conv | Deconv):
            layer.free = True
    return folded.to(memory_format=torch.channels_last)


def _fold(net: nn.Module) -> nn.Module:
    if isinstance(net, nn.Sequential):
        layers: list[nn.Module] = []
        for layer in net:
            into = _into(layers[-1], layer) if layers else None
            if into is None:
                layers.append(_fold(layer))
            else:
                layers[-1] = into
        return nn.Sequential(*layers)
    for name, child in net.named_children():
        setattr(net, name, _fold(child))
    return net


def _into(layer: nn.Module, norm: nn.Module) -> nn.Module | None:
    """Both as one layer; None where that cannot be."""
    if isinstance(norm, nn.BatchNorm2d) and isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return fuse_conv_bn_eval(layer, norm, transpose=isinstance(layer, nn.ConvTranspose2d))
    if isinstance(norm, nn.BatchNorm1d) and isinstance(layer, nn.Linear):
        return fuse_linear_bn_eval(layer, norm)
    return None
