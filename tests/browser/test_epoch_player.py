"""One slider for all that a run kept of its epochs."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from sklearn.metrics import roc_auc_score

from ganad import service
from ganad.evaluation import metrics
from tests.browser.conftest import bring, switch

RUN = "ganomaly-n8"


@pytest.fixture(scope="module")
def history():
    return service.epoch_history(RUN)


@pytest.fixture
def player(tab, server):
    page = bring(tab, server, f"/Evaluate?run={RUN}", lambda page: switch(page, "epochs_toggle", True))
    player = page.locator(".player")
    expect(player.locator("output")).to_contain_text("AUROC")
    if player.get_by_role("button", name="Pause").is_visible():
        player.get_by_role("button", name="Pause").click()
    return player


def test_all_views_name_the_epoch_of_the_slider_with_its_area(player, history):
    weights, tested = service.run_info(RUN).weights, ~history.held_out
    for at in (0, len(history.epoch) // 2, len(history.epoch) - 1):
        player.get_by_role("slider").fill(str(at))
        label = "finished" if history.is_finished[at] else f"epoch {history.epoch[at]}"
        scores = metrics.total({part: values[at] for part, values in history.parts.items()}, weights)
        area = roc_auc_score(history.anomalous[tested], scores[tested])
        expect(player.locator("output")).to_have_text(f"{label} · AUROC {area:.3f}")
        for canvas in player.locator(".charts canvas, .wall .drawn").all():
            expect(canvas).to_have_attribute("aria-label", re.compile(rf", {label}$"))
    assert np.isfinite(area)
    expect(player.locator(".note")).to_contain_text("600 fixed images, 100 held-out normals and 500 of the test set")


def test_arrow_keys_move_it_and_space_plays_it_to_the_end_and_pauses(player, history):
    slider = player.get_by_role("slider")
    slider.fill("0")
    slider.focus()
    player.page.keyboard.press("ArrowRight")
    expect(player.locator("output")).to_contain_text(f"epoch {history.epoch[1]} ")
    player.page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    expect(player.locator("output")).not_to_contain_text(f"epoch {history.epoch[1]} ")
    player.page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Play")).to_be_visible()
    slider.fill(str(len(history.epoch) - 2))
    player.get_by_role("button", name="Play").click()
    expect(player.locator("output")).to_contain_text("finished")
    expect(player.get_by_role("button", name="Play")).to_be_visible()  # it stops there by itself


def test_the_pictures_below_the_slider_are_those_of_the_epoch(player, history):
    for at in (0, len(history.epoch) - 1):
        player.get_by_role("slider").fill(str(at))
        expect(player.locator("output")).to_contain_text("finished" if at else "epoch 1")
        shown = player.locator(".drawn").evaluate(
            "c => [...c.getContext('2d').getImageData(0, 0, c.width, 28).data].filter((_, i) => i % 4 === 0)"
        )
        assert shown == np.concatenate(list(history.drawn[at]), axis=1).ravel().tolist()
