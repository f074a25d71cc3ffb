"""The live mixer on Python's side: what is sent, what a browser may send back, and who has the last word."""

import base64
import gc
import math
import zlib

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ganad import service
from ganad.config import FALSE_ALARMS, PARTS
from ganad.ui.components import live_mixer, page_links
from ganad.ui.components.live_mixer import Setting, parse
from ganad.ui.panels import live_weights
from ganad.ui.state.decision_rule import DecisionRule
from ganad.ui.state.scored_view import ScoredView
from ganad.web.weights_mixer import payload
from tests.conftest import ROOT, SHIPPED
from tests.waiting import PATIENCE_S

RUN = "ganomaly-n8"
SAID = {"weights": [0.5, 0.0, 1.0], "rule": "manual", "value": 12.5}


@pytest.mark.parametrize("name", [f"{m}-n8" for m in SHIPPED])
def test_the_browser_gets_every_part_and_every_pixel_without_a_loss(name):
    scores, images = service.scores(name), service.test_images(name)
    packed = payload.pack(scores, images)
    for key, kind in (("test", scores.test), ("val", scores.val)):
        for text, part in zip(packed[key], PARTS, strict=True):
            assert np.array_equal(np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64), kind.parts[part])
    assert np.array_equal(np.frombuffer(base64.b64decode(packed["digit"]), np.uint8), scores.test.digit)
    assert np.array_equal(np.frombuffer(base64.b64decode(packed["anomalous"]), np.uint8), scores.anomalous)
    assert zlib.decompress(base64.b64decode(packed["images"])) == images.tobytes()


def test_a_setting_comes_back_as_it_was_said():
    assert parse(SAID) == Setting(DecisionRule((0.5, 0.0, 1.0), "manual", 12.5))
    share = {"weights": [1, 2, 3], "rule": "false alarms", "value": 0.2}
    assert parse(share) == Setting(DecisionRule((1, 2, 3), "false alarms", 0.2))
    assert parse(SAID | {"standardised": True}).rule.standardised
    assert not parse(SAID | {"standardised": "yes"}).rule.standardised


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": [0, 0, 0]},  # no score at all
        {"weights": [-1, 1, 1]},
        {"weights": [1, 1]},
        {"weights": [1, 1, math.nan]},
        {"weights": [1, 1, math.inf]},
        {"weights": [1, 1, "1"]},
        {"weights": [1, 1, True]},
        {"weights": "111"},
        {"weights": None},
        {"rule": "by chance"},
        {"rule": ["manual"]},
        {"value": None},
        {"value": math.inf},
        {"rule": "false alarms", "value": 0.0},
        {"rule": "false alarms", "value": 1.0},
    ],
)
def test_whatever_is_no_setting_is_ignored(wrong):
    assert parse(SAID | wrong) is None


@pytest.mark.parametrize("wrong", [None, 3, "x", [SAID], {}])
def test_whatever_is_not_even_a_dictionary_of_it_is_ignored(wrong):
    assert parse(wrong) is None


# --- on the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def evaluate(monkeypatch):
    def stand_in(*, key, on_mix_change, **_):
        """For the component: a test cannot let one send something, but it can press a button."""
        st.button("said", key="said", on_click=on_mix_change)

    def stand_in_for_links(*, on_left_change, **_):
        st.button("left", key="left", on_click=on_left_change)

    monkeypatch.setattr(live_mixer, "_LIVE", stand_in)
    monkeypatch.setattr(page_links, "_LINKS", stand_in_for_links)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE_S)
    at.switch_page("pages/3_Evaluate.py")
    at.query_params["run"] = RUN
    at.run()
    assert not at.exception
    return at


def say(page, **mix):
    """What the browser sends on release."""
    page.session_state[f"live_{RUN}"] = {"mix": SAID | mix}
    page.button(key="said").click().run()
    assert not page.exception


def in_force(at):
    """Weights and rule of the threshold that are not the run's own, or None."""
    rule = at.session_state["_memory"].rules.get(RUN)
    return rule and (rule.weights, rule.threshold_rule)


def given(at):
    """What the browser was told to show, and the number of the telling."""
    n, setting, *_ = at.session_state["_memory"].of_component[f"live_{RUN}", "given"]
    return n, setting


def test_what_the_browser_says_is_what_the_numbers_are_computed_for(evaluate):
    weights = (0.5, 0.0, 1000.0)
    say(evaluate, weights=list(weights), rule="false alarms", value=0.2)
    e, _ = service.evaluate_run(RUN, weights)
    assert evaluate.metric[0].value == f"{e.auroc:.4f}"
    assert in_force(evaluate) == (weights, ("false alarms", 0.2))


def test_a_report_that_a_change_of_page_swallowed_is_heard_from_the_next_one_but_never_an_older_one(evaluate):
    def left(value):
        evaluate.session_state["page_links"] = {"left": value}
        evaluate.button(key="left").click().run()
        assert not evaluate.exception

    say(evaluate, at=5)
    left({"run": RUN, "mix": SAID | {"weights": [1, 2, 3], "at": 6}})
    assert in_force(evaluate) == ((1.0, 2.0, 3.0), ("manual", 12.5))
    say(evaluate, at=7)
    for older in (5, 6, 7, "8", None):
        left({"run": RUN, "mix": SAID | {"weights": [1, 2, 3], "at": older}})
    for nonsense in (
        None,
        3,
        {},
        {"run": "no such", "mix": SAID | {"at": 9}},
        {"run": RUN, "mix": {"at": 9}},
        {"run": RUN, "mix": 9},
    ):
        left(nonsense)
    assert in_force(evaluate) == ((0.5, 0.0, 1.0), ("manual", 12.5))


def test_a_late_report_does_not_undo_what_a_widget_has_decided_since(evaluate):
    def left(at):
        evaluate.session_state["page_links"] = {"left": {"run": RUN, "mix": SAID | {"at": at}}}
        evaluate.button(key="left").click().run()

    evaluate.toggle(key="plain_controls").set_value(True).run()
    evaluate.slider(key="influence_latent").set_value(0.5).run()
    decided = in_force(evaluate)
    left(6)
    assert in_force(evaluate) == decided
    evaluate.toggle(key="plain_controls").set_value(False).run()  # what is reported from now on is newer
    left(7)
    assert in_force(evaluate) == ((0.5, 0.0, 1.0), ("manual", 12.5))


def test_the_defaults_leave_nothing_behind(evaluate):
    say(evaluate)
    assert in_force(evaluate) == ((0.5, 0.0, 1.0), ("manual", 12.5))
    say(evaluate, weights=list(service.run_info(RUN).weights), rule="false alarms", value=FALSE_ALARMS)
    assert in_force(evaluate) is None


def test_nonsense_changes_nothing(evaluate):
    area = evaluate.metric[0].value
    say(evaluate, weights=[0, 0, 0])
    assert evaluate.metric[0].value == area
    assert in_force(evaluate) is None


def test_what_it_said_itself_is_not_sent_back_and_so_the_images_travel_once(evaluate):
    first = given(evaluate)
    say(evaluate)
    say(evaluate, weights=[0.0, 1.0, 0.0])
    evaluate.run()
    assert given(evaluate) == first


def test_what_was_chosen_elsewhere_is_told_under_a_new_name_even_when_it_was_told_before(evaluate):
    n, usual = given(evaluate)
    say(evaluate)
    evaluate.session_state["_memory"].rules.clear()
    evaluate.run()
    assert given(evaluate) == (n + 1, usual)
    assert in_force(evaluate) is None  # its earlier word does not come back


def test_plain_controls_show_the_same_state_and_the_charts(evaluate):
    run = service.run_info(RUN)
    scale = live_weights.scales_of(run)[0]
    say(evaluate, weights=[0.25 / scale, 0.0, 1.0])
    area = evaluate.metric[0].value
    assert not evaluate.slider
    before = len(evaluate.get("plotly_chart"))
    evaluate.toggle(key="plain_controls").set_value(True).run()
    assert not evaluate.exception
    assert evaluate.slider(key="influence_residual").value == pytest.approx(0.25)
    assert evaluate.metric[0].value == area
    assert len(evaluate.get("plotly_chart")) == before + 2  # histogram and ROC


def test_a_session_keeps_no_view_of_the_moves_before(evaluate):
    """Streamlit keeps what a chart calls as long as the session lasts, one for each figure: it must not hold on to all that was drawn."""

    def views():
        gc.collect()
        return sum(type(kept) is ScoredView for kept in gc.get_objects())

    evaluate.toggle(key="plain_controls").set_value(True).run()
    before = views()
    for influence in (0.2, 0.4, 0.6, 0.8):
        evaluate.slider(key="influence_residual").set_value(influence).run()
    assert views() <= before + 1


def test_back_from_the_plain_controls_the_browser_is_told_what_they_did(evaluate):
    say(evaluate)
    evaluate.toggle(key="plain_controls").set_value(True).run()
    evaluate.slider(key="influence_latent").set_value(0.5).run()
    weights, _ = in_force(evaluate)
    assert weights != (0.5, 0.0, 1.0)
    evaluate.toggle(key="plain_controls").set_value(False).run()
    assert not evaluate.exception
    assert given(evaluate)[1].rule.weights == weights
    assert in_force(evaluate)[0] == weights
