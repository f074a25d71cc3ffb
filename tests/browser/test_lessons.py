"""A lesson from its link to its end, on a server that has just been emptied."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import by_menu, go, keyed, settled
from tests.browser.test_main_path import draw_a_cross


def strip(page):
    return keyed(page, "lesson")


def of_any_step(page, key):
    return page.locator(f'[class*="st-key-{key}_"]')


def test_the_tour_is_finished_by_doing_each_step(page, server):
    go(page, server)
    page.get_by_role("link", name="Ninety seconds").click()
    expect(page).to_have_title("Score · ganad")
    expect(strip(page)).to_contain_text("step 1 of 4")
    expect(page.get_by_test_id("stSidebar").get_by_role("link", name="Compare")).to_have_count(0)  # not needed for it
    draw_a_cross(page)
    keyed(page, "pad").get_by_role("button", name="Explain in detail").click()
    of_any_step(page, "lesson_next").get_by_role("button").click()
    expect(strip(page)).to_contain_text("step 2 of 4")
    expect(of_any_step(page, "lesson_next")).to_have_count(0)  # the first drawing does not count twice
    keyed(page, "pad").get_by_role("button", name="Clear").click()
    box = keyed(page, "pad").locator(".ink").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["width"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["width"], steps=8)
    page.mouse.up()
    keyed(page, "pad").get_by_role("button", name="Explain in detail").click()
    of_any_step(page, "lesson_next").get_by_role("button").click()
    strip(page).get_by_role("link", name="Go to Browse").click()
    expect(page).to_have_title("Browse · ganad")
    settled(page)
    keyed(page, "verdict").get_by_text("missed", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("called normal"))).to_be_visible()
    keyed(page, "gallery").get_by_role("option").nth(2).click()
    of_any_step(page, "lesson_next").get_by_role("button").click()
    strip(page).get_by_role("link", name="Go to Evaluate").click()
    expect(page).to_have_title("Evaluate · ganad")
    expect(strip(page)).to_contain_text("step 4 of 4")
    page.locator(".mixer .slide").press("ArrowRight")
    expect(strip(page)).to_contain_text("A lower threshold catches more anomalies")
    keyed(page, "lesson_end").get_by_role("button", name="Finish").click()
    expect(strip(page)).to_have_count(0)
    settled(page)
    by_menu(page, "Compare")


def test_a_link_opens_a_lesson_whose_steps_can_be_skipped_and_gone_back_to(page, server):
    go(page, server, "/Evaluate?run=ganomaly-n8&lesson=ones")
    expect(strip(page)).to_contain_text("Why a 1 fools a reconstruction · step 1 of 3")
    # By keyboard: a click is tried again where the strip is drawn anew under the mouse, and may then count twice.
    of_any_step(page, "lesson_skip").get_by_role("button").press("Enter")
    expect(strip(page)).to_contain_text("step 2 of 3")
    expect(page).to_have_url(re.compile(r"lesson=ones&step=2"))
    page.reload()
    expect(strip(page)).to_contain_text("step 2 of 3")
    of_any_step(page, "lesson_back").get_by_role("button").press("Enter")
    expect(strip(page)).to_contain_text("step 1 of 3")
    keyed(page, "lesson_end").get_by_role("button").press("Enter")
    expect(strip(page)).to_have_count(0)
    expect(page).not_to_have_url(re.compile("lesson="))
