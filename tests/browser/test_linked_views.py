"""Every chart is a filter: what is brushed or clicked leaves its images, and the address keeps the view."""

import contextlib
import re
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from ganad import service
from ganad.evaluation import metrics, thresholds
from tests.browser.conftest import bring, keyed, release, settled, switch
from tests.waiting import until

RUN = "ganomaly-n8"
EVALUATE = f"/Evaluate?run={RUN}"


@pytest.fixture(scope="module")
def truth():
    """Scores, digits, indices and labels of the run at its own weights, and the threshold for 5 % false alarms."""
    found, weights = service.scores(RUN), service.run_info(RUN).weights
    score = metrics.total(found.test.parts, weights)
    return found, score, thresholds.threshold_for(metrics.total(found.val.parts, weights))


@pytest.fixture
def opened(tab, server):
    """Evaluate with the live mixer, and nothing chosen."""

    def as_usual(page):
        switch(page, "plain_controls", False)
        expect(keyed(page, "these_images").locator("button.tile").first).to_be_visible()
        expect(page.locator(".mixer .auroc")).to_have_text(re.compile(r"0\.\d{4}"))
        expect(page.locator(".mixer .defaults")).to_be_disabled()
        said(page, "brush the histogram")
        switch(page, "advice_map", False)

    release(tab)
    return bring(tab, server, EVALUATE, as_usual)


def plainly(page):
    """The plain controls are there, which the session remembers."""
    switch(page, "plain_controls", True)
    expect(keyed(page, "histogram").locator(".nsewdrag").first).to_be_visible()
    expect(keyed(page, "roc").locator(".nsewdrag").first).to_be_visible()


def asked(page, *names):
    """What stands in the address, once these do: it follows a moment after the page."""
    for name in names:
        expect(page).to_have_url(re.compile(rf"[?&]{name}="))
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def said(page, words):
    """Wait for the caption of the images that are left, and return it."""
    caption = keyed(page, "these_images").get_by_text(re.compile(words)).first
    expect(caption).to_be_visible()
    settled(page)
    return caption.inner_text()


def how_many(text):
    return int(re.match(r"([\d,]+) of", text).group(1).replace(",", ""))


def place(locator):
    """Where something is, once it can be seen."""
    locator.scroll_into_view_if_needed()
    return locator.bounding_box()


def brush(page, start, end):
    box = place(page.locator(".mixer .scores canvas"))
    y = box["y"] + 150
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=5)
    page.mouse.up()


def test_a_band_brushed_on_the_histogram_leaves_its_images_and_the_line_alone(opened, truth):
    page, (_, score, _) = opened, truth
    before = page.locator(".mixer .words").inner_text()
    brush(page, 0.6, 0.8)
    text = said(page, r"score .* to ")
    low, high = map(float, asked(page, "band")["band"].split("~"))
    assert how_many(text) == ((score >= low) & (score <= high)).sum()
    assert page.locator(".mixer .words").inner_text() == before
    expect(page.locator(".mixer .tuned_on_test")).to_be_hidden()
    keyed(page, "no_band").get_by_role("button").click()
    said(page, "brush the histogram")
    expect(page).not_to_have_url(re.compile("band="))


def test_what_narrows_the_choice_is_taken_away_one_by_one_or_all_at_once(tab, server, truth):
    page, (found, score, threshold) = tab, truth
    bring(page, server, EVALUATE + "&digits=3&verdict=misses&band=900~901")
    expect(page.get_by_text("No test image fits all of this: digit 3, score 900 to 901, missed.")).to_be_visible()
    keyed(page, "no_band").get_by_role("button").click()
    wanted = found.anomalous & (score <= threshold) & (found.test.digit == 3)
    expect(keyed(page, "no_band")).to_have_count(0)
    assert how_many(said(page, "digit 3, missed")) == wanted.sum()
    keyed(page, "all_again").get_by_role("button").click()
    assert how_many(said(page, "brush the histogram")) == len(score)
    expect(page).to_have_url(re.compile(rf"\?run={RUN}$"))


def test_a_click_on_an_outcome_leaves_its_images_and_another_brings_all_back(opened, truth):
    page, (found, score, threshold) = opened, truth
    misses = int((found.anomalous & (score <= threshold)).sum())
    cell = keyed(page, "outcomes").locator("button[data-name=missed]")
    cell.click()
    assert how_many(said(page, "missed")) == misses
    expect(keyed(page, "these_images").get_by_role("heading", name=re.compile("called normal"))).to_be_visible()
    expect(cell).to_have_attribute("aria-pressed", "true")
    cell.click()
    assert how_many(said(page, "brush the histogram")) == len(score)


def test_a_click_on_a_row_of_the_digits_leaves_that_digit(opened, truth):
    page, (found, score, threshold) = opened, truth
    row = keyed(page, "digit_bars").locator("button[data-digit='3']")
    row.click()
    assert how_many(said(page, "digit 3")) == (found.test.digit == 3).sum()
    assert asked(page, "digits")["digits"] == "3"
    expect(row).to_have_attribute("aria-pressed", "true")
    flagged = (score[found.test.digit == 3] > threshold).mean()
    expect(row).to_have_attribute("title", re.compile(f"digit 3: {flagged:.1%} of 1,010 called anomalous, AUROC 0"))


def test_a_line_put_on_the_curve_picks_the_image_nearest_to_it(opened, truth):
    page, (found, score, _) = opened, truth
    box = place(page.locator(".mixer .roc canvas"))
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 25)
    expect(page.locator(".mixer .words")).to_have_text(re.compile("by hand"))
    expect(keyed(page, "these_images").get_by_text(re.compile("test image"))).to_be_visible()
    settled(page)
    asks = asked(page, "at", "image")
    kind, value = asks["at"].split(":")
    assert kind == "manual"
    assert int(asks["image"]) == found.test.index[np.argmin(np.abs(score - float(value)))]
    expect(page.locator(".mixer .tuned_on_test")).to_be_visible()


def test_a_digit_of_the_strip_is_picked_by_a_click(opened, truth):
    page, (found, score, threshold) = opened, truth
    canvas = page.locator(".mixer .strip canvas")
    box = place(canvas)
    above = np.flatnonzero(score > threshold)
    nearest = above[np.argmin(score[above])]
    page.mouse.click(box["x"] + box["width"] / 2 + 18 + 20, box["y"] + 50)
    expect(keyed(page, "these_images").get_by_text(f"test image {found.test.index[nearest]}")).to_be_visible()


@pytest.mark.parametrize(("rule", "price"), [("Cost", 1.0), ("Best F1", None)])
def test_rules_that_look_at_labels_are_python_s_and_marked(opened, truth, rule, price):
    page, (found, score, _) = opened, truth
    page.locator(".mixer").get_by_text(rule, exact=True).click()
    threshold = (
        thresholds.min_cost_threshold(score, found.anomalous, price)
        if price
        else thresholds.best_f1_threshold(score, found.anomalous)
    )
    expect(page.locator(".mixer .tuned_on_test")).to_be_visible()
    caught = (score[found.anomalous] > threshold).mean()
    expect(page.get_by_test_id("stMetricValue").nth(3)).to_have_text(f"{caught:.1%}")


def test_a_link_opens_the_same_view_elsewhere(opened, context, server):
    page = opened
    keyed(page, "outcomes").locator("button[data-name=missed]").click()
    said(page, "missed")
    brush(page, 0.3, 0.02)  # from right to left, over what lies below the threshold, which is not taken hold of
    text = said(page, r"score .* to .*, missed")
    page.get_by_text("Link to this view").click()
    link = page.get_by_test_id("stCode").filter(has_text=server.url).inner_text().strip()
    assert urlsplit(link).path == "/Evaluate"
    assert {k: v[0] for k, v in parse_qs(urlsplit(link).query).items()} == asked(page, "band")
    other = context.new_page()  # another session, which knows nothing of this one
    try:
        other.goto(link)
        settled(other)
        assert said(other, r"score .* to .*, missed") == text
        assert asked(other) == asked(page)
        other.get_by_role("link", name="Open in Browse").click()
        expect(other.get_by_role("heading", name="Browse")).to_be_visible()
        settled(other)
        expect(other.get_by_text(f"{how_many(text):,} of 10,000 test images")).to_be_visible()
        assert asked(other) == asked(page)
    finally:
        other.close()


def test_each_step_back_takes_one_choice_away_until_the_page_as_it_was_opened(page, server):
    before = server.url + "/_stcore/health"
    page.goto(before)
    page.goto(server.url + "/Evaluate")  # no run in it: a reader types no more
    settled(page)
    said(page, "brush the histogram")
    outcome = keyed(page, "outcomes").locator("button[data-name=missed]")
    outcome.click()
    said(page, "missed")
    box = place(page.locator(".mixer .roc canvas"))
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 25)  # line and picked image: one step
    expect(page.locator(".mixer .words")).to_have_text(re.compile("by hand"))
    asked(page, "at", "image")
    settled(page)
    page.go_back()
    expect(page.locator(".mixer .words")).not_to_have_text(re.compile("by hand"))
    said(page, "missed")
    expect(page).not_to_have_url(re.compile("at=|image="))
    assert set(asked(page)) == {"run", "verdict"}
    page.go_back()
    said(page, "brush the histogram")
    expect(outcome).to_have_attribute("aria-pressed", "false")
    assert set(asked(page)) == {"run"}
    page.go_back()  # to where no run was in it
    settled(page)
    assert not asked(page)
    page.go_back()
    expect(page).to_have_url(before)
    expect(page.get_by_text("ok", exact=True)).to_be_visible()


def test_what_was_chosen_last_holds_however_late_the_browser_hears_of_it(page, server):
    """Until it hears of the new address, each click says what stood there before."""
    underway, is_slow = [], False

    def answers(line):
        def answered(message):
            is_address = ForwardMsg.FromString(message).HasField("page_info_changed")
            underway.append((line, message)) if is_slow and is_address else line.send(message)

        line.connect_to_server().on_message(answered)

    page.route_web_socket(re.compile("/_stcore/stream"), answers)
    bring(page, server, f"/Browse?run={RUN}")
    verdict = keyed(page, "verdict")
    expect(verdict.get_by_text("missed", exact=True)).to_be_visible()
    is_slow = True
    caption = page.get_by_text("of 10,000 test images")
    for words in ("missed", "false alarms", "missed", "everything"):
        before = caption.inner_text()
        verdict.get_by_text(words, exact=True).click()
        # Answered. Nobody clicks sooner here, since an answer sets the choice too.
        expect(caption).not_to_have_text(before)
        settled(page)
    assert set(asked(page)) == {"run"}
    is_slow = False
    assert underway
    for line, message in underway:
        line.send(message)
    page.keyboard.press("r")  # once more, with nothing chosen
    settled(page)
    keyed(page, "gallery").get_by_role("option").nth(2).click()
    assert set(asked(page, "image")) == {"run", "image"}
    settled(page)
    expect(verdict.get_by_role("radio", checked=True)).to_have_text("everything")


def test_the_menu_keeps_the_choice_and_a_new_tab_opens_with_it(tab, server, context, truth):
    found, score, threshold = truth
    missed, caught = ((found.anomalous & side).sum() for side in (score <= threshold, score > threshold))
    page = bring(tab, server, f"/Browse?run={RUN}")
    keyed(page, "verdict").get_by_text("missed", exact=True).click()
    expect(page.get_by_text(re.compile(rf"^{missed:,} of 10,000 test images"))).to_be_visible()
    settled(page)
    link = page.get_by_test_id("stSidebar").get_by_role("link", name="Evaluate")
    expect(link).to_have_attribute("href", re.compile("verdict=missed"))
    other = context.new_page()  # another session, which knows nothing of this one
    try:
        other.goto(server.url + "/" + link.get_attribute("href").lstrip("/").removeprefix(server.url))
        settled(other)
        assert how_many(said(other, "missed")) == missed
        # Chosen since the menu was drawn: the menu must not bring back what was in force then.
        keyed(other, "outcomes").locator("button[data-name=caught]").click()
        said(other, "caught")
        other.get_by_test_id("stSidebar").get_by_role("link", name="Browse").click()
        expect(other.get_by_text(f"{caught:,} of 10,000 test images")).to_be_visible()
        expect(other).to_have_url(re.compile("verdict=caught"))
    finally:
        other.close()


def test_the_plain_charts_are_filters_too(tab, server, truth):
    page, (_, score, _) = bring(tab, server, EVALUATE, plainly), truth
    chart = keyed(page, "histogram").locator(".nsewdrag").first
    page.get_by_test_id("stMain").evaluate("e => e.scrollTo(0, 0)")  # from under the sliders, which stay in view
    box = place(chart)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.9 * box["height"], steps=6)
    page.mouse.up()
    text = said(page, r"score .* to ")
    low, high = map(float, asked(page, "band")["band"].split("~"))
    assert how_many(text) == ((score >= low) & (score <= high)).sum()
    settled(page)
    roc = keyed(page, "roc").locator(".nsewdrag").first
    box = place(roc)

    told = page.get_by_text("chosen while looking at the test set").filter(visible=True)

    def points_at_the_curve():
        # A click is of the point that the chart has found under the pointer, which takes it a moment; a chart that is drawn
        # anew meanwhile forgets it, and then the click is of nothing.
        for apart in (0, 1):
            page.mouse.move(box["x"] + 0.3 * box["width"] + apart, box["y"] + 0.02 * box["height"])
        if not told.count() and keyed(page, "roc").locator(".hovertext").count():
            page.mouse.down()
            page.mouse.up()
            with contextlib.suppress(
                TimeoutError
            ):  # two clicks at once would be a double click, which takes the choice away
                told.wait_for(timeout=3000)
        return told.count()

    until(points_at_the_curve, lambda: "no point of the curve is found")
    assert asked(page, "at")["at"].startswith("manual:")


def test_plain_controls_have_the_images_around_the_line_too(tab, server, truth):
    page, (found, score, threshold) = bring(tab, server, EVALUATE + "&verdict=correct", plainly), truth
    tiles = keyed(page, "above").get_by_role("option")
    expect(tiles).to_have_count(8)
    settled(page)
    nearest = np.flatnonzero(score > threshold)[np.argsort(score[score > threshold], kind="stable")]
    for tile, row in zip(tiles.all(), nearest, strict=False):
        expect(tile).to_have_attribute("aria-label", re.compile(f"digit {found.test.digit[row]}, called anomalous"))
    tiles.first.click()  # it is not among what is correct: seeing it means seeing all again
    index = found.test.index[nearest[0]]
    expect(keyed(page, "these_images").get_by_text(f"test image {index}")).to_be_visible()
    settled(page)
    assert asked(page, "image") == {"run": RUN, "image": str(index)}
    expect(tiles.first).to_have_attribute("aria-selected", "true")
    keyed(page, "plain_controls").locator("label").first.click()
    settled(page)


def test_what_stands_in_an_expander_that_is_just_opening_does_not_slide_away_from_a_click(tab, server):
    page = bring(tab, server, "/Browse?run=ganomaly-n8")
    expect(page.locator("[data-testid=stExpander] details summary").first).to_be_visible()
    height, whole, scrolled = page.evaluate("""async () => {
      const expander = document.querySelector('[data-testid="stExpander"] details');
      const button = () => expander.querySelector(".st-key-mixer_defaults button");
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (...how) { // it opens no further while it is looked at
        return Object.assign(animate.apply(this, how), { finish() {} }, this === expander && { playbackRate: 0 });
      };
      expander.querySelector("summary").click();
      while (!button() || expander.style.overflow !== "hidden") await new Promise(requestAnimationFrame);
      button().scrollIntoView({ block: "end" }); // as for the focus or a click
      Element.prototype.animate = animate;
      return [expander.clientHeight, button().getBoundingClientRect().bottom - expander.getBoundingClientRect().top, expander.scrollTop];
    }""")
    assert scrolled == 0
    assert whole > height + 50  # it was still out of sight
    page.get_by_text("Weights and threshold").click()  # closed again


def test_a_point_of_the_map_weighs_as_training_images_advise_and_is_not_marked(opened):
    page = opened
    place(keyed(page, "advice_map"))
    keyed(page, "advice_map").locator("label").first.click()
    chart = keyed(page, "ternary").locator(".nsewdrag").first
    expect(chart).to_be_visible()
    settled(page)
    box = place(chart)
    # The corner of the discrimination, a sixteenth of the way in: the axes reach a little beyond the triangle.
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    corner = keyed(page, "ternary").locator(".scatterlayer .trace").first.locator(".point").first.bounding_box()
    page.mouse.move(corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
    page.mouse.click(corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
    expect(page.locator(".mixer .part input").nth(0)).to_have_value("0")
    expect(page.locator(".mixer .part input").nth(2)).to_have_value("1")
    settled(page)
    keyed(page, "advice_best").get_by_role("button").click()
    settled(page)
    expect(page.locator(".mixer .tuned_on_test")).to_be_hidden()


def test_the_scores_of_what_is_chosen_come_as_a_file_and_the_charts_as_pictures(opened, truth):
    page, (found, score, threshold) = opened, truth
    keyed(page, "outcomes").locator("button[data-name=missed]").click()
    said(page, "missed")
    with page.expect_download() as download:
        keyed(page, "scores_csv").get_by_role("button").click()
    table = pd.read_csv(download.value.path())
    wanted = np.flatnonzero(found.anomalous & (score <= threshold))
    wanted = wanted[np.argsort(-score[wanted], kind="stable")]
    assert download.value.suggested_filename == f"{RUN}-scores.csv"
    assert table.test_index.tolist() == found.test.index[wanted].tolist()
    assert table.score.to_numpy() == pytest.approx(score[wanted])
    assert set(table.verdict) == {"normal"}
    assert set(table.truth) == {"anomalous"}
    with page.expect_download() as download:
        page.locator(".mixer .save[data-kind=png]").click()
    assert download.value.suggested_filename == f"ganad-{RUN}.png"
    with Image.open(download.value.path()) as picture:
        assert picture.width > 600
    with page.expect_download() as download:
        page.locator(".mixer .save[data-kind=svg]").click()
    assert download.value.suggested_filename == f"ganad-{RUN}.svg"
    drawing = ElementTree.parse(download.value.path()).getroot()
    texts = [t.text for t in drawing.iter("{http://www.w3.org/2000/svg}text")]
    alarms = (score[~found.anomalous] > threshold).mean()
    for words in ("share of each class", "true positive rate (caught)", f"at {100 * alarms:.1f} % false alarms"):
        assert words in texts
    # The dashed line of the threshold stands where the page has it, on a sheet 24 to the right.
    dashed = next(p for p in drawing.iter("{http://www.w3.org/2000/svg}path") if p.get("stroke-dasharray") == "5 4")
    line = float(page.locator(".mixer .scores canvas").get_attribute("data-line"))
    assert float(re.match(r"M([\d.]+) ", dashed.get("d"))[1]) == pytest.approx(line, abs=1)
    keyed(page, "chart_format").get_by_text("SVG", exact=True).click()
    save = keyed(page, "pr").get_by_role("button", name="Download plot", exact=True)  # of a PNG it says so
    expect(save).to_have_count(1)
    expect(keyed(page, "pr")).to_have_count(1)  # the one before it is gone
    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "ganad-pr.svg"
    keyed(page, "chart_format").get_by_text("PNG", exact=True).click()
    settled(page)
