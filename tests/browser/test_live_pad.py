"""The pad answers while one draws: in the browser alone, with Python's numbers."""

import base64
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from ganad import service
from ganad.bench.handwriting import softened
from ganad.web.bundle import bundle
from tests.browser.conftest import bring, keyed, settled
from tests.browser.pad_in_the_browser import in_python, in_the_browser
from tests.conftest import ROOT
from tests.drawings import drawings

RUN = "ganomaly-n8"
LINE = ((0.5, 0.2), (0.48, 0.8))
ACROSS = ((0.25, 0.5), (0.75, 0.52))


@pytest.fixture(scope="module")
def blank(context):
    made = context.new_page()
    yield made
    made.close()


@pytest.mark.parametrize("run", [RUN, "egbad-n8", "fanogan-n8", "ganomaly-all-but-8"])
def test_the_browser_prepares_and_judges_as_python_does(blank, run):
    agrees(blank, run, drawings(80 if run == RUN else 25, seed=len(run)))


def agrees(blank, run, drawn):
    pairs = list(zip(in_the_browser(blank, run, drawn), in_python(run, drawn), strict=True))
    weights = service.run_info(run).weights
    assert [a.digit is None for a, _ in pairs] == [b.digit is None for _, b in pairs]
    assert pairs[0][0].digit is None  # the empty sheet
    for ours, python in pairs:
        assert np.abs(ours.whole.astype(int) - python.whole).max() == 0
        if python.digit is None:
            continue
        assert np.abs(ours.digit.astype(int) - python.digit).max() <= 2
        assert ours.doubt == python.doubt
        assert np.dot(weights, ours.parts) == pytest.approx(np.dot(weights, python.parts), rel=5e-3)
        assert np.abs(ours.reconstruction.astype(int) - python.reconstruction).max() <= 3
        assert ours.z == pytest.approx(python.z, rel=0.01, abs=0.01)


_DRAWN = """async ([source, pixels]) => {
  const m = await import("data:text/javascript;base64," + source);
  const side = 448, ink = Object.assign(document.createElement("canvas"), { width: side, height: side }).getContext("2d");
  const sheet = { ...m.newSheet(), under: pixels && m.sheetOf(pixels) };
  const drawings = [];
  for (const points of [null, [[0, 200], [300, 40]], [[447, 447]]]) {
    if (points) { m.beginStroke(sheet, 35, false, points[0]); sheet.current.points.push(...points.slice(1)); }
    m.paintSheet(sheet, ink, side);
    const grey = ink.getImageData(0, 0, side, side).data.filter((_, i) => i % 4 === 0);
    drawings.push([grey, Uint8Array.from(m.drawingOf(ink, side, sheet))].map(base64));
  }
  return drawings; // in base64: a list of as many numbers takes seconds to come over
  function base64(bytes) { return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join("")); }
}"""


@pytest.mark.parametrize("begun_with", [False, True])
def test_strokes_are_softened_and_what_the_sheet_began_with_is_not(blank, begun_with):
    source = (
        bundle(ROOT / "ganad/web/pad/sheet.js") + "\nexport { beginStroke, drawingOf, newSheet, paintSheet, sheetOf };"
    )
    under = drawings(8, seed=5)[6] if begun_with else np.zeros((112, 112), np.uint8)
    encode = lambda content: base64.b64encode(content).decode()  # noqa: E731
    seen = blank.evaluate(_DRAWN, [encode(source.encode()), encode(under.tobytes()) if begun_with else None])
    seen = [[np.frombuffer(base64.b64decode(text), np.uint8) for text in pair] for pair in seen]
    assert np.array_equal(np.reshape(seen[0][1], (112, 112)), under)
    for painted, drawn in seen:
        means = np.reshape(painted, (112, 4, 112, 4)).mean((1, 3))
        expected = np.clip(under + softened(means - under), 0, 255)
        assert np.abs(np.reshape(drawn, (112, 112)) - expected).max() <= 0.51
    assert softened(np.eye(1, 112 * 112, 56 * 113).reshape(112, 112)).sum() == pytest.approx(1)


def empty(page):
    clear = keyed(page, "pad").get_by_role("button", name="Clear")
    expect(clear).to_be_visible()
    expect(keyed(page, "pad").locator(".normals canvas")).to_have_count(8)  # the nets are here
    if clear.is_enabled():
        clear.click()
    expect(clear).to_be_disabled()
    expect(page.get_by_text("In detail", exact=True)).to_have_count(0)
    settled(page)


@pytest.fixture
def pad(tab, server):
    page = bring(tab, server, f"/Score?run={RUN}", empty)
    pad = keyed(page, "pad")
    erases = pad.get_by_role("button", name="Eraser")
    if erases.get_attribute("aria-pressed") == "true":
        erases.click()
    pad.locator("input[type=range]").fill("22")
    pad.get_by_role("radio", name="nothing").click()
    return pad


def stroke(pad, points):
    box, mouse = pad.locator(".ink").bounding_box(), pad.page.mouse
    (x, y), *others = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    mouse.move(x, y)
    mouse.down()
    for to in others:
        mouse.move(*to, steps=6)
    mouse.up()


def verdict(pad):
    return pad.locator(".verdict").inner_text()


def test_a_verdict_comes_while_the_pen_is_down_and_nothing_is_sent(pad):
    page, frames = pad.page, []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameSent", lambda frame: frames.append(frame))
    box = pad.locator(".ink").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.48 * box["width"], box["y"] + 0.8 * box["height"], steps=6)
    expect(pad.locator(".verdict b")).to_have_text("Anomalous")  # a 1 is no 8
    before = verdict(pad)
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=6)
    expect(pad.locator(".verdict")).not_to_have_text(before)
    page.mouse.up()
    expect(pad.locator(".timeline button")).to_have_count(1)
    session.detach()
    assert not frames
    expect(page.get_by_text("In detail", exact=True)).to_have_count(0)


def test_what_the_pad_says_is_what_python_says_when_it_is_asked(pad):
    stroke(pad, LINE)
    pad.get_by_role("button", name="Explain in detail").click()
    page = pad.page
    expect(page.get_by_text("Stranger than").first).to_be_visible()
    settled(page)
    score = re.compile(r"Score (\d+\.?\d*)")
    ours, python = (
        float(score.search(t)[1]) for t in (verdict(pad), page.get_by_text("Stranger than").first.inner_text())
    )
    assert ours == pytest.approx(python, rel=5e-3)
    expect(pad.get_by_role("button", name="Explain in detail")).to_be_disabled()
    stroke(pad, ACROSS)
    expect(pad.get_by_role("button", name="Explain in detail")).to_be_enabled()  # below is another drawing's


def test_a_stroke_of_the_timeline_leads_back_to_it_and_another_one_goes_on_from_there(pad):
    stroke(pad, LINE)
    first = verdict(pad)
    stroke(pad, ACROSS)
    second = verdict(pad)
    assert first != second
    states = pad.locator(".timeline button")
    expect(states).to_have_count(2)
    states.nth(0).click()
    expect(states.nth(0)).to_have_attribute("aria-pressed", "true")
    assert verdict(pad) == first
    pad.get_by_role("button", name="Redo").click()
    assert verdict(pad) == second
    pad.get_by_role("button", name="Undo").click()
    assert verdict(pad) == first
    stroke(pad, ((0.3, 0.3), (0.6, 0.3)))
    expect(states).to_have_count(2)  # what was taken back is gone
    expect(pad.get_by_role("button", name="Redo")).to_be_disabled()


def test_the_eraser_takes_ink_away(pad):
    stroke(pad, LINE)
    first = verdict(pad)
    stroke(pad, ACROSS)
    pad.get_by_role("button", name="Eraser").click()
    pad.locator("input[type=range]").fill("40")
    for y in (0.42, 0.5, 0.6):
        stroke(pad, ((0.05, y), (0.95, y)))
    assert verdict(pad) not in ("", first)
    for y in (0.12, 0.22, 0.32, 0.7, 0.8, 0.9):
        stroke(pad, ((0.05, y), (0.95, y)))
    expect(pad.get_by_role("heading", name="No ink found")).to_be_visible()


def test_keys_draw_judge_and_take_back(pad):
    ink, page = pad.locator(".ink"), pad.page
    ink.focus()
    for key in (*["ArrowUp"] * 9, " ", *["ArrowDown"] * 16, *["ArrowRight"] * 9, " "):
        page.keyboard.press(key)
    expect(pad.locator(".verdict b")).to_have_text("Anomalous")
    expect(pad.locator(".said")).to_contain_text("Called anomalous. Score")
    page.keyboard.press("Control+z")
    expect(pad.locator(".judged")).to_be_hidden()
    page.keyboard.press("Control+Shift+z")
    expect(pad.locator(".verdict b")).to_have_text("Anomalous")


def test_a_ghost_lies_over_the_ink_where_the_digit_was_found(pad):
    stroke(pad, LINE)
    ghost = pad.locator(".ghost")
    expect(ghost).to_be_hidden()
    pad.get_by_role("radio", name="nearest normal").click()
    expect(ghost).to_be_visible()
    # The line is 0.6 of the sheet long and 20 of 28 pixels of the digit, with its round ends and a little smoothing.
    share = ghost.bounding_box()["height"] / pad.locator(".sheet").bounding_box()["height"]
    assert share * 20 / 28 == pytest.approx(0.6 + 22 / 280, abs=0.04)


def test_a_test_image_is_a_drawing_to_go_on_with(tab, server):
    page = bring(tab, server, f"/Browse?run={RUN}&digits=8&image=61")
    expect(keyed(page, "to_pad").get_by_role("button")).to_be_visible()
    settled(page)
    keyed(page, "to_pad").get_by_role("button").click()
    pad = keyed(page, "pad")
    expect(pad.locator(".timeline button")).to_have_count(1)
    expect(page.get_by_text("Stranger than").first).to_be_visible()
    settled(page)
    own = float(re.search(r"Score (\d+\.?\d*)", verdict(pad))[1])
    stroke(pad, ACROSS)
    expect(pad.locator(".timeline button")).to_have_count(2)
    assert float(re.search(r"Score (\d+\.?\d*)", verdict(pad))[1]) > own  # an 8 with a bar through it


def test_a_run_that_searches_is_judged_by_the_server_and_the_page_says_so(tab, server):
    page = bring(tab, server, "/Score?run=anogan-n8")
    expect(page.get_by_text(re.compile("judged by the server after each stroke"))).to_be_visible()
    pad = keyed(page, "pad")
    expect(pad.locator(".live")).to_be_hidden()
    expect(pad.locator(".sheet")).to_be_visible()
    assert pad.locator(".sheet").bounding_box()["width"] > 200  # there is room to draw
    stroke(pad, LINE)
    expect(page.get_by_text("Stranger than").first).to_be_visible()
