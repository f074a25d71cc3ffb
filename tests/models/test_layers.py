"""Dropout and shifts take their noise from the generator they are given; first weights follow their law."""

import pytest
import torch
from torch import nn

from ganad.models.layers import Dropout, init_dcgan


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_dropout_drops_its_share_and_keeps_the_mean():
    layer = Dropout(0.3)
    layer.rng = generator()
    x = layer(torch.ones(200, 500))
    assert sorted(x.unique().tolist()) == pytest.approx([0, 1 / 0.7])
    assert (x == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert x.mean().item() == pytest.approx(1, abs=0.01)


def test_dropout_repeats_itself_with_its_generator_and_leaves_the_global_one_alone():
    layer, x = Dropout(0.5), torch.ones(64)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    layer.rng = generator(1)
    first = layer(x)
    layer.rng = generator(1)
    torch.testing.assert_close(layer(x), first, rtol=0, atol=0)
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)


def test_dropout_does_nothing_when_scoring():
    layer, x = Dropout(0.5).eval(), torch.ones(64)
    layer.rng = generator()
    assert layer(x) is x


def test_first_weights_follow_the_law_of_dcgan():
    net = nn.Sequential(
        nn.Conv2d(64, 64, kernel_size=4), nn.BatchNorm2d(4096), nn.Linear(512, 64), nn.ConvTranspose2d(64, 64, 4)
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        init_dcgan(net)
    for m in net:
        mean = 1.0 if isinstance(m, nn.BatchNorm2d) else 0.0
        assert m.weight.mean().item() == pytest.approx(mean, abs=0.002)
        assert m.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert not m.bias.any()
