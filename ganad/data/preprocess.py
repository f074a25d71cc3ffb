"""A photo or a drawing -> a 28x28 digit as MNIST's makers made them.

They cut a digit out, scaled it into 20x20 with its aspect kept, and put its centre of mass at the centre of 28x28
(LeCun et al. 1998, "Gradient-based learning applied to document recognition"). A net that learned from such
images finds a digit strange that is merely large, thin, off centre or black on white: that is taken away here.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps

from ganad.data.ink_checks import doubts
from ganad.errors import FILE_FAULTS, DataError, cause
from ganad.system import limits
from ganad.system.paths import size as bytes_in_words
from ganad.wording import plural

FORMATS = ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF")
"""Image files that can be read."""

GIVEN_SIDE = 560
"""A picture is kept as it was given up to this side, to be shown."""
_WORK_SIDE = 1024  # larger pictures are shrunk to this first: detail beyond it cannot reach 20 pixels
_CROP_SIDE = 200  # a crop is brought to this side, from where 20 is an exact average of 10x10 blocks
_BLOCK = _CROP_SIDE // 20  # pixels of the enlarged ink to one of the result, along each axis
_CENTRE = 14.0  # mean centre of mass of MNIST's test digits: row 13.99, column 14.01
_MIN_CONTRAST = 24  # grey levels between ground and ink; JPEG noise and paper stay below
_INK = 0.1  # of full ink: what is fainter is ground
_NARROWEST = 2.0  # strokes in 28x28 are made so wide at least: a quarter of MNIST's are narrower
_OF_MNIST = 1.2  # what is 20 pixels long already is taken for one of MNIST's own, of which few are narrower than this


@dataclass(frozen=True, eq=False)
class Prepared:
    """A digit ready to be judged, and how it came to be."""

    digit: np.ndarray
    """(28, 28) uint8, ink 255 on 0: what the model sees."""
    given: np.ndarray
    """(H, W) uint8 grey, as given, shrunk to at most 560 pixels a side."""
    inverted: bool
    """True when the ink was darker than its ground."""
    steps: tuple[str, ...]
    """What was done, in words, in order."""
    doubts: tuple[str, ...] = ()
    """Why this may be no single digit, in words."""
    stages: tuple[tuple[str, np.ndarray], ...] = ()
    """What it looked like on the way, (words, (h, w) uint8) each."""


def read_image(data: bytes, name: str) -> np.ndarray:
    """The grey picture (H, W) uint8 in an image file: its first frame, upright, transparency on white.

    White ink on a transparent ground is put on black instead, where it can be seen. `name` is for the errors:
    DataError for anything but an image of FORMATS within limits.PIXELS and limits.DECODED_BYTES; both are known from
    the header, before anything is unpacked.
    """

    if not data:
        raise DataError(f"{name} is empty, expected an image ({', '.join(FORMATS)}).")
    try:
        with Image.open(io.BytesIO(data), formats=[f.upper() for f in FORMATS]) as image:
            _check_size(image, name)
            image.load()
            grey = _grey(image)
            turned = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Image.UnidentifiedImageError:
        raise DataError(
            f"{name} is not an image that can be read ({len(data)} bytes, the first {data[:4].hex(' ')}), "
            f"expected {', '.join(FORMATS)}."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large(name, str(error).rstrip("."))) from None
    except (*FILE_FAULTS, SyntaxError) as error:  # Pillow's readers let through what they meet in a damaged file
        raise DataError(f"{name} is a damaged image ({cause(error)}), expected a whole one.") from None
    return _upright(grey, turned)


def _check_size(image: Any, name: str) -> None:
    """Raises DataError by what the header says: width, height, and bytes a pixel."""
    pixels = image.width * image.height
    if pixels > limits.PIXELS:
        raise DataError(_too_large(name, f"{image.width} × {image.height} pixels"))
    each = {"1": 1, "L": 1, "P": 1}.get(image.mode, 2 if image.mode.startswith("I;16") else 4)
    if pixels * each > limits.DECODED_BYTES:
        unpacked = f"{image.width} × {image.height} pixels of {each} bytes, {bytes_in_words(pixels * each)}"
        raise DataError(
            f"{name} is too large: {unpacked} unpacked, expected at most {bytes_in_words(limits.DECODED_BYTES)}."
        )


def _too_large(name: str, size: str) -> str:
    return f"{name} is too large: {size}, expected at most {limits.PIXELS // 1_000_000} million pixels."


def _grey(image: Any) -> np.ndarray:
    """(H, W) uint8 of a picture, not yet turned upright. Forms with more than a byte a pixel are converted in bands of rows."""
    if image.mode == "L" and not image.has_transparency_data:
        return np.array(image)
    if image.mode.startswith(("I", "F")):
        return _deep_grey(np.asarray(image))
    if not image.has_transparency_data:
        return np.array((image if image.mode in ("1", "RGB") else image.convert("RGB")).convert("L"))
    return _seen_through(image)


def _bands(height: int, width: int, pixels: int = 1_000_000) -> Iterator[slice]:
    """Rows of a picture, about a million pixels at a time."""
    step = max(1, pixels // width)
    return (slice(at, min(at + step, height)) for at in range(0, height, step))


def _seen_through(image: Any) -> np.ndarray:
    """A picture with transparency on white; on black instead where its ink can hardly be seen on white."""

    on = {ground: np.empty((image.height, image.width), np.uint8) for ground in (255, 0)}
    for rows in _bands(image.height, image.width):
        band = image.crop((0, rows.start, image.width, rows.stop)).convert("RGBA")
        for ground, grey in on.items():
            below = Image.new("RGBA", band.size, (ground,) * 3 + (255,))
            grey[rows] = np.asarray(Image.alpha_composite(below, band).convert("L"))
    contrast = {ground: int(grey.max()) - int(grey.min()) for ground, grey in on.items()}
    return on[0] if 2 * contrast[255] < contrast[0] else on[255]


def _deep_grey(values: np.ndarray) -> np.ndarray:
    """uint8 from grey of 16 or 32 bits: the full range of 8 or 16 bits, or 0..1, whichever the values fit into."""
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("some of its values are not finite")
    shift = 0.0
    if low < 0 or high > 65535:
        shift, top = low, max(high - low, 1e-9)
    else:
        top = 1 if high <= 1 else 255 if high <= 255 else 65535
    grey = np.empty(values.shape, np.uint8)
    for rows in _bands(*values.shape):
        grey[rows] = np.rint((values[rows].astype(np.float64) - shift) * (255 / top))
    return grey


def _upright(grey: np.ndarray, turned: int) -> np.ndarray:
    """The picture turned upright: `turned` is EXIF's orientation, 1 to 8; anything else means upright."""
    picture = Image.fromarray(grey)
    picture.getexif()[ExifTags.Base.Orientation] = turned
    ImageOps.exif_transpose(picture, in_place=True)
    return np.array(picture)


def as_given(grey: np.ndarray) -> Prepared:
    """A picture that is 28x28 and in MNIST's style already, untouched. DataError for any other size."""
    check(grey)
    if grey.shape != (28, 28):
        raise DataError(
            f"The picture is {_size(grey)}, and a raw one must be 28 × 28, light ink on black: have it prepared."
        )
    ink = grey.astype(np.float32) / 255
    doubted: tuple[str, ...] = ("No ink: every pixel is as black as the ground.",)
    if (ink > _INK).any():
        crop = _crop(ink)
        doubted = doubts(crop, _stroke_width(_enlarged(crop)) / _BLOCK, max(crop.shape))
    return Prepared(grey.copy(), given=grey.copy(), inverted=False, steps=("taken as it is",), doubts=doubted)


def prepare(grey: np.ndarray, *, centre: bool = True, invert: bool | None = None, thicken: bool = True) -> Prepared:
    """A picture (H, W) uint8 of one digit as MNIST's makers would have made it.

    `invert` says whether the ink is darker than its ground; None decides from the border. With `centre` False the
    picture is only shrunk into 28x28 and inverted where needed, for comparison; with `thicken` False strokes thinner than
    most of MNIST's stay so. Raises DataError when there is no ink.
    """
    check(grey)
    given = shrunk(grey, GIVEN_SIDE)
    picture = shrunk(grey, _WORK_SIDE)
    steps = [] if picture.shape == grey.shape else [f"shrunk from {_size(grey)} to {_size(picture)}"]
    require_ink(picture)
    inverted = _has_dark_ink(picture) if invert is None else invert
    if inverted:
        picture = 255 - picture
        steps.append("inverted: dark ink on a light ground")
    if not centre:
        steps.append("fitted into 28 × 28 as drawn")
        return Prepared(digit=_fit(picture), given=given, inverted=inverted, steps=tuple(steps))
    ink = _keep_digit(_stretch(picture.astype(np.float32), inverted, steps), steps)
    crop = _crop(ink)
    large = _enlarged(crop)
    width = _stroke_width(large) / _BLOCK
    small = _scale_to_20(crop, large, width if thicken else _NARROWEST, steps)
    steps.append("moved, centre of mass to the centre of 28 × 28")
    doubted = doubts(crop, width, round(max(crop.shape) * max(grey.shape) / max(picture.shape)))
    digit = _place(small)
    shown = (("the ink, light on black", _as_bytes(ink)), ("cut out", _as_bytes(crop)), ("28 × 28", digit))
    return Prepared(digit, given=given, inverted=inverted, steps=tuple(steps), doubts=doubted, stages=shown)


def _as_bytes(ink: np.ndarray) -> np.ndarray:
    """Ink in 0..1 as a picture, shrunk to be shown."""
    return shrunk(np.rint(255 * np.clip(ink, 0, 1)).astype(np.uint8), _CROP_SIDE)


def check(grey: np.ndarray) -> None:
    """Raises DataError for anything but (H, W) uint8."""
    if grey.ndim != 2 or grey.dtype != np.uint8 or not grey.size:
        raise DataError(f"A picture must be (H, W) uint8 grey, got shape {grey.shape} of {grey.dtype}.")


def _size(picture: np.ndarray) -> str:
    return f"{picture.shape[1]} × {picture.shape[0]}"


def shrunk(grey: np.ndarray, side: int) -> np.ndarray:
    """The picture (H, W) uint8, at most `side` pixels long."""
    if max(grey.shape) <= side:
        return grey.copy()
    return _resized(grey, side / max(grey.shape))


def _resized(picture: np.ndarray, factor: float) -> np.ndarray:
    """Scaled with its aspect kept, anti-aliased. uint8 or float32 in, the same out."""

    height, width = (max(1, round(n * factor)) for n in picture.shape)
    # A triangle filter: unlike Lanczos it leaves no dark rings round the ink.
    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def _frame(picture: np.ndarray) -> np.ndarray:
    """The outermost pixels, where one expects ground: one pixel in fifty of the side."""
    b = max(1, min(picture.shape) // 50)
    return np.concatenate([p.ravel() for p in (picture[:b], picture[-b:], picture[b:-b, :b], picture[b:-b, -b:])])


def _is_uneven(picture: np.ndarray) -> bool:
    """Whether the ground is of more than one grey, going by the border."""
    return bool(np.ptp(np.percentile(_frame(picture), (5, 95))) > _MIN_CONTRAST)


def require_ink(picture: np.ndarray) -> None:
    """Raises DataError where nothing has an edge as ink has: a shadow or a patch of light, however strong, has none."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(picture.astype(np.float32), 1)  # a single speck is none either
    contrast = float(np.abs(smooth - gaussian_filter(smooth, max(2.0, max(picture.shape) / 64))).max())
    if contrast < _MIN_CONTRAST / 2:
        raise DataError(_no_ink(2 * contrast))


def _has_dark_ink(picture: np.ndarray) -> bool:
    """Whether the picture goes further below its border than above it."""
    from scipy.ndimage import gaussian_filter

    if _is_uneven(picture):
        # No one grey is the ground. But ink is the smaller part of what is left when slow changes are taken away,
        # so that differences lean to its side.
        small = _resized(picture, min(1.0, 256 / max(picture.shape))).astype(np.float32)
        return bool(((small - gaussian_filter(small, max(small.shape) / 12)) ** 3).sum() < 0)
    smooth = gaussian_filter(picture.astype(np.float32), 1)
    ground = float(np.median(_frame(picture)))
    return ground - float(smooth.min()) > float(smooth.max()) - ground


def _no_ink(contrast: float, needed: float = _MIN_CONTRAST) -> str:
    return (
        f"No ink found: nothing stands out from the ground (contrast {contrast:.0f} of 255, expected at least "
        f"{min(needed, 255):.0f}). Use a darker pen or more light, and leave some ground round the digit."
    )


def _stretch(ink: np.ndarray, on_paper: bool, steps: list[str]) -> np.ndarray:
    """Bright ink on an uneven, noisy ground -> float32 in 0..1, ground 0 and full ink 1."""
    if _is_uneven(ink):
        below = _ground(ink)
        ink = ink - below
        if on_paper:  # which throws back a share of the light: ink differs less from paper in the shade
            ink = ink * (255 / np.clip(255 - below, 32, 255))
        steps.append("evened out the light")
    ground = float(np.median(_frame(ink)))
    # From the pixels below the ground: those above it may be ink.
    noise = 1.4826 * float(np.median(ground - ink[ink <= ground]))
    floor = ground + 4 * noise
    peak = float(ink.max())
    if peak - ground < max(_MIN_CONTRAST, 8 * noise):
        raise DataError(_no_ink(peak - ground, max(_MIN_CONTRAST, 8 * noise)))
    full = float(np.percentile(ink[ink > (floor + peak) / 2], 75))
    if floor > 0 or full < 250:
        steps.append(f"stretched the contrast: {floor:.0f}..{full:.0f} to 0..255")
    return np.clip((ink - floor) / (full - floor), 0, 1).astype(np.float32)


def _ground(ink: np.ndarray) -> np.ndarray:
    """What the picture would be without its ink: an opening wider than any stroke, on a small copy."""
    from scipy.ndimage import gaussian_filter, grey_opening

    small = _resized(ink, min(1.0, 128 / max(ink.shape)))
    reach = max(small.shape) // 3
    # Mirrored in value as well as in place, so that a slope of light goes on beyond the border.
    pad = [(min(reach, n - 1),) * 2 for n in small.shape]
    padded = np.pad(small, pad, mode="reflect", reflect_type="odd")
    ground = gaussian_filter(grey_opening(padded, (reach, reach)), 2)
    cut = ground[tuple(slice(p, -p or None) for p, _ in pad)]
    size = (ink.shape[1], ink.shape[0])
    return np.array(Image.fromarray(np.ascontiguousarray(cut)).resize(size, Image.Resampling.BICUBIC))


def _keep_digit(ink: np.ndarray, steps: list[str]) -> np.ndarray:
    """Ink without specks, and without what comes in from the border while there is a digit inside."""
    from scipy.ndimage import binary_dilation, label, maximum, sum_labels

    labels, n = label(ink > _INK, structure=np.ones((3, 3)))
    every = np.arange(1, n + 1)
    mass, peak = sum_labels(ink, labels, every), maximum(ink, labels, every)
    kept = peak > 0.5
    at_border = np.isin(every, np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    if mass[kept & ~at_border].sum() > 0.2 * mass[kept].sum():
        kept &= ~at_border
    kept &= mass >= 0.04 * mass[kept].max()
    if kept.all():
        return ink
    dropped = int((~kept).sum())
    steps.append(f"left out {plural(dropped, 'speck')}")
    near = binary_dilation(np.isin(labels, every[kept]), iterations=1 + max(ink.shape) // 100)
    return np.where(near, ink, 0)


def _crop(ink: np.ndarray) -> np.ndarray:
    """Cut to the ink, (h, w)."""
    from scipy.ndimage import find_objects

    return ink[find_objects((ink > _INK).astype(np.uint8))[0]]


def _enlarged(crop: np.ndarray) -> np.ndarray:
    """Ink in 0..1, scaled so that its larger side is _CROP_SIDE."""
    return np.clip(_resized(crop, _CROP_SIDE / max(crop.shape)), 0, 1)


def _scale_to_20(crop: np.ndarray, large: np.ndarray, width: float, steps: list[str]) -> np.ndarray:
    """(h, w) in 0..1, the larger of both 20; strokes thinner than most of MNIST's are thickened on the way.

    large: the crop, enlarged; width: of its strokes, in pixels of the result.
    """
    steps.append(f"cropped to the ink, {_size(crop)}, and scaled into 20 × 20")
    is_20_long = max(crop.shape) == 20
    if width < (_OF_MNIST if is_20_long else _NARROWEST):
        large = _thickened(large, (_NARROWEST - width) * _BLOCK / 2)
        steps.append(f"thickened the strokes from {width:.1f} to {_NARROWEST:.1f} pixels")
    elif is_20_long:
        return crop  # already at the size: scaling up and down again would only blur it
    # Whole blocks of 10x10 pixels, so that the aspect is kept exactly.
    pad = [((-n % _BLOCK) // 2, -n % _BLOCK - (-n % _BLOCK) // 2) for n in large.shape]
    large = np.pad(large, pad)
    h, w = (n // _BLOCK for n in large.shape)
    return large.reshape(h, _BLOCK, w, _BLOCK).mean(axis=(1, 3))


def _stroke_width(ink: np.ndarray) -> float:
    """In pixels. Across a stroke of width w the mean distance to its nearer edge is w / 4."""
    from scipy.ndimage import distance_transform_edt

    # Half of what the ink reaches: thin strokes have become faint by the scaling.
    solid = np.pad(ink > ink.max() / 2, 1)
    return 4 * (float(distance_transform_edt(solid)[solid].mean()) - 0.5)


def _thickened(ink: np.ndarray, radius: float) -> np.ndarray:
    """Strokes wider by 2 * radius, at full ink again, within _CROP_SIDE."""
    from scipy.ndimage import grey_dilation

    r = max(1, round(radius))
    y, x = np.ogrid[-r : r + 1, -r : r + 1]
    thick = grey_dilation(np.pad(ink, r), footprint=x * x + y * y <= r * r + r)
    thick = np.clip(_resized(thick, _CROP_SIDE / max(thick.shape)), 0, None)
    return np.clip(thick / np.median(thick[thick > thick.max() / 3]), 0, 1)


def _place(small: np.ndarray) -> np.ndarray:
    """The digit in 28x28, its centre of mass within half a pixel of MNIST's."""
    from scipy.ndimage import center_of_mass

    canvas = np.zeros((28, 28))
    corner = [
        min(max(round(_CENTRE - centre), 0), 28 - n)
        for centre, n in zip(center_of_mass(small), small.shape, strict=True)
    ]
    canvas[corner[0] : corner[0] + small.shape[0], corner[1] : corner[1] + small.shape[1]] = small
    return np.rint(255 * canvas).astype(np.uint8)


def _fit(picture: np.ndarray) -> np.ndarray:
    """The whole picture in 28x28, on its own ground."""
    fitted = _resized(picture, 28 / max(picture.shape))
    canvas = np.full((28, 28), int(np.median(_frame(picture))), np.uint8)
    top, left = ((28 - n) // 2 for n in fitted.shape)
    canvas[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted
    return canvas
