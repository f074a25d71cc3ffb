"""The density of codes: against scikit-learn's own, against closed forms, and as a part of a method's score."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.mixture import GaussianMixture

from ganad.config import mixtures, resolve
from ganad.errors import Stopped
from ganad.models import build, density, gaussian_mixture
from ganad.models.density import CodeDensity
from ganad.models.typicality import Typicality, log_ink
from ganad.scoring.score import fit_statistics, score
from tests.models.saved import saved_and_loaded


def codes(n, latent=5, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(n, latent)) @ np.random.default_rng(9).normal(size=(latent, latent))
        + rng.integers(0, 3, (n, 1)) * 4
    )


def fitted(train, held_out, unit=1.0, **how):
    density = CodeDensity(train.shape[1])
    density.fit(train, held_out, unit, **how)
    return density


def as_sklearn(density):
    """The same mixture as an object of scikit-learn, from the definition of the buffers."""
    k, latent = density.mean.shape
    mixture = GaussianMixture(k)
    mixture.means_ = density.mean.double().numpy()
    mixture.precisions_cholesky_ = density.whiten.double().numpy()
    log_det = np.log(np.diagonal(mixture.precisions_cholesky_, axis1=1, axis2=2)).sum(axis=1)
    mixture.weights_ = np.exp(density.log_weight.double().numpy() - log_det + latent / 2 * np.log(2 * np.pi))
    return mixture


def test_a_single_gaussian_is_half_the_squared_mahalanobis_distance_and_its_constant():
    train = codes(200)  # too few for ten Gaussians
    density, asked = fitted(train, codes(50, seed=1)), codes(20, seed=2)
    assert len(density.mean) == 1
    covariance = np.cov(train.T, bias=True) + 3e-3 * train.var(axis=0).mean() * np.eye(5)
    off = asked - train.mean(axis=0)
    squared = np.einsum("bi,ij,bj->b", off, np.linalg.inv(covariance), off)
    expected = squared / 2 + np.linalg.slogdet(2 * np.pi * covariance)[1] / 2
    np.testing.assert_allclose(density.surprise(torch.from_numpy(asked).float()), expected, rtol=1e-4)


def test_many_gaussians_are_scikit_learns_mixture():
    density, asked = fitted(codes(1500), codes(200, seed=1)), codes(40, seed=2)
    assert len(density.mean) > 1
    mixture = as_sklearn(density)
    assert mixture.weights_.sum() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(
        density.surprise(torch.from_numpy(asked).float()), -mixture.score_samples(asked), rtol=1e-4
    )


@pytest.mark.parametrize("count", [3, 10])
def test_the_fit_is_the_one_of_scikit_learn(count):
    """The same start, the same formulas, the same end, in single precision: what a code has no share in leaves no trace."""
    seen = codes(1500).astype(np.float32)
    theirs = GaussianMixture(count, reg_covar=1e-3, random_state=3, max_iter=40).fit(seen)
    steps = []
    ours = gaussian_mixture.fit(
        torch.from_numpy(seen), count, added=1e-3, seed=3, rounds=40, on_progress=lambda: steps.append(1)
    )
    assert len(steps) == theirs.n_iter_
    np.testing.assert_allclose(ours.weight, theirs.weights_, rtol=1e-3)
    np.testing.assert_allclose(ours.mean, theirs.means_, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(ours.whiten @ ours.whiten.mT, theirs.precisions_, rtol=5e-3, atol=5e-3)
    np.testing.assert_allclose(ours.log_density(torch.from_numpy(seen)), theirs.score_samples(seen), atol=2e-3)


def test_it_is_nothing_for_the_likeliest_and_has_the_spread_asked_for():
    others = codes(300, seed=1)
    density = CodeDensity(5)
    surprise = density.fit(codes(1500), others, 0.25)
    np.testing.assert_allclose(density.surprise(torch.from_numpy(others).float()), surprise, rtol=1e-3, atol=1e-3)
    strangeness = density(torch.from_numpy(surprise).float())
    assert strangeness.min() == pytest.approx(0, abs=1e-4)
    assert strangeness.std(correction=0).item() == pytest.approx(0.25, rel=1e-3)
    assert density(density.surprise(torch.full((1, 5), 60.0))) > strangeness.max()


def test_more_gaussians_are_kept_only_where_held_out_codes_are_likelier():
    rng = np.random.default_rng(0)
    one_cloud = fitted(rng.normal(size=(4000, 2)), rng.normal(size=(400, 2)))
    islands = rng.normal(scale=40, size=(30, 2))
    many = fitted(*(islands[rng.integers(0, 30, n)] + rng.normal(size=(n, 2)) for n in (4000, 400)))
    assert len(one_cloud.mean) == 10
    assert len(many.mean) > 10


def test_before_the_fit_it_is_nothing():
    density = CodeDensity(5)
    assert torch.equal(density(density.surprise(torch.randn(3, 5))), torch.zeros(3))
    assert torch.equal(Typicality()(torch.randn(3, 2)), torch.zeros(3))


def test_typicality_is_half_the_squared_mahalanobis_distance_scaled_to_the_spread_asked_for():
    seen = np.random.default_rng(0).normal(size=(500, 2)) @ [[3.0, 1.0], [0.0, 0.2]] + [5.0, -2.0]
    typicality = Typicality()
    typicality.fit(seen, 0.5)
    half = [mahalanobis(s, seen.mean(axis=0), np.linalg.inv(np.cov(seen.T))) ** 2 / 2 for s in seen]
    np.testing.assert_allclose(
        typicality(torch.from_numpy(seen).float()), np.array(half) / np.std(half) * 0.5, rtol=1e-3, atol=1e-5
    )


def test_typicality_finds_both_tails_strange():
    seen = np.random.default_rng(0).normal(size=(500, 2))
    typicality = Typicality()
    typicality.fit(seen, 1.0)
    low, middle, high = typicality(torch.tensor([[-4.0, 0.0], [0.0, 0.0], [4.0, 0.0]]))
    assert low > 10 * middle
    assert high > 10 * middle


def test_ink_is_the_log_of_the_mean_grey():
    x = torch.stack([torch.full((1, 4, 4), v) for v in (-1.0, 0.0, 1.0)])
    np.testing.assert_allclose(log_ink(x), np.log([1e-4, 0.5, 1.0]), rtol=1e-5, atol=1e-6)


def test_a_fit_that_is_ended_changes_nothing():
    density = fitted(codes(1500), codes(100, seed=1))
    before = {k: v.clone() for k, v in density.state_dict().items()}

    def end():
        raise Stopped

    with pytest.raises(Stopped):
        density.fit(codes(1500, seed=5), codes(100, seed=6), 1.0, on_progress=end)
    assert all(torch.equal(v, before[k]) for k, v in density.state_dict().items())


def test_a_state_keeps_half_of_each_matrix_and_brings_all_of_it_back():
    density = fitted(codes(1500), codes(100, seed=1))
    state = density.state_dict()
    gaussians, latent, _ = density.whiten.shape
    assert state["whiten"].shape == (gaussians, latent * (latent + 1) // 2)
    whole = state | {"whiten": density.whiten.clone()}  # as weights of before lie there
    for kept in (state, whole):
        again = CodeDensity(latent)
        again.load_state_dict(kept)
        assert torch.equal(again.whiten, density.whiten)
        assert torch.equal(again.surprise(torch.ones(3, latent)), density.surprise(torch.ones(3, latent)))
    with pytest.raises(RuntimeError, match="whiten"):
        CodeDensity(latent).load_state_dict(state | {"whiten": state["whiten"][:, 1:]})


# --- in a method -------------------------------------------------------------------------------------------------------


STATISTICS = ("density.", "typicality.", "residuals.")


def small(method, w_density, w_typicality=0.0, w_residual_density=0.0):
    """Statistics from images as they are: varied ones have other units than those that a test compares with."""
    asked = dict(
        filters=4,
        latent=6,
        augment=0.0,
        w_density=w_density,
        w_typicality=w_typicality,
        w_residual_density=w_residual_density,
        augment_share=0.0,
        w_transform=0.0,
    )
    if method == "egbad":
        asked["w_encoder_density"] = 0.0
    if method == "fanogan":
        asked["w_feature_density"] = 0.0
    return build(resolve(method, "tuned", normal=(8,), look_turn=0.0, **asked)).eval()


def digits(n, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "asked"),
    [(n, a) for n in ("ganomaly", "egbad", "fanogan") for a in ((2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 2.0))],
)
def test_the_latent_part_is_the_distance_and_what_is_added_counts_as_asked(name, asked):
    plain, dense = small(name, 0.0), small(name, *asked)
    dense.load_scoring_state(
        plain.scoring_state() | {k: v for k, v in dense.scoring_state().items() if k.startswith(STATISTICS)}
    )
    train = digits(500)
    fit_statistics(plain, train)  # nothing happens
    fit_statistics(dense, train)
    distance, whole = score(plain, train).parts["latent"], score(dense, train).parts["latent"]
    added = whole - distance
    assert (added >= -1e-6).all()
    others = np.random.default_rng(0).permutation(500)[:100]  # of the training images, the fifth that gives the units
    assert added[others].std() == pytest.approx(2.0 * distance[others].std(), rel=1e-2)
    for part in ("residual", "discrimination"):
        np.testing.assert_allclose(score(plain, train).parts[part], score(dense, train).parts[part], rtol=1e-5)


@pytest.mark.parametrize("name", ["ganomaly", "egbad", "fanogan"])
def test_what_was_fitted_is_saved_with_the_weights_and_scores_the_same(name, tmp_path):
    method = small(name, 1.0, 1.0, 1.0)
    fit_statistics(method, digits(400))
    again = saved_and_loaded(method, tmp_path)
    assert again.density.is_fitted
    asked = digits(7, seed=3)
    np.testing.assert_array_equal(score(method, asked).parts["latent"], score(again, asked).parts["latent"])


@pytest.mark.parametrize("folded", [False, True])
def test_a_method_without_its_statistics_leaves_them_to_the_one_that_it_is_made_of(folded):
    method = small("egbad", 1.0, 1.0, 1.0)
    fit_statistics(method, digits(400))
    method = method.folded() if folded else method
    before = score(method, digits(5)).parts["latent"]
    bare = score(method.without_statistics(), digits(5))
    assert (bare.parts["latent"] < before).all()
    np.testing.assert_allclose(bare.z, score(method, digits(5)).z, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(score(method, digits(5)).parts["latent"], before)


def test_the_fit_gives_the_same_numbers_each_time():
    first, second = small("egbad", 1.0, 1.0, 1.0), small("egbad", 1.0, 1.0, 1.0)
    for method in (first, second):
        fit_statistics(method, digits(700))
    torch.testing.assert_close(first.scoring_state(), second.scoring_state(), rtol=0, atol=0)


def test_weights_of_a_run_without_statistics_do_not_fit_one_that_asks_for_them():
    with pytest.raises(RuntimeError, match="log_weight"):
        small("egbad", 1.0).load_scoring_state(small("egbad", 0.0).scoring_state())
    with pytest.raises(RuntimeError, match="statistics of normal images"):
        small("egbad", 0.0).load_scoring_state(small("egbad", 1.0).scoring_state())


def test_statistics_are_of_images_varied_as_in_the_training():
    """The same nets and images, with variation and without: other codes are fitted."""
    train = digits(600)
    plain, varied = (
        build(resolve("ganomaly", "tuned", normal=(8,), filters=4, latent=6, augment_share=s)).eval()
        for s in (0.0, 1.0)
    )
    varied.load_scoring_state(plain.scoring_state())
    for method in (plain, varied):
        fit_statistics(method, train)
    assert not torch.equal(plain.density.mean, varied.density.mean)


@pytest.mark.parametrize(("codes", "counts"), [(50, [1]), (1000, [10]), (4300, [10, 30]), (12_000, [10, 30, 100])])
def test_a_mixture_has_a_hundred_codes_for_each_of_its_gaussians(codes, counts):
    assert mixtures.tried(codes) == counts


def test_the_expected_time_of_a_fit_is_that_of_its_rounds():
    # 6,000 images: a fifth chooses, 4,800 codes are fitted by 10 and by 30 Gaussians.
    assert mixtures.expected_seconds(6000, 1e6) == pytest.approx(mixtures.USUAL_ROUNDS * 40 * 4800 / 1e6)
    assert mixtures.expected_seconds(54_000, 1e6) == pytest.approx(mixtures.USUAL_ROUNDS * 140 * 12_000 / 1e6)


def test_the_speed_of_a_fit_falls_with_the_length_of_codes():
    assert density.speed(4) > density.speed(64) > 0
