"""The fast forms of convolutions: values, gradients and gradients of gradients are those of PyTorch's own."""

import contextlib
import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganad.config import resolve
from ganad.models import build
from ganad.models.ops import fast_conv
from ganad.models.ops.fast_conv import Conv, Deconv, PatchConv, PatchDeconv, gradients_of

LAYERS = {  # (layer, channels in, out, side of the input): every form that a layer is computed in
    "to one pixel": (Conv, 6, 5, 4, dict(kernel_size=4)),
    "from one channel": (Conv, 1, 8, 12, dict(kernel_size=4, stride=2, padding=1)),
    "by patches": (Conv, 6, 8, 8, dict(kernel_size=4, stride=2, padding=1)),
    "by patches, the stride leaves a row out": (Conv, 6, 8, 8, dict(kernel_size=3, stride=2, padding=1)),
    "by patches, stride 1": (Conv, 6, 8, 7, dict(kernel_size=3, padding=1)),
    "from one pixel": (Deconv, 6, 5, 1, dict(kernel_size=4)),
    "to one channel": (Deconv, 8, 1, 6, dict(kernel_size=4, stride=2, padding=1)),
    "by patches, transposed": (Deconv, 8, 6, 4, dict(kernel_size=4, stride=2, padding=1)),
}
BY_PATCHES = {  # (our Function, PyTorch's, shapes of input and weight, kernel, stride and padding)
    "stride 2": (PatchConv, F.conv2d, (2, 2, 6, 6), (3, 2, 4, 4), (4, 2, 1)),
    "the stride leaves a row out": (PatchConv, F.conv2d, (2, 2, 6, 6), (3, 2, 3, 3), (3, 2, 1)),
    "transposed": (PatchDeconv, F.conv_transpose2d, (2, 3, 3, 3), (3, 2, 4, 4), (4, 2, 1)),
}


def layers(kind, bias, monkeypatch):
    """Our layer, PyTorch's own with the same numbers, and an input."""
    monkeypatch.setattr(fast_conv, "MANY_WEIGHTS", 100 if kind.startswith("by patches") else 10**9)
    layer, i, o, side, options = LAYERS[kind]
    ours = layer(i, o, bias=bias, **options).to(memory_format=torch.channels_last)
    own = (nn.Conv2d if layer is Conv else nn.ConvTranspose2d)(i, o, bias=bias, **options)
    own.load_state_dict(ours.state_dict())
    return ours, own, torch.randn((4, i, side, side), generator=torch.Generator().manual_seed(0))


def gradients(layer, x, outwards, autocast):
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16) if autocast else contextlib.nullcontext():
        y = layer(x)
        return [y, *torch.autograd.grad(y, [x, *layer.parameters()], outwards.to(y.dtype))]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_values_and_gradients_are_those_of_a_plain_float32_layer(kind, bias, monkeypatch):
    ours, own, x = layers(kind, bias, monkeypatch)
    outwards = torch.randn(own(x).shape, generator=torch.Generator().manual_seed(1))
    expected = gradients(own, x, outwards, autocast=False)
    fast = gradients(ours, x, outwards, autocast=True)
    assert fast[0].dtype == torch.bfloat16
    assert all(g.dtype == torch.float32 for g in fast[1:])
    for a, b in zip(fast, expected, strict=True):
        # 8 bits of mantissa: each factor is off by up to 2^-9 of itself, and errors of a sum mostly cancel.
        assert a.shape == b.shape
        assert (a.float() - b).abs().max() < 2**-6 * b.abs().max()


@pytest.mark.parametrize("kind", LAYERS)
def test_without_autocast_they_are_pytorchs_own_to_the_bit(kind, monkeypatch):
    ours, own, x = layers(kind, True, monkeypatch)
    ours = ours.to(memory_format=torch.contiguous_format)
    assert torch.equal(ours(x), own(x))


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_that_is_fast_in_float32_gives_the_same_up_to_rounding(kind, monkeypatch):
    ours, own, x = layers(kind, True, monkeypatch)
    ours.fast_in_float32 = True
    torch.testing.assert_close(ours(x), own(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", BY_PATCHES)
def test_gradients_of_gradients_by_patches_are_those_of_pytorch_in_float64(kind):
    ours, own, of_x, of_w, shape = BY_PATCHES[kind]
    rng = torch.Generator().manual_seed(0)
    bias = of_w[1] if ours is PatchDeconv else of_w[0]
    given = [torch.randn(n, generator=rng, dtype=torch.float64, requires_grad=True) for n in (of_x, of_w, (bias,))]
    assert torch.autograd.gradgradcheck(lambda x, w, b: ours.apply(x, w, b, shape, 0), given)

    def penalty(layer):
        """The gradient of a gradient's length: what a gradient penalty is trained by."""
        (slope,) = torch.autograd.grad(layer().pow(3).sum(), given[0], create_graph=True)
        return torch.autograd.grad(slope.norm(), given)

    x, w, b = given
    for a, expected in zip(
        penalty(lambda: ours.apply(x, w, b, shape, 0)), penalty(lambda: own(x, w, b, *shape[1:])), strict=True
    ):
        torch.testing.assert_close(a, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_gradient_penalty_in_bf16_is_that_of_a_plain_float32_layer(kind, monkeypatch):
    ours, own, x = layers(kind, True, monkeypatch)

    def penalty(layer, autocast):
        at = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16) if autocast else contextlib.nullcontext():
            (slope,) = torch.autograd.grad(layer(at).float().square().sum(), at, create_graph=True)
            return torch.autograd.grad(slope.square().sum(), layer.weight)[0]

    fast, expected = penalty(ours, autocast=True), penalty(own, autocast=False)
    assert (fast - expected).abs().max() < 2**-5 * expected.abs().max()  # twice as many factors as above


def test_a_layer_by_patches_finds_no_gradient_weight_gradients_that_nobody_asked_for(monkeypatch):
    ours, _, x = layers("by patches", True, monkeypatch)
    counted = []
    product = fast_conv._weight_gradient
    monkeypatch.setattr(fast_conv, "_weight_gradient", lambda *given: counted.append(1) or product(*given))
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


@pytest.mark.parametrize("name", ["ganomaly", "egbad"])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_a_gradient_moves_the_weight_that_it_belongs_to_however_both_lie_in_memory(name, order, monkeypatch):
    """Adam's first move is lr against the sign of the gradient, number by number."""
    monkeypatch.setattr(fast_conv, "MANY_WEIGHTS", 100)
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
