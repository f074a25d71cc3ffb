"""The playground's directions and drawings, beside scikit-learn's and the nets' own."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from ganad import service
from ganad.config import METHOD_NAMES, resolve
from ganad.evaluation.projection import principal_directions
from ganad.models import build
from ganad.scoring.browser_nets import pack_generator

SMALL = dict(filters=8, latent=6)


def test_directions_are_those_of_pca_and_places_are_in_standard_deviations():
    codes = np.random.default_rng(0).normal(size=(200, 12)) * np.arange(1, 13)
    own, theirs = principal_directions(codes), PCA(3, svd_solver="full").fit(codes)
    np.testing.assert_allclose(np.abs((own.axes * theirs.components_).sum(1)), 1, atol=1e-9)
    np.testing.assert_allclose(own.spread**2, theirs.explained_variance_, rtol=1e-9)
    places = own.places(codes)
    np.testing.assert_allclose(places.std(axis=0, ddof=1), 1, rtol=1e-9)
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-9)


def test_codes_that_vary_along_one_line_have_one_direction():
    line = np.outer(np.linspace(-1, 1, 30), [1.0, 2.0, 0.0])
    own = principal_directions(line)
    assert own.axes.shape == (1, 3)
    np.testing.assert_allclose(np.abs(own.axes[0]), np.array([1, 2, 0]) / np.sqrt(5), atol=1e-12)


def test_codes_without_any_spread_stay_finite():
    own = principal_directions(np.ones((5, 4)))
    assert np.isfinite(own.places(np.ones((5, 4)))).all()


@torch.no_grad()
@pytest.mark.parametrize("name", METHOD_NAMES)
def test_the_drawing_program_draws_what_the_generator_draws(name):
    torch.manual_seed(1)
    method = build(resolve(name, "tuned", normal=(8,), **SMALL)).eval()
    program, z = method.drawing_program(), torch.randn(3, 6)
    values = {"z": z}
    for step in program.steps:
        (given,) = (values[n] for n in step.inputs)
        values[step.output] = (
            program.nets[step.of](given)
            if step.operation == "net"
            else given / given.norm(dim=1, keepdim=True) * given.shape[1] ** 0.5
        )
    if name == "ganomaly":
        expected = method.scoring_net("generator").redraw(z)[0]
    else:
        expected = method.scoring_net("generator")(z)
    np.testing.assert_allclose(values["reconstruction"].numpy(), expected.numpy(), atol=1e-6)


def test_a_wide_generator_is_not_for_a_browser():
    assert pack_generator(build(resolve("egbad", "paper", normal=(8,)))) is None


def test_a_run_without_nets_has_no_generator_to_send():
    assert service.browser_generator("anogan-article") is None
