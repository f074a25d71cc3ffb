import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ganad.data import preprocess, sources
from ganad.data.preprocess import as_given, prepare, read_image
from ganad.errors import DataError


@pytest.fixture(scope="module")
def digits():
    """The first 30 test digits of MNIST."""
    return sources.load_test().images[:30]


def encoded(image, form="PNG", **kwargs):
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, form, **kwargs)
    return file.getvalue()


def page(digit, *, scale=10, height=500, width=400, top=150, left=80):
    """A white page with a digit in black, enlarged."""
    sheet = np.full((height, width), 255, np.uint8)
    large = np.kron(digit, np.ones((scale, scale), np.uint8))
    sheet[top : top + large.shape[0], left : left + large.shape[1]] = 255 - large
    return sheet


def centre_of_mass(image):
    at = np.arange(28)
    return np.average(at, weights=image.sum(axis=1)), np.average(at, weights=image.sum(axis=0))


def box(image, above=0):
    rows, columns = np.flatnonzero((image > above).any(axis=1)), np.flatnonzero((image > above).any(axis=0))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


def ring(side=200, radius=60, width=20, ink=255, ground=0):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(np.abs(np.hypot(x, y) - radius) <= width / 2, ink, ground).astype(np.uint8)


def gap(a, b):
    return np.abs(a.astype(int) - b).mean()


# --- prepare -----------------------------------------------------------------------------------------------------


def test_a_digit_of_mnist_comes_back_from_a_white_page_as_it_was(digits):
    made = [prepare(page(digit)) for digit in digits]
    kept = [not any("thickened" in step for step in p.steps) for p in made]
    assert np.mean(kept) > 0.4
    gaps = np.array([gap(p.digit, digit) for p, digit in zip(made, digits, strict=True)])
    assert np.median(gaps) < 1
    assert np.mean(gaps[kept] < 5) > 0.9


def test_a_digit_of_mnist_is_already_prepared(digits):
    gaps = [gap(prepare(digit).digit, digit) for digit in digits]
    assert np.median(gaps) < 0.5
    assert np.mean(np.array(gaps) < 2) > 0.9


def test_place_and_size_on_the_page_do_not_matter(digits):
    usual = prepare(page(digits[0])).digit
    for moved in (dict(top=5, left=110), dict(scale=5), dict(height=1000, width=1000, scale=20), dict(height=900)):
        assert gap(prepare(page(digits[0], **moved)).digit, usual) < 2


def test_the_centre_of_mass_is_where_mnist_has_it_and_the_ink_fits_20_by_20(digits):
    for digit in digits:
        made = prepare(page(digit)).digit
        np.testing.assert_allclose(centre_of_mass(made), 14, atol=0.6)
        assert max(box(made)) == 20


def test_the_aspect_is_kept():
    bar = np.zeros((300, 400), np.uint8)
    bar[50:250, 200:240] = 255  # 200 x 40
    made = prepare(bar)
    assert box(made.digit) == (20, 4)
    assert set(np.unique(made.digit)) == {0, 255}
    assert box(prepare(bar.T.copy()).digit) == (4, 20)


def test_black_on_white_and_white_on_black_are_the_same_digit(digits):
    for digit in digits[:10]:
        sheet = page(digit)
        dark, light = prepare(sheet), prepare(255 - sheet)
        np.testing.assert_array_equal(dark.digit, light.digit)
        assert (dark.inverted, light.inverted) == (True, False)
        assert any("inverted" in step for step in dark.steps)
        assert not any("inverted" in step for step in light.steps)


def test_pale_ink_on_grey_paper_becomes_white_on_black():
    made = prepare(ring(ink=110, ground=190))
    np.testing.assert_array_equal(made.digit, prepare(ring()).digit)
    assert any("stretched" in step for step in made.steps)


def test_who_says_whether_to_invert_is_obeyed():
    both = ring(ink=255, ground=128)
    both[95:105, 60:140] = 0
    light, dark = prepare(both, invert=False), prepare(both, invert=True)
    assert (light.inverted, dark.inverted) == (False, True)
    np.testing.assert_array_equal(light.digit, prepare(ring()).digit)
    assert box(dark.digit) == (3, 20)  # the bar: 10 x 80 pixels


def photo(ink, light, seed=0):
    """Ink that takes three quarters of the light, with camera noise and as a JPEG of middling quality."""
    noisy = light * (1 - 0.75 * ink / 255) + np.random.default_rng(seed).normal(0, 5, ink.shape)
    return read_image(encoded(np.clip(noisy, 0, 255).astype(np.uint8), "JPEG", quality=60), "photo.jpg")


SIDE = 800
Y, X = np.mgrid[:SIDE, :SIDE] / SIDE
LIGHTS = {
    "flat": 200 + 0 * X,
    "dim": 110 + 0 * X,
    "from the right": 90 + 140 * X,
    "from a corner": 60 + 90 * X + 90 * Y,
    "dark corners": 230 - 150 * ((X - 0.5) ** 2 + (Y - 0.5) ** 2) * 2,
    "a soft shadow": 210 - 100 / (1 + np.exp(-(X + 0.3 * Y - 0.8) * 40)),
}


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_a_photo_shows_the_digit_and_neither_light_nor_noise(light, digits):
    digit = digits[0]
    made = prepare(photo(255 - page(digit, scale=16, height=SIDE, width=SIDE, top=200, left=150), light))
    assert made.inverted
    assert gap(made.digit, digit) < 8  # of 255; a digit moved by one pixel is 10 to 20 away from itself
    assert max(box(made.digit)) == 20


@pytest.mark.parametrize("light", LIGHTS.values(), ids=LIGHTS)
def test_a_photo_of_an_empty_page_has_no_ink(light):
    with pytest.raises(DataError, match="No ink found"):
        prepare(photo(np.zeros((SIDE, SIDE)), light))


def test_thin_strokes_become_as_wide_as_mnists_and_are_mentioned():
    thin = prepare(ring(SIDE, radius=300, width=6))
    # The ring's middle is 20 - 2 wide then, so its area is pi (20 - 2) 2 = 113 pixels of full ink.
    assert thin.digit.sum() / 255 == pytest.approx(113, rel=0.15)
    assert thin.digit.max() > 220
    assert max(box(thin.digit)) == 20
    assert any("thickened the strokes from 0.2 to 2.0" in step for step in thin.steps)
    assert not any("thickened" in step for step in prepare(ring(SIDE, radius=300, width=90)).steps)


@pytest.mark.parametrize("width", [42, 54, 58])
def test_strokes_that_are_a_little_too_thin_become_two_pixels_wide(width):
    radius = 300
    was = 20 * width / (2 * radius + width)  # in pixels of 20, as long as the ring with its stroke
    assert 1.2 < was < 2
    found = prepare(ring(SIDE, radius=radius, width=width))
    assert found.digit.sum() / 255 == pytest.approx(np.pi * (20 - 2) * 2, rel=0.1)
    assert any("thickened the strokes" in step for step in found.steps)


def test_thin_strokes_of_mnists_own_digits_stay_as_they_are():
    images = sources.load_test().images[:400]
    crops = [preprocess._crop(image.astype(np.float32) / 255) for image in images]
    widths = np.array([preprocess._stroke_width(preprocess._enlarged(crop)) / 10 for crop in crops])
    thin = images[(widths > 1.25) & (widths < 1.95)]
    assert 0.1 < len(thin) / len(images) < 0.3
    for image in thin:
        assert not any("thickened" in step for step in prepare(image).steps)
        assert any("thickened" in step for step in prepare(page(image)).steps)


def test_the_width_of_a_stroke_is_measured_across_it():
    for width in (2, 6, 14):
        bar = np.zeros((300, 60), np.float32)
        bar[:, 20 : 20 + width] = 1
        assert preprocess._stroke_width(bar) == pytest.approx(width, rel=0.1)


def test_specks_are_left_out_and_parts_of_the_digit_are_not():
    clean = ring()
    dusty = clean.copy()
    dusty[10:12, 10:12] = dusty[180:182, 30:32] = 255
    made = prepare(dusty)
    np.testing.assert_array_equal(made.digit, prepare(clean).digit)
    assert "left out 2 specks" in made.steps
    two_parts = clean.copy()
    two_parts[10:25, 60:140] = 255
    assert gap(prepare(two_parts).digit, made.digit) > 10


def test_what_comes_in_from_the_border_is_left_out_while_there_is_a_digit_inside():
    clean = ring()
    framed = clean.copy()
    framed[5:15, 120:] = 255  # a tenth of the ring's area: no speck
    np.testing.assert_array_equal(prepare(framed, invert=False).digit, prepare(clean).digit)
    cut = clean[:, 30:]  # the digit itself reaches the border, and is all there is
    assert prepare(cut).digit.any()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_blank_picture_has_no_ink(grey):
    for centre in (True, False):
        with pytest.raises(DataError, match="No ink found"):
            prepare(np.full((50, 60), grey, np.uint8), centre=centre)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (3, 2), (2000, 3)])
def test_pictures_of_odd_shapes_give_a_digit_or_a_reason(shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    try:
        made = prepare(picture)
    except DataError:
        return
    assert made.digit.shape == (28, 28)


def test_noise_alone_is_no_ink():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        with pytest.raises(DataError, match="No ink found"):
            prepare(rng.integers(0, 256, rng.integers(20, 90, 2), dtype=np.uint8))


def test_a_digit_that_all_but_fills_its_picture_is_found(digits):
    for digit in digits:
        rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
        tight = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        for bordered in (np.pad(tight, 1), 255 - np.pad(tight, 1)):
            assert gap(prepare(bordered).digit, digit) < 5


def test_without_centring_the_picture_is_shrunk_where_it_is():
    drawing = np.zeros((280, 280), np.uint8)
    drawing[20:40, 30:50] = 255
    expected = np.zeros((28, 28), np.uint8)
    expected[2:4, 3:5] = 255
    made = prepare(drawing, centre=False)
    assert gap(made.digit, expected) < 2
    np.testing.assert_array_equal(made.digit, prepare(255 - drawing, centre=False).digit)
    np.testing.assert_array_equal(prepare(expected, centre=False).digit, expected)
    wide = prepare(np.pad(drawing, ((0, 0), (0, 280))), centre=False).digit
    assert not wide[:7].any()
    assert not wide[21:].any()
    on_grey = prepare(np.pad(np.full((40, 80), 140, np.uint8), 5, constant_values=40), centre=False).digit
    assert set(on_grey[[0, 27]].ravel()) == {40}


def test_given_is_the_picture_itself_small_enough_to_show(digits):
    sheet = page(digits[0], height=1120, width=600, top=300)
    assert prepare(sheet).given.shape == (560, 300)
    small = 255 - digits[0]
    np.testing.assert_array_equal(prepare(small).given, small)


def test_the_picture_passed_in_is_left_alone(digits):
    sheet = page(digits[0])
    before = sheet.copy()
    prepare(sheet)
    np.testing.assert_array_equal(sheet, before)


@pytest.mark.parametrize("bad", [np.zeros((3, 4, 3), np.uint8), np.zeros((5, 5)), np.zeros((0, 5), np.uint8)])
def test_only_grey_bytes_are_pictures(bad):
    with pytest.raises(DataError, match=r"must be \(H, W\) uint8"):
        prepare(bad)


def test_a_raw_picture_is_untouched_and_must_be_28_by_28(digits):
    made = as_given(digits[0])
    np.testing.assert_array_equal(made.digit, digits[0])
    np.testing.assert_array_equal(made.given, digits[0])
    assert (made.inverted, made.steps) == (False, ("taken as it is",))
    with pytest.raises(DataError, match=r"30 × 28, and a raw one must be 28 × 28"):
        as_given(np.zeros((28, 30), np.uint8))


# --- read_image --------------------------------------------------------------------------------------------------

GREY = np.random.default_rng(1).integers(0, 256, (20, 30), dtype=np.uint8)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WebP"])
def test_grey_comes_back_exactly_from_every_format_without_loss(form, mode):
    image = Image.fromarray(GREY).convert(mode)
    expected = np.array(image.convert("L"))
    kwargs = {"lossless": True} if form == "WebP" else {}
    np.testing.assert_array_equal(read_image(encoded(image, form, **kwargs), "a"), expected)


def test_jpeg_comes_back_nearly():
    smooth = np.add.outer(np.arange(60), np.arange(80)).astype(np.uint8)
    assert gap(read_image(encoded(smooth, "JPEG", quality=95), "a.jpg"), smooth) < 2


def test_cmyk_is_read_as_it_looks():
    image = Image.fromarray(ring(64, 20, 6)).convert("CMYK")
    assert gap(read_image(encoded(image, "JPEG", quality=95), "a.jpg"), ring(64, 20, 6)) < 6
    assert gap(read_image(encoded(image, "TIFF"), "a.tif"), ring(64, 20, 6)) < 1


def test_sixteen_bits_become_eight():
    deep = GREY.astype(np.uint16) * 257
    for form in ("PNG", "TIFF"):
        np.testing.assert_array_equal(read_image(encoded(deep, form), "a"), GREY)


def test_floats_and_32_bits_in_a_tiff_become_eight():
    np.testing.assert_array_equal(read_image(encoded(GREY / np.float32(255), "TIFF"), "a"), GREY)
    np.testing.assert_array_equal(read_image(encoded(GREY.astype(np.int32), "TIFF"), "a"), GREY)
    wide = (GREY.astype(np.int32) - GREY.min()) * 1000 - 7
    read = read_image(encoded(wide, "TIFF"), "a")
    np.testing.assert_array_equal(read, np.rint((wide + 7) * 255 / (wide.max() + 7)))
    with pytest.raises(DataError, match="not finite"):
        read_image(encoded(np.full((4, 4), np.nan, np.float32), "TIFF"), "a.tif")


def test_black_and_white_pictures_are_read():
    two = Image.fromarray(ring(40, 12, 5)).convert("1")
    np.testing.assert_array_equal(read_image(encoded(two), "a.png"), ring(40, 12, 5))


def transparent(ink, colour):
    image = np.zeros((*ink.shape, 4), np.uint8)
    image[..., :3] = colour
    image[..., 3] = ink
    return Image.fromarray(image)


def test_a_transparent_ground_is_white_paper_for_dark_ink_and_black_for_white_ink():
    ink = ring(60, 20, 8)
    np.testing.assert_array_equal(read_image(encoded(transparent(ink, 0)), "a"), 255 - ink)
    np.testing.assert_array_equal(read_image(encoded(transparent(ink, 255)), "a"), ink)
    np.testing.assert_array_equal(
        prepare(read_image(encoded(transparent(ink, 0)), "a")).digit,
        prepare(read_image(encoded(transparent(ink, 255)), "a")).digit,
    )


def test_a_transparent_colour_of_a_palette_is_white():
    image = Image.fromarray(np.array([[0, 1], [1, 1]], np.uint8)).convert("P")
    image.putpalette([200, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(read_image(encoded(image, transparency=0), "a.png"), [[255, 0], [0, 0]])


def test_a_photo_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter to show
    read = read_image(encoded(GREY, "PNG", exif=exif), "a.png")
    np.testing.assert_array_equal(read, np.rot90(GREY, -1))


@pytest.mark.parametrize("form", ["GIF", "TIFF", "PNG"])
def test_of_several_pictures_the_first_is_taken(form):
    other = Image.fromarray(255 - GREY)
    several = encoded(GREY, form, save_all=True, append_images=[other])
    np.testing.assert_array_equal(read_image(several, "a"), GREY)


@pytest.mark.parametrize("content", [b"hello", b"%PDF-1.7 ...", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_image_is_named_with_the_formats_that_are(content):
    with pytest.raises(DataError, match=r"letter\.txt is not an image .*, expected PNG, JPEG, WebP, BMP, TIFF, GIF"):
        read_image(content, "letter.txt")


def test_an_empty_file_is_named():
    with pytest.raises(DataError, match=r"a\.png is empty"):
        read_image(b"", "a.png")


@pytest.mark.filterwarnings("ignore:.*(EXIF|Truncated|Metadata):UserWarning")  # what Pillow says of such files
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF"])
def test_a_file_cut_anywhere_or_with_changed_bytes_is_an_image_or_a_data_error(form):
    whole = encoded(GREY, form)
    rng = np.random.default_rng(0)
    broken = [whole[: int(n)] for n in np.linspace(1, len(whole) - 1, 60)]
    for _ in range(150):
        changed = bytearray(whole)
        for at in rng.integers(0, len(whole), 3):
            changed[at] = rng.integers(0, 256)
        broken.append(bytes(changed))
    refused = 0
    for content in broken:
        try:
            assert read_image(content, "x.img").ndim == 2
        except DataError:
            refused += 1
    assert refused > 20


def test_a_png_that_goes_wrong_after_a_sound_start_is_named():
    whole = encoded(GREY)
    start = whole.index(b"IDAT")
    half = whole[start : start + 200]
    content = whole[: start - 4] + struct.pack(">I", 196) + half + struct.pack(">I", zlib.crc32(half))
    with pytest.raises(DataError, match=r"a\.png is a damaged image .*broken PNG"):
        read_image(content + b"\0\0\0\5\1\2\3\4" + bytes(50), "a.png")


def test_a_picture_too_large_is_refused_before_it_is_unpacked():
    large = Image.new("1", (8001, 5000))
    with pytest.raises(DataError, match=r"8001 × 5000 pixels, expected at most 40 million"):
        read_image(encoded(large), "a.png")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_header_that_promises_too_many_pixels_is_refused(side):
    # A PNG of a few bytes whose header says how large it would be.
    content = bytearray(encoded(Image.new("1", (1, 1))))
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    with pytest.raises(DataError, match=r"a\.png is too large"):
        read_image(bytes(content), "a.png")


def test_each_stage_of_the_preparation_is_kept_and_each_step_can_be_switched_off():
    paper = np.full((120, 100), 230, np.uint8)
    paper[20:100, 50:52] = 40  # a stroke much thinner than MNIST's
    usual = preprocess.prepare(paper)
    assert [words for words, _ in usual.stages] == ["the ink, light on black", "cut out", "28 × 28"]
    assert np.array_equal(usual.stages[-1][1], usual.digit)
    ink, cut = usual.stages[0][1], usual.stages[1][1]
    assert ink[50, 50] > 200 > 50 > ink[0, 0]
    assert cut.shape[0] > 20 * cut.shape[1]
    thin = preprocess.prepare(paper, thicken=False)
    assert 0 < thin.digit.astype(int).sum() < 0.7 * usual.digit.astype(int).sum()
    assert not any("thickened" in step for step in thin.steps)
    whole = preprocess.prepare(paper, centre=False)
    assert whole.stages == ()
    assert whole.digit[:, 20:].max() < 60, "the ink stays where it was"
    assert not preprocess.prepare(255 - paper, invert=False).inverted
