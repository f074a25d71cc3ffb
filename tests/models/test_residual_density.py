"""What a reconstruction leaves over, and how unlikely that is: against scikit-learn, and as a part of a score."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from ganad.config.mixtures import DIRECTIONS
from ganad.models.density import CodeDensity
from ganad.models.residual_density import ResidualDensity, averaged

SIDE = 32


def left_over(n, seed=0):
    """(n, 256): what is usually left over lies in the upper half of the picture, in a hundred directions."""
    rng = np.random.default_rng(seed)
    ways = np.random.default_rng(5).normal(size=(100, 256)) * (np.arange(256) < 128)
    return (rng.normal(size=(n, 100)) * np.linspace(0.05, 0.01, 100)) @ ways


def as_pictures(left):
    """(x, x̂) whose difference, averaged over 2x2 pixels, is `left` (B, 256)."""
    squares = torch.from_numpy(left).float().view(-1, 1, 16, 16)
    x_hat = torch.rand((len(left), 1, SIDE, SIDE), generator=torch.Generator().manual_seed(1)) - 0.5
    return x_hat + squares.repeat_interleave(2, 2).repeat_interleave(2, 3), x_hat


def fitted(unit=1.0, n=1500):
    density = ResidualDensity(SIDE)
    density.fit(left_over(n), left_over(200, seed=1), unit)
    return density


def test_a_difference_is_averaged_over_squares_of_two_by_two_pixels():
    x, x_hat = torch.rand(3, 1, 6, 6), torch.rand(3, 1, 6, 6)
    expected = (x - x_hat).numpy().reshape(3, 3, 2, 3, 2).mean(axis=(2, 4)).reshape(3, 9)
    np.testing.assert_allclose(averaged(x, x_hat), expected, atol=1e-6)


def test_the_axes_are_scikit_learns_principal_directions_and_what_lies_along_them_has_a_mixture():
    density, asked = fitted(), left_over(20, seed=2)
    directions = PCA(DIRECTIONS, svd_solver="full").fit(left_over(1500)).components_
    cosines = np.abs((directions * density.axes.numpy().T).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-4)
    mixture = CodeDensity(DIRECTIONS)
    axes = density.axes.numpy()
    mixture.fit((left_over(1500) @ axes), (left_over(200, seed=1) @ axes), 1.0)
    alone = mixture(mixture.surprise(torch.from_numpy(asked @ axes).float()))
    np.testing.assert_allclose(density(*as_pictures(asked)), alone, rtol=1e-3, atol=1e-3)


def in_few_patterns(n, seed=0):
    """(n, 256): mixtures of ten patterns, and a little of anything."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 10)) @ np.random.default_rng(6).normal(size=(10, 256)) * 0.05 + rng.normal(
        scale=0.005, size=(n, 256)
    )


def test_as_much_left_over_in_an_unusual_pattern_is_more_unlikely():
    usual = in_few_patterns(50, seed=3)
    elsewhere = usual[:, ::-1].copy()  # upside down: the sum of what differs is the same
    density = ResidualDensity(SIDE)
    density.fit(in_few_patterns(1500), in_few_patterns(200, seed=1), 1.0)
    here, there = (density(*as_pictures(left)) for left in (usual, elsewhere))
    sums = [(x - x_hat).abs().sum(dim=(1, 2, 3)) for x, x_hat in (as_pictures(usual), as_pictures(elsewhere))]
    torch.testing.assert_close(*sums, rtol=1e-4, atol=1e-3)
    assert density.mixture.is_fitted
    assert not torch.allclose(here, there)
    assert there.min() > here.max()
    shifted = usual + 40 * density.axes.numpy()[:, 20] * np.abs(usual @ density.axes.numpy()[:, 20]).max()
    assert density(*as_pictures(shifted)).min() > here.max()


def test_it_has_the_spread_asked_for_and_is_nothing_before_the_fit():
    others = left_over(200, seed=1)
    density = fitted(unit=0.25)
    assert density(*as_pictures(others)).std(correction=0).item() == pytest.approx(0.25, rel=1e-2)
    assert torch.equal(ResidualDensity(SIDE)(*as_pictures(others)), torch.zeros(200))


def test_a_state_brings_all_of_it_back():
    density, again = fitted(), ResidualDensity(SIDE)
    again.load_state_dict(density.state_dict())
    asked = as_pictures(left_over(5, seed=4))
    assert torch.equal(again(*asked), density(*asked))
