"""A photo of many digits: each is found, in reading order, whatever the light and however it was held."""

import numpy as np
import pytest
from PIL import Image

from ganad.data import digits_on_page
from ganad.data.digits_on_page import find_digits
from ganad.errors import DataError
from ganad.service import test_images as shipped_images

CELL = 64


@pytest.fixture(scope="module")
def mnist():
    return shipped_images("ganomaly-n8")


def page_of(images, rng, rows, columns, turn=0.0, noise=4.0):
    """A photo (H, W) uint8 of rows x columns digits on shaded, noisy paper, turned; and the middle of each on the page, (n, 2)."""
    ink = np.zeros((CELL * (rows + 2), CELL * (columns + 2)), np.float32)
    middles = []
    for k, image in enumerate(images):
        side = int(rng.integers(40, 55))
        digit = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC), np.float32)
        top = CELL * (1 + k // columns) + int(rng.integers(0, CELL - side + 1))
        left = CELL * (1 + k % columns) + int(rng.integers(0, CELL - side + 1))
        ink[top : top + side, left : left + side] = np.maximum(ink[top : top + side, left : left + side], digit)
        middles.append((top + side / 2, left + side / 2))
    height, width = ink.shape
    light = (
        205 + 40 * np.linspace(-1, 1, width)[None, :] * rng.uniform(-1, 1) + 25 * np.linspace(-1, 1, height)[:, None]
    )
    paper = light * (1 - 0.75 * ink / 255)
    turned = Image.fromarray(paper.astype(np.float32)).rotate(
        turn, Image.Resampling.BICUBIC, expand=True, fillcolor=-1.0
    )
    photo = np.array(turned)
    photo[photo < 0] = np.median(photo)
    photo += rng.normal(0, noise, photo.shape)
    return photo.clip(0, 255).astype(np.uint8), np.array(middles) - [height / 2, width / 2]


def on_the_picture(middles, page, turn):
    """The middles, which are relative to that of the untouched page, in pixels of `page.picture`."""
    angle = np.radians(turn + page.angle)
    y, x = middles.T
    turned = np.stack([-x * np.sin(angle) + y * np.cos(angle), x * np.cos(angle) + y * np.sin(angle)], axis=1)
    return turned + np.array(page.picture.shape) / 2


def found_in_order(page, middles, turn):
    """For each box the digit whose middle it holds, or -1."""
    places = on_the_picture(middles, page, turn)
    seen = []
    for digit in page.digits:
        top, left, bottom, right = digit.box
        inside = np.flatnonzero(
            (places[:, 0] >= top - 4)
            & (places[:, 0] <= bottom + 4)
            & (places[:, 1] >= left - 4)
            & (places[:, 1] <= right + 4)
        )
        seen.append(int(inside[0]) if len(inside) == 1 else -1)
    return seen


def test_nineteen_of_twenty_digits_are_found_in_reading_order_on_pages_held_askew(mnist):
    rng, found, asked, in_order = np.random.default_rng(0), 0, 0, 0
    for turn in (-10, -6.5, -3, 0, 2, 5, 8, 10):
        rows, columns = int(rng.integers(2, 6)), int(rng.integers(4, 9))
        chosen = mnist[rng.integers(0, len(mnist), rows * columns)]
        photo, middles = page_of(chosen, rng, rows, columns, turn)
        page = find_digits(photo)
        seen = [k for k in found_in_order(page, middles, turn) if k >= 0]
        found += len(set(seen))
        asked += len(chosen)
        in_order += seen == sorted(seen)
        assert abs(page.angle + turn) <= 3, f"turned by {turn}, straightened by {page.angle}"
        assert len(page.digits) <= 1.05 * len(chosen), "hardly anything else is taken for a digit"
    assert found >= 0.95 * asked, f"{found} of {asked}"
    assert in_order == 8


def test_what_is_prepared_from_the_page_is_the_digit_that_was_put_there(mnist):
    rng = np.random.default_rng(1)
    chosen = mnist[rng.integers(0, len(mnist), 12)]
    photo, middles = page_of(chosen, rng, 3, 4)
    page = find_digits(photo)
    for k, digit in zip(found_in_order(page, middles, 0), page.digits, strict=True):
        alike = np.corrcoef(digit.prepared.digit.ravel(), chosen[k].ravel())[0, 1]
        assert k >= 0
        assert alike > 0.75, k


def test_light_digits_on_a_dark_ground_are_found_too(mnist):
    rng = np.random.default_rng(2)
    photo, middles = page_of(mnist[:6], rng, 2, 3)
    page = find_digits(255 - photo)
    assert found_in_order(page, middles, 0) == list(range(6))


def test_one_bad_crop_spoils_no_other(mnist, monkeypatch):
    rng, calls, plain = np.random.default_rng(3), [], digits_on_page.preprocess.prepare

    def prepare(grey, **more):
        calls.append(grey)
        if len(calls) == 2:
            raise DataError("No ink found.")
        return plain(grey, **more)

    photo, _ = page_of(mnist[:4], rng, 2, 2)
    monkeypatch.setattr(digits_on_page.preprocess, "prepare", prepare)
    page = find_digits(photo)
    assert [d.prepared is None for d in page.digits] == [False, True, False, False]
    assert page.digits[1].problem == "No ink found."


def test_specks_and_the_edge_of_the_paper_are_no_digits(mnist):
    photo, _ = page_of(mnist[:8], np.random.default_rng(4), 2, 4)
    photo[:, :10] = 20  # the table beside the paper
    photo[20:23, 100:103] = 40
    page = find_digits(photo)
    assert len(page.digits) == 8
    assert page.left_out >= 1


def test_an_empty_page_says_so():
    with pytest.raises(DataError, match="No ink found"):
        find_digits(np.full((300, 400), 230, np.uint8))


def test_a_single_digit_is_found_too(mnist):
    photo, _ = page_of(mnist[:1], np.random.default_rng(5), 1, 1)
    page = find_digits(photo)
    assert len(page.digits) == 1
    assert page.angle == 0
