"""What is chosen: which images it leaves, in which order, and how it stands in an address."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from ganad import service
from ganad.evaluation import filters, metrics, projection, thresholds
from ganad.ui.state import address, current
from ganad.ui.state.decision_rule import DecisionRule, shortest
from ganad.ui.state.filters import FILTERS, OLD_VERDICTS
from ganad.ui.state.selection import Selection
from ganad.ui.state.session import memory

RUN = "ganomaly-n8"


@pytest.fixture
def run():
    st.session_state.clear()
    yield service.run_info(RUN)
    st.session_state.clear()


@pytest.fixture
def left(run):
    """Function: the rows that a selection leaves at the run's own weights and threshold."""
    return lambda **chosen: current.view(run).selecting(Selection(**chosen)).rows


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
    view = current.view(run)
    threes = view.selecting(Selection(digits=(3,))).rows
    assert view.selecting(Selection(digits=(3,), image=int(1e6))).picked == threes[0]
    last = view.index(threes[-1])
    assert view.selecting(Selection(digits=(3,), image=last)).picked == threes[-1]
    assert view.selecting(Selection(band=(-2.0, -1.0))).picked is None


def test_another_run_keeps_what_means_the_same_there(run):
    chosen = Selection(digits=(3,), verdict="missed", band=(0.1, 0.2), lasso=((0, 0), (0, 1), (1, 1)), image=7)
    memory().selection = (run.name, chosen)
    assert current.selection(run) == chosen
    assert current.selection(service.run_info("egbad-n8")) == replace(chosen, band=None, lasso=())


def test_every_filter_is_a_field_of_the_selection_and_off_at_first():
    for f in FILTERS:
        assert getattr(Selection(), f.name) == f.off


# --- in the address -------------------------------------------------------------------------------------------------


def put(run, chosen, rule):
    memory().selection = (run.name, chosen)
    memory().rules[run.name] = replace(rule, standardised=False)
    memory().standardised = rule.standardised


def query_of(run):
    return address.to_query(current.view(run))


def read(run, query):
    """What a link puts in force, and what made no sense in it."""
    problems = current._take_over(run, query)
    return current.rule(run), current.selection(run), problems


def through_a_link(run):
    """Write the address, forget everything, and read it."""
    query = query_of(run)
    st.session_state.clear()
    assert not read(run, query)[2]
    return query


def test_what_is_as_usual_is_not_in_the_address(run):
    assert query_of(run) == {"run": RUN}


def test_an_address_is_short_where_numbers_are(run):
    put(
        run,
        Selection(digits=(3, 8), verdict="near the threshold", image=7),
        DecisionRule((0.9, 0.1, 0.0), "false alarms", 0.1),
    )
    assert query_of(run) == {
        "run": RUN, "w": "0.9,0.1,0", "at": "false-alarms:0.1", "digits": "38", "verdict": "near-the-threshold", "image": "7",
    }  # fmt: skip


def test_a_link_keeps_the_units_and_the_map(run):
    lasso = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    put(run, Selection(map="UMAP", lasso=lasso), DecisionRule(run.weights, standardised=True))
    query = query_of(run)
    assert (query["units"], query["map"]) == ("standardised", "umap")
    st.session_state.clear()
    rule, _, problems = read(run, query)
    assert rule.standardised
    assert not problems
    rule, _, problems = read(run, {"units": "metres"})
    assert problems == ["units=metres"]
    assert not rule.standardised


def test_a_map_that_cannot_be_drawn_here_is_told_and_its_lasso_left_out(run, monkeypatch):
    monkeypatch.setattr(projection, "kinds", lambda: ("PCA",))
    _, chosen, problems = read(run, {"map": "umap", "lasso": "0,0~1,0~1,1", "digits": "3"})
    assert problems == ["map=umap, but umap-learn is not installed here"]
    assert chosen == Selection(digits=(3,))


def test_a_link_leaves_the_very_same_images_wherever_band_and_line_were_put(run):
    """Also where a line goes through an image's score, as it does when a point of the ROC is clicked."""
    rng = np.random.default_rng(0)
    for weights in (run.weights, tuple(rng.uniform(0, 1, 3) / 3)):
        score = metrics.total(service.scores(RUN).test.parts, weights)
        for line in (*rng.choice(score, 4), *rng.uniform(score.min(), score.max(), 2)):
            band = tuple(sorted(map(float, rng.choice(score, 2))))
            put(run, Selection(band=band, verdict="missed"), DecisionRule(weights, "manual", float(line)))
            before = current.view(run).rows
            query = through_a_link(run)
            assert np.array_equal(current.view(run).rows, before)
            assert current.rule(run).weights == weights
            assert len(query["at"]) < 30


def test_a_number_in_a_link_has_no_digit_too_many():
    assert shortest(1.23456789, np.array([1.0, 1.2, 1.3, 2.0])) == "1.235"
    assert shortest(1.23456789, np.array([1.2345, 1.23456, 1.2346])) == "1.23457"
    assert float(shortest(1.23456789, np.array([1.23456789]))) == 1.23456789


def test_commas_are_as_good_as_what_an_address_is_written_with(run):
    _, chosen, problems = read(run, {"digits": "3,8", "band": "1.2,3.4", "verdict": "false alarms"})
    assert not problems
    assert chosen == Selection(digits=(3, 8), band=(1.2, 3.4), verdict="false alarms")


@pytest.mark.parametrize(
    "odd",
    [
        {"digits": "3x"}, {"digits": ""}, {"verdict": "odd"}, {"band": "1"}, {"band": "2~1"}, {"band": "1~nan"}, {"band": "1~2~3"},
        {"lasso": "0,0~1,1"}, {"lasso": "0,0~1~2,2"}, {"image": "-1"}, {"image": "one"}, {"sort": "highest"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named_and_changes_nothing(run, odd):
    ((name, value),) = odd.items()
    _, chosen, problems = read(run, odd)
    assert problems == [f"{name}={value}"]
    assert chosen == Selection()


@pytest.mark.parametrize(("old", "new"), OLD_VERDICTS.items())
def test_a_link_of_before_means_the_same_verdict(run, old, new):
    _, chosen, problems = read(run, {"verdict": old.replace(" ", "-")})
    assert not problems
    assert chosen.verdict == new


def test_a_link_of_before_means_the_same_threshold(run):
    rule, _, problems = read(run, {"at": "by-hand:3.25"})
    assert not problems
    assert rule.threshold_rule == ("manual", 3.25)


def test_a_link_to_another_run_is_read_for_that_run_although_it_asks_for_the_same(bar):
    """Before, only the view's words were compared: those that stood there already were taken for known."""
    other = service.run_info("egbad-n8")
    run = service.run_info(RUN)
    bar |= {"run": RUN, "w": "1,0,0"}
    current.arrive(run, same_page=False)
    bar["run"] = other.name
    assert address.asks_for_another_run(same_page=False)
    current.arrive(other, same_page=False)
    assert current.rule(other).weights == (1.0, 0.0, 0.0)
    assert bar == {"run": other.name, "w": "1,0,0"}


def test_run_weights_and_selection_are_written_in_one_step_of_the_history(bar, run):
    current.arrive(run, same_page=False)
    bar.steps = 0
    current.decide(run, DecisionRule((1.0, 0.0, 0.0), "manual", 3.0), nearest_image=True, digits=(3,))
    assert bar.steps == 1
    assert set(bar) == {"run", "w", "at", "digits", "image"}


def test_a_step_back_to_where_no_run_was_named_is_not_undone(bar, run):
    current.arrive(run, same_page=True)
    assert bar == {"run": RUN}
    step(bar, {})
    current.arrive(run, same_page=True)
    assert bar == {}


def test_what_a_browser_reports_late_is_no_step_back_however_late_it_is(bar, run):
    current.arrive(run, same_page=True)
    said = [dict(bar)]
    for digit in range(5):
        current.select(run, digits=(digit,))
        said.append(dict(bar))
    for late in said:
        report(bar, late)
        current.arrive(run, same_page=True)
        assert current.selection(run).digits == (4,)
        assert bar == said[-1]


def test_a_step_back_is_followed_although_the_same_address_may_come_late(bar, run):
    current.arrive(run, same_page=True)
    before = dict(bar)
    current.select(run, digits=(3,))
    step(bar, before)
    current.arrive(run, same_page=True)
    assert current.selection(run).digits == ()
    assert bar == before


def test_a_choice_taken_back_before_the_browser_heard_of_it_is_written_all_the_same(bar, run):
    """The browser says what shall stand there, but what it has not heard of yet would come after that."""
    current.arrive(run, same_page=True)
    before = dict(bar)
    current.select(run, digits=(3,))
    chosen = dict(bar)
    report(bar, before)
    steps = bar.steps
    current.select(run, digits=())
    assert bar == before
    assert bar.steps == steps + 1  # sent after the choice, hence the last to arrive
    report(bar, chosen)  # the choice has arrived, its end has not
    current.arrive(run, same_page=True)
    assert current.selection(run).digits == ()
    assert bar == before


def test_a_link_on_another_page_opens_what_was_open_before(bar, run):
    current.arrive(run, same_page=True)
    current.select(run, digits=(3,))
    linked = dict(bar)
    current.select(run, digits=())
    report(bar, linked)
    current.arrive(run, same_page=False)
    assert current.selection(run).digits == (3,)


def test_a_menu_that_was_drawn_before_the_last_choice_leaves_it_alone(bar, run):
    memory().menu_url = current.arrive(run, same_page=True)
    current.select(run, digits=(3,))
    chosen = dict(bar)
    report(bar, memory().menu_url)
    current.arrive(run, same_page=False)
    assert current.selection(run).digits == (3,)
    assert bar == chosen


def test_a_run_at_work_keeps_what_the_address_says_of_the_view(bar, run):
    bar |= {"run": RUN, "digits": "3"}
    current.arrive(replace(run, status=replace(run.status, state="running")), same_page=False)
    assert bar == {"run": RUN, "digits": "3"}


class Bar(dict):
    """The address bar; it counts how often it was written."""

    steps = 0
    is_step = False

    def from_dict(self, query):
        self.steps += 1
        self.clear()
        self.update(query)

    def get_all(self, name):
        return [self[name]]


@pytest.fixture
def bar(run, monkeypatch):
    bar = Bar()
    monkeypatch.setattr(st, "query_params", bar)
    monkeypatch.setattr(address, "_is_step", lambda: bar.is_step)
    return bar


def report(bar, text, is_step=False):
    """A browser's message says that this stands in its address bar, perhaps because of a step back."""
    bar.clear()
    bar.update(text)
    bar.is_step = is_step


def step(bar, text):
    report(bar, text, is_step=True)
