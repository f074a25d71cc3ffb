"""Convolutions in disguise: the same values and gradients as PyTorch's own, to the digits that bfloat16 has."""

import contextlib
import copy

import pytest
import torch
from torch import nn

from ganad.config import resolve
from ganad.models import build
from ganad.models.ops import fast_conv
from ganad.models.ops.fast_conv import Conv, Deconv, gradients_of

LAYERS = {  # (layer, channels in, out, side of the input): the four ways that a layer is computed
    "to one pixel": (Conv, 6, 5, 4, dict(kernel_size=4)),
    "from one channel": (Conv, 1, 8, 12, dict(kernel_size=4, stride=2, padding=1)),
    "wide": (Conv, 6, 8, 8, dict(kernel_size=4, stride=2, padding=1)),
    "wide, of which the stride leaves a row out": (Conv, 6, 8, 8, dict(kernel_size=3, stride=2, padding=1)),
    "wide, stride 1": (Conv, 6, 8, 7, dict(kernel_size=3, padding=1)),
    "from one pixel": (Deconv, 6, 5, 1, dict(kernel_size=4)),
    "to one channel": (Deconv, 8, 1, 6, dict(kernel_size=4, stride=2, padding=1)),
    "wide, transposed": (Deconv, 8, 6, 4, dict(kernel_size=4, stride=2, padding=1)),
}


def made(kind, bias, monkeypatch):
    """The layer, PyTorch's own with the same numbers, and an input."""
    monkeypatch.setattr(fast_conv, "WIDE", 100 if kind.startswith("wide") else 10**9)
    layer, i, o, side, how = LAYERS[kind]
    ours = layer(i, o, bias=bias, **how).to(memory_format=torch.channels_last)
    own = (nn.Conv2d if layer is Conv else nn.ConvTranspose2d)(i, o, bias=bias, **how)
    own.load_state_dict(ours.state_dict())
    return ours, own, torch.randn((4, i, side, side), generator=torch.Generator().manual_seed(0))


def gradients(layer, x, outwards, autocast):
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16) if autocast else contextlib.nullcontext():
        y = layer(x)
        found = torch.autograd.grad(y, [x, *layer.parameters()], outwards.to(y.dtype))
    return [y, *found]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_values_and_gradients_are_those_of_a_plain_float32_layer(kind, bias, monkeypatch):
    ours, own, x = made(kind, bias, monkeypatch)
    outwards = torch.randn(own(x).shape, generator=torch.Generator().manual_seed(1))
    expected = gradients(own, x, outwards, autocast=False)
    found = gradients(ours, x, outwards, autocast=True)
    assert found[0].dtype == torch.bfloat16
    assert all(g.dtype == torch.float32 for g in found[1:])
    for a, b in zip(found, expected, strict=True):
        # 8 bits of mantissa: each factor is off by up to 2^-9 of itself, and errors of a sum mostly cancel.
        assert a.shape == b.shape
        assert (a.float() - b).abs().max() < 2**-6 * b.abs().max()


@pytest.mark.parametrize("kind", LAYERS)
def test_without_autocast_they_are_pytorchs_own_to_the_bit(kind, monkeypatch):
    ours, own, x = made(kind, True, monkeypatch)
    ours = ours.to(memory_format=torch.contiguous_format)
    assert torch.equal(ours(x), own(x))


@pytest.mark.parametrize("kind", LAYERS)
def test_a_free_layer_answers_the_same_in_float32_up_to_rounding(kind, monkeypatch):
    ours, own, x = made(kind, True, monkeypatch)
    ours.free = True
    torch.testing.assert_close(ours(x), own(x), rtol=1e-5, atol=1e-6)


def test_a_wide_layer_finds_no_gradient_of_weights_that_nobody_asked_for(monkeypatch):
    ours, _, x = made("wide", True, monkeypatch)
    counted = []
    product = fast_conv._of_weight
    monkeypatch.setattr(fast_conv, "_of_weight", lambda *given: counted.append(1) or product(*given))
    x.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = ours(x)
    with gradients_of([x]):
        back = torch.autograd.grad(y.sum(), x, retain_graph=True)[0]
    assert not counted
    with gradients_of([ours.weight]):
        torch.autograd.grad(y.sum(), ours.weight, retain_graph=True)
    assert len(counted) == 1
    assert torch.equal(torch.autograd.grad(y.sum(), x)[0], back)


@pytest.mark.parametrize("kind", LAYERS)
def test_second_derivatives_are_pytorchs_in_float32_and_refused_with_a_reason_where_bfloat16_has_none(
    kind, monkeypatch
):
    ours, own, x = made(kind, True, monkeypatch)

    def penalty(layer, autocast):
        """A gradient penalty: the derivative of the squared gradient, by input and weights."""
        u = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16) if autocast else contextlib.nullcontext():
            y = layer(u).float()
        (slope,) = torch.autograd.grad((y**2).sum(), u, create_graph=True)
        return torch.autograd.grad((slope.float() ** 2).sum(), layer.weight)[0]

    expected = penalty(own, False)
    assert (penalty(ours, False) - expected).abs().max() < 1e-5 * expected.abs().max()
    if kind.startswith("wide"):
        with pytest.raises(RuntimeError, match=r"no second derivative in bfloat16.*in float32"):
            penalty(ours, True)
    else:
        assert (penalty(ours, True) - expected).abs().max() < 2**-4 * expected.abs().max()


@pytest.mark.parametrize("name", ["ganomaly", "egbad"])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_a_gradient_moves_the_weight_that_it_belongs_to_however_both_lie_in_memory(name, order, monkeypatch):
    """Adam's first move is lr against the sign of the gradient, number by number."""
    monkeypatch.setattr(fast_conv, "WIDE", 100)
    method = build(resolve(name, "tuned", normal=(8,), filters=8, latent=6, lr=1e-3, lr_d=1e-3, ema_decay=0.0))
    method = method.to(memory_format=order).train()
    before = copy.deepcopy(dict(method.nets.named_parameters()))
    x = torch.rand((8, 1, 32, 32), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.autocast("cpu", torch.bfloat16):
        method.step(x, torch.Generator().manual_seed(0))
    for key, p in method.nets.named_parameters():
        clear = p.grad.abs() > 1e-6
        moved = (before[key] - p).detach() / 1e-3
        torch.testing.assert_close(moved[clear], p.grad.sign()[clear], rtol=0.05, atol=0, msg=key)
