"""Pictures are what they say: residuals follow their legend, sprites hold each image in its place."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from ganad.ui.theme import pictures
from ganad.web import colours
from ganad.wording import times

BLANK = np.zeros((28, 28), dtype=np.uint8)
INK = np.full((28, 28), 255, dtype=np.uint8)


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_a_png_gives_back_the_very_pixels(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(opened(pictures.png(picture)), picture)


def test_enlarging_repeats_pixels_and_invents_none():
    picture = np.array([[0, 255], [128, 3]], dtype=np.uint8)
    assert np.array_equal(opened(pictures.png(picture, 3)), np.kron(picture, np.ones((3, 3), dtype=np.uint8)))


def test_a_data_uri_holds_the_png():
    data = pictures.png(BLANK)
    kind, _, coded = pictures.data_uri(data).partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(coded) == data


@pytest.mark.parametrize(("n", "cols"), [(1, 1), (5, 2), (6, 3), (7, 20)])
def test_each_image_of_a_sprite_lies_where_it_is_looked_for(n, cols):
    images = np.random.default_rng(0).integers(0, 256, (n, 28, 28)).astype(np.uint8)
    sheet = opened(pictures.sprite(images, cols))
    assert sheet.shape == (28 * -(-n // cols), 28 * cols)
    for i in range(n):
        y, x = 28 * (i // cols), 28 * (i % cols)
        assert np.array_equal(sheet[y : y + 28, x : x + 28], images[i])


def test_a_sprite_of_nothing_is_one_empty_row():
    assert opened(pictures.sprite(np.zeros((0, 28, 28), dtype=np.uint8), 4)).shape == (28, 112)


def test_equal_images_have_a_residual_of_the_tile_s_own_colour():
    picture = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    residual = pictures.signed_residual(picture, picture)
    assert residual.shape == (28, 28, 3)
    assert np.all(residual == colours.rgb(colours.TILE))


def test_missing_ink_is_blue_and_too_much_is_orange_at_the_ends_of_the_scale():
    missing, too_much = pictures.signed_residual(INK, BLANK)[0, 0], pictures.signed_residual(BLANK, INK)[0, 0]
    assert missing.tolist() == list(colours.rgb("#86e0ff"))
    assert too_much.tolist() == list(colours.rgb("#ffbe78"))
    assert missing[2] > missing[0]
    assert too_much[0] > too_much[2]


def test_the_residual_s_scale_is_the_same_for_every_picture():
    faint, alone = BLANK.copy(), BLANK.copy()
    faint[0, 0], alone[0, 0], alone[1, 1] = 40, 40, 255
    assert np.array_equal(pictures.signed_residual(faint, BLANK)[0, 0], pictures.signed_residual(alone, BLANK)[0, 0])


def test_a_larger_difference_is_never_darker():
    lightness = [colours._luminance("#{:02x}{:02x}{:02x}".format(*row)) for row in colours.RESIDUAL_MAP]
    assert np.all(np.diff(lightness[255:]) > -1e-3)
    assert np.all(np.diff(lightness[:256]) < 1e-3)
    assert lightness[255] == min(lightness)


def test_the_legend_has_the_colours_of_the_map():
    shown = re.findall(r"#[0-9a-f]{6}", pictures.residual_legend())
    at = np.linspace(0, 510, len(shown)).round().astype(int)
    assert np.abs(colours.RESIDUAL_MAP[at].astype(int) - [colours.rgb(c) for c in shown]).max() <= 2


def test_captions_and_alternative_texts_cannot_become_markup():
    html = pictures.figure_html([(pictures.png(BLANK), "<b>3</b>", "a 'quoted' <3>")], 90)
    assert "&lt;b&gt;3&lt;/b&gt;" in html
    assert "alt='a &#x27;quoted&#x27; &lt;3&gt;'" in html
    assert "width:90px" in html
    assert "image-rendering:pixelated" in html


def test_a_card_shows_three_pictures_its_verdict_and_its_score_beside_the_threshold():
    card = pictures.Card(INK, BLANK, "digit 3", score=1.5, threshold=1.0, verdict="anomalous")
    html = pictures.card_html([card])
    shown = [opened(base64.b64decode(c)) for c in re.findall(r"base64,([^']+)'", html)]
    assert np.array_equal(shown[0], INK)
    assert np.array_equal(shown[1], BLANK)
    assert np.array_equal(shown[2], pictures.signed_residual(INK, BLANK))
    assert "1.50 ×" in html
    assert "width:75.0%" in html  # the threshold stands at half of the bar
    assert "anomalous</span>" in html


def test_a_score_far_above_the_threshold_fills_the_bar_and_no_more():
    html = pictures.card_html([pictures.Card(INK, BLANK, "3", score=90.0, threshold=1.0, verdict="anomalous")])
    assert "width:100.0%" in html


@pytest.mark.parametrize(
    ("relative", "text"),
    [
        (1.3, "1.30"),
        (1.0, "1.00"),
        (0.9996, "0.9996"),
        (1.003, "1.003"),
        (1.00001, "1.00001"),
        (1 + 1e-9, "1.00000"),
        (0.5, "0.50"),
    ],
)
def test_a_score_close_to_its_threshold_has_the_decimals_that_show_its_side(relative, text):
    assert times(relative) == text
