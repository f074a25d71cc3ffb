"""What is hardly one digit is doubted in words; what MNIST's writers wrote is not."""

import numpy as np
import pytest

from ganad import service
from ganad.data import sources
from ganad.data.ink_checks import doubts
from ganad.data.preprocess import as_given, prepare
from ganad.errors import DataError
from tests.test_imaging import encoded, ring


@pytest.fixture(scope="module")
def digits():
    return sources.load_test().images


def beside(*digits, gap=0):
    """Digits in one picture, black ground."""
    return np.pad(np.hstack([np.pad(d, ((0, 0), (0, gap))) for d in digits]), 8)


def disc(radius, side=280):
    y, x = np.mgrid[:side, :side] - side // 2
    return np.where(np.hypot(x, y) <= radius, 255, 0).astype(np.uint8)


def test_a_digit_of_mnist_is_hardly_ever_doubted(digits):
    doubted = [d for digit in digits[:1000] for d in as_given(digit).doubts]
    assert len(doubted) <= 5
    assert all("Several digits?" in d for d in doubted)


@pytest.mark.parametrize("radius", [4, 12, 90])
def test_a_dot_of_any_size_is_very_little_ink(radius):
    (doubt,) = prepare(disc(radius), invert=False).doubts
    assert "dot" in doubt


def test_a_circle_is_a_zero_and_no_dot():
    assert prepare(ring(), invert=False).doubts == ()


@pytest.mark.parametrize("n", [2, 3, 6])
def test_digits_in_a_row_are_counted(digits, n):
    (doubt,) = prepare(beside(*digits[:n]), invert=False).doubts  # 7 2 1 0 4 1, apart from each other
    assert f"{n} large pieces" in doubt


def test_a_stroke_much_wider_than_high_is_doubted_and_a_high_one_is_a_one():
    line = np.zeros((100, 100), np.uint8)
    line[48:54, 15:85] = 255
    assert "times as wide as high" in prepare(line, invert=False).doubts[0]
    assert prepare(line.T.copy(), invert=False).doubts == ()


def test_a_few_pixels_enlarged_are_doubted():
    assert "6 pixels were enlarged" in doubts(np.eye(6), 2.0, 6)[0]
    assert doubts(np.eye(60), 2.0, 60) == ()


def test_a_black_picture_given_as_it_is_has_no_ink():
    assert "No ink" in as_given(np.zeros((28, 28), np.uint8)).doubts[0]


@pytest.mark.parametrize("raw", [True, False])
def test_a_picture_that_cannot_be_judged_is_named(raw):
    blank = encoded(np.full((50, 50), 255, np.uint8))
    with pytest.raises(DataError, match=r"^blank\.png: "):
        service.prepare_bytes(blank, "blank.png", raw)
