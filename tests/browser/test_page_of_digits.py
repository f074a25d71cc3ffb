"""A photo of a page of digits on Score: boxes on the photo, verdicts, one digit in detail."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from ganad import service
from tests.browser.conftest import bring, keyed, settled
from tests.test_digits_on_page import page_of

RUN = "ganomaly-n8"


@pytest.fixture
def photo():
    digits = service.scores(RUN).test.digit
    rows = [int(np.flatnonzero(digits == d)[3]) for d in (8, 8, 0, 8, 6, 8)]
    made, _ = page_of(service.test_images(RUN)[rows], np.random.default_rng(0), 2, 3, turn=4)
    out = io.BytesIO()
    Image.fromarray(made).save(out, "PNG")
    return out.getvalue()


def test_every_digit_of_a_photo_is_boxed_and_judged_and_one_can_be_looked_at(tab, server, photo):
    page = bring(tab, server, f"/Score?run={RUN}")
    keyed(page, "way").get_by_text("A page of digits", exact=True).click()
    settled(page)
    keyed(page, "page_upload").locator("input[type=file]").set_input_files(
        {"name": "sheet.png", "mimeType": "image/png", "buffer": photo}
    )
    boxes = page.get_by_role("img", name="A page with 6 digits").locator(".found")
    expect(boxes).to_have_count(6)
    titles = boxes.evaluate_all("boxes => boxes.map(b => b.title)")
    assert [re.match(r"digit (\d), (normal|anomalous), score", t)[1] for t in titles] == list("123456")
    called = [re.search("normal|anomalous", t)[0] for t in titles]
    assert called[2] == called[4] == "anomalous"
    expect(
        page.get_by_role("heading", name=re.compile(f"{called.count('anomalous')} of 6 called anomalous"))
    ).to_be_visible()
    keyed(page, "page_digit").get_by_text("3", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("^Digit 3, called anomalous"))).to_be_visible()
