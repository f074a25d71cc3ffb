"""The numbers that explain a score are the score."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from ganad.config import PARTS
from ganad.evaluation import filters, metrics
from ganad.scoring.attribution import Pixels, from_pictures
from ganad.scoring.score import to_input
from ganad.ui.components import lens
from ganad.ui.panels import explanation
from ganad.ui.state import cache
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.ui.state.selection import Selection

PART = {"residual": 40.0, "discrimination": 3.0, "latent": 0.5}
WEIGHTS = (0.9, 0.1, 0.0)


def plain(html):
    html = re.sub(r"<style>.*?</style>|<span class='ganad-tip'.*?</span>", "", html, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", "", html).replace("&gt;", ">")


def test_the_formula_has_the_numbers_of_the_image_and_leaves_out_parts_without_weight():
    shown = explanation.rows({p: np.zeros(1) for p in PARTS}, PART, WEIGHTS)
    said = plain(explanation.formula(shown, 36.3, 30.0))
    assert said == "A = 0.9 · 40 + 0.1 · 3 = 36.3 > 30 the threshold, so anomalous"
    assert "≤ 37 the threshold, so normal" in plain(explanation.formula(shown, 36.3, 37.0))


def test_a_standardised_score_is_the_weighted_mean_of_what_the_formula_shows():
    rng = np.random.default_rng(0)
    val = {p: rng.normal(5, 2, 500) for p in PARTS}
    rows = explanation.rows(val, PART, WEIGHTS, standardised=True)
    for p in PARTS:
        assert rows[p]["value"] == pytest.approx((PART[p] - val[p].mean()) / val[p].std())
    assert sum(row["weight"] for row in rows.values()) == pytest.approx(1)
    shares = rows["residual"]["weight"] / rows["discrimination"]["weight"]
    assert shares == pytest.approx(9 * val["residual"].std() / val["discrimination"].std())
    units = metrics.standard_units(val, WEIGHTS)
    made = units.shown(float(metrics.total(PART, WEIGHTS)))
    assert sum(r["contribution"] for r in rows.values()) == pytest.approx(made)
    assert units.score(made) == pytest.approx(float(metrics.total(PART, WEIGHTS)))


def test_the_pixels_under_the_lens_add_up_to_the_residual_part():
    """At 28x28, where nothing is padded or resized, up to the rounding to 256 greys."""
    rng = np.random.default_rng(1)
    given, made = rng.integers(0, 256, (2, 28, 28)).astype(np.uint8)
    x, y = (to_input(picture[None], 28).numpy() for picture in (given, made))
    residual = float(np.abs(x - y).sum())
    assert from_pictures(given, made, residual, 28).adds.sum() == pytest.approx(residual, rel=1e-5)


def pixels(size, exact, outside=0.5):
    adds = np.full((28, 28), 40 / 784, dtype=np.float32)
    adds[18, 7] = 0.7 + 40 / 784
    return Pixels(adds, outside, size, exact)


def test_what_the_pixels_add_up_to_is_said_with_what_is_not_shown_and_what_is_rough():
    said = lens.in_words(pixels(32, True), 0.9)
    assert said == "The pixels shown add 40.7 of 41.2 (+0.5: the frame around them). Row 19, column 8 adds most, 0.751."
    assert "the frame around them and the rounding of greys" in lens.in_words(pixels(32, False), 0.9)
    assert "frame" not in lens.in_words(pixels(28, False), 0.9)
    assert "share by area" in lens.in_words(pixels(64, True, 0), 0.9)
    assert "rough" in lens.in_words(pixels(64, False, 0), 0.9)


def test_a_residual_without_weight_and_a_search_that_ended_elsewhere_are_said():
    assert "weight 0, so none of it enters the score" in lens.in_words(pixels(32, True), 0.0)
    rare = lens.in_words(pixels(32, True), 0.0, judged_as_a_whole=True)
    assert rare.endswith(
        "weight 0, so how much it is does not enter the score; how rare such a residual is does, in the latent part."
    )
    assert "weight 0" not in lens.in_words(pixels(32, True), 0.2, judged_as_a_whole=True)
    assert "ended at 45" in lens.in_words(pixels(32, True), 0.2, stored=45.0)
    assert "search" not in lens.in_words(pixels(32, True), 0.2, stored=41.21)


def test_every_picture_s_alternative_text_states_verdict_and_parts():
    story = explanation.Story(np.zeros((28, 28)), None, PART, "A 3")
    view = SimpleNamespace(weights=WEIGHTS, threshold=30.0, units=metrics.RAW)
    for text in explanation.alts(view, story):
        assert "A 3" in text
        assert "called anomalous; score 36.3, threshold 30; residual 40, discrimination 3, latent 0.5." in text


# --- which images are chosen ------------------------------------------------------------------------------------------


@pytest.fixture
def six(monkeypatch):
    """Six images with scores 0..5, digits 0 1 0 1 0 1; digit 1 is the anomaly; on a line in the latent space."""
    scores = np.arange(6.0)
    test = SimpleNamespace(digit=np.arange(6) % 2, index=np.arange(6) + 100, parts=dict.fromkeys(PARTS, -scores))
    found = SimpleNamespace(test=test, anomalous=np.arange(6) % 2 == 1)
    monkeypatch.setattr(cache, "scores", lambda name: found)
    monkeypatch.setattr(cache, "totals", lambda name, weights: (None, scores))
    monkeypatch.setattr(cache, "has_codes", lambda run: True)
    monkeypatch.setattr(cache, "latent_map", lambda name, kind: SimpleNamespace(test=np.stack([scores, scores * 0], 1)))
    run, rule = SimpleNamespace(name="r"), DecisionRule((1, 0, 0), "manual", 2.5)
    return lambda **chosen: ScoredView(run, found, rule, Selection(**chosen)).rows


def test_each_filter_leaves_what_it_says_in_the_chosen_order(six):
    assert six().tolist() == [5, 4, 3, 2, 1, 0]
    assert six(digits=(1,)).tolist() == [5, 3, 1]
    assert six(band=(1.0, 3.0), sort="lowest score").tolist() == [1, 2, 3]
    assert six(verdict="missed").tolist() == [1]
    assert six(verdict="false alarms").tolist() == [4]
    assert six(sort="highest residual").tolist() == [0, 1, 2, 3, 4, 5]
    assert six(lasso=((0.5, -1), (3.5, -1), (3.5, 1), (0.5, 1)), digits=(0,)).tolist() == [2]


def test_near_misses_are_the_closest_on_both_sides(six, monkeypatch):
    monkeypatch.setattr(filters, "NEAR", 1)
    assert six(verdict="near the threshold").tolist() == [3, 2]
    assert six(verdict="near the threshold", digits=(1,)).tolist() == [3, 1]


def test_the_even_odd_rule_knows_a_dent():
    dented = ((0, 0), (4, 0), (4, 4), (2, 1), (0, 4))
    points = np.array([[1, 1], [2, 3], [3, 2], [5, 1]], dtype=float)
    assert filters.inside_polygon(points, dented).tolist() == [True, False, True, False]
