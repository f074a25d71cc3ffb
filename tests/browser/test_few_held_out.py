"""A run with too few held-out images for a threshold, in a real browser: the mixer, the uploads and the Train page say so."""

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from ganad import service
from ganad.config import resolve
from ganad.evaluation import thresholds
from ganad.runs import run_directory
from ganad.training import worker
from tests.browser.conftest import bring, settled


@pytest.fixture(scope="module")
def few(server):
    """Trained on 150 images, 15 of them held out."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("GANAD_RUNS", str(server.runs))
        yield trained()


def trained():
    run = run_directory.create(
        resolve(
            "ganomaly",
            "tuned",
            normal=(8,),
            limit=150,
            epochs=1,
            filters=4,
            latent=8,
            test_limit=300,
            precision="float32",
        )
    )
    assert worker.work(run) == "finished"
    return run


def infinite(page):
    return re.findall(r"\binf\b|Infinity", page.locator("body").inner_text())


def test_the_live_mixer_says_it_as_python_does(tab, server, few):
    page = bring(tab, server, f"/Evaluate?run={few.name}")
    expect(page.locator(".mixer .words")).to_have_text(thresholds.no_threshold(15, 0.05))
    bring(page, server, f"/Evaluate?run={few.name}&at=false-alarms:0.002")
    expect(page.locator(".mixer .words")).to_have_text(thresholds.no_threshold(15, 0.002))
    bring(page, server, f"/Evaluate?run={few.name}&at=false-alarms:0.0625")
    expect(page.locator(".mixer .words")).to_contain_text("a new normal image lies above it")


def test_uploads_and_the_finished_panel_say_it(tab, server, few, tmp_path):
    page = tab
    for i in range(2):
        Image.fromarray(service.test_images(few.name)[i]).resize((140, 140)).save(tmp_path / f"{i}.png")
    bring(page, server, f"/Score?run={few.name}")
    page.get_by_text("Upload", exact=False).first.click()
    page.locator("input[type=file]").set_input_files([tmp_path / "0.png", tmp_path / "1.png"])
    expect(page.get_by_text(thresholds.no_threshold(15, 0.05))).to_be_visible(timeout=60_000)
    expect(page.get_by_text("0 of 2 called anomalous")).to_be_visible()
    settled(page)
    assert not infinite(page)
    page.screenshot(path=tmp_path / "score.png", full_page=True)
    bring(page, server, f"/Train?run={few.name}")
    expect(page.get_by_text(thresholds.no_threshold(15, 0.05))).to_be_visible()
    expect(page.get_by_text("This was a short training: 2 steps.")).to_be_visible()
    assert not infinite(page)
    page.screenshot(path=tmp_path / "train.png", full_page=True)
