"""Each page, with JavaScript, in each state of a run: it settles, it says what it should, and nothing leaves the machine.

One address is opened, and the menu leads on from there: that each page also opens by its own address, in each state, is for
tests/test_pages.py, which needs no browser for it.
"""

import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server, by_menu, go, keyed
from tests.conftest import SHIPPED, put_failed, put_finished, put_running
from tests.shelf import TOOK

PAGES = {"Start": "See what a GAN finds strange"} | {
    name: name for name in ("Train", "Methods", "Evaluate", "Score", "Compare", "Browse")
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server without shipped runs: one for all states, also for that of no run at all, and few curves on Compare."""
    made = Server(tmp_path_factory.mktemp("every_page"), GANAD_CHECKPOINTS=str(tmp_path_factory.mktemp("no_shelf")))
    yield made
    made.stop()
    assert not made.complaints(), made.complaints()


NOT_YET = dict.fromkeys(("Browse", "Evaluate", "Score"), "is still running.")
WHY_NOT = dict.fromkeys(NOT_YET, "failed: loss/generator stopped being finite at step 200.")
SAID = {
    "finished": {"Train": f"12 epochs in {TOOK}", "Browse": "10,000 of 10,000 test images", "Score": "Draw one digit"},
    "running": NOT_YET | {"Train": "epoch 2 of 12 · step 200 of 800"},
    "failed": WHY_NOT | {"Train": "at epoch 2 of 12"},
}
PICKED = {"finished": "", "running": " · in progress", "failed": " · failed"}
PUT = {"finished": put_finished, "running": put_running, "failed": put_failed}


@pytest.mark.parametrize("state", SAID)
def test_the_menu_leads_everywhere_and_every_page_settles_says_how_the_run_stands_and_keeps_it(page, server, state):
    run = PUT[state](server.runs, "0901-ganomaly-n8-s0")
    # A newer one that has finished: a page that lost the run would show this.
    shutil.copytree(SHIPPED["egbad"], server.runs / "0902-egbad-n8-s0")
    go(page, server, f"/?run={run.name}")
    for name, heading in PAGES.items():
        by_menu(page, name)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page.get_by_test_id("stMain").get_by_text(SAID[state].get(name, heading)).first).to_be_visible()
        expect(keyed(page, "run").get_by_role("combobox")).to_have_value(f"0901 GANomaly · 8{PICKED[state]}")
        if name == "Start":
            shows_ten_digits_with_verdicts(page)
    assert f"run={run.name}" in page.url


def shows_ten_digits_with_verdicts(page):
    expect(page.get_by_alt_text("reconstruction")).to_have_count(10)
    expect(page.get_by_text("anomalous", exact=True).first).to_be_visible()
    expect(page.get_by_text("normal", exact=True).first).to_be_visible()


def test_every_page_settles_with_no_run_at_all_and_leads_to_training(page, server):
    go(page, server)
    for name, heading in PAGES.items():
        by_menu(page, name)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        if name not in ("Train", "Methods"):
            expect(page.get_by_test_id("stMain").get_by_role("link", name="Train one")).to_be_visible()
    assert name == "Browse"
    page.get_by_test_id("stMain").get_by_role("link", name="Train one").click()
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
