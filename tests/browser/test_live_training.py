"""The page of a running training: what arrives does not move what a reader looks at, and no spike is missing on a narrow screen."""

import json

import numpy as np
import pytest
from playwright.sync_api import expect

from ganad import service
from ganad.runs import wall
from ganad.runs.wall import Wall
from ganad.web import colours
from tests.browser.conftest import go
from tests.conftest import put_running

SPIKE = 2500
"""The step, of 5,000, whose loss is ten times all others."""


def rows(first, last):
    return "".join(
        json.dumps({"step": s, "epoch": 1 + (s - 1) // 100, "loss/generator": 10.0 if s == SPIKE else 1 + 0.1 * (s % 2)}) + "\n"
        for s in range(first, last + 1)
    ) + json.dumps({"step": last, "epoch": last // 100, "val": {"residual": 9.0, "discrimination": 1.0, "latent": 1.0}}) + "\n"  # fmt: skip


def put_wall(run, epoch):
    images = service.examples()[[8] * 10 + [0, 1, 2, 3, 4, 5, 6, 7, 9, 0]]
    digit = np.array([8] * 10 + [0, 1, 2, 3, 4, 5, 6, 7, 9, 0])
    parts = dict.fromkeys(("residual", "discrimination", "latent"), np.linspace(0.1, 2, 20).astype(np.float32))
    wall.write(run, Wall(epoch, False, False, images, images, digit, digit == 8, parts))


COLOURED = """([canvas, [r, g, b]]) => {
  const ratio = canvas.width / canvas.clientWidth;
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = [];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const at = 4 * (y * width + x);
    if (data[at + 3] > 100 && Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 40)
      found.push([x / ratio, y / ratio]);
  }
  return found;
}"""


@pytest.fixture
def running(server):
    run = put_running(server.runs)
    (run / "metrics.jsonl").write_text(rows(1, 5000))
    put_wall(run, 50)
    return run


def test_zoom_survives_a_poll_the_wall_names_its_epoch_and_a_tenfold_spike_is_drawn_at_320_pixels(
    page, server, running
):
    go(page, server, f"/Train?run={running.name}")
    curve = page.get_by_role("img", name="Loss of the generator")
    said = page.locator(".live output:visible")
    expect(said).to_have_text("all 50 epochs")
    expect(page.locator(".live .wall:visible")).to_contain_text("Not normal, after epoch 50")
    curve.focus()
    page.keyboard.press("+")
    expect(said).to_have_text("epochs 12.5 to 37.5 of 50")
    page.get_by_role("button", name="Later").press("Enter")
    expect(said).to_have_text("epochs 25 to 50 of 50")
    curve.evaluate("canvas => { canvas.mine = true; }")

    with open(running / "metrics.jsonl", "a") as log:
        log.write(rows(5001, 5100))
    put_wall(running, 51)
    expect(said).to_have_text("epochs 25 to 50 of 51")  # it came, and moved nothing
    expect(page.locator(".live .wall:visible")).to_contain_text("Not normal, after epoch 51")
    assert curve.evaluate("canvas => canvas.mine")
    page.get_by_role("button", name="All", exact=True).click()
    expect(said).to_have_text("all 51 epochs")

    page.set_viewport_size({"width": 320, "height": 700})
    curve.scroll_into_view_if_needed()
    expect(curve).to_be_in_viewport()
    page.wait_for_function("canvas => canvas.width && canvas.clientWidth < 320", arg=curve.element_handle())
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    colour = list(colours.rgb(colours.GENERATOR.both))
    width, height = curve.evaluate("c => [c.clientWidth, c.clientHeight]")
    inside = [(x, y) for x, y in page.evaluate(COLOURED, [curve.element_handle(), colour]) if x < width - 56]
    left, right = min(x for x, _ in inside), max(x for x, _ in inside)
    peak = [x for x, y in inside if y < height / 4]
    assert peak, "the spike is not drawn"
    expected = left + (right - left) * SPIKE / 5100
    assert all(abs(x - expected) < 4 for x in peak), (expected, peak)
    assert min(y for _, y in inside) < 30  # up to where the axis ends
