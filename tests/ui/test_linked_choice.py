"""The views of a page out of several: which one is shown stands in the address."""

import pytest

from ganad.ui.state import address, picked_run
from tests.test_pages import opened

PAGES = {
    "way": ("pages/4_Score.py", "draw", "upload"),
    "watch": ("pages/6_Methods.py", "slow motion", "generator"),
    "detector": ("pages/6_Methods.py", "ganomaly", "egbad"),
}


def control(at, name):
    return at.segmented_control(key=name)


@pytest.mark.parametrize(("name", "page", "first", "other"), [(n, *p) for n, p in PAGES.items()], ids=list(PAGES))
def test_a_view_stands_in_the_address_and_a_link_opens_it(name, page, first, other):
    at = opened(page, run="ganomaly-n8")
    assert control(at, name).value == first
    assert name not in at.query_params
    control(at, name).set_value(other).run()
    assert at.query_params[name] == other
    assert control(opened(page, run="ganomaly-n8", **{name: other}), name).value == other
    assert control(opened(page, run="ganomaly-n8", **{name: "<b>x</b>"}), name).value == first


def test_a_step_back_to_an_address_without_a_view_shows_the_first_one_and_a_late_report_changes_nothing(monkeypatch):
    at = opened("pages/4_Score.py", run="ganomaly-n8")
    control(at, "way").set_value("upload").run()
    del at.query_params["way"]
    at.run()
    assert control(at, "way").value == "upload"  # the browser has not heard of it yet
    monkeypatch.setattr(address, "_is_step", lambda: True)
    at.run()
    assert control(at, "way").value == "draw"


def test_before_a_choice_methods_shows_the_picked_run_and_afterwards_what_was_chosen():
    at = opened("pages/6_Methods.py", run="ganomaly-n8")
    pick = lambda run: at.selectbox(key=picked_run.PICKER).select(run).run()  # noqa: E731
    for run, shown in (("egbad-n8", "egbad"), ("ganomaly-n8", "ganomaly")):
        pick(run)
        assert control(at, "detector").value == shown
    control(at, "detector").set_value("anogan").run()
    pick("egbad-n8")
    assert control(at, "detector").value == "anogan"
