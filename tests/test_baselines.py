"""Baselines against their definition, and against what is known of them."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ganad.data import sources
from ganad.scoring import baselines


@pytest.fixture(scope="module")
def digits():
    mnist = sources.load()
    return mnist.train.images, mnist.train.digit, mnist.test.images[:2000], mnist.test.digit[:2000]


def test_pca_redraws_from_the_leading_directions_of_the_normal_images(digits):
    images, digit, test, _ = digits
    x = (images[digit == 8][:500] / 255.0).reshape(500, -1)
    pca = baselines.Pca(5).fit(images[digit == 8][:500])
    mean = x.mean(axis=0)
    _, s, v = np.linalg.svd(x - mean, full_matrices=False)
    t = (test[:20] / 255.0).reshape(20, -1) - mean
    z = t @ v[:5].T
    said = pca.parts(test[:20])
    np.testing.assert_allclose(said["residual"], ((t - z @ v[:5]) ** 2).sum(axis=1), rtol=1e-3)
    np.testing.assert_allclose(said["latent"], (z**2 / (s[:5] ** 2 / 499)).mean(axis=1), rtol=1e-3)
    drawn = np.round((z @ v[:5] + mean).clip(0, 1) * 255).reshape(20, 28, 28)
    assert np.abs(pca.reconstruct(test[:20]).astype(int) - drawn).max() <= 1


def test_neighbours_are_the_nearest_normal_images_and_their_mean_is_the_reconstruction(digits):
    images, digit, test, _ = digits
    known = images[digit == 8][:200]
    plain = baselines.Neighbours(k=3, blur=1).fit(known)
    far = np.sqrt((((test[:10, None] / 255.0) - (known[None] / 255.0)) ** 2).sum(axis=(2, 3)))
    np.testing.assert_allclose(plain.parts(test[:10])["residual"], np.sort(far, axis=1)[:, :3].mean(axis=1), rtol=1e-4)
    nearest = known[np.argsort(far, axis=1)[:, :3]].mean(axis=1)
    assert np.abs(plain.reconstruct(test[:10]).astype(float) - nearest).max() <= 0.51


def test_a_blur_forgives_a_shift_by_a_pixel(digits):
    images, digit, _, _ = digits
    known = images[digit == 8][:50]
    moved = np.roll(known, 1, axis=2)
    sharp, blurred = (baselines.Neighbours(k=1, blur=b).fit(known).parts(moved)["residual"] for b in (1, 3))
    spread = [baselines.Neighbours(k=2, blur=b).fit(known).parts(known)["residual"].mean() for b in (1, 3)]
    assert blurred.mean() / spread[1] < sharp.mean() / spread[0]


@pytest.mark.parametrize(("normal", "expected"), [(2, 0.923), (8, 0.850)])
def test_pca_tells_one_digit_from_the_others_as_well_as_was_measured_elsewhere(runs_dir, normal, expected):
    """Figures of an independent measurement on the official split, to three digits."""
    anomalous = sources.load_test().digit != normal
    assert roc_auc_score(anomalous, baselines.scores("pca", (normal,))) == pytest.approx(expected, abs=6e-4)


def test_a_baseline_is_computed_once(runs_dir, monkeypatch):
    assert not baselines.known("pca", (8,))
    first = baselines.scores("pca", (8,))
    assert first.shape == (10_000,)
    assert baselines.known("pca", (8,))
    monkeypatch.setattr(baselines, "build", lambda name: pytest.fail("computed again"))
    assert (baselines.scores("pca", (8,)) == first).all()
