"""The live mixer in a real browser: its numbers are Python's, it follows the drag, and the page follows the release."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from ganad import service
from ganad.config import PARTS
from ganad.evaluation import metrics, thresholds
from tests.browser.conftest import bring, go, keyed, release, settled, switch
from tests.waiting import until

RUN = "ganomaly-n8"
EVALUATE = f"/Evaluate?run={RUN}"


# --- on the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(tab, server):
    """Evaluate as it is opened: nothing chosen, the mixer drawn and Python's number beside it."""
    release(tab)
    return bring(tab, server, EVALUATE, as_usual)


def as_usual(page):
    switch(page, "plain_controls", False)
    expect(page.locator(".mixer .defaults")).to_be_disabled()
    page.locator(".mixer .strip").get_by_text("Near the threshold").click()
    expect(area(page)).to_have_text(re.compile(r"0\.\d{4}"))
    expect(metric(page)).to_have_text(area(page).inner_text())
    expect(metric(page, 3)).to_have_text(f"{share_caught(page):.1%}")


def area(page):
    return page.locator(".mixer .auroc")


def metric(page, n=0):
    return page.get_by_test_id("stMetricValue").nth(n)


def slider(page, part):
    return page.locator(".mixer .part input").nth(PARTS.index(part))


def grab(page, part):
    """Press the mouse on a slider's thumb."""
    box = slider(page, part).bounding_box()
    at = float(slider(page, part).input_value())
    page.mouse.move(box["x"] + 11 + at * (box["width"] - 22), box["y"] + box["height"] / 2)
    page.mouse.down()
    return box


def drag(page, box, share):
    page.mouse.move(box["x"] + 11 + share * (box["width"] - 22), box["y"] + box["height"] / 2, steps=5)


def line(page):
    """Where the threshold stands on the histogram, in pixels from its left edge."""
    return float(page.locator(".mixer .scores canvas").get_attribute("data-line"))


def counts(page):
    """The four counts on screen, once what was asked for is drawn."""
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    texts = {name: page.locator(f".mixer .{name}").inner_text() for name in ("caught", "missed", "alarms", "passed")}
    return {name: int(re.search(r"([\d,]+) ·", text).group(1).replace(",", "")) for name, text in texts.items()}


def share_caught(page):
    seen = counts(page)
    return seen["caught"] / (seen["caught"] + seen["missed"])


def test_the_band_round_the_curve_waits_until_the_hand_rests(opened):
    page = opened
    square = page.locator(".mixer .roc canvas")
    expect(square).to_have_attribute("data-band", "drawn")
    slider = page.locator(".mixer .part input").first
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 11, box["y"] + 11)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 11, steps=4)
    expect(square).to_have_attribute("data-band", "none")
    page.mouse.up()
    expect(square).to_have_attribute("data-band", "drawn")
    settled(page)


def test_standardised_parts_change_what_is_shown_on_every_page_and_no_verdict(tab, server):
    page = bring(tab, server, EVALUATE + "&w=0.9,0.1,900", lambda page: switch(page, "plain_controls", False))
    found, weights = service.scores(RUN), (0.9, 0.1, 900)
    units = metrics.standard_units(found.val.parts, weights)
    threshold = thresholds.threshold_for(metrics.total(found.val.parts, weights))
    words, caught = page.locator(".mixer .words"), page.locator(".mixer .caught")
    expect(words).to_contain_text(f"Threshold {threshold:.3g}:")
    before = caught.inner_text()
    page.locator(".mixer").get_by_text("Standardised").click()
    expect(words).to_contain_text(f"Threshold {units.shown(threshold):.3g}:")
    assert caught.inner_text() == before
    weight = [float(w.split("weight ")[1]) for w in page.locator(".mixer .part .raw").all_inner_texts()]
    assert sum(weight) == pytest.approx(1, abs=0.01)
    expect(page).to_have_url(re.compile("units=standardised"))
    keyed(page, "plain_controls").locator("label").first.click()
    expect(page.locator(".mixer")).to_have_count(0)  # which says the same words
    expect(page.get_by_text(f"Threshold {units.shown(threshold):.3g}:")).to_be_visible()
    settled(page)
    page.get_by_test_id("stMain").evaluate("e => e.scrollTo(0, 0)")  # from under the sliders, which stay in view
    box = keyed(page, "histogram").locator(".nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.9 * box["height"], steps=6)
    page.mouse.up()
    expect(page).to_have_url(re.compile("band="))
    low, high = map(float, re.search(r"band=([\d.]+)~([\d.]+)", page.url).groups())  # in the address, scores stay raw
    said = keyed(page, "these_images").get_by_text(re.compile("score .* to")).first.inner_text()
    assert f"score {units.shown(low):.3g}"[:9] in said
    assert low > threshold
    bring(page, server, page.url.removeprefix(server.url).replace("/Evaluate", "/Browse"))
    formula = page.get_by_test_id("stHtml").filter(has_text="the threshold, so")
    numbers = re.search(r"= ([\d.]+) > ([\d.]+) the threshold", formula.inner_text())
    assert float(numbers[2]) == pytest.approx(units.shown(threshold), rel=1e-3)
    assert units.shown(low) <= float(numbers[1]) <= units.shown(high)


def test_the_area_follows_while_the_button_is_down_and_the_page_when_it_is_let_go(opened):
    page = opened
    before = area(page).inner_text()
    assert metric(page).inner_text() == before
    box = grab(page, "residual")
    drag(page, box, 0.3)
    expect(area(page)).not_to_have_text(before)
    half_way = area(page).inner_text()
    drag(page, box, 0.8)
    expect(area(page)).not_to_have_text(half_way)
    assert metric(page).inner_text() == before  # Python was not asked
    page.mouse.up()
    expect(metric(page)).not_to_have_text(before)
    assert metric(page).inner_text() == area(page).inner_text()
    assert page.locator(".mixer").get_attribute("data-frames")


def test_the_keyboard_moves_a_slider_and_python_hears_of_it(opened):
    page = opened
    before = area(page).inner_text()
    slider(page, "residual").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(slider(page, "residual")).to_have_attribute("aria-valuetext", re.compile(r"influence 0\.10, weight"))
    expect(metric(page)).not_to_have_text(before)
    expect(metric(page)).to_have_text(area(page).inner_text())
    expect(slider(page, "residual")).to_be_focused()


def test_a_move_by_key_counts_although_a_link_is_clicked_at_once(opened):
    page = opened
    slider(page, "residual").focus()
    page.keyboard.press("End")
    page.get_by_role("link", name="Browse", exact=True).click()
    expect(page).to_have_url(re.compile(r"/Browse\?.*w="))
    settled(page)


def test_back_and_forward_are_followed_by_mixer_and_page_and_the_same_move_counts_again(opened):
    page = opened
    usual = area(page).inner_text()
    slider(page, "residual").focus()

    def moved():
        expect(page).to_have_url(re.compile("[?&]w="))
        expect(metric(page)).not_to_have_text(usual)
        expect(area(page)).to_have_text(metric(page).inner_text())

    def as_before():
        expect(page).not_to_have_url(re.compile("[?&]w="))
        expect(metric(page)).to_have_text(usual)
        expect(area(page)).to_have_text(usual)

    for _ in range(2):
        page.keyboard.press("End")
        moved()
        page.go_back()
        as_before()
    page.go_forward()
    moved()
    page.go_back()
    as_before()


def test_the_line_in_the_histogram_is_dragged_and_marked_as_chosen_by_eye(opened):
    page = opened
    expect(page.locator(".mixer .tuned_on_test")).to_be_hidden()
    before = counts(page)
    box = page.locator(".mixer .scores canvas").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + line(page), y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=4)
    expect(page.locator(".mixer .tuned_on_test")).to_be_visible()
    expect(page.locator(".mixer .words")).to_have_text(re.compile("by hand"))
    page.mouse.up()
    after = counts(page)
    assert after["missed"] > before["missed"]
    assert after["caught"] + after["missed"] == before["caught"] + before["missed"]
    share = after["caught"] / (after["caught"] + after["missed"])
    expect(metric(page, 3)).to_have_text(f"{share:.1%}")


def test_a_line_by_hand_keeps_its_place_among_the_normals_while_a_weight_moves(opened):
    page = opened
    page.locator(".mixer").get_by_text("Manual").click()
    settled(page)
    before = counts(page)
    drag(page, grab(page, "latent"), 0.5)  # the only part with a say: every score is halved
    page.mouse.up()
    expect(slider(page, "latent")).to_have_value("0.5")
    assert counts(page) == before
    share = before["caught"] / (before["caught"] + before["missed"])
    settled(page)
    expect(metric(page, 3)).to_have_text(f"{share:.1%}")


def test_a_finger_that_scrolls_the_page_leaves_the_line_where_it_was(opened):
    page = opened
    before = counts(page)
    canvas = page.locator(".mixer .scores canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + line(page), box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + line(page) + 40, box["y"] + 100, steps=3)
    expect(page.locator(".mixer .tuned_on_test")).to_be_visible()
    canvas.dispatch_event("pointercancel")
    expect(page.locator(".mixer .tuned_on_test")).to_be_hidden()
    page.mouse.up()
    assert counts(page) == before
    expect(page.locator(".mixer .defaults")).to_be_disabled()


def test_the_point_on_the_curve_is_dragged_to_the_place_under_the_pointer(opened):
    page = opened
    box = page.locator(".mixer .roc canvas").bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 5, steps=4)
    page.mouse.up()
    expect(page.locator(".mixer .words")).to_have_text(re.compile("by hand"))
    seen = counts(page)
    false_alarms = seen["alarms"] / (seen["alarms"] + seen["passed"])
    assert 0.3 < false_alarms < 0.55  # the middle of the canvas lies left of the middle of the axis
    expect(metric(page, 3)).to_have_text(f"{seen['caught'] / (seen['caught'] + seen['missed']):.1%}")


def test_the_threshold_sweeps_once_draws_the_curve_and_is_handed_back(opened):
    page, before, link = opened, counts(opened), opened.url
    trace = page.locator(".mixer .trace")
    trace.click()
    expect(trace).to_have_text("Stop")
    page.wait_for_function(
        "([before, caught]) => caught.innerText !== before && !caught.innerText.includes(' 0.0 %')",
        arg=[page.locator(".mixer .caught").inner_text(), page.locator(".mixer .caught").element_handle()],
    )  # the counts follow the line on its way
    expect(page.locator(".mixer .words")).to_contain_text("one point of the curve")
    expect(trace).to_have_text("Trace")  # it ends by itself
    assert counts(page) == before
    assert page.url == link  # and nothing was chosen by it


def test_a_hand_on_a_slider_ends_the_sweep_and_has_the_threshold(opened):
    page = opened
    trace = page.locator(".mixer .trace")
    trace.click()
    expect(trace).to_have_text("Stop")
    page.locator(".mixer .slide").press("ArrowRight")
    expect(trace).to_have_text("Trace")
    expect(page.locator(".mixer .line output")).to_contain_text("at most 5.5 %")
    expect(page).to_have_url(re.compile("at="))


def test_the_last_part_that_has_a_say_keeps_it(opened):
    page = opened  # of the default weights all but one are zero
    before = area(page).inner_text()
    box = grab(page, "latent")
    drag(page, box, 0.0)
    expect(page.locator(".mixer .words")).to_have_text("At least one part needs a weight.")
    page.mouse.up()
    expect(slider(page, "latent")).not_to_have_value("0")
    settled(page)
    assert float(area(page).inner_text()) == pytest.approx(float(before), abs=1e-3)  # an area does not know the scale


def test_the_strip_shows_the_digits_that_python_would_put_there(opened):
    page = opened
    found = service.scores(RUN)
    weights = service.run_info(RUN).weights
    score, digit = metrics.total(found.test.parts, weights), found.test.digit
    called = score > thresholds.threshold_for(metrics.total(found.val.parts, weights))
    order = np.argsort(score, kind="stable")
    missed, alarms = found.anomalous & ~called, ~found.anomalous & called
    rows = {
        "Near the threshold": [order[~called[order]][-8:], order[called[order]][:8]],
        "Worst mistakes": [order[missed[order]][:8][::-1], order[alarms[order]][::-1][:8]],
        "Strangest": [order[::-1][:16]],
    }
    canvas = page.locator(".mixer .strip canvas")
    for name, sides in rows.items():
        page.locator(".mixer .strip").get_by_text(name).click()
        words = ".*: ".join(" ".join(map(str, digit[side])) for side in sides)
        expect(canvas).to_have_attribute("aria-label", re.compile(f": {words}$"))
        # the row begins and ends near the edges of the canvas
        inked = canvas.evaluate("""c => [40, c.width - 40].map((x) =>
            c.getContext("2d").getImageData(x, c.height / 2, 1, 1).data[3] > 0)""")
        assert inked == [True, True]


def test_defaults_bring_everything_back(opened):
    page = opened
    before, was = area(page).inner_text(), counts(page)
    button = page.locator(".mixer .defaults")
    expect(button).to_be_disabled()
    drag(page, grab(page, "residual"), 0.9)
    page.mouse.up()
    expect(metric(page)).not_to_have_text(before)
    button.click()
    expect(area(page)).to_have_text(before)
    expect(metric(page)).to_have_text(before)
    assert counts(page) == was
    expect(button).to_be_disabled()
    expect(page.locator(".mixer .tuned_on_test")).to_be_hidden()


def test_other_pages_and_the_plain_controls_share_the_weights(opened):
    page = opened
    before = area(page).inner_text()
    drag(page, grab(page, "residual"), 0.9)
    page.mouse.up()
    expect(metric(page)).not_to_have_text(before)
    chosen, say = area(page).inner_text(), float(slider(page, "residual").input_value())
    page.get_by_role("link", name="Browse", exact=True).click()
    expect(page).to_have_url(re.compile("/Browse"))
    settled(page)
    page.get_by_text("Weights and threshold").click()
    expect(keyed(page, "influence_residual").get_by_role("slider")).to_have_value(f"{say:g}")
    page.get_by_role("link", name="Evaluate", exact=True).click()
    expect(area(page)).to_have_text(chosen)
    expect(slider(page, "residual")).to_have_value(f"{say:g}")
    settled(page)
    page.get_by_text("Plain controls").click()
    keyed(page, "mixer_defaults").get_by_role("button").click()
    expect(metric(page)).to_have_text(before)
    settled(page)
    page.get_by_text("Plain controls").click()
    expect(area(page)).to_have_text(before)
    expect(slider(page, "residual")).to_have_value("0")


def test_the_images_travel_once_and_not_with_each_release(page, server):
    heard = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda data: heard.append(len(data))))
    go(page, server, EVALUATE)
    as_usual(page)
    assert sum(heard) > 1_000_000  # ten thousand digits
    for share in (0.2, 0.5):
        heard.clear()
        old = metric(page).inner_text()
        drag(page, grab(page, "residual"), share)
        page.mouse.up()
        expect(metric(page)).not_to_have_text(old)
        settled(page)
        assert sum(heard) < 500_000


def test_the_charts_take_the_colours_of_another_theme_at_once(opened):
    page = opened
    colour = """() => {
      const c = document.querySelector("*"); let found;
      const look = (n) => { for (const e of n.querySelectorAll("*")) { if (e.matches(".scores canvas")) found = e; if (e.shadowRoot) look(e.shadowRoot); } };
      look(document);
      const d = found.getContext("2d").getImageData(0, found.height - 30, found.width, 30).data;
      let most = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 150) most = Math.max(most, d[i]);
      return most;  // words: nearly black on the light theme, nearly white on the dark one
    }"""
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"({colour})() < 120")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"({colour})() > 180")
    page.emulate_media(color_scheme="light")


@pytest.fixture
def hand(opened):
    """What touches the screen, on a narrower one that can be touched."""
    page = opened
    usual = page.viewport_size
    made = page.context.new_cdp_session(page)
    made.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.set_viewport_size({"width": 800, "height": 1000})
    yield made
    made.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    made.detach()
    page.set_viewport_size(usual)


def test_a_finger_drags_a_weight_and_the_line(opened, hand):
    page = opened

    def drag(x, y, by):
        hand.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(1, 6):
            at = {"x": x + by * step / 5, "y": y}
            hand.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
        hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    slider = page.locator(".mixer .part input").first
    expect(page.locator(".mixer .auroc")).to_have_text(re.compile(r"0\.\d{4}"))
    box = still(slider)
    drag(box["x"] + 11, box["y"] + 11, 80)
    expect(page).to_have_url(re.compile("w="))
    assert float(slider.input_value()) > 0.3
    canvas = page.locator(".mixer .scores canvas")
    canvas.scroll_into_view_if_needed()
    box = still(canvas)
    drag(box["x"] + line(page), box["y"] + 150, 60)
    expect(page.locator(".mixer .words")).to_contain_text("by hand")
    expect(page).to_have_url(re.compile("at=manual"))
    settled(page)


def still(locator):
    """Where something is, once it stays there: a page that has become narrower is put together anew."""
    places = [locator.bounding_box()]

    def stays():
        locator.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        places.append(locator.bounding_box())
        return places[-1] == places[-2]

    until(stays)
    return places[-1]
