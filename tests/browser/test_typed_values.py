"""What is typed is what trains, however fast the hand and however slow the server."""

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server, go, keyed, settled
from tests.waiting import until


class SlowServer(Server):
    """A server that takes its time for each run of a script."""

    streamlit = (sys.executable, str(Path(__file__).with_name("slow_streamlit.py")))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    made = SlowServer(tmp_path_factory.mktemp("slow"))
    yield made
    made.forget()
    made.stop()
    assert not made.complaints(), made.complaints()


@pytest.fixture(autouse=True)
def _no_run_is_left(slow):
    yield
    slow.forget()


def the_run(slow):
    """config.json of the one run that was begun."""
    (config,) = until(lambda: list(slow.runs.glob("0*/config.json")), "a run")
    return json.loads(config.read_text())


def opened(page, slow):
    go(page, slow, "/Train")
    expect(keyed(page, "normal_tiles").get_by_role("button")).to_have_count(10)
    return page.get_by_role("button", name="Start training")


@pytest.mark.parametrize("way", ["click at once", "Tab, then click", "Enter, then click"])
def test_epochs_that_were_typed_a_moment_before_the_click_are_those_of_the_run(page, slow, way):
    start = opened(page, slow)
    field = page.get_by_role("spinbutton", name="Epochs")
    field.fill("7")
    if way != "click at once":
        field.press(way.split(",")[0])
    start.click()
    assert the_run(slow)["epochs"] == 7
    expect(keyed(page, "stop")).to_be_visible()
    expect(page.get_by_text("--epochs 7").first).to_be_visible()


@pytest.mark.parametrize(
    ("label", "key", "value"), [("filters", "filters", 5), ("limit", "limit", 321), ("latent", "latent", 9)]
)
def test_advanced_settings_that_were_typed_a_moment_before_the_click_are_those_of_the_run(
    page, slow, label, key, value
):
    start = opened(page, slow)
    page.get_by_text("Advanced settings").click()
    field = page.get_by_role("spinbutton", name=label, exact=True)
    field.fill(str(value))
    start.click()
    assert the_run(slow)[key] == value


def test_a_digit_that_was_clicked_a_moment_before_start_is_normal(page, slow):
    start = opened(page, slow)
    keyed(page, "normal_tiles").get_by_role("button").nth(3).click()
    start.click()
    assert the_run(slow)["normal"] == [3, 8]


def test_a_number_that_cannot_be_is_told_and_nothing_is_started(page, slow):
    start = opened(page, slow)
    page.get_by_role("spinbutton", name="Epochs").fill("99999")
    start.click()
    settled(page)
    expect(page.get_by_text("less than or equal to 10000, got 99999").first).to_be_visible()
    assert not list(slow.runs.glob("0*"))
