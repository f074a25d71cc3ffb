"""Lessons: a step is done by doing it and by nothing else."""

import dataclasses

import pytest

from ganad.ui.lessons.lessons import BREAK, FEW, LESSONS, ONES, POISON, TOUR
from ganad.ui.lessons.steps import Seen, TrainedRun
from ganad.ui.page import MENU

PAGES = {label for _, label, _ in MENU}
IDLE = Seen(weights=(0.0, 0.0, 1.0), usual_weights=(0.0, 0.0, 1.0), threshold=("false alarms", 0.05))


def but(**more):
    return dataclasses.replace(IDLE, **more)


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_every_step_is_on_a_page_says_what_to_do_and_is_not_done_by_arriving(lesson):
    for step in lesson.steps:
        assert step.page in PAGES
        assert step.task.endswith((".", "**"))
        assert step.learned
        arrived = but(page=step.page)
        if (lesson, step) not in (
            (ONES, ONES.steps[2]),
            (POISON, POISON.steps[2]),
        ):  # undone by the step before, or a look
            assert not step.done(arrived, arrived)


def test_a_drawing_counts_once():
    first, second = TOUR.steps[:2]
    drawn = but(drawing="a")
    assert first.done(drawn, IDLE)
    assert not second.done(drawn, drawn)
    assert second.done(but(drawing="b"), drawn)


def test_a_wrong_verdict_is_asked_for_in_either_direction():
    step = TOUR.steps[2]
    for anomalous, called, done in (
        (True, False, True),
        (False, True, True),
        (True, True, False),
        (False, False, False),
    ):
        assert step.done(but(image=3, image_is_anomalous=anomalous, image_called_anomalous=called), IDLE) is done
    assert not step.done(IDLE, IDLE)


def test_the_ones_are_missed_under_the_residual_alone():
    alone, pick, back = ONES.steps
    assert not alone.done(but(weights=(1.0, 0.0, 0.5)), IDLE)
    there = but(weights=(2.0, 0.0, 0.0))
    assert alone.done(there, IDLE)
    one = dataclasses.replace(there, image=5, image_class="1", image_is_anomalous=True, image_called_anomalous=False)
    assert pick.done(one, there)
    assert not pick.done(dataclasses.replace(one, image_class="7"), there)
    assert not pick.done(dataclasses.replace(one, weights=IDLE.weights), there)
    assert not back.done(one, one)
    assert back.done(IDLE, one)


def test_a_run_counts_that_was_not_there_before_and_is_what_was_asked_for():
    old = TrainedRun("0001", 0.1, None)
    few, contaminated, plain = (
        TrainedRun("0002", 0.0, 300),
        TrainedRun("0003", 0.1, None),
        TrainedRun("0004", 0.0, None),
    )
    then = but(trained=frozenset({old}))
    for step, new in ((FEW.steps[0], few), (POISON.steps[0], contaminated)):
        assert not step.done(then, then)
        assert step.done(but(trained=frozenset({old, new})), then)
        assert not step.done(but(trained=frozenset({old, plain})), then)


def test_breaking_it_needs_a_normal_verdict_and_the_claim_of_another_digit():
    (step,) = BREAK.steps
    passed = but(drawing="a", drawing_called="normal", claimed="3")
    assert step.done(passed, IDLE)
    for wrong in ({"claimed": "8"}, {"claimed": ""}, {"drawing_called": "anomalous"}, {"drawing": ""}):
        assert not step.done(dataclasses.replace(passed, **wrong), IDLE)
