"""One slider for all that a run kept of its epochs."""

import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import expect
from sklearn.metrics import roc_auc_score

from ganad import service
from ganad.evaluation import metrics
from ganad.runs import checkpoint, epoch_nets
from tests.browser.conftest import bring, go, keyed, switch
from tests.conftest import SHIPPED

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


@pytest.fixture
def kept_nets(server):
    """A run whose nets were kept after two of its epochs: here the finished ones each time."""
    run = server.runs / "0903-ganomaly-n8-s0"
    shutil.copytree(SHIPPED["ganomaly"], run)
    (run / epoch_nets.FOLDER).mkdir()
    epochs = [int(e) for e in service.epoch_history(RUN).epoch[:3]]
    for epoch in (epochs[0], epochs[2]):
        checkpoint.save_epoch(run, epoch, checkpoint.epoch_content(checkpoint.load_method(run)))
    return run.name, epochs[0], epochs[2]


def test_a_pad_below_it_judges_by_the_nets_of_the_epoch_where_the_slider_rests(page, server, kept_nets):
    run, first, third = kept_nets
    go(page, server, f"/Train?run={run}")
    slider = page.locator(".player").get_by_role("slider")
    slider.fill("0")
    keyed(page, f"epochs_{run}_draw").locator("label").first.click()
    said = page.get_by_text(re.compile("^Judged by"))
    expect(said).to_have_text(f"Judged by the nets after epoch {first}.")
    pad = keyed(page, f"epochs_{run}_pad")
    expect(pad.locator(".normals canvas")).to_have_count(8)  # the nets have come
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text(f"the nets after epoch {first}. Nets were kept after epochs {first}, {third}")
    page.keyboard.press("ArrowRight")
    expect(said).to_have_text(f"Judged by the nets after epoch {third}.")
    pad.locator(".ink").scroll_into_view_if_needed()
    box = pad.locator(".ink").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    expect(pad.locator(".verdict b")).to_have_text(re.compile("^(Normal|Anomalous)$"))
    slider.press("End")
    expect(page.locator(".player output")).to_contain_text("finished")
    expect(said).to_have_text("Judged by the finished nets.")
    expect(pad.locator(".verdict b")).to_have_text(re.compile("^(Normal|Anomalous)$"))  # the drawing stays
