"""Intervals of AUROC and ROC are those of drawing the test images anew."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from ganad.evaluation import bootstrap


def scores(n, m, apart, seed=0):
    rng = np.random.default_rng(seed)
    return np.r_[rng.normal(size=n), rng.normal(apart, 1, m)], np.r_[np.zeros(n, bool), np.ones(m, bool)]


def test_the_interval_is_that_of_drawing_images_one_by_one():
    score, anomalous = scores(120, 300, 1.2)
    rng = np.random.default_rng(1)
    areas, caught = [], []
    for _ in range(800):
        rows = np.r_[rng.choice(120, 120), 120 + rng.choice(300, 300)]
        areas.append(roc_auc_score(anomalous[rows], score[rows]))
        fpr, tpr, _ = roc_curve(anomalous[rows], score[rows], drop_intermediate=False)
        caught.append(tpr[np.flatnonzero(fpr <= 0.2 + 1e-9)[-1]])
    found = bootstrap.band(score, anomalous, resamples=800)
    assert (found.low, found.high) == pytest.approx(np.quantile(areas, [0.025, 0.975]), abs=0.006)
    assert (found.tpr_low[20], found.tpr_high[20]) == pytest.approx(np.quantile(caught, [0.025, 0.975]), abs=0.02)


def test_equal_scores_count_half():
    anomalous = np.arange(40) % 2 == 1
    found = bootstrap.band(np.zeros(40), anomalous)
    assert (found.low, found.high) == (0.5, 0.5)


def test_more_images_narrow_it_and_a_perfect_score_has_none():
    few, many = (bootstrap.band(*scores(n, n, 1.0)) for n in (50, 5000))
    assert many.high - many.low < (few.high - few.low) / 5
    perfect = bootstrap.band(*scores(60, 60, 50.0))
    assert (perfect.low, perfect.high) == (1.0, 1.0)
    assert (perfect.tpr_low == 1).all()


def test_the_curve_lies_in_its_band_most_of_the_way():
    score, anomalous = scores(400, 400, 1.0)
    fpr, tpr, _ = roc_curve(anomalous, score)
    found = bootstrap.band(score, anomalous)
    own = np.interp(found.fpr, fpr, tpr)
    assert ((own >= found.tpr_low - 1e-9) & (own <= found.tpr_high + 1e-9)).mean() > 0.95
