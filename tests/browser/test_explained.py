"""One image explained: keys lead through the choice, every pixel says what it adds, a lasso leaves what it encloses."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from ganad import service
from ganad.evaluation import metrics
from tests.browser.conftest import bring, keyed, settled, switch

RUN = "ganomaly-n8"


@pytest.fixture
def opened(tab, server):
    """Browse with the threes, the strangest of them explained, and no map."""
    return bring(tab, server, f"/Browse?run={RUN}&digits=3", as_usual)


def as_usual(page):
    switch(page, "map", False)
    lens = keyed(page, "lens")
    expect(lens.locator("canvas").first).to_be_visible()
    expect(lens.locator(".back")).to_be_disabled()
    lens.locator("input[type=range]").fill("0")
    expect(keyed(page, "gallery").locator("button.tile").first).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("1,010 of 10,000 test images")).to_be_visible()


def image(page):
    return int(
        re.search(r"test image (\d+)", page.get_by_text(re.compile(r"test image \d")).first.inner_text()).group(1)
    )


def read(page):
    return keyed(page, "lens").locator(".read").inner_text()


def test_arrow_keys_and_buttons_lead_through_the_choice_and_the_gallery_follows(opened):
    page = opened
    found = service.scores(RUN)
    score = metrics.total(found.test.parts, service.run_info(RUN).weights)
    threes = np.flatnonzero(found.test.digit == 3)
    order = found.test.index[threes[np.argsort(-score[threes], kind="stable")]].tolist()
    assert image(page) == order[0]
    expect(keyed(page, "lens").locator(".back")).to_be_disabled()
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text(f"test image {order[1]}")).to_be_visible()
    keyed(page, "lens").locator(".on").click()
    expect(page.get_by_text(f"test image {order[2]}")).to_be_visible()
    expect(keyed(page, "gallery").locator("button.tile").nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(f"test image {order[1]}")).to_be_visible()
    expect(page).to_have_url(re.compile(f"image={order[1]}(&|$)"))


def test_the_pixels_say_what_they_add_and_add_up(opened):
    page = opened
    lens = keyed(page, "lens")
    lens.locator("canvas.input").scroll_into_view_if_needed()
    whole = float(re.search(r"add ([\d.]+) of", read(page)).group(1))
    lens.locator("canvas.input").focus()
    page.keyboard.press("ArrowRight")
    expect(lens.locator(".read")).to_contain_text("row 15, column 16")
    page.keyboard.press("ArrowUp")
    expect(lens.locator(".read")).to_contain_text("row 14, column 16")
    box, total = lens.locator("canvas.residual").bounding_box(), 0.0
    for row in range(28):
        page.mouse.move(box["x"] + 3, box["y"] + (row + 0.5) / 28 * box["height"])
        sums = page.evaluate(
            """async ([lens, x, y, width]) => {
              const canvas = document.querySelector(lens).shadowRoot?.querySelector("canvas.residual")
                ?? [...document.querySelectorAll(lens + " *")].map((e) => e.shadowRoot?.querySelector("canvas.residual")).find(Boolean);
              const read = canvas.closest(".lens").querySelector(".read");
              let sum = 0;
              for (let c = 0; c < 28; c++) {
                canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: x + ((c + 0.5) / 28) * width, clientY: y }));
                sum += Number(read.innerText.match(/Adds (?:about )?([\\d.]+) of/)[1]);
              }
              return sum;
            }""",
            [".st-key-lens", box["x"], box["y"] + (row + 0.5) / 28 * box["height"], box["width"]],
        )
        total += sums
    assert total == pytest.approx(whole, abs=0.3)  # each is rounded to a thousandth


def test_f_shows_the_reconstruction_in_the_place_of_the_input_while_it_is_held(opened):
    page = opened
    lens = keyed(page, "lens")

    def pixels(name):
        return lens.locator(f"canvas.{name}").evaluate("c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data]")

    before, made = pixels("input"), pixels("made")
    assert before != made
    page.locator("h1").click()
    page.keyboard.down("f")
    assert pixels("input") == made
    page.keyboard.up("f")
    assert pixels("input") == before
    lens.locator("input[type=range]").fill("1")
    assert pixels("input") == made


def test_a_term_of_the_formula_says_what_it_is_to_the_pointer_and_to_the_keyboard(opened):
    page = opened
    term = page.locator(".ganad-term").first
    tip = term.get_by_role("tooltip")
    expect(tip).to_be_hidden()
    term.focus()
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("latent")
    page.keyboard.press("Tab")
    expect(tip).to_be_hidden()
    term.hover()
    expect(tip).to_be_visible()


def test_a_pixel_says_what_it_is_worth_in_the_score_and_that_it_is_worth_nothing_without_weight(tab, server):
    page = bring(tab, server, f"/Browse?run={RUN}&w=0.5,0,1")
    lens = keyed(page, "lens")
    expect(lens.locator(".read")).to_contain_text("adds most")
    lens.locator("canvas.residual").hover()
    said = re.search(r"Adds about ([\d.]+) .* times 0.5 = ([\d.]+) to the score", read(page))
    assert float(said[2]) == pytest.approx(0.5 * float(said[1]), abs=0.005)
    bring(page, server, f"/Browse?run={RUN}")
    expect(lens.locator(".read")).to_contain_text("has weight 0")
    lens.locator("canvas.residual").hover()
    expect(lens.locator(".read")).to_contain_text("with weight 0 nothing to the score")


def test_a_lasso_on_the_latent_map_leaves_the_images_inside_it(opened):
    page = opened
    keyed(page, "map").locator("label").first.click()
    chart = keyed(page, "latent_map").locator(".sheet > canvas")
    expect(chart).to_be_visible()
    settled(page)
    chart.scroll_into_view_if_needed()
    chart.hover()
    expect(keyed(page, "latent_map").locator(".tip")).to_contain_text(re.compile(r"\d, called (normal|anomalous)"))
    box = chart.bounding_box()
    corners = [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6), (0.4, 0.41)]
    page.mouse.move(*(box[k] + s * box[w] for k, s, w in zip("xy", corners[0], ("width", "height"), strict=True)))
    page.mouse.down()
    for x, y in corners[1:]:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
    page.mouse.up()
    expect(keyed(page, "no_lasso").get_by_role("button")).to_be_visible()
    settled(page)
    left = int(page.get_by_text(re.compile("of 10,000 test images")).inner_text().split(" of")[0].replace(",", ""))
    assert 0 < left < 1010  # some of the threes, not all
    link = page.url
    keyed(page, "no_lasso").get_by_role("button").click()
    expect(page.get_by_text("1,010 of 10,000 test images")).to_be_visible()
    page.goto(link)
    expect(page.get_by_text(f"{left:,} of 10,000 test images")).to_be_visible()


def test_a_point_on_the_latent_map_is_an_image_to_inspect(opened):
    page = opened
    keyed(page, "map").locator("label").first.click()
    latent = keyed(page, "latent_map")
    canvas = latent.locator(".sheet > canvas")
    expect(canvas).to_be_visible()
    expect(canvas).to_have_attribute("aria-label", re.compile("585 held-out normals and 10,000 test images"))
    settled(page)
    keyed(page, "digits").get_by_text("3", exact=True).click()  # all digits again: any point may be clicked
    expect(page.get_by_text("10,000 of 10,000 test images")).to_be_visible()
    latent.get_by_role("radio", name="digit").click()
    with page.expect_download() as download:
        latent.locator(".save").click()
    with Image.open(download.value.path()) as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == picture.convert("RGB").getpixel(
            (picture.width - 1, 0)
        )  # the ground
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20  # and points on it
    canvas.hover()
    said = latent.locator(".tip").inner_text()
    seen = latent.locator(".tip canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"
    )
    page.mouse.down()  # where the pointer lies: the smallest move may mean another of 10,000 points
    page.mouse.up()
    expect(page.get_by_role("heading", name=re.compile(rf"A {said[0]}, {said.split(', ')[1]}"))).to_be_visible()
    (row,) = np.flatnonzero((service.test_images(RUN).reshape(10_000, -1) == seen).all(axis=1))
    shown = service.scores(RUN).test.index[row]  # what was shown is what was picked
    expect(page.get_by_text(re.compile(rf"test image {shown}\b")).first).to_be_visible()
    assert image(page) == shown
