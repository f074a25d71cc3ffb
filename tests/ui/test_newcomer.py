"""What somebody meets who opens the dashboard for the first time: wrong links, long waits, drawings that are no digits."""

import pytest

from tests.conftest import put_failed, put_finished
from tests.test_pages import PAGES, opened, words


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_run_that_is_not_here_says_which_and_opens_none(runs_dir, page):
    put_failed(runs_dir)
    finished = put_finished(runs_dir)
    at = opened(page, run="../../etc<b>")
    assert "There is no run <b style='overflow-wrap: anywhere'>../../etc&lt;b&gt;</b> here" in words(at)
    assert at.selectbox(key="run").value is None
    assert "".join(at.query_params["run"]) == "../../etc<b>"
    assert not at.metric
    at.selectbox(key="run").set_value(finished.name).run()
    assert not at.exception
    assert "There is no run" not in words(at)
    assert at.selectbox(key="run").value == finished.name
    assert "".join(at.query_params["run"]) == finished.name


def test_runs_that_are_here_are_offered_in_place_of_the_one_that_is_not(runs_dir):
    put_failed(runs_dir)
    finished = put_finished(runs_dir)
    at = opened("pages/3_Evaluate.py", run="nope")
    offered = [e.proto for e in at.main.get("page_link")]
    assert [e.query_string for e in offered] == [f"run={finished.name}"]
    assert "Evaluate" in offered[0].page


def test_a_run_that_vanishes_while_it_is_shown_is_not_replaced_without_a_word(runs_dir):
    put_finished(runs_dir)
    run = put_finished(runs_dir, "0002-ganomaly-n8-s0")
    at = opened("pages/3_Evaluate.py", run=run.name)
    run.rename(runs_dir.parent / "elsewhere")
    at.run()
    assert not at.exception
    assert "There is no run" in words(at)
    assert at.selectbox(key="run").value is None


def test_without_a_run_in_the_address_the_newest_that_is_finished_is_opened(runs_dir):
    finished = put_finished(runs_dir)
    put_failed(runs_dir)
    at = opened("pages/3_Evaluate.py")
    assert at.selectbox(key="run").value == finished.name
    assert "".join(at.query_params["run"]) == finished.name
