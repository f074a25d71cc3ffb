"""Several looks at an image: against looks made by scipy, and each part the lowest of them."""

import numpy as np
import pytest
import torch
from scipy.ndimage import rotate

from ganad.config import resolve
from ganad.data import sources
from ganad.models import build, looks
from ganad.scoring.score import fit_statistics, score, to_input

METHODS = ("egbad", "ganomaly", "fanogan")


def small(method, **asked):
    """A method with new weights and fitted statistics."""
    asked = dict(filters=4, latent=6, w_transform=0.0) | asked
    made = build(resolve(method, "tuned", normal=(8,), **asked)).eval()
    fit_statistics(made, digits(60, seed=2))
    return made


def digits(n, seed=1):
    """Training images of an 8."""
    train = sources.load(None).train
    return train.images[train.digit == 8][100 * seed :][:n]


def test_an_image_is_turned_to_either_side_as_scipy_does_it():
    x = to_input(digits(4), 32)
    for angle in (20, -20):
        found = looks.mapped(x, looks.matrix(angle).expand(len(x), 2, 3))
        expected = rotate(x.numpy() + 1, angle, axes=(2, 3), reshape=False, order=1, mode="grid-constant") - 1
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert list(looks.further_looks(x, 0.0)) == []
    assert [len(turned) for turned in looks.further_looks(x[:0], 20.0)] == [0, 0]


def kernel(distance):
    """Keys' cubic convolution with a = -0.75: what a pixel so far away counts."""
    d = np.abs(distance)
    near, far = 1.25 * d**3 - 2.25 * d**2 + 1, -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def test_a_further_look_is_made_by_cubic_convolution_and_stays_within_the_range_of_images():
    x = to_input(digits(4), 32)
    centre = np.arange(32) - 15.5
    down, right = np.meshgrid(centre, centre, indexing="ij")
    for angle, found in zip((20, -20), looks.further_looks(x, 20.0), strict=True):
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        by_row = kernel((sin * right + cos * down)[..., None] - centre)
        by_column = kernel((cos * right - sin * down)[..., None] - centre)
        expected = np.einsum("nrc,ijr,ijc->nij", x[:, 0].double() + 1, by_row, by_column) - 1
        np.testing.assert_allclose(found[:, 0], expected.clip(-1, 1), atol=1e-4)


def test_a_further_look_keeps_most_of_the_sharpness_that_linear_interpolation_takes():
    x = to_input(digits(50), 32)

    def edges(images):
        return float(images.diff(dim=2).square().sum() + images.diff(dim=3).square().sum())

    linear = looks.mapped(x, looks.matrix(5.0).expand(len(x), 2, 3))
    assert edges(linear) < 0.7 * edges(x)
    for turned in looks.further_looks(x, 5.0):
        assert 0.8 * edges(x) < edges(turned) < edges(x)


@pytest.mark.parametrize("name", METHODS)
def test_discrimination_and_latent_part_are_each_the_lowest_of_three_looks_and_the_rest_is_of_the_image_as_it_is(name):
    method, x = small(name, look_turn=12.0), to_input(digits(30), 32)
    with torch.no_grad():
        found, as_it_is = method.parts(x), method.one_look(x)
        turned = [method.one_look(look) for look in looks.further_looks(x, 12.0)]
    for part in ("discrimination", "latent"):
        expected = np.min([getattr(seen, part).numpy() for seen in (as_it_is, *turned)], axis=0)
        np.testing.assert_allclose(getattr(found, part).numpy(), expected, rtol=1e-4)
        assert (getattr(found, part) < getattr(as_it_is, part)).any()
    for kept in ("residual", "reconstruction", "z"):
        torch.testing.assert_close(getattr(found, kept), getattr(as_it_is, kept), rtol=1e-4, atol=1e-5, msg=kept)


@pytest.mark.parametrize("name", METHODS)
def test_what_normal_images_are_like_is_learned_by_one_look_at_each(name):
    several, once = small(name, look_turn=12.0), small(name, look_turn=0.0)
    once.load_scoring_nets(several.scoring_state())
    for method in (several, once):
        fit_statistics(method, digits(60, seed=2))
    for key, values in several.scoring_state().items():
        torch.testing.assert_close(values, once.scoring_state()[key], rtol=0, atol=0, msg=key)


def test_the_score_of_an_image_is_that_of_all_looks_folded_or_not():
    method, images = small("egbad", look_turn=12.0), digits(30)
    found = score(method, images)
    with torch.no_grad():
        expected = method.parts(to_input(images, 32)).by_name
    for part, values in expected.items():
        np.testing.assert_allclose(found.parts[part], values.double(), rtol=2e-3, err_msg=part)
