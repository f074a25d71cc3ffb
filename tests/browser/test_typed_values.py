"""What is typed is what trains, however fast the click on Start follows and however slow the server is."""

import json
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ganad.config import resolve
from tests.browser.conftest import Server, bring, go, keyed, settled
from tests.conftest import put_speed
from tests.waiting import until


class SlowServer(Server):
    """A server that takes its time for each run of a script, and trains nothing."""

    streamlit = (sys.executable, str(Path(__file__).with_name("slow_streamlit.py")))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    # No shipped run beside the form: its charts would be most of the work of each test.
    made = SlowServer(folder, OMP_NUM_THREADS="1", GANAD_CHECKPOINTS=str(folder / "none"))
    typed = [resolve("ganomaly", "tuned", normal=(8,), filters=filters) for filters in (8, 12)]
    put_speed(made.runs, *typed, resolve("ganomaly", "many", normal=(8,)))
    yield made
    made.stop()
    assert not made.complaints(), made.complaints()


TALL = {"width": 1440, "height": 2800}
"""Every setting is in sight, so that nothing has to be scrolled to between typing and clicking."""


@pytest.fixture
def form(tab, server):
    """The Train page in the tab of this file. What a test before has typed is still there, as for a person: each types its own."""
    tab.set_viewport_size(TALL)
    return bring(tab, server, "/Train", with_every_setting)


@pytest.fixture
def fresh_form(page, server):
    """The Train page of somebody who has chosen nothing yet."""
    page.set_viewport_size(TALL)
    go(page, server, "/Train")
    return with_every_setting(page)


def with_every_setting(page):
    if not number(page, "Filters").is_visible():
        page.get_by_text("Advanced settings").click()
    expect(number(page, "Filters")).to_be_visible()
    settled(page)
    start_button(page).click(trial=True)  # once it stands still: what is opened slides down
    return page


def number(page, label):
    return page.get_by_role("spinbutton", name=label, exact=True)


def type_into(page, field, text):
    """As a person does: into the field, all of it marked, typed over."""
    field.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def middle(locator):
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def start_button(page):
    return keyed(page, "start").get_by_role("button")


def press_start(page):
    """The mouse alone: playwright's own click would wait until the page stands still."""
    page.mouse.move(*middle(start_button(page)))
    page.mouse.down()
    page.mouse.up()


def started(server, n=1):
    """The settings of the newest run, once there are n."""

    def found():
        runs = sorted(server.runs.glob("[0-9]*/config.json"))
        return [json.loads(run.read_text()) for run in runs] if len(runs) >= n else None

    runs = until(found, lambda: "no run was started: " + server.log.read_text()[-2000:])
    assert len(runs) == n
    return runs[-1]


TYPED = [
    ("Epochs", "3", "epochs", 3),
    ("Filters", "8", "filters", 8),
    ("Training images at most", "100", "limit", 100),
    ("Learning rate", "0.002", "lr", 0.002),
]


@pytest.mark.parametrize(("label", "text", "name", "value"), TYPED, ids=[name for _, _, name, _ in TYPED])
def test_a_number_that_is_typed_a_moment_before_the_click_is_trained(form, server, label, text, name, value):
    type_into(form, number(form, label), text)
    press_start(form)
    assert started(server)[name] == value


def test_tab_and_a_click_sixty_milliseconds_later_train_what_was_typed(form, server):
    x, y = middle(start_button(form))
    type_into(form, number(form, "Epochs"), "4")
    form.keyboard.press("Tab")
    form.wait_for_timeout(60)
    form.mouse.click(x, y)
    assert started(server)["epochs"] == 4


def test_a_click_held_down_until_the_page_is_drawn_anew_is_not_lost(form, server):
    type_into(form, number(form, "Epochs"), "5")
    form.mouse.move(*middle(start_button(form)))
    form.mouse.down()  # the field loses the focus, so the script runs
    expect(form.get_by_text("--epochs 5")).to_be_visible()
    settled(form)
    form.mouse.up()
    assert started(server)["epochs"] == 5


def test_several_fields_typed_in_a_row_are_all_trained(form, server):
    for label, text in (("Epochs", "6"), ("Seed", "11"), ("Filters", "12"), ("Training images at most", "600")):
        type_into(form, number(form, label), text)
    press_start(form)
    asked = started(server)
    assert (asked["epochs"], asked["seed"], asked["filters"], asked["limit"]) == (6, 11, 12, 600)


def test_digits_a_method_and_a_text_picked_a_moment_before_are_trained(fresh_form, server):
    form = fresh_form
    keyed(form, "normal_tiles").get_by_role("button").nth(3).click()
    form.mouse.click(*middle(keyed(form, "method").get_by_text("EGBAD", exact=True)))
    press_start(form)
    asked = started(server)
    assert (asked["normal"], asked["method"]) == ([3, 8], "egbad")


@pytest.mark.parametrize(
    ("text", "said"), [("0", "greater than or equal to 1"), ("20000", "less than or equal to 10000")]
)
def test_a_number_out_of_bounds_starts_nothing_and_says_why_and_the_next_click_counts(form, server, text, said):
    type_into(form, number(form, "Epochs"), text)
    press_start(form)
    refused = form.get_by_text("Nothing was started: epochs")
    expect(refused).to_be_visible()
    expect(refused).to_contain_text(said)
    assert not list(server.runs.glob("[0-9]*"))
    type_into(form, number(form, "Epochs"), "7")
    press_start(form)  # the page still shows the number that did not fit
    assert started(server)["epochs"] == 7


def test_an_emptied_number_goes_back_to_the_usual_one_which_is_shown_and_trained(form, server):
    usual = str(resolve("ganomaly", "tuned", normal=(8,)).filters)
    type_into(form, number(form, "Filters"), "")
    form.keyboard.press("Delete")
    press_start(form)
    assert started(server)["filters"] == int(usual)
    expect(number(form, "Filters")).to_have_value(usual)


def test_what_was_refused_stays_on_the_page_until_something_is_changed(form, server):
    type_into(form, number(form, "Training images at most"), "60")
    press_start(form)
    refused = form.get_by_text("Nothing was started: Only 6 of 60 normal training images would be held out")
    expect(refused).to_be_visible()
    form.get_by_test_id("stSidebar").get_by_role("link", name="Train", exact=True).click()  # drawn anew
    settled(form)
    expect(refused).to_be_visible()
    type_into(form, number(form, "Training images at most"), "600")
    form.keyboard.press("Tab")
    expect(refused).to_have_count(0)
    assert not list(server.runs.glob("[0-9]*"))


def test_own_images_that_are_not_there_start_nothing(fresh_form, server):
    form = fresh_form
    form.get_by_role("button", name="Own images").click()
    field = form.get_by_role("textbox", name="Path on this machine")
    field.click()
    form.keyboard.type("/nowhere/at/all")
    press_start(form)
    expect(form.get_by_text("Nothing was started: /nowhere/at/all does not exist")).to_be_visible()
    assert not list(server.runs.glob("[0-9]*"))


def test_the_command_beside_a_run_is_that_of_its_own_settings(form, server):
    type_into(form, number(form, "Epochs"), "9")
    press_start(form)
    assert started(server)["epochs"] == 9
    beside = keyed(form, "command_of_run")
    expect(beside).to_contain_text("--epochs 9")
    type_into(form, number(form, "Epochs"), "2")
    form.keyboard.press("Tab")
    expect(keyed(form, "command_of_form")).to_contain_text("--epochs 2")
    expect(beside).to_contain_text("--epochs 9")
