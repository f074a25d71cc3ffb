"""A step in slow motion on Methods: forwards, back, into a layer, to one number."""

import re

import pytest
from playwright.sync_api import expect

from ganad import service
from ganad.ui.components import slow_motion
from tests.browser.conftest import bring, watching

RUN = "egbad-n8"


@pytest.fixture(scope="module")
def made():
    scores = service.scores(RUN)
    first = next(i for i, digit in enumerate(scores.test.digit) if digit == 0)
    return service.walkthrough(RUN, service.test_images(RUN)[first])


@pytest.fixture
def slow(tab, server):
    page = watching(bring(tab, server, f"/Methods?run={RUN}"), "A step in slow motion")
    slow = page.locator(".slow")
    expect(slow.locator(".where")).to_contain_text("of")
    slow.get_by_role("button", name="A training step").click()
    slow.locator(".at").fill("0")
    return slow


def shown(slow, node):
    return slow.locator(f'[data-node="{node}"] .value').text_content()


def test_one_steps_forward_and_back_and_sees_at_each_moment_what_is_known_by_then(slow, made):
    step = made[0]
    forward, back = slow.get_by_role("button", name="Step forward"), slow.get_by_role("button", name="Step back")
    expect(back).to_be_disabled()
    for moment in step.moments[1:]:
        forward.click()
        expect(slow.locator("h4")).to_have_text(moment.title)
        lit = slow.locator(".node.lit").evaluate_all("nodes => nodes.map(n => n.dataset.node)")
        assert set(lit) == set(moment.lit)
        for node, value in moment.values:
            if isinstance(value, float):
                assert float(shown(slow, node)) == pytest.approx(value, rel=1e-3)
    expect(forward).to_be_disabled()
    expect(slow.locator(".learns")).to_have_text("Learns: generator and encoder.")
    assert slow.locator(".learning").count() == 2
    expect(slow.locator(".formulas .lit").first).to_have_text("−log D(G(z), z)")
    before = next(i for i, m in enumerate(step.moments) if m.learns == ("discriminator",))
    slow.locator(".at").fill(str(before))
    expect(slow.locator(".learns")).to_have_text("Learns: discriminator.")
    assert float(shown(slow, "d_fake")) == pytest.approx(dict(step.moments[before - 1].values)["d_fake"], rel=1e-3)
    while not back.is_disabled():
        back.click()
    expect(slow.locator(".where")).to_have_text(f"1 of {len(step.moments)}")
    assert slow.locator('[data-node="d_real"] .empty').count() == 1


def test_a_layer_opens_and_one_of_its_numbers_is_the_nets_own(slow, made):
    encode = made[0].moments[1]
    slow.locator(".at").fill("1")
    slow.locator("summary").click()
    expect(slow.locator("summary")).to_have_text(f"Inside E: {len(encode.call.layers)} layers")
    expect(slow.locator(".layer")).to_have_count(len(encode.call.layers))
    slow.get_by_role("button", name="Layer 3, map 2", exact=True).click()
    closer = slow.locator(".closer > canvas")
    output = encode.call.layers[2].output
    middle = output.shape[1] // 2
    assert float(closer.get_attribute("data-value")) == pytest.approx(float(output[1, middle, middle]), abs=1e-4)
    closer.focus()
    slow.page.keyboard.press("ArrowRight")
    slow.page.keyboard.press("ArrowUp")
    assert float(closer.get_attribute("data-value")) == pytest.approx(
        float(output[1, middle - 1, middle + 1]), abs=1e-4
    )
    expect(slow.locator(".made")).to_have_text(
        f"A weighted sum of rows {2 * (middle - 1)} to {2 * (middle - 1) + 3}, columns {2 * (middle + 1)} to {2 * (middle + 1) + 3} "
        "of every map of the layer before."
    )
    slow.locator("summary").click()


TO_THE_CORNER = """(canvas, side) => {
  const terms = canvas.closest(".slow").querySelector(".terms");
  const told = () => [terms.dataset.sum, canvas.dataset.value].map(Number);
  const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  return [told(), ...Array.from({ length: 2 * side }, (_, i) => (press(i % 2 ? "ArrowLeft" : "ArrowUp"), told()))];
}"""
"""[sum of the terms, value of the chosen number] for it and on the way, by keys, to the corner of a map of that side."""


def test_the_numbers_that_it_is_said_to_be_the_sum_of_add_up_to_it(slow, made):
    """In a convolution, a transposed one and a linear layer, in the middle and at a corner, where less than the whole window meets."""
    step = made[0]
    seen = set()
    slow.locator(".at").fill("1")
    slow.locator("summary").click()
    for at, moment in enumerate(step.moments):
        for number, layer in enumerate(moment.call.layers if moment.call else ()):
            kind = layer.name.split()[0]
            if layer.weight is None or kind in seen or layer.weight[: slow_motion.MAPS].size > slow_motion.MOST_WEIGHTS:
                continue
            seen.add(kind)
            slow.locator(".at").fill(str(at))
            slow.get_by_role("button", name=f"Layer {number + 1}, map 1", exact=True).click()
            expect(slow.locator(".terms")).to_contain_text("In all")
            told = slow.locator(".closer > canvas").evaluate(TO_THE_CORNER, max(layer.output.shape))
            assert [sum for sum, _ in told] == pytest.approx([value for _, value in told], abs=1e-4)
            assert len({value for _, value in told}) > 1
    assert seen == {"Convolution", "Transposed", "Linear"}
    slow.locator("summary").click()


def test_it_plays_at_the_readers_pace_and_stops_at_the_end(slow):
    last = int(slow.locator(".at").get_attribute("max"))
    slow.locator(".pace").fill("1")
    slow.locator(".at").fill(str(last - 2))
    slow.get_by_role("button", name="Play").click()
    expect(slow.locator(".where")).to_have_text(f"{last + 1} of {last + 1}")
    expect(slow.get_by_role("button", name="Play")).to_be_visible()


def test_it_is_steered_by_keys(slow):
    slow.get_by_role("button", name="Step forward").focus()
    slow.page.keyboard.press("ArrowRight")
    expect(slow.locator(".where")).to_contain_text(re.compile("^2 of"))
    slow.page.keyboard.press("ArrowLeft")
    expect(slow.locator(".where")).to_contain_text(re.compile("^1 of"))


def test_the_score_is_shown_as_a_scene_of_its_own(slow, made):
    slow.get_by_role("button", name="Scoring an image").click()
    expect(slow.locator("h4")).to_have_text("An image")
    slow.locator(".at").fill(str(len(made[-1].moments) - 1))
    known = {}
    for moment in made[-1].moments:
        known |= dict(moment.values)
    for node in ("residual", "discrimination", "latent", "score"):
        assert float(shown(slow, node)) == pytest.approx(known[node], rel=1e-3)
