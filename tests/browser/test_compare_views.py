"""Compare's views in a real browser, and a speed that is measured while one looks on."""

import shutil

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import go, keyed, settled
from tests.conftest import put_finished

PICTURES = {"Curves": "rocs", "Digits": "digit_dots", "Noise": "standings"}


@pytest.fixture
def two(server):
    run = put_finished(server.runs, "9101-ganomaly-n8-s0")
    yield run
    shutil.rmtree(run)


def show(page, view):
    keyed(page, "view").get_by_text(view, exact=True).click()
    settled(page)


def test_every_view_draws_its_picture_and_the_choice_outlives_another_page(page, server, two):
    go(page, server, "/Compare")
    for view, key in PICTURES.items():
        show(page, view)
        expect(keyed(page, key).locator(".plot-container")).to_be_visible()
    show(page, "Digits")
    keyed(page, "digit_view").get_by_text("Curves", exact=True).click()
    expect(keyed(page, "digit_curves").locator(".plot-container")).to_be_visible()
    show(page, "Jury")
    expect(page.get_by_role("heading", name="Most disputed")).to_be_visible()
    expect(page.locator("img[alt^='a ']")).to_have_count(12)
    page.get_by_role("link", name="Methods").click()
    settled(page)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Most disputed")).to_be_visible()
    show(page, "Curves")


def test_a_speed_is_measured_on_demand_and_then_drawn(page, server, two):
    shutil.rmtree(server.runs / ".speed")  # what another page may have measured
    go(page, server, "/Compare")
    show(page, "Cost")
    keyed(page, "measure").get_by_role("button").click()
    expect(keyed(page, "trade").locator(".plot-container")).to_be_visible()
    expect(page.get_by_text("measuring")).to_have_count(0)
    expect(keyed(page, "measure")).to_have_count(0)
    expect(page.get_by_text("Up and to the left is better")).to_be_visible()


def test_a_cell_of_the_matrix_shows_its_images_and_leads_to_them_in_browse(page, server):
    go(page, server, "/Compare?run=ganomaly-n8")
    show(page, "All digits")
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
    go(page, server, "/Compare")
    show(page, "Curves")
