"""The main path, as a person walks it, on really trained runs: tiles, Start, live, Browse, Evaluate, Score."""

import csv
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from ganad import service
from ganad.runs import run_directory
from tests.browser.conftest import go, keyed, settled
from tests.waiting import until


def train_through_the_page(page, server, digits, epochs, limit):
    """Pick digits, set the epochs and how many images to learn from and to judge, press Start; returns the run's name."""
    go(page, server, "/Train")
    tiles = keyed(page, "normal_tiles").get_by_role("button")
    expect(tiles).to_have_count(10)
    for d in range(10):
        if (tiles.nth(d).get_attribute("aria-pressed") == "true") != (d in digits):
            tiles.nth(d).click()
            expect(tiles.nth(d)).to_have_attribute("aria-pressed", "true" if d in digits else "false")
    settled(page)
    page.get_by_text("Advanced settings").click()
    for label, value in (("Epochs", epochs), ("Training images at most", limit), ("Test images at most", 1000)):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(str(value))
        field.press("Enter")
        settled(page)  # what is typed while the page is being redrawn may be put back
    before = {p.name for p in server.runs.glob("0*")}
    page.get_by_role("button", name="Start training").click()
    expect(keyed(page, "stop")).to_be_visible()
    (name,) = {p.name for p in server.runs.glob("0*")} - before
    expect(page).to_have_url(re.compile(f"run={name}"))
    return name


def state(server, name):
    """As every page has it: a process that a stop meets before it has anything to save ends at once, without a word."""
    return run_directory.status(server.runs / name).state


def wait_for(server, name, *states):
    """As long as the run goes on: only what stands still for too long is given up."""
    status, log = server.runs / name / "status.json", server.runs / name / "log.txt"
    before = ""
    while state(server, name) not in states:
        until(lambda seen=before: status.read_text() != seen or state(server, name) in states, log.read_text)
        before = status.read_text()


def test_from_the_tiles_to_a_verdict(page, server):
    name = train_through_the_page(page, server, {3, 8}, epochs=2, limit=1500)
    assert "n38" in name
    # live: progress, then the film of the probe digits and the losses, without a click
    expect(page.get_by_text(re.compile(r"epoch \d of 2 · step"))).to_be_visible()
    expect(page.locator(".film img").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Loss of the generator")).first).to_be_visible()
    page.reload()  # a refresh changes nothing
    settled(page)
    wait_for(server, name, "finished")
    expect(page.get_by_text(re.compile(r"\d epochs in .*\d+ s"))).to_be_visible()
    expect(page.get_by_test_id("stMetricValue").first).to_have_text(re.compile(r"0\.\d{3}"))

    page.get_by_role("link", name="Browse its images").click()
    expect(page).to_have_url(re.compile(f"/Browse.*run={name}"))
    settled(page)
    options = keyed(page, "gallery").get_by_role("option")
    expect(options).to_have_count(60)
    first = page.get_by_role("heading", level=3).first.inner_text()
    assert re.match(r"An? \d, called (normal|anomalous)", first)
    keyed(page, "verdict").get_by_text("false alarms", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("(A 3|An 8), called anomalous"))).to_be_visible()
    options.nth(3).click()
    expect(options.nth(3)).to_have_attribute("aria-selected", "true")
    for picture in (
        r"^(A 3|An 8), called anomalous; score [\d.]+",
        "^The reconstruction of (A 3|An 8)",
        "^Signed residual",
    ):
        expect(page.get_by_role("img", name=re.compile(picture))).to_be_visible()

    page.get_by_role("link", name="Evaluate", exact=True).click()
    expect(page).to_have_url(re.compile(f"/Evaluate.*run={name}"))
    settled(page)
    area = page.get_by_test_id("stMetricValue").first
    before = area.inner_text()
    slider = page.locator(".mixer").get_by_role("slider", name="Residual")
    slider.focus()
    slider.press("End")
    expect(area).not_to_have_text(before)
    expect(page.get_by_text("chosen while looking at the test set")).to_be_visible()

    page.get_by_role("link", name="Browse", exact=True).click()  # the weights are shared with Browse
    settled(page)
    page.get_by_text("Weights and threshold").click()
    expect(keyed(page, "influence_residual").get_by_role("slider")).to_have_value("1")
    keyed(page, "mixer_defaults").get_by_role("button").click()
    expect(keyed(page, "influence_residual").get_by_role("slider")).not_to_have_value("1")

    page.get_by_role("link", name="Score", exact=True).click()
    expect(page).to_have_url(re.compile(f"/Score.*run={name}"))
    settled(page)
    draw_a_cross(page)
    expect(keyed(page, "pad").locator(".verdict b")).to_have_text(re.compile("^(Normal|Anomalous)$"))
    keyed(page, "pad").get_by_role("button", name="Explain in detail").click()
    expect(page.get_by_text(re.compile(r"Stranger than (all|[\d.]+ % of) [\d,]+ held-out normal"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Your digit, called (normal|anomalous); score"))).to_be_visible()


def draw_a_cross(page):
    expect(keyed(page, "pad").locator(".normals canvas")).to_have_count(8)  # the nets have come
    box = keyed(page, "pad").locator(".ink").bounding_box()
    x, y, w = box["x"], box["y"], box["width"]
    for (x0, y0), (x1, y1) in [((0.3, 0.25), (0.7, 0.75)), ((0.7, 0.25), (0.3, 0.75))]:
        page.mouse.move(x + x0 * w, y + y0 * w)
        page.mouse.down()
        page.mouse.move(x + x1 * w, y + y1 * w, steps=10)
        page.mouse.up()


def photo(digit):
    """Dark ink on light paper, large and off-centre, as a PNG."""
    paper = np.full((300, 400), 235, dtype=np.uint8)
    ink = np.asarray(Image.fromarray(service.examples()[digit]).resize((140, 140), Image.Resampling.BICUBIC))
    paper[40:180, 200:340] -= (ink.astype(np.float32) * 0.8).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(paper).save(out, "PNG")
    return out.getvalue()


def test_uploads_are_judged_one_alone_and_several_with_a_csv(page, server):
    go(page, server, "/Score?run=ganomaly-n8")
    keyed(page, "way").get_by_text("Upload", exact=True).click()
    settled(page)
    choose = keyed(page, "upload").locator("input[type=file]")
    files = [{"name": f"photo{d}.png", "mimeType": "image/png", "buffer": photo(d)} for d in (8, 0)]
    choose.set_input_files(files[0])
    expect(page.get_by_text(re.compile("Stranger than"))).to_be_visible()
    expect(page.get_by_alt_text("photo8.png")).to_be_visible()
    choose.set_input_files(files[1])
    expect(page.get_by_text(re.compile(r"of 2 called anomalous"))).to_be_visible()
    with page.expect_download() as download:
        keyed(page, "csv").get_by_role("button").click()
    with open(download.value.path(), newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["file"] for r in rows] == ["photo0.png", "photo8.png"]  # the strangest first
    assert {"verdict", "percentile", "score", "threshold", "residual", "discrimination", "latent"} <= rows[0].keys()


def test_a_run_outlives_tabs_and_servers_and_is_stopped_and_resumed(context, page, server):
    name = train_through_the_page(page, server, {1}, epochs=400, limit=3000)
    expect(page.get_by_text(re.compile(r"epoch \d+ of 400 · step"))).to_be_visible()
    server.stop()
    server.start()
    other = context.new_page()  # a second tab, on the new server
    go(other, server, f"/Train?run={name}")
    expect(other.get_by_text(re.compile(r"epoch \d+ of 400 · step"))).to_be_visible()
    keyed(other, "stop").get_by_role("button").click()
    wait_for(server, name, "stopped")
    expect(keyed(other, "resume")).to_be_visible()
    expect(keyed(page, "resume")).to_be_visible()  # the first tab reconnected by itself
    keyed(other, "resume").get_by_role("button").click()
    log = server.runs / name / "log.txt"
    until(lambda: "resumed at step" in log.read_text(), log.read_text)
    expect(other.get_by_text(re.compile(r"epoch \d+ of 400 · step"))).to_be_visible()  # it is watched again
    keyed(other, "stop").get_by_role("button").click()
    wait_for(server, name, "stopped")
    other.close()
