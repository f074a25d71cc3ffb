"""On a small screen what a click or a slider does is still seen: beside it, below it, or brought into view."""

import re

import pytest
from playwright.sync_api import expect

from ganad.config import METHOD_NAMES
from tests.browser.conftest import bring, by_menu, keyed, release, settled, switch

RUN = "ganomaly-n8"
SIZES = {"laptop": (1440, 900), "small laptop": (1024, 768), "tablet": (800, 900), "phone": (390, 844)}


def resized(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    return page


@pytest.fixture(params=SIZES.values(), ids=SIZES)
def sized(tab, request):
    return resized(tab, *request.param)


def live(page):
    switch(page, "plain_controls", False)
    expect(page.locator(".mixer .defaults")).to_be_disabled()


def plainly(page):
    """The plain controls are there, and the curve is as wide as its place, which may have become another one."""
    switch(page, "plain_controls", True)
    expect(keyed(page, "roc").locator(".main-svg").first).to_be_visible()
    page.wait_for_function(
        "() => Math.abs(document.querySelector('.st-key-roc .main-svg').getBoundingClientRect().width"
        " - document.querySelector('.st-key-roc').getBoundingClientRect().width) < 2"
    )


def seen(page, locator, share=1.0):
    """Wait until so much of an element lies between the top and the bottom of the screen."""
    expect(locator).to_be_visible()
    page.wait_for_function(
        "([e, share]) => { const b = e.getBoundingClientRect();"
        " return Math.min(b.bottom, innerHeight) - Math.max(b.top, 0) >= share * b.height - 1; }",
        arg=[locator.element_handle(), share],
    )


def test_what_is_written_in_the_waterfall_of_an_image_does_not_overlap(sized, server):
    bring(sized, server, "/Browse?run=egbad-n8&digits=3")  # one of its parts has no weight, which takes the most words
    written = sized.locator("[class*=st-key-waterfall] .annotation-text-g")
    expect(written).to_have_count(9)  # name and words of three parts and of the score, and the threshold
    settled(sized)
    boxes = written.evaluate_all("all => all.map((e) => e.getBoundingClientRect().toJSON())")
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            beside = one["left"] >= other["right"] or other["left"] >= one["right"]
            assert beside or abs(one["top"] - other["top"]) >= min(one["height"], other["height"]) - 2, (one, other)


def test_a_picked_image_is_explained_where_it_can_be_seen(sized, server):
    bring(sized, server, f"/Browse?run={RUN}")
    for nth in (59, 1):  # beside or right above the explanation, and a whole gallery above it
        picked = keyed(sized, "gallery").locator("button.tile").nth(nth)
        picked.scroll_into_view_if_needed()
        picked.click()
        expect(picked).to_have_attribute("aria-selected", "true")
        settled(sized)
        heading = keyed(sized, "inspector").get_by_role("heading").first
        expect(heading).to_have_text(re.compile(picked.get_attribute("title").split(",")[0].replace("digit", "A")))
        seen(sized, heading)
        seen(sized, keyed(sized, "lens").locator(".pictures"))


def test_another_filter_moves_nothing_although_it_picks_another_image(tab, server):
    page = resized(tab, *SIZES["phone"])
    bring(page, server, f"/Browse?run={RUN}")
    keyed(page, "verdict").get_by_text("missed", exact=True).click()
    expect(page).to_have_url(re.compile("verdict=missed"))
    settled(page)
    seen(page, keyed(page, "verdict"))


def test_the_roc_is_in_view_while_a_live_slider_moves(sized, server):
    release(sized)
    bring(sized, server, f"/Evaluate?run={RUN}", live)
    area = sized.locator(".mixer .auroc")
    expect(area).to_have_text(re.compile(r"0\.\d{4}"))
    before = area.inner_text()
    sized.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 330)")
    slider = sized.locator(".mixer .part input").first
    curve = sized.locator(".mixer .roc canvas")
    sized.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 0")
    if sized.viewport_size["width"] > 1000:  # both fit on the screen as it opens
        sized.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 0)")
    seen(sized, curve, 0.9)
    seen(sized, slider)
    slider.focus()
    slider.press("End")
    expect(area).not_to_have_text(before)
    expect(sized).to_have_url(re.compile("w="))  # the server has heard of it, a moment after the last key
    settled(sized)
    seen(sized, curve, 0.9)
    seen(sized, slider)


def test_the_roc_is_in_view_while_a_plain_slider_moves(sized, server):
    bring(sized, server, f"/Evaluate?run={RUN}", plainly)
    curve = keyed(sized, "roc").locator(".main-svg").first
    # So far that the curve ends at the bottom of the screen.
    sized.evaluate(
        "document.querySelector('[data-testid=stMain]').scrollBy(0,"
        " document.querySelector('.st-key-roc').getBoundingClientRect().bottom - innerHeight)"
    )
    slider = keyed(sized, "influence_residual").get_by_role("slider")
    seen(sized, slider)
    seen(sized, curve, 0.85)
    on_top = (
        "e => { const b = e.getBoundingClientRect();"
        " return e.closest('.st-key-influence_residual').contains(document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2)); }"
    )
    assert slider.evaluate(on_top), "the slider can be had, it lies under nothing"


def nothing_drawn(page):
    clear = keyed(page, "pad").get_by_role("button", name="Clear")
    expect(clear).to_be_visible()
    if clear.is_enabled():
        clear.click()
    expect(clear).to_be_disabled()
    expect(keyed(page, "pad").locator(".normals canvas")).to_have_count(8)  # the nets have come
    settled(page)


def test_the_verdict_is_in_view_after_drawing(sized, server):
    bring(sized, server, f"/Score?run={RUN}", nothing_drawn)
    box = keyed(sized, "pad").locator(".ink").bounding_box()
    x, y, side = box["x"], box["y"], box["width"]
    sized.mouse.move(x + 0.5 * side, y + 0.2 * side)
    sized.mouse.down()
    sized.mouse.move(x + 0.48 * side, y + 0.8 * side, steps=6)
    sized.mouse.up()
    seen(sized, keyed(sized, "pad").locator(".verdict b"))
    seen(sized, keyed(sized, "pad").locator(".gauge"))
    seen(sized, keyed(sized, "pad").locator(".ink"))


def test_a_run_that_is_picked_on_train_is_brought_into_view(tab, server):
    page = resized(tab, *SIZES["small laptop"])
    bring(page, server, f"/Train?run={RUN}")
    keyed(page, "run").get_by_role("combobox").fill("EGBAD · 8")  # the list draws only what fits into it
    page.get_by_role("option", name="EGBAD · 8 · shipped").click()
    expect(page).to_have_url(re.compile("run=egbad-n8"))
    seen(page, keyed(page, "run_panel").get_by_role("heading", name=re.compile("EGBAD · normal 8")))


CUT = """selector => [...document.querySelectorAll(selector)].filter(
  e => e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth).length"""


def test_every_choice_in_a_row_of_buttons_is_on_the_screen(sized, server):
    bring(sized, server, f"/Browse?run={RUN}")
    for key, count in (("digits", 10), ("verdict", 6)):
        buttons = keyed(sized, key).get_by_test_id("stButtonGroup").get_by_role("button")
        radios = keyed(sized, key).get_by_test_id("stButtonGroup").get_by_role("radio")
        expect(buttons.or_(radios).filter(has_text=re.compile(r"\w"))).to_have_count(count)
        assert sized.evaluate(CUT, f".st-key-{key} [data-testid=stButtonGroup] > div") == 0


BENEATH = "s => [...document.querySelectorAll(s)].filter(e => e.scrollHeight > e.clientHeight).length"
"""How many elements of a selector hide something below their lower edge."""


def test_a_phone_shows_ten_digits_and_whole_formulas(tab, server):
    page = resized(tab, *SIZES["phone"])
    bring(page, server, f"/?run={RUN}")
    expect(page.get_by_alt_text("reconstruction")).to_have_count(10)
    assert page.evaluate(CUT, ".ganad-cards, .ganad-cards img") == 0
    page.get_by_test_id("stExpandSidebarButton").click()
    by_menu(page, "Methods")
    expect(page.locator(".katex-display").first).to_be_visible()
    for method in METHOD_NAMES:
        bring(page, server, f"/Methods?run={RUN}&detector={method}&watch=race")
        assert page.evaluate(CUT, ".katex-display") == 0, method
        assert page.evaluate(BENEATH, ".katex-display") == 0, method
