"""Beat the detector: the same twenty for whoever opens the link, and rates with honest intervals."""

import numpy as np
import pytest

from ganad import service
from ganad.evaluation import game, metrics
from tests.conftest import put_finished
from tests.test_pages import opened, words


def test_twenty_are_ten_of_each_the_same_for_the_same_number_and_half_are_hard():
    rng = np.random.default_rng(0)
    score, anomalous = rng.normal(size=3000), rng.random(3000) < 0.7
    rows = game.twenty(score, anomalous, 7)
    assert np.array_equal(rows, game.twenty(score, anomalous, 7))
    assert not np.array_equal(np.sort(rows), np.sort(game.twenty(score, anomalous, 8)))
    assert len(set(rows.tolist())) == 20
    assert anomalous[rows].sum() == 10
    hardest_normals = np.quantile(score[~anomalous], 0.75)
    hardest_anomalies = np.quantile(score[anomalous], 0.25)
    assert (score[rows[~anomalous[rows]]] > hardest_normals).sum() == 5
    assert (score[rows[anomalous[rows]]] < hardest_anomalies).sum() == 5
    assert len(game.twenty(score[:30], np.arange(30) < 3, 1)) <= 13


def test_a_share_has_the_interval_of_wilson():
    z, k, n = 1.959964, 9, 10
    p = k / n
    middle, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5,
    )
    shown = game.share(k, n)
    assert (shown.value, shown.low, shown.high) == pytest.approx((0.9, middle - half, middle + half), abs=1e-6)


def test_outcome_counts_what_is_right_caught_and_falsely_alarmed():
    called, truth = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1], bool)
    made = game.outcome(called, truth)
    assert made.right == 3
    assert made.caught.value == pytest.approx(2 / 3)
    assert made.false_alarms.value == pytest.approx(1 / 2)


def test_a_link_opens_its_game_and_verdicts_stay_hidden_until_one_has_answered(runs_dir):
    run = put_finished(runs_dir)
    scores = service.scores(run.name)
    total = metrics.total(scores.test.parts, service.run_info(run.name).weights)
    rows = game.twenty(total, scores.anomalous, 42)
    at = opened("pages/4_Score.py", run=run.name, game="42")
    assert not at.exception
    assert at.segmented_control(key="way").value == "game"
    assert "Image 1 of 20: is it 8?" in words(at)
    assert "you were" not in words(at)
    for i, row in enumerate(rows):
        at.button(key="call_anomalous" if scores.anomalous[row] else "call_normal").click().run()
        assert not at.exception
        if i < 19:
            assert (
                f"you were **right**, the detector was **{'right' if (total[row] > service.run_info(run.name).report['threshold']) == scores.anomalous[row] else 'wrong'}**"
                in words(at)
            )
    assert "you 20, GANomaly" in words(at)
    assert "of 20" in words(at)
    at.button(key="other_game").click().run()
    assert "Image 1 of 20" in words(at)


@pytest.mark.parametrize("text", ["x", "-1", "123456", "<b>"])
def test_a_game_that_makes_no_sense_is_no_game(runs_dir, text):
    run = put_finished(runs_dir)
    at = opened("pages/4_Score.py", run=run.name, game=text)
    assert not at.exception
    assert at.segmented_control(key="way").value == "draw"
