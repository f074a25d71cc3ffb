"""Your own class on Train: drawings are collected one after another, counted, and each can be taken away again."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import bring, keyed, settled


def stroke(page, *corners):
    box = page.locator(".pad .ink").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def test_two_drawings_are_added_one_after_another_and_one_is_removed_and_put_back(tab, server):
    page = bring(tab, server, "/Train?run=ganomaly-n8&own=1")
    pad = page.locator(".pad .ink")
    expect(page.get_by_text(re.compile("0 images of 30: 10 more are needed"))).to_be_visible()
    expect(page.get_by_role("button", name="Train on these")).to_be_disabled()
    stroke(page, (0.5, 0.2), (0.8, 0.8), (0.2, 0.8), (0.5, 0.2))
    page.get_by_role("button", name="Add", exact=True).click()
    # The next one is begun at once, whether the server has answered or not; with the keyboard, Enter adds it.
    stroke(page, (0.2, 0.5), (0.8, 0.5))
    pad.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pad .hint")).to_be_visible()
    expect(page.get_by_text(re.compile("2 images of 30: 8 more are needed"))).to_be_visible()
    collected = page.get_by_role("listbox", name="Collected images").get_by_role("option")
    expect(collected).to_have_count(2)
    page.get_by_role("option", name="Remove image 1").click()
    expect(page.get_by_text(re.compile("1 image of 30: 9 more are needed"))).to_be_visible()
    keyed(page, "own_undo").get_by_role("button").click()
    expect(collected).to_have_count(2)
    keyed(page, "own_clear").get_by_role("button").click()
    expect(page.get_by_text(re.compile("0 images of 30"))).to_be_visible()
    settled(page)
