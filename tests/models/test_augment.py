"""Varied training images: what is asked happens, within its bounds, to each image by itself, and nothing else."""

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import max_pool2d

from ganad.models.augment import augmented


def settings(**asked):
    fixed = dict(augment=0.0, augment_turn=0.0, augment_scale=0.0, augment_stroke=0.0, augment_share=1.0)
    return SimpleNamespace(**(fixed | asked))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def bars(n=64, width=3, height=20):
    """(n, 1, 32, 32): an upright bar in the middle."""
    x = torch.full((n, 1, 32, 32), -1.0)
    left, top = 16 - width // 2, 16 - height // 2
    x[:, :, top : top + height, left : left + width] = 1.0
    return x


def moments(x):
    """Centre (B, 2) of the ink, rows first, and its covariance (B, 2, 2), in pixels."""
    ink = (x[:, 0] + 1).double()
    at = torch.stack(torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")).double().flatten(1)
    weight = ink.flatten(1) / ink.sum((1, 2))[:, None]
    centre = weight @ at.T
    away = at[None] - centre[:, :, None]
    return centre, torch.einsum("bn,bin,bjn->bij", weight, away, away)


def test_where_nothing_is_asked_the_very_same_images_come_back():
    x = torch.rand(2, 1, 8, 8)
    assert augmented(x, settings(), generator()) is x
    assert augmented(x, settings(augment=2.0, augment_share=0.0), generator()) is x


def test_shifts_stay_within_their_bound_differ_by_image_and_fill_with_background():
    x = torch.full((64, 1, 32, 32), -1.0)
    x[:, :, 16, 16] = 1.0
    moved = augmented(x, settings(augment=3.0), generator())
    centre, _ = moments(moved)
    for axis in (0, 1):
        assert (centre[:, axis] - 16).abs().max() <= 3
        assert (centre[:, axis] - 16).abs().max() > 2
        assert centre[:, axis].std() > 1
    # No ink is lost or made.
    torch.testing.assert_close((moved[:, 0] + 1).sum((1, 2)), torch.full((64,), 2.0), rtol=0, atol=1e-4)


def test_turns_stay_within_their_bound_and_go_both_ways_about_the_centre():
    centre, covariance = moments(augmented(bars(), settings(augment_turn=12.0), generator()))
    angle = 0.5 * torch.atan2(2 * covariance[:, 0, 1], covariance[:, 0, 0] - covariance[:, 1, 1]).rad2deg()
    assert angle.abs().max() <= 12.1
    assert angle.max() > 10
    assert angle.min() < -10
    torch.testing.assert_close(centre, torch.full((64, 2), 15.5).double(), rtol=0, atol=0.6)


def test_sizes_stay_within_their_bound_and_go_both_ways():
    _, before = moments(bars(1))
    _, after = moments(augmented(bars(), settings(augment_scale=0.2), generator()))
    factor = (after[:, 0, 0] / before[:, 0, 0]).sqrt()
    assert 0.78 <= factor.min() < 0.85
    assert 1.15 < factor.max() <= 1.22


def test_a_stroke_changes_by_its_share_of_a_pixel_on_either_side():
    x = bars(200)
    redrawn = augmented(x, settings(augment_stroke=0.6), generator())
    width = (redrawn[:, 0, 16] + 1).sum(1) / 2  # ink across the middle row, in pixels
    assert 3 - 2 * 0.6 - 1e-4 <= width.min() < 2
    assert 4 < width.max() <= 3 + 2 * 0.6 + 1e-4
    assert width.mean() == pytest.approx(3, abs=0.15)
    wider, thinner = max_pool2d(x, 3, 1, 1), -max_pool2d(-x, 3, 1, 1)
    assert (redrawn <= wider + 1e-6).all()
    assert (redrawn >= thinner - 1e-6).all()


def test_a_share_of_the_images_is_left_as_it_is():
    x = bars(1000)
    varied = augmented(x, settings(augment=2.0, augment_turn=10.0, augment_share=0.3), generator())
    changed = (varied != x).flatten(1).any(1).double().mean()
    assert changed == pytest.approx(0.3, abs=0.05)


def test_the_same_generator_gives_the_same_images_and_the_global_one_is_left_alone():
    asked = settings(augment=1.0, augment_turn=10.0, augment_scale=0.1, augment_stroke=0.5, augment_share=0.5)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    one, two, other = (augmented(bars(), asked, generator(s)) for s in (5, 5, 6))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    torch.testing.assert_close(torch.rand(2), expected, rtol=0, atol=0)


def test_values_stay_in_their_range():
    asked = settings(augment=2.0, augment_turn=20.0, augment_scale=0.3, augment_stroke=1.0)
    varied = augmented(torch.rand(50, 1, 32, 32) * 2 - 1, asked, generator())
    assert -1 - 1e-5 <= varied.min()
    assert varied.max() <= 1 + 1e-5
