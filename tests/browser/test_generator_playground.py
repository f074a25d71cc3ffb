"""Playing with a generator: what is drawn at a place is what the nets draw there."""

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from ganad import service
from ganad.evaluation.projection import principal_directions
from ganad.scoring.score import to_picture
from tests.browser.conftest import bring, watching

RUN = "egbad-n8"
PIXELS = "c => [...c.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0)"


@pytest.fixture
def room(tab, server):
    page = watching(bring(tab, server, f"/Methods?run={RUN}"), "Play with the generator")
    room = page.locator(".play-room")
    expect(room.locator(".starts button").first).to_be_visible()
    room.locator(".starts button").first.click()
    return room


@pytest.fixture(scope="module")
def codes():
    return service.codes(RUN)


@torch.no_grad()
def drawn(z):
    return to_picture(service.method(RUN).scoring_net("generator")(torch.tensor(z[None], dtype=torch.float32)))[
        0
    ].astype(int)


def test_the_picture_is_what_the_generator_draws_at_the_code_and_at_places_beside_it(room, codes):
    held_out, test = codes
    first = int(np.flatnonzero(service.scores(RUN).test.digit == 8)[0])
    directions = principal_directions(held_out.astype(np.float64))
    place = directions.places(test[first][None].astype(np.float64))[0]
    picture = room.locator(".drawn canvas")
    expect(room.locator("output")).to_have_text(f"at {', '.join(f'{v:.2f}' for v in place)} standard deviations")
    assert np.abs(np.array(picture.evaluate(PIXELS)).reshape(28, 28) - drawn(test[first])).max() <= 2

    room.locator(".map canvas").focus()
    room.page.keyboard.press("ArrowRight")
    expect(room.locator("output")).to_contain_text(f"at {place[0] + 0.2:.2f}, {place[1]:.2f}")
    beside = test[first] + 0.2 * directions.axes[0] * directions.spread[0]
    assert np.abs(np.array(picture.evaluate(PIXELS)).reshape(28, 28) - drawn(beside)).max() <= 2

    room.get_by_role("slider", name="Direction 2").fill("1.5")
    expect(room.locator("output")).to_contain_text(", 1.50, ")
    along = beside + (1.5 - place[1]) * directions.axes[1] * directions.spread[1]
    assert np.abs(np.array(picture.evaluate(PIXELS)).reshape(28, 28) - drawn(along)).max() <= 2


def test_a_walk_ends_at_what_is_drawn_in_the_place_of_the_other_image(room, codes):
    test, digits = codes[1], service.scores(RUN).test.digit
    other = int(np.flatnonzero(digits == 3)[0])
    room.locator(".ends").get_by_role("button", name="3").first.click()
    room.get_by_role("slider", name="Way from the first to the second").fill("100")
    picture = np.array(room.locator(".drawn canvas").evaluate(PIXELS)).reshape(28, 28)
    expect(room.locator(".walk .strip button")).to_have_count(11)
    for _ in range(100):  # the picture follows in the next frame
        if np.abs(picture - drawn(test[other])).max() <= 2:
            break
        room.page.wait_for_timeout(50)
        picture = np.array(room.locator(".drawn canvas").evaluate(PIXELS)).reshape(28, 28)
    assert np.abs(picture - drawn(test[other])).max() <= 2


def test_a_click_on_the_map_goes_there(room):
    canvas = room.locator(".map canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    expect(room.locator("output")).to_contain_text("at 0.0")
