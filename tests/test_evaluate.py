"""Scores, thresholds and metrics, held against their definitions."""

import math

import numpy as np
import pytest

from ganad.config import PARTS
from ganad.evaluation import metrics as ev
from ganad.evaluation import thresholds
from ganad.evaluation.scores import ScoredImages, Scores


def made_up(n=600, seed=0, decimals=3):
    rng = np.random.default_rng(seed)
    digit = rng.integers(0, 10, n).astype(np.uint8)
    shift = (digit != 8) * 1.0
    parts = {p: np.round(rng.normal(size=n) + k * shift, decimals) for k, p in enumerate(PARTS)}
    return parts, digit


def pairs(score, anomalous):
    """AUROC by its definition: the share of (anomaly, normal) pairs in the right order, ties counting one half."""
    diff = score[anomalous][:, None] - score[~anomalous][None, :]
    return (diff > 0).mean() + 0.5 * (diff == 0).mean()


def test_a_score_is_the_weighted_sum_of_its_parts():
    parts = {"residual": np.array([1.0, 2]), "discrimination": np.array([10.0, 20]), "latent": np.array([0.5, 0])}
    assert ev.total(parts, (0.9, 0.1, 2)).tolist() == [0.9 + 1 + 1, 1.8 + 2]


@pytest.mark.parametrize("decimals", [8, 1, 0])  # from no ties to mostly ties
def test_auroc_counts_correctly_ordered_pairs(decimals):
    parts, digit = made_up(decimals=decimals)
    e = ev.evaluate(parts, digit, (8,), (0, 1, 0.5), threshold=0.0)
    assert e.auroc == pytest.approx(pairs(ev.total(parts, (0, 1, 0.5)), digit != 8), abs=1e-12)
    for p in PARTS:
        assert e.part_auroc[p] == pytest.approx(pairs(parts[p], digit != 8), abs=1e-12)


def test_two_unit_gaussians_d_apart_give_phi_of_d_over_root_two():
    rng, n, d = np.random.default_rng(0), 20_000, 1.5
    digit = np.repeat([8, 3], n).astype(np.uint8)
    parts = dict.fromkeys(PARTS, np.r_[rng.normal(0, 1, n), rng.normal(d, 1, n)])
    e = ev.evaluate(parts, digit, (8,), (1, 0, 0), threshold=0.0)
    assert e.auroc == pytest.approx((1 + math.erf(d / 2)) / 2, abs=0.01)
    # With equal spreads, both error rates are equal half-way: Phi(-d/2).
    assert e.eer == pytest.approx((1 - math.erf(d / 2 / math.sqrt(2))) / 2, abs=0.01)


def test_average_precision_of_a_constant_score_is_the_prevalence_and_it_is_said():
    _, digit = made_up()
    e = ev.evaluate(dict.fromkeys(PARTS, np.zeros(len(digit))), digit, (8,), (1, 0, 0), threshold=0.0)
    assert e.auroc == 0.5
    assert e.average_precision == pytest.approx(e.prevalence)
    assert "same score" in e.warnings[0]


def test_a_score_that_points_the_wrong_way_is_said_aloud():
    parts, digit = made_up()
    wrong = {p: -v for p, v in parts.items()}
    e = ev.evaluate(wrong, digit, (8,), (0, 1, 1), threshold=0.0)
    assert e.auroc < 0.5
    assert "below 0.5" in e.warnings[0]


def test_the_confusion_counts_every_image_once_and_the_rates_follow():
    parts, digit = made_up()
    e = ev.evaluate(parts, digit, (8, 3), (0, 0, 1), threshold=1.0)
    called, anomalous = parts["latent"] > 1.0, ~np.isin(digit, (8, 3))
    assert sum(e.confusion.values()) == len(digit)
    assert e.hit_rate == pytest.approx(called[anomalous].mean())
    assert e.false_alarm_rate == pytest.approx(called[~anomalous].mean())
    assert {r["digit"]: r["flagged"] for r in e.per_digit}[5] == pytest.approx(called[digit == 5].mean())


def test_the_operating_point_lies_on_the_curve():
    parts, digit = made_up(decimals=6)
    e = ev.evaluate(parts, digit, (8,), (0, 0, 1), threshold=0.7)
    after = np.flatnonzero(e.roc.thresholds > 0.7)[-1]
    assert e.roc.x[after] <= e.false_alarm_rate <= e.roc.x[after + 1]
    assert e.roc.y[after] <= e.hit_rate <= e.roc.y[after + 1]


def test_a_digit_is_compared_with_the_other_side_only():
    parts, digit = made_up()
    rows = {r["digit"]: r for r in ev.evaluate(parts, digit, (8,), (0, 0, 1), threshold=0.0).per_digit}
    score = parts["latent"]
    for d in (8, 2):
        mine = np.isin(digit, (8, d)) if d != 8 else np.ones(len(digit), bool)
        assert rows[d]["auroc"] == pytest.approx(pairs(score[mine], digit[mine] != 8))


def test_the_threshold_keeps_its_promise_on_new_normals_of_any_distribution():
    """Mean false-alarm rate over many draws of 99 held-out normals: k/(n+1) exactly, so at most the promised 5 %."""
    rng = np.random.default_rng(1)
    rates = []
    for _ in range(3000):
        val = rng.exponential(size=99)
        rates.append(math.exp(-thresholds.threshold_for(val, 0.05)))  # P(new > t) of an exponential
    assert np.mean(rates) == pytest.approx(0.05, abs=0.002)


def test_the_threshold_is_the_kth_smallest_and_infinite_when_there_are_too_few():
    val = np.arange(1, 20.0)[::-1]
    assert thresholds.threshold_for(val, 0.05) == 19  # ceil(20 * 0.95) = 19
    assert thresholds.threshold_for(val, 0.5) == 10
    assert thresholds.threshold_for(val, 0.04) == math.inf


def test_a_percentile_is_the_share_of_held_out_normals_that_score_lower():
    val = np.array([3.0, 1, 2, 2])
    assert ev.percentile(np.array([0.0, 2, 2.5, 9]), val).tolist() == [0, 25, 75, 100]


def test_thinning_keeps_the_ends_and_the_area():
    x = np.linspace(0, 1, 20_000)
    y = np.sqrt(x)
    thin = ev._thin(x, y, x)
    assert len(thin.x) <= 502
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(thin.y, thin.x) == pytest.approx(2 / 3, abs=1e-4)


def test_the_report_is_plain_json_and_has_every_promised_key():
    import json

    parts, digit = made_up()
    e = ev.evaluate(parts, digit, (8,), (0.9, 0.1, 0), threshold=math.inf)
    said = json.loads(json.dumps(ev.report(e, (0.9, 0.1, 0)), allow_nan=False))
    promised = {"auroc", "average_precision", "prevalence", "threshold", "weights", "parts", "per_digit", "n_normal"}
    assert promised | {"n_anomalous"} <= said.keys()
    assert said["weights"] == {"residual": 0.9, "discrimination": 0.1, "latent": 0}
    assert said["per_digit"].keys() == {str(d) for d in range(10)}
    assert said["threshold"] is None  # nothing is called anomalous


def test_mean_and_spread_use_the_sample_standard_deviation():
    assert ev.mean_and_spread([1.0, 2.0, 3.0]) == "2.0000 ± 1.0000"
    assert ev.mean_and_spread([0.5]) == "0.5000"


def test_rates_are_scikit_learn_s_curve():
    from sklearn.metrics import roc_curve

    rng = np.random.default_rng(5)
    anomalous = rng.random(400) < 0.4
    score = (rng.integers(0, 30, 400) + 5 * anomalous).astype(float)
    mine = ev.rates(score, anomalous, points=1000)
    fpr, tpr, _ = roc_curve(anomalous, score, drop_intermediate=False)
    assert np.trapezoid(mine.y, mine.x) == pytest.approx(np.trapezoid(tpr, fpr))
    assert set(zip(fpr.round(9), tpr.round(9), strict=True)) == set(zip(mine.x.round(9), mine.y.round(9), strict=True))


def test_the_typical_image_of_a_digit_has_the_lower_of_its_two_middle_scores():
    digit = np.array([8, 3, 8, 8, 8, 3, 3])
    images = ScoredImages({}, digit, np.arange(7), np.empty((7, 0)))
    score = np.array([4.0, 30, 1, 3, 2, 10, 20])
    assert ev.median_rows(Scores(images, images, (8,)), score) == {3: 6, 8: 4}


def test_sliders_at_the_same_height_have_the_same_influence_and_the_largest_default_stands_at_the_end():
    rng = np.random.default_rng(0)
    val = {p: rng.normal(0, spread, 400) for p, spread in zip(PARTS, (50.0, 0.2, 3.0), strict=True)}
    weights = (0.9, 0.1, 2.0)
    scales = ev.slider_scales(val, weights)
    heights = [w * s for w, s in zip(weights, scales, strict=True)]
    assert max(heights) == pytest.approx(1.0)
    for (part, w), height in zip(zip(PARTS, weights, strict=True), heights, strict=True):
        assert w * val[part].std() / height == pytest.approx(weights[0] * val["residual"].std() / heights[0])
    assert all(np.isfinite(ev.slider_scales({p: np.ones(5) for p in PARTS}, weights)))
