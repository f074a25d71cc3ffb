"""Gaps and agreement against closed forms and plain versions of themselves."""

import numpy as np
import pytest

from ganad.config import resolve
from ganad.evaluation import comparison
from ganad.evaluation.agreement import Verdicts
from ganad.evaluation.metrics import auroc
from ganad.evaluation.scores import ScoredImages


def scored(index):
    index = np.asarray(index)
    return ScoredImages({}, index % 10, index, np.empty((len(index), 0)))


def test_a_weighted_area_is_the_area_of_images_repeated_so_often():
    rng = np.random.default_rng(1)
    anomalous, score = rng.random(60) < 0.7, rng.integers(0, 12, 60).astype(float)
    weights = rng.integers(0, 4, (5, 60))
    expected = [auroc(np.repeat(anomalous, w), np.repeat(score, w)) for w in weights]
    np.testing.assert_allclose(comparison.weighted_aurocs(anomalous, score, weights), expected, atol=1e-12)


def test_two_equal_scores_have_no_gap_at_all():
    rng = np.random.default_rng(0)
    anomalous, score = rng.random(300) < 0.5, rng.normal(size=300)
    found = comparison.gap(anomalous, [score], [score])
    assert (found.gap, found.low, found.high) == (0, 0, 0)
    assert not found.significant


def test_a_perfect_score_against_noise_is_a_difference_and_turns_its_sign_with_the_sides():
    rng = np.random.default_rng(0)
    anomalous = rng.random(400) < 0.5
    good, noise = anomalous + rng.random(400) / 2, rng.normal(size=400)
    ours = comparison.gap(anomalous, [good], [noise])
    theirs = comparison.gap(anomalous, [noise], [good])
    assert ours.gap == pytest.approx(1 - auroc(anomalous, noise))
    assert (ours.low, ours.high) == pytest.approx((-theirs.high, -theirs.low))
    assert ours.low > 0.3
    assert ours.significant
    assert "another seed" in ours.words


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(100):  # two noisy readings of one signal, equally good
        anomalous = rng.random(300) < 0.5
        a, b = (anomalous + rng.normal(size=300) for _ in range(2))
        found = comparison.gap(anomalous, [a], [b])
        held += found.low <= 0 <= found.high
    assert 88 <= held <= 100  # 95 expected; three standard deviations are 6.5


def test_a_gap_within_the_spread_of_seeds_is_no_difference_however_narrow_the_interval():
    found = comparison.Gap(gap=0.01, low=0.008, high=0.012, seeds=0.02)
    assert not found.significant
    assert "seeds alone make a gap of 0.0200" in found.words
    assert comparison.Gap(0.03, 0.02, 0.04, seeds=0.02).significant
    assert "other test images" in comparison.Gap(0.03, -0.01, 0.04, seeds=0.001).words


def test_the_noise_of_seeds_is_that_of_a_difference_of_two_runs():
    rng = np.random.default_rng(3)
    anomalous = rng.random(200) < 0.5
    group = [anomalous + s * rng.normal(size=200) for s in (0.5, 1.0, 2.0)]
    a = [auroc(anomalous, s) for s in group]
    found = comparison.gap(anomalous, group, group[:2])
    assert found.seeds == pytest.approx(np.sqrt(np.var(a, ddof=1) + np.var(a[:2], ddof=1)))


def test_runs_are_joined_by_image_whatever_their_order_and_number():
    a, b, c = scored([5, 3, 9, 7, 1]), scored([9, 2, 1, 3]), scored(np.arange(10)[::-1])
    rows = comparison.shared([a, b, c])
    assert [list(s.index[r]) for s, r in zip((a, b, c), rows, strict=True)] == [[1, 3, 9]] * 3
    assert [len(r) for r in comparison.shared([scored([1, 2]), scored([3])])] == [0, 0]


def test_runs_that_differ_by_seed_and_name_alone_are_alike():
    one = resolve("ganomaly", normal=(8,), seed=0)
    assert comparison.config_key(one) == comparison.config_key(resolve("ganomaly", normal=(8,), seed=3, name="mine"))
    assert comparison.config_key(one) != comparison.config_key(resolve("ganomaly", normal=(8,), epochs=3))


def test_only_what_differs_is_named_and_what_a_method_lacks_is_empty():
    a, b = resolve("ganomaly", normal=(8,), seed=1, name="a"), resolve("ganomaly", normal=(8,), epochs=3, name="b")
    assert comparison.differing([a, b]) == {"seed": [1, 0], "epochs": [a.epochs, 3]}
    assert comparison.differing([a, resolve("egbad", normal=(8,))])["w_cycle"] == [None, 10.0]
    assert comparison.differing([a]) == {}


def rank_correlations(*scores):
    return Verdicts(None, None, None, np.stack(scores), None).rank_correlations()


def test_rank_correlation_in_closed_form():
    a = np.array([1.0, 2, 3, 4, 5])
    swapped = np.array([2.0, 1, 4, 3, 5])  # 1 - 6 Σd² / n(n² - 1), Σd² = 4
    by_hand = [1, 1, -1, 1 - 6 * 4 / (5 * 24)]
    together = rank_correlations(a, np.exp(a), -a, swapped, np.ones(5))
    assert together[0, :4].tolist() == pytest.approx(by_hand)
    assert np.isnan(together[4]).all(), "equal scores have no order to compare"


def test_rank_correlation_with_ties_is_scipy_s():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 200), rng.integers(0, 9, 200)
    assert rank_correlations(a, b)[0, 1] == pytest.approx(spearmanr(a, b).statistic)
