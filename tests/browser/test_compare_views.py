"""Compare's views in a real browser, and a speed that is measured while one looks on."""

import shutil

import pytest
from playwright.sync_api import expect

from ganad import service
from tests.browser.conftest import by_menu, go, keyed, settled
from tests.conftest import put_finished, put_speed

PICTURES = {"Curves": "rocs", "Digits": "digit_dots", "Significance": "standings"}


def show(page, view):
    keyed(page, "view").get_by_text(view, exact=True).click()
    settled(page)


def test_every_view_draws_its_picture_and_leads_on_and_the_choice_outlives_another_page(page, server):
    """One walk through all views: opening the page anew would cost more than all of them."""
    put_finished(server.runs, "9101-ganomaly-n8-s0")
    go(page, server, "/Compare")
    for view, key in PICTURES.items():
        show(page, view)
        expect(keyed(page, key).locator(".plot-container")).to_be_visible()
    show(page, "Digits")
    keyed(page, "digit_view").get_by_text("Curves", exact=True).click()
    expect(keyed(page, "digit_curves").locator(".plot-container")).to_be_visible()
    show(page, "Agreement")
    expect(page.get_by_role("heading", name="Most disputed")).to_be_visible()
    expect(page.locator("img[alt^='a '], img[alt^='an ']")).to_have_count(12)
    by_menu(page, "Methods")
    by_menu(page, "Compare")
    expect(page.get_by_role("heading", name="Most disputed")).to_be_visible()
    show(page, "All digits")
    a_cell_of_the_matrix_shows_its_images_and_leads_to_them_in_browse(page)
    by_menu(page, "Compare")
    show(page, "Curves")


def a_cell_of_the_matrix_shows_its_images_and_leads_to_them_in_browse(page):
    chart = keyed(page, "matrix").locator(".nsewdrag").first
    expect(chart).to_be_visible()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    at = box["x"] + 1.5 / 10 * box["width"], box["y"] + 8.5 / 10 * box["height"]  # normal 8, anomalous 1
    page.mouse.move(*at)
    page.mouse.click(*at)
    expect(keyed(page, "matrix_images").get_by_text("The 1 where 8 is normal:")).to_be_visible()
    keyed(page, "matrix_images").get_by_role("link", name="Open in Browse").click()
    expect(page.get_by_text("1,135 of 10,000 test images")).to_be_visible()
    expect(page.get_by_role("combobox", name="Run")).to_have_value("GANomaly · 8 · shipped")


@pytest.fixture
def unmeasured(server):
    """A run whose speed is not known, also not from another page, while those of the others of its task are; afterwards those are known that were."""
    shutil.rmtree(server.runs / ".speed")
    put_speed(
        server.runs, *(service.run_info(f"{method}-all-but-8").settings for method in ("egbad", "anogan", "fanogan"))
    )
    yield "ganomaly-all-but-8"
    put_speed(server.runs)


def test_a_speed_is_measured_on_demand_and_then_drawn(page, server, unmeasured):
    go(page, server, f"/Compare?run={unmeasured}")
    show(page, "Speed")
    keyed(page, "measure").get_by_role("button").click()
    expect(keyed(page, "measure")).to_have_count(0)
    expect(page.get_by_text("measuring")).to_have_count(0)
    expect(keyed(page, "trade").locator(".plot-container")).to_be_visible()
    expect(page.get_by_text("Up and to the left is better")).to_be_visible()
