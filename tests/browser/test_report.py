"""The report in a real browser, from disk, with the network off."""

import re

import pytest
from playwright.sync_api import expect

from ganad import service
from ganad.report import html_report
from tests.browser.conftest import go, keyed

RUN = "ganomaly-n8"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html_report.report_html(RUN), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def offline(browser):
    """A tab without network, and a list of what goes wrong there. One for all tests: a new one begins with nothing compiled."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_offline(True)
    page = context.new_page()
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("request", lambda r: problems.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None)
    yield page, problems
    context.close()


@pytest.fixture
def opened(offline, written):
    """The report, opened anew in the light."""
    page, problems = offline
    problems.clear()
    page.emulate_media(color_scheme="light")
    page.goto(written.as_uri())
    yield page
    assert not problems, problems


def drag(page, slider, share):
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    now = float(slider.input_value())
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 11 + now * (box["width"] - 22), y)
    page.mouse.down()
    page.mouse.move(box["x"] + 11 + share * (box["width"] - 22), y, steps=6)
    page.mouse.up()


def test_a_dragged_slider_changes_the_area_to_what_python_says_and_all_fits_a_phone(opened):
    usual, _ = service.evaluate_run(RUN)
    area = opened.locator(".auroc")
    expect(area).to_have_text(f"{usual.auroc:.4f}")
    sliders = opened.locator(".part input")
    drag(opened, sliders.nth(0), 0.6)
    drag(opened, sliders.nth(2), 0.3)
    expect(area).not_to_have_text(f"{usual.auroc:.4f}")
    weights = opened.evaluate("""() => {
      const inputs = [...document.querySelector("#mixer").shadowRoot.querySelectorAll(".part input")];
      const { scales } = JSON.parse(document.querySelector("#run").textContent);
      return inputs.map((input, i) => input.value / scales[i]);
    }""")
    mixed, _ = service.evaluate_run(RUN, weights)
    expect(area).to_have_text(f"{mixed.auroc:.4f}")
    expect(opened.locator(".caught")).to_have_text(f"caught {mixed.confusion['tp']:,} · {100 * mixed.hit_rate:.1f} %")
    expect(opened.locator(".tuned_on_test")).to_be_visible()
    opened.get_by_role("button", name="Defaults").click()
    expect(area).to_have_text(f"{usual.auroc:.4f}")
    opened.set_viewport_size({"width": 390, "height": 844})
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    opened.set_viewport_size({"width": 1440, "height": 900})


def test_the_pixels_arrive_every_canvas_is_drawn_and_a_dark_desk_makes_a_dark_page_and_redraws_the_mixer(opened):
    canvases = opened.locator("#mixer canvas")
    expect(canvases).to_have_count(3)
    for i in range(3):
        opened.wait_for_function(
            """(i) => { const c = document.querySelector("#mixer").shadowRoot.querySelectorAll("canvas")[i];
            const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
            return new Set(new Uint32Array(d.buffer)).size > 20; }""", arg=i,
        )  # fmt: skip
    # Ink, white on the tiles: the deflated images were unpacked.
    opened.wait_for_function(
        """() => { const c = document.querySelector("#mixer").shadowRoot.querySelectorAll("canvas")[2];
        const d = c.getContext("2d").getImageData(0, 26, c.width, 56).data; let n = 0;
        for (let i = 0; i < d.length; i += 4) n += d[i] > 240 && d[i + 1] > 240 && d[i + 2] > 240 && d[i + 3] > 240;
        return n > 500; }"""
    )
    ground = "getComputedStyle(document.body).backgroundColor"
    words = """() => {
      const c = document.querySelector("#mixer").shadowRoot.querySelector(".scores canvas");
      const d = c.getContext("2d").getImageData(0, c.height - 30, c.width, 30).data;
      let most = -1; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 150) most = Math.max(most, d[i]);
      return most;  // of their red: nearly none in the light, nearly all in the dark; -1 before they are drawn
    }"""
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"
    opened.wait_for_function(f"() => 0 <= ({words})() && ({words})() < 120")
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_function(f"() => {ground} === 'rgb(16, 21, 28)'")
    opened.wait_for_function(f"() => ({words})() > 180")


def test_a_drawing_is_judged_in_the_file_without_a_network(opened):
    opened.locator("#pad .ink").scroll_into_view_if_needed()
    expect(opened.locator("#pad .normals canvas")).to_have_count(8)  # the nets were unpacked
    box = opened.locator("#pad .ink").bounding_box()
    opened.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    opened.mouse.down()
    opened.mouse.move(box["x"] + 0.48 * box["width"], box["y"] + 0.8 * box["height"], steps=6)
    opened.mouse.up()
    expect(opened.locator("#pad .verdict b")).to_have_text("Anomalous")  # a 1 is no 8
    expect(opened.locator("#pad .verdict span")).to_contain_text(
        re.compile(r"stranger than (all|[\d.]+ % of) 585 held-out normal 8s")
    )
    expect(opened.locator("#pad .explain")).to_be_hidden()  # there is no server to ask
    clear = opened.locator("#pad .clear")
    clear.click()
    expect(clear).to_be_disabled()


def test_evaluate_hands_the_report_out(page, server):
    go(page, server, f"/Evaluate?run={RUN}")
    with page.expect_download() as download:
        keyed(page, "report").get_by_role("button").click()
    assert download.value.suggested_filename == f"{RUN}.html"
    with open(download.value.path(), encoding="utf-8") as file:
        text = file.read()
    assert re.search(r"<span>AUROC</span><b>0\.\d{4}</b>", text)
