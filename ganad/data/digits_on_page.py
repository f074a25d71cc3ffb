"""A photo of a page -> the digits on it, each made into 28x28 by itself, in reading order.

Pieces of ink are found by connected components (SciPy). A page that was held askew is turned straight first: by the angle at which
the rows of digits are told apart best.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ganad.data import preprocess
from ganad.data.preprocess import Prepared
from ganad.errors import DataError

SIDE = 1600
"""A page is looked at, and shown, up to this side in pixels."""
MOST = 200
"""Digits on one page."""
MOST_ASKEW = 15.0
"""Degrees by which a page may be turned."""
_FEW = 4
"""With fewer digits than this their rows say nothing about the angle."""


@dataclass(frozen=True, eq=False)
class FoundDigit:
    """One piece of ink, taken for a digit."""

    box: tuple[int, int, int, int]
    """top, left, bottom, right in pixels of the page's picture, bottom and right excluded."""
    row: int
    """Line of the page, from 0."""
    prepared: Prepared | None
    problem: str = ""
    """Why it could not be prepared, in words."""


@dataclass(frozen=True, eq=False)
class Page:
    """What was found on a photo."""

    picture: np.ndarray
    """(H, W) uint8 grey, turned straight, at most SIDE pixels long."""
    angle: float
    """Degrees, counter-clockwise, by which the photo was turned for that."""
    digits: tuple[FoundDigit, ...]
    """In reading order."""
    left_out: int
    """Pieces of ink that are too small or too large to be digits."""


def find_digits(grey: np.ndarray) -> Page:
    """The digits on a page (H, W) uint8. Raises DataError where there is no ink, or more than MOST pieces that look like digits."""
    preprocess.check(grey)
    picture = preprocess.shrunk(grey, SIDE)
    preprocess.require_ink(picture)
    ink = _ink(picture)
    boxes, _, _ = _pieces(ink)
    angle = _askew(boxes)
    if angle:
        picture = _turned(picture, angle, int(np.median(picture)))
        ink = np.clip(_turned(ink, angle, 0.0), 0, 1)
    boxes, owner, left_out = _pieces(ink)
    if not len(boxes):
        raise DataError("No digit found: there is ink, but no piece of it has the size of a digit.")
    if len(boxes) > MOST:
        raise DataError(
            f"{len(boxes)} pieces of ink look like digits, at most {MOST} are read on one page: crop the photo."
        )
    rows = _rows(boxes)
    order = sorted(range(len(boxes)), key=lambda i: (rows[i], boxes[i][1]))
    digits = tuple(_digit(picture, ink, owner == i + 1, tuple(int(n) for n in boxes[i]), rows[i]) for i in order)
    return Page(picture, angle, digits, left_out)


def _ink(picture: np.ndarray) -> np.ndarray:
    """(H, W) float32 in 0..1: full ink 1, paper 0 under any slow change of light."""
    from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

    grey = picture.astype(np.float32)
    smooth = gaussian_filter(grey, 0.7)
    # The ground: the brightest (of light paper) or darkest grey round about, on a small copy; wider than any digit.
    small = np.asarray(Image.fromarray(smooth).reduce(max(1, max(picture.shape) // 200)))
    reach = max(5, max(small.shape) // 8)
    above = gaussian_filter(minimum_filter(maximum_filter(small, reach), reach), reach / 3)
    below = gaussian_filter(maximum_filter(minimum_filter(small, reach), reach), reach / 3)
    dark = np.median(small) > (float(small.max()) + float(small.min())) / 2 or (
        float((above - small).clip(0).mean()) < float((small - below).clip(0).mean())
    )
    ground = np.asarray(Image.fromarray(above if dark else below).resize(picture.shape[::-1], Image.Resampling.BICUBIC))
    ink = ground - smooth if dark else smooth - ground
    ink -= np.median(ink)
    noise = 1.4826 * float(np.median(np.abs(ink)))
    full = float(np.percentile(ink[ink > 0.5 * ink.max()], 50))
    floor = max(4 * noise, 0.12 * full)
    return np.clip((ink - floor) / max(full - floor, 1.0), 0, 1)


def _pieces(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Boxes (n, 4) of what looks like digits; the picture with each pixel's box, from 1, or 0; and how many pieces were left out."""
    from scipy.ndimage import find_objects, label, maximum, sum_labels

    labels, n = label(ink > 0.25, structure=np.ones((3, 3)))
    if not n:
        return np.empty((0, 4), int), labels, 0
    found = np.array([[s[0].start, s[1].start, s[0].stop, s[1].stop] for s in find_objects(labels)])
    every = np.arange(1, n + 1)
    mass = sum_labels(ink, labels, every)
    written = maximum(ink, labels, every) > 0.5  # a shadow or the edge of the paper is never as dark as ink
    height, width = found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]
    side = np.maximum(height, width)
    if not written.any():
        return np.empty((0, 4), int), labels, 0
    solid = written & (mass > 0.02 * np.sort(mass)[-max(1, n // 20) :].mean())
    usual = float(np.median(side[solid & (side > 0.2 * np.percentile(side[solid], 90))]))
    at_edge = (found[:, :2] == 0).any(1) | (found[:, 2] == ink.shape[0]) | (found[:, 3] == ink.shape[1])
    fits = written & (side <= 2.6 * usual) & ~(at_edge & (side > 1.5 * usual))
    joined = _joined(found, fits & (side > 0.12 * usual), usual)
    groups: dict[int, list[int]] = {}
    for i, first in enumerate(joined):
        if first >= 0:
            groups.setdefault(first, []).append(i)
    boxes, owner = [], np.zeros(n + 1, int)
    typical = float(np.median(mass[solid & fits]))
    for members in groups.values():
        box = [*found[members, :2].min(0), *found[members, 2:].max(0)]
        if max(box[2] - box[0], box[3] - box[1]) < 0.45 * usual or mass[members].sum() < 0.1 * typical:
            continue
        boxes.append(box)
        owner[np.array(members) + 1] = len(boxes)
    return np.array(boxes, int).reshape(-1, 4), owner[labels], int((written & (owner[1:] == 0)).sum())


def _joined(found: np.ndarray, able: np.ndarray, usual: float) -> np.ndarray:
    """piece -> the number of the first piece of its digit, or -1 for what is none: a bar stands over its 5, a gap is bridged."""
    own = np.where(able, np.arange(len(found)), -1)
    # Large pieces first, so that small ones are added to them.
    sides = np.maximum(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
    boxes = {int(i): found[i].copy() for i in np.flatnonzero(able)}
    for i in sorted(boxes, key=lambda k: sides[k]):
        if sides[i] > 0.75 * usual:
            continue
        best, nearest = None, 0.3 * usual
        for j, box in boxes.items():
            if j == i or sides[j] < sides[i]:
                continue
            gap = np.maximum(np.maximum(found[i][:2] - box[2:], box[:2] - found[i][2:]), 0)
            whole = [*np.minimum(found[i][:2], box[:2]), *np.maximum(found[i][2:], box[2:])]
            across = min(found[i][3], box[3]) - max(found[i][1], box[1])
            if max(whole[2] - whole[0], whole[3] - whole[1]) > 1.6 * usual:
                continue
            # Beside a digit only what all but touches it belongs to it; above or below it may stand a little apart.
            away = float(gap.max()) if across > 0.3 * (found[i][3] - found[i][1]) else 3 * float(gap.max())
            if away < nearest:
                best, nearest = j, away
        if best is not None:
            boxes[best] = np.array(
                [*np.minimum(found[i][:2], boxes[best][:2]), *np.maximum(found[i][2:], boxes[best][2:])]
            )
            del boxes[i]
            own[own == own[i]] = best
    return own


def _centres(boxes: np.ndarray) -> np.ndarray:
    """(n, 2): row and column of the middle of each box."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _askew(boxes: np.ndarray) -> float:
    """Degrees by which the rows of digits fall to the right; 0 where there are too few digits or nothing is gained.

    At the right angle the heights of the digits on the page bunch into rows: of all angles it has the least spread within
    rows. Rows are told apart as everywhere else here (`_rows`).
    """
    if len(boxes) < _FEW:
        return 0.0
    centres = _centres(boxes)
    usual = float(np.median(boxes[:, 2] - boxes[:, 0]))
    turns = np.arange(-MOST_ASKEW, MOST_ASKEW + 0.25, 0.5)
    cost = []
    for turn in turns:
        angle = np.radians(turn)
        height = np.sort(centres[:, 0] * np.cos(angle) - centres[:, 1] * np.sin(angle))
        rows = np.split(height, np.flatnonzero(np.diff(height) > 0.45 * usual) + 1)
        # Digits stand in few rows, each of little spread.
        cost.append(sum(((row - row.mean()) ** 2).sum() for row in rows) / usual**2 + 0.5 * len(rows))
    cost = np.array(cost)
    best = np.flatnonzero(cost <= cost.min() + 1e-9)
    turn = float(turns[best[np.abs(turns[best]).argmin()]])
    straight = float(cost[np.abs(turns).argmin()])
    return turn if abs(turn) >= 1 and cost.min() < 0.9 * straight else 0.0


def _turned(picture: np.ndarray, degrees: float, fill: float) -> np.ndarray:
    """Turned counter-clockwise about its middle, large enough to hold all of it."""
    turned = Image.fromarray(picture).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=fill)
    return np.asarray(turned)


def _rows(boxes: np.ndarray) -> list[int]:
    """box -> its line of the page, from 0: a new one begins where the middles leave a gap of half a digit."""
    height = _centres(boxes)[:, 0]
    usual = float(np.median(boxes[:, 2] - boxes[:, 0]))
    order = np.argsort(height, kind="stable")
    rows, row, line = np.zeros(len(boxes), int), 0, [height[order[0]]]
    for i in order:
        if height[i] - np.mean(line) > 0.6 * usual:
            row, line = row + 1, []
        line.append(height[i])
        rows[i] = row
    return rows.tolist()


def _digit(
    picture: np.ndarray, ink: np.ndarray, own: np.ndarray, box: tuple[int, int, int, int], row: int
) -> FoundDigit:
    """The digit in a box, prepared without the ink of others beside it. own (H, W): its pixels."""
    from scipy.ndimage import binary_dilation

    top, left, bottom, right = box
    margin = max(2, round(0.15 * max(bottom - top, right - left)))
    area = (slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin))
    near = binary_dilation(own[area], iterations=max(1, margin // 4))
    alone = np.pad(np.rint(255 * np.where(near, ink[area], 0)).astype(np.uint8), margin)
    try:
        prepared = preprocess.prepare(alone, invert=False)
    except DataError as error:
        return FoundDigit(box, row, None, str(error))
    return FoundDigit(box, row, replace(prepared, given=picture[area].copy()))
