"""What pixels add: the sums come out, for every size of image that a net sees."""

import numpy as np
import pytest

from ganad import service
from ganad.scoring.attribution import from_pictures, to_picture_pixels

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_folding_amounts_onto_the_picture_loses_nothing(size):
    amounts = RNG.random((3, size, size))
    inside, outside = to_picture_pixels(amounts)
    assert inside.shape == (3, 28, 28)
    assert inside.sum((1, 2)) + outside == pytest.approx(amounts.sum((1, 2)))


def test_the_padding_is_what_lies_outside_and_the_middle_stays_where_it_is():
    amounts = np.zeros((1, 32, 32))
    amounts[0, 2, 2], amounts[0, 0, 31] = 3.0, 5.0
    inside, outside = to_picture_pixels(amounts)
    assert inside[0, 0, 0] == 3
    assert inside.sum() == 3
    assert outside == pytest.approx([5])


def test_a_pixel_of_the_large_image_goes_to_the_picture_s_pixels_by_area():
    amounts = np.zeros((1, 64, 64))
    amounts[0, 2, 0] = 1.0  # rows 2 to 3 of 64 are 0.875 to 1.3125 of 28
    inside, _ = to_picture_pixels(amounts)
    assert inside[0, 0, 0] == pytest.approx((1 - 0.875) / 0.4375)
    assert inside[0, 1, 0] == pytest.approx((1.3125 - 1) / 0.4375)


def test_a_pixel_adds_twice_the_ink_that_differs_since_images_run_from_minus_one_to_one():
    x, x_hat = np.zeros((2, 28, 28), dtype=np.uint8)
    x[12, 9], x_hat[12, 9] = 255, 51
    found = from_pictures(x, x_hat, residual=2.0, size=32)
    assert found.adds[12, 9] == pytest.approx(2 * (1 - 0.2))
    assert found.outside == pytest.approx(2.0 - 1.6)
    assert found.total == pytest.approx(2.0)
    assert not found.exact


def test_a_residual_of_64x64_is_shared_out_over_the_picture_and_adds_up_to_it():
    x, x_hat = RNG.integers(0, 256, (2, 28, 28)).astype(np.uint8)
    found = from_pictures(x, x_hat, residual=512.0, size=64)
    assert found.adds.sum() == pytest.approx(512, rel=1e-5)
    assert found.outside == 0
    same = from_pictures(x, x, residual=0.5, size=64)
    assert not same.adds.any()


@pytest.mark.parametrize("name", ["ganomaly-n8", "egbad-n8"])
def test_what_the_pixels_of_a_real_image_add_is_the_residual_that_the_run_has_stored(name):
    found = service.scores(name)
    look = service.explain(name, service.test_images(name)[0])
    assert look.pixels.exact
    assert look.pixels.total == pytest.approx(found.test.parts["residual"][0], rel=1e-3)


@pytest.mark.parametrize("name", ["ganomaly-n8", "anogan-n8"])
def test_what_the_pixels_of_a_new_image_add_is_its_own_residual(name):
    said = service.score_images(name, service.examples()[:1])[0]
    assert said.pixels.total == pytest.approx(said.parts["residual"], rel=1e-5)
    assert said.pixels.outside >= 0


def test_from_8_bit_pictures_the_rest_is_small_and_said():
    found, made = service.scores("ganomaly-n8"), service.reconstructions("ganomaly-n8")
    images = service.test_images("ganomaly-n8")
    for row in range(0, 10_000, 997):
        residual = float(found.test.parts["residual"][row])
        pixels = from_pictures(images[row], made[row], residual, 32)
        assert pixels.total == pytest.approx(residual)
        assert abs(pixels.outside) < 0.03 * residual + 1
