"""The race on Methods, in the browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import bring, watching


@pytest.fixture
def race(tab, server):
    page = watching(bring(tab, server, "/Methods?run=egbad-n8"), "A race")
    race = page.locator(".race")
    expect(race.locator(".lane")).not_to_have_count(0)
    return race


def test_every_lane_arrives_after_its_own_time_and_the_slider_goes_back_in_it(race):
    lanes = race.locator(".lane")
    expect(lanes).to_have_count(4)
    expect(lanes.first).to_contain_text("AnoGAN")
    expect(lanes.first).to_contain_text("steps of a search")
    for lane in lanes.all():
        expect(lane.locator(".time")).to_have_text(re.compile(r"there after [\d.]+ m?s"))
    race.get_by_role("slider").fill("300")
    expect(lanes.first.locator(".time")).to_have_text("on its way")
    for lane in lanes.all()[1:]:
        expect(lane.locator(".time")).to_have_text(re.compile("there after"))
    race.get_by_role("slider").fill("0")
    for lane in lanes.all()[1:]:
        expect(lane.get_by_role("img").nth(1)).to_have_attribute("aria-label", "Nothing yet")
    race.get_by_role("button", name="Start").click()
    expect(race.locator("output")).to_have_text(re.compile(r"^(.+) of \1$"))  # it runs to its end
    expect(race.get_by_role("button", name="Start")).to_be_visible()
    expect(race.locator(".note")).to_contain_text(re.compile(r"EGBAD [\d.]+ ms, [\d.]+ times as fast"))
