"""Distances in the latent space, against SciPy's."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ganad.evaluation import neighbours


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(230, 7)).astype(np.float32)


def test_the_nearest_codes_come_first_with_their_distances(codes):
    rows, away = neighbours.nearest(codes[0], codes[1:], 5)
    expected = cdist(codes[:1], codes[1:])[0]
    assert rows.tolist() == np.argsort(expected)[:5].tolist()
    assert away == pytest.approx(np.sort(expected)[:5], rel=1e-5)


def test_each_code_has_its_distance_to_the_nearest_other_one(codes):
    apart = cdist(codes, codes)
    np.fill_diagonal(apart, np.inf)
    assert neighbours.distances_to_nearest(codes) == pytest.approx(apart.min(axis=1), rel=1e-4)
