"""Each page, with JavaScript, in each state of a run: it settles, it says what it should, and nothing leaves the machine."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Server, go, keyed
from tests.conftest import put_failed, put_finished, put_running

PATHS = {"/": "See what a GAN finds strange"} | {
    f"/{name}": name for name in ("Train", "Browse", "Evaluate", "Score", "Compare", "Methods")
}


@pytest.fixture(scope="module")
def in_every_state(server):
    return {
        "finished": put_finished(server.runs, "0901-ganomaly-n8-s0").name,
        "running": put_running(server.runs, "0902-ganomaly-n8-s0").name,
        "failed": put_failed(server.runs, "0903-ganomaly-n8-s0").name,
    }


NOT_YET = dict.fromkeys(("/Browse", "/Evaluate", "/Score"), "is still running.")
WHY_NOT = dict.fromkeys(NOT_YET, "failed: loss/generator stopped being finite at step 200.")
SAID = {
    "finished": {"/Train": "20 epochs in 50 s", "/Browse": "10,000 of 10,000 test images", "/Score": "Draw one digit"},
    "running": NOT_YET | {"/Train": "epoch 2 of 20 · step 200 of 800"},
    "failed": WHY_NOT | {"/Train": "at epoch 2 of 20"},
}


@pytest.mark.parametrize("state", SAID)
def test_every_page_settles_in_every_state_and_says_which(page, server, in_every_state, state):
    for path, heading in PATHS.items():
        go(page, server, f"{path}?run={in_every_state[state]}")
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        expect(page).to_have_title(f"{'Start' if path == '/' else heading} · ganad")
        expect(page.get_by_test_id("stMain").get_by_text(SAID[state].get(path, heading)).first).to_be_visible()


def test_every_page_settles_with_no_run_at_all_and_leads_to_training(page, tmp_path):
    bare = Server(tmp_path / "bare", GANAD_CHECKPOINTS=str(tmp_path))
    try:
        for path, heading in PATHS.items():
            go(page, bare, path)
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
            if path not in ("/Train", "/Methods"):
                expect(page.get_by_test_id("stMain").get_by_role("link", name="Train one")).to_be_visible()
        go(page, bare, "/Browse")
        page.get_by_role("link", name="Train one").click()
        expect(page.get_by_role("button", name="Start training")).to_be_enabled()
    finally:
        bare.stop()
    assert "Traceback" not in bare.log.read_text()


def test_the_menu_leads_everywhere_and_keeps_the_run(page, server):
    go(page, server, "/?run=egbad-n8")
    for name in ("Train", "Browse", "Evaluate", "Score", "Compare", "Methods", "Start"):
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_title(f"{name} · ganad")
        expect(keyed(page, "run").get_by_role("combobox")).to_have_value("EGBAD · 8 · shipped")
    assert "run=egbad-n8" in page.url


def test_the_start_page_shows_ten_digits_with_verdicts(page, server):
    go(page, server, "/?run=ganomaly-n8")
    expect(page.get_by_alt_text("reconstruction")).to_have_count(10)
    expect(page.get_by_text("anomalous", exact=True).first).to_be_visible()
    expect(page.get_by_text("normal", exact=True).first).to_be_visible()
