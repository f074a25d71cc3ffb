"""What is chosen: which images it leaves, in which order, and how it stands in an address."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from ganad import service
from ganad.evaluation import filters, metrics, projection, thresholds
from ganad.ui.state import address, rule, selection
from ganad.ui.state.selection import Selection

RUN = "ganomaly-n8"


@pytest.fixture
def run():
    st.session_state.clear()
    yield service.run_info(RUN)
    st.session_state.clear()


@pytest.fixture
def left(run):
    """Function: the rows that a choice leaves at the run's own weights and line."""
    return lambda **chosen: selection.rows(run, rule.mix_of(run), Selection(**chosen))


@pytest.fixture
def truth(run):
    """Scores and labels of the test images, and the line."""
    found = service.scores(RUN)
    score = metrics.total(found.test.parts, run.weights)
    return found, score, thresholds.threshold_for(metrics.total(found.val.parts, run.weights))


def test_no_choice_leaves_everything_with_the_strangest_first(left, truth):
    _, score, _ = truth
    rows = left()
    assert sorted(rows) == list(range(len(score)))
    assert np.all(np.diff(score[rows]) <= 0)
    assert np.all(np.diff(score[left(sort="lowest score")]) >= 0)


def test_a_sort_by_a_part_orders_by_that_part(left, truth):
    found, *_ = truth
    assert np.all(np.diff(found.test.parts["residual"][left(sort="lowest residual")]) >= 0)


def test_the_four_outcomes_share_all_images_among_them(left, truth):
    found, score, line = truth
    four = {v: set(left(verdict=v)) for v in ("caught", "missed", "false alarms", "passed")}
    assert sum(map(len, four.values())) == len(score)
    assert four["missed"] == set(np.flatnonzero(found.anomalous & (score <= line)))
    assert four["false alarms"] == set(np.flatnonzero(~found.anomalous & (score > line)))


def test_filters_narrow_each_other(left, truth):
    found, score, _ = truth
    band = (float(np.quantile(score, 0.2)), float(np.quantile(score, 0.6)))
    both = set(left(digits=(3,), band=band))
    assert both == set(left(digits=(3,))) & set(left(band=band))
    assert 0 < len(both) < (found.test.digit == 3).sum()


def test_near_misses_are_the_closest_on_each_side_and_nothing_closer_is_left_out(left, truth):
    _, score, line = truth
    near = left(verdict="near the threshold")
    for side in (score <= line, score > line):
        own = [r for r in near if side[r]]
        assert len(own) == filters.NEAR
        others = np.setdiff1d(np.flatnonzero(side), own)
        assert np.abs(score[own] - line).max() <= np.abs(score[others] - line).min()


def test_near_misses_of_a_digit_are_looked_for_among_its_images(left, truth):
    found, *_ = truth
    near = left(verdict="near the threshold", digits=(1,))
    assert len(near) == 2 * filters.NEAR
    assert set(found.test.digit[near]) == {1}


@pytest.mark.parametrize(
    ("point", "within"), [((0.2, 0.6), True), ((0.6, 0.2), False), ((1.5, 0.5), False), ((0.45, 0.95), True)]
)
def test_a_lasso_takes_what_lies_inside_of_it(point, within):
    triangle = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))  # above the diagonal of the unit square
    assert filters.inside_polygon(np.array([point]), triangle)[0] == within


def test_the_picked_image_is_the_first_where_the_choice_leaves_it_out(run):
    now = rule.mix_of(run)
    selection_3 = selection.rows(run, now, Selection(digits=(3,)))
    st.session_state["selection"] = (run.name, Selection(digits=(3,), image=int(1e6)))
    assert selection.picked(run, now) == selection_3[0]
    last = int(service.scores(RUN).test.index[selection_3[-1]])
    st.session_state["selection"] = (run.name, Selection(digits=(3,), image=last))
    assert selection.picked(run, now) == selection_3[-1]
    st.session_state["selection"] = (run.name, Selection(band=(-2.0, -1.0)))
    assert selection.picked(run, now) is None


def test_another_run_keeps_what_means_the_same_there(run):
    chosen = Selection(digits=(3,), verdict="missed", band=(0.1, 0.2), lasso=((0, 0), (0, 1), (1, 1)), image=7)
    st.session_state["selection"] = (run.name, chosen)
    assert selection.current(run) == chosen
    assert selection.current(service.run_info("egbad-n8")) == replace(chosen, band=None, lasso=())


# --- in the address -------------------------------------------------------------------------------------------------


def put(run, chosen, weights, kept_rule):
    st.session_state["selection"] = (run.name, chosen)
    rule.keep(run, weights, kept_rule)


def through_a_link(run):
    """Write the address, forget everything, and read it."""
    said = rule.to_query(run) | selection.to_query(run)
    st.session_state.clear()
    assert not [*rule.from_query(run, said), *selection.from_query(run, said)]
    return said


def test_what_is_as_usual_is_not_in_the_address(run):
    assert address.to_query(run) == {"run": RUN}


def test_an_address_is_short_where_numbers_are(run):
    put(run, Selection(digits=(3, 8), verdict="near the threshold", image=7), (0.9, 0.1, 0.0), ("false alarms", 0.1))
    assert address.to_query(run) == {
        "run": RUN, "w": "0.9,0.1,0", "at": "false-alarms:0.1", "digits": "38", "verdict": "near-the-threshold", "image": "7",
    }  # fmt: skip


def test_a_link_keeps_the_units_and_the_map(run):
    st.session_state["standardised"] = True
    put(run, Selection(map="UMAP", lasso=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))), run.weights, ("false alarms", 0.05))
    said = address.to_query(run)
    assert (said["units"], said["map"]) == ("standardised", "umap")
    st.session_state.clear()
    assert not rule.from_query(run, said)
    assert rule.standardised()
    assert rule.from_query(run, {"units": "metres"}) == ["units=metres"]
    assert not rule.standardised()


def test_a_map_that_cannot_be_drawn_here_is_told_and_its_lasso_left_out(run, monkeypatch):
    monkeypatch.setattr(projection, "kinds", lambda: ("PCA",))
    odd = selection.from_query(run, {"map": "umap", "lasso": "0,0~1,0~1,1", "digits": "3"})
    assert odd == ["map=umap, but umap-learn is not installed here"]
    assert selection.current(run) == Selection(digits=(3,))


def test_a_link_leaves_the_very_same_images_wherever_band_and_line_were_put(run):
    """Also where a line goes through an image's score, as it does when a point of the ROC is clicked."""
    rng = np.random.default_rng(0)
    for weights in (run.weights, tuple(rng.uniform(0, 1, 3) / 3)):
        score = metrics.total(service.scores(RUN).test.parts, weights)
        for line in (*rng.choice(score, 4), *rng.uniform(score.min(), score.max(), 2)):
            band = tuple(sorted(map(float, rng.choice(score, 2))))
            put(run, Selection(band=band, verdict="missed"), weights, ("manual", float(line)))
            before = selection.rows(run, rule.mix_of(run))
            said = through_a_link(run)
            assert np.array_equal(selection.rows(run, rule.mix_of(run)), before)
            assert rule.weights_of(run) == weights
            assert len(said["at"]) < 30


def test_a_number_in_a_link_has_no_digit_too_many(run):
    assert rule.shortest(1.23456789, np.array([1.0, 1.2, 1.3, 2.0])) == "1.235"
    assert rule.shortest(1.23456789, np.array([1.2345, 1.23456, 1.2346])) == "1.23457"
    assert float(rule.shortest(1.23456789, np.array([1.23456789]))) == 1.23456789


def test_commas_are_as_good_as_what_an_address_is_written_with(run):
    assert not selection.from_query(run, {"digits": "3,8", "band": "1.2,3.4", "verdict": "false alarms"})
    assert selection.current(run) == Selection(digits=(3, 8), band=(1.2, 3.4), verdict="false alarms")


@pytest.mark.parametrize(
    "odd",
    [
        {"digits": "3x"}, {"digits": ""}, {"verdict": "odd"}, {"band": "1"}, {"band": "2~1"}, {"band": "1~nan"}, {"band": "1~2~3"},
        {"lasso": "0,0~1,1"}, {"lasso": "0,0~1~2,2"}, {"image": "-1"}, {"image": "one"}, {"sort": "highest"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named_and_changes_nothing(run, odd):
    ((name, value),) = odd.items()
    assert selection.from_query(run, odd) == [f"{name}={value}"]
    assert selection.current(run) == Selection()


@pytest.mark.parametrize(("old", "new"), selection.OLD_VERDICTS.items())
def test_a_link_of_before_means_the_same_verdict(run, old, new):
    assert selection.from_query(run, {"verdict": old.replace(" ", "-")}) == []
    assert selection.current(run).verdict == new


def test_a_link_of_before_means_the_same_threshold(run):
    assert rule.from_query(run, {"at": "by-hand:3.25"}) == []
    assert rule.rule_of(run) == ("manual", 3.25)
