"""Folding: the same scores up to rounding, and the method itself is left as it was."""

import copy

import pytest
import torch
from torch import nn

from ganad.config import PRESETS, resolve
from ganad.models import METHODS, build
from ganad.models.ops.fuse_bn import fold
from ganad.scoring.score import to_input
from tests.test_score import digits, trained

PARTS = ("residual", "discrimination", "latent")
EVERY = [("ganomaly", dict(image_size=64))] + [
    (name, {k: preset[k] for k in ("architecture", "image_size") if k in preset})
    for name in METHODS
    for preset in PRESETS[name].values()
]


def unlike(method):
    """Weights as large as trained ones, so that images differ, and batch norms in which every number matters."""
    rng = torch.Generator().manual_seed(1)
    for m in method.modules():
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            m.weight.data.mul_(1.5 / (0.02 * m.weight[0].numel() ** 0.5))
        if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d):
            for t in (m.weight.data, m.running_var):
                t.copy_(torch.rand(t.shape, generator=rng) + 0.5)
            for t in (m.bias.data, m.running_mean):
                t.copy_(torch.randn(t.shape, generator=rng) * 0.1)
    return method.eval()


@pytest.mark.parametrize(("name", "asked"), EVERY, ids=str)
@pytest.mark.parametrize("average", [0.0, 0.9])
@torch.no_grad()
def test_a_folded_method_scores_the_same_up_to_rounding(name, asked, average):
    method = build(resolve(name, "tuned", normal=(8,), **(dict(filters=8, latent=6, ema_decay=average) | asked)))
    unlike(method)
    x = to_input(digits(5), method.settings.image_size)
    twin = method.folded()
    if hasattr(method, "search"):  # a search goes its own way from the last digit on; what it looks at does not
        z = torch.randn((5, 6), generator=torch.Generator().manual_seed(0))
        for a, b in zip(*(m.compare(x, m.discriminate(x), z) for m in (method, twin)), strict=True):
            torch.testing.assert_close(b, a, rtol=1e-5, atol=1e-5)
        return
    expected, found = method.parts(x), twin.parts(x)
    for part in PARTS:
        torch.testing.assert_close(getattr(found, part), getattr(expected, part), rtol=1e-5, atol=0, msg=part)
    torch.testing.assert_close(found.reconstruction, expected.reconstruction, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_no_batch_norm_is_left_behind_a_layer(name):
    left = [m for m in trained(name).folded().modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert not left


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_method_goes_on_training_as_if_it_had_never_been_folded(name, average):
    method = trained(name, ema_decay=average)
    twin = copy.deepcopy(method)
    x = to_input(digits(12), method.settings.image_size)
    folded = method.folded()
    frozen = [t.clone() for t in folded.state_dict().values()]
    for m in (method, twin):
        m.train()
        m.step(x, torch.Generator().manual_seed(3))
    for a, b in zip(method.state_dict().values(), twin.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    for a, b in zip(folded.state_dict().values(), frozen, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert not any(m.training for m in folded.modules())
    assert not any(p.requires_grad for p in folded.parameters())


def test_a_batch_norm_without_a_layer_before_it_stays():
    net = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), nn.BatchNorm2d(2)).eval()
    x = torch.randn(3, 2, 4, 4)
    torch.testing.assert_close(fold(net)(x), net(x))
