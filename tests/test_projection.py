"""Codes in two dimensions: as scikit-learn does it, the same each time, and neighbours stay neighbours."""

import importlib.util

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from ganad.evaluation import projection


@pytest.fixture
def codes():
    """Two groups of normals and a third one of strangers, in ten dimensions."""
    rng = np.random.default_rng(0)
    middles = rng.normal(0, 6, (3, 10))
    groups = [m + rng.normal(size=(40, 10)) * np.linspace(2, 0.5, 10) for m in middles]
    return np.concatenate(groups[:2]), np.concatenate(groups[1:])


def test_pca_is_that_of_the_held_out_normals_up_to_the_direction_of_each_axis(codes):
    val, test = codes
    found, other = projection.project(val, test), PCA(2, svd_solver="full").fit(val)
    for mine, theirs in ((found.val, other.transform(val)), (found.test, other.transform(test))):
        turned = np.sign((mine * theirs).sum(axis=0))
        assert mine == pytest.approx(theirs * turned, abs=1e-9)
    assert found.share == pytest.approx(other.explained_variance_ratio_.sum())


@pytest.mark.parametrize("width", [1, 2])
def test_codes_of_one_or_two_numbers_have_a_map_too(width):
    val = np.random.default_rng(1).normal(size=(30, width))
    found = projection.project(val, val[:5])
    assert found.val.shape == (30, 2)
    assert found.test.shape == (5, 2)
    assert found.share == pytest.approx(1)


@pytest.fixture
def few(monkeypatch):
    """UMAP leaves the search for neighbours to pynndescent from 4,096 images on, and imports it for fewer too. There it compiles all its
    functions, a quarter of a minute where that has not been done before; a map of fewer is the same to the last bit without.
    """
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("numba").config, "DISABLE_JIT", True)
        importlib.import_module("pynndescent")


def test_umap_keeps_neighbours_and_lays_out_the_same_map_again(few, codes):
    val, test = codes
    found, again = (projection.project(val, test, "UMAP") for _ in range(2))
    assert found.val.shape == (80, 2)
    assert np.array_equal(found.test, again.test)
    assert trustworthiness(test, found.test, n_neighbors=10) > 0.85
    assert found.share is None


def test_umap_is_offered_where_it_is_installed(monkeypatch):
    assert projection.kinds() == ("PCA", "UMAP")  # the tests' own requirements install it
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert projection.kinds() == ("PCA",)


def test_an_unknown_projection_is_named(codes):
    with pytest.raises(ValueError, match=r"'t-SNE' is no projection\. Known: PCA, UMAP"):
        projection.project(*codes, "t-SNE")
