"""Handwriting that MNIST never saw: do verdicts survive another place, size, pen, angle or paper?

Images of the run's own normal class that were held out, and training images of the others, are drawn on a canvas of another
kind and prepared as an upload is. No test image is looked at, so that what is tried against this table may be chosen by it.
scikit-learn's 8 x 8 digits (NIST's, other writers, another scanner) stand in for digits from elsewhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ganad import service
from ganad.config import FALSE_ALARMS
from ganad.data import preparation
from ganad.errors import DataError, RunError
from ganad.evaluation import metrics, thresholds
from ganad.runs import run_directory
from ganad.service import images as data_sets

CANVAS = 280
"""Side of the canvas in pixels; a digit as it is takes two thirds of it."""
PEN, THINNEST = 22, 10
"""Widths of the pad's pen in pixels of the canvas: the usual one, and the least that can be chosen."""
SHEET = 112
"""Side of the drawing that the pad judges and sends."""
SOFT = (1, 4, 6, 4, 1)
"""Weights of the neighbours in either direction by which it softens what was drawn."""
EACH = 400
"""Images of either side, at most. Of so many, 5 % are known to about one point (its standard deviation); of 200, the worst of ten runs said more of chance."""
Log = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """How the images of one run fare when drawn in one way. Shares lie in [0, 1].

    refused        of all images: no digit was found
    changed        verdicts that differ from those of the same images drawn "on a canvas", in the middle and of usual size;
                   None for images that were not drawn by us
    false_alarms   of the normal images; promised: at most this share, by the threshold of the run
    caught, auroc  of the others
    """

    run: str
    way: str
    images: int
    refused: float
    changed: float | None
    false_alarms: float
    promised: float
    caught: float
    auroc: float


def _ink(image: np.ndarray, factor: float = 1.0, turn: float = 0.0, right: int = 0) -> np.ndarray:
    """(28, 28) uint8 -> (CANVAS, CANVAS) float32 in [0, 1]: enlarged, turned by degrees, moved to the right by pixels of the canvas."""
    side = max(8, round(CANVAS * factor * 2 / 3))
    large = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC).rotate(turn, Image.Resampling.BICUBIC)
    paper = Image.new("L", (CANVAS, CANVAS))
    paper.paste(large, ((CANVAS - side) // 2 + right, (CANVAS - side) // 2))
    return np.asarray(paper, np.float32) / 255


def _wider(image: np.ndarray, pixels: float) -> np.ndarray:
    """The canvas of the image with strokes wider by so many pixels of 28 (less than 0: thinner)."""
    from scipy import ndimage

    ink = _ink(image)
    radius = abs(pixels) / 2 * CANVAS * 2 / 3 / 28  # on either side of a stroke
    y, x = np.mgrid[-int(radius) - 1 : int(radius) + 2, -int(radius) - 1 : int(radius) + 2]
    disc = x**2 + y**2 <= radius**2
    change = ndimage.grey_dilation if pixels > 0 else ndimage.grey_erosion
    return change(ink, footprint=disc)


def _penned(image: np.ndarray, width: float) -> np.ndarray:
    """The pad's sheet (SHEET, SHEET) uint8 after a round pen of one width has followed the middle of the strokes of an image, as large as it may be."""
    small = Image.fromarray((255 * _pen(image, width)).astype(np.uint8)).resize((SHEET, SHEET), Image.Resampling.BOX)
    return softened(np.asarray(small, np.float32)).round().astype(np.uint8)


def softened(sheet: np.ndarray) -> np.ndarray:
    """What was drawn on the pad, as the pad makes it before it is judged (`ganad/web/pad/sheet.js`)."""
    from scipy import ndimage

    for axis in (0, 1):
        sheet = ndimage.convolve1d(sheet, np.array(SOFT) / sum(SOFT), axis=axis, mode="constant")
    return sheet


def _pen(image: np.ndarray, width: float) -> np.ndarray:
    """The same on a canvas, in [0, 1]: with the edges of the pen."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(_ink(image, 1.3), 2)  # the steps of 28 pixels have no middle of their own
    within = ndimage.gaussian_filter(ndimage.distance_transform_edt(smooth > 0.5), 2)
    # On the middle of a stroke the distance to its edge falls on both sides of it, in one of four directions at least.
    moves = [(0, 3), (3, 0), (3, 3), (3, -3)]
    falls = [2 * within - np.roll(within, (y, x), (0, 1)) - np.roll(within, (-y, -x), (0, 1)) for y, x in moves]
    middle = (np.max(falls, axis=0) > 1.5) & (within > 2)
    return (width / 2 + 0.5 - ndimage.distance_transform_edt(~middle)).clip(0, 1).astype(np.float32)


def _photo(ink: np.ndarray, paper: float = 225.0, shade: float = 0.0, noise: float = 0.0) -> np.ndarray:
    """Ink (H, W) in [0, 1] on paper: dark on light, darker towards one corner by `shade` greys, with noise of so many greys."""
    rng = np.random.default_rng(0)
    slope = np.add.outer(np.linspace(0, shade / 2, len(ink)), np.linspace(0, shade / 2, len(ink)))
    grey = (paper - slope) * (1 - 0.8 * ink) + rng.normal(0, noise, ink.shape)
    return grey.clip(0, 255).astype(np.uint8)


WAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "on a canvas": lambda x: _photo(_ink(x)),
    "a quarter to the right": lambda x: _photo(_ink(x, 0.6, right=CANVAS // 4)),
    "half the size": lambda x: _photo(_ink(x, 0.5)),
    "1.4 times the size": lambda x: _photo(_ink(x, 1.4)),
    "turned by 10° left": lambda x: _photo(_ink(x, turn=10)),
    "turned by 10° right": lambda x: _photo(_ink(x, turn=-10)),
    "strokes 1 pixel wider": lambda x: _photo(_wider(x, 1.0)),
    "strokes 1 pixel thinner": lambda x: _photo(_wider(x, -1.0)),
    "shaded paper": lambda x: _photo(_ink(x), shade=70),
    "noise": lambda x: _photo(_ink(x), noise=10),
    "by the pad's pen": lambda x: _penned(x, PEN),
    "by its thinnest pen": lambda x: _penned(x, THINNEST),
}
"""Ways to draw an image anew: (28, 28) uint8, light on black -> a picture (H, W) uint8, in dark on light or as the pad, light on black. The first is the usual one."""
AS_IT_IS, ELSEWHERE = "as it is", "other writers, 8 x 8"


def handwriting(names: Sequence[str], log: Log) -> list[Row]:
    """Every run in every way. Raises RunError for a run without weights, or one whose classes are no digits."""
    rows = []
    for name in names:
        run = service.run_info(name)
        if run.preparation != "digit":
            raise RunError(f"{run.name} judges whole pictures: this table is about handwriting.")
        normal, others = _images(run)
        log(f"{run.name}: {len(normal)} held-out normal images, {len(others)} training images of other digits")
        images, anomalous = np.concatenate([normal, others]), np.arange(len(normal) + len(others)) >= len(normal)
        judge = functools.partial(_judged, run)
        rows.append(judge(AS_IT_IS, images, anomalous, None)[0])
        usual = None
        for way, draw in WAYS.items():
            row, called = judge(way, [_prepared(draw(image)) for image in images], anomalous, usual)
            usual = called if usual is None else usual  # of the first way
            rows.append(row)
        strangers, truth = _other_writers(run.normal)
        rows.append(judge(ELSEWHERE, [_prepared(_photo(_ink(x))) for x in strangers], truth, None)[0])
    return rows


def _images(run: service.RunInfo) -> tuple[np.ndarray, np.ndarray]:
    """Held-out normal images, and training images of the other digits, as many of each."""
    held_out = len(service.scores(run.name).val)
    normal = service.held_out_images(run.name, np.linspace(0, held_out - 1, min(EACH, held_out)).astype(int))
    train = data_sets.dataset(data_sets.data_of(run_directory.find(run.name))).train
    left = [int(d) for d in np.unique(train.digit) if d not in run.normal]
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(train.digit == d))[: EACH // len(left)] for d in left]
    return normal, train.images[np.concatenate(rows)]


def _other_writers(normal: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28) uint8 of scikit-learn's digits, enlarged, and which of them are anomalies."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    is_normal = np.isin(bunch.target, list(normal))
    others = np.flatnonzero(~is_normal)
    chosen = np.r_[np.flatnonzero(is_normal)[:EACH], others[:: max(1, len(others) // EACH)][:EACH]]
    small = (bunch.images[chosen] * (255 / 16)).astype(np.uint8)
    images = np.stack([np.asarray(Image.fromarray(x).resize((28, 28), Image.Resampling.BICUBIC)) for x in small])
    return images, ~is_normal[chosen]


def _prepared(picture: np.ndarray) -> np.ndarray | None:
    """What the nets would see of an upload; None where it is refused."""
    try:
        return preparation.prepared(picture, "digit").digit
    except DataError:
        return None


def _judged(
    run: service.RunInfo, way: str, images: Sequence[np.ndarray | None], anomalous: np.ndarray, usual: np.ndarray | None
) -> tuple[Row, np.ndarray]:
    """The row of images that were drawn in one way, and which are called anomalous. usual: what they are called as usually drawn."""
    from ganad.scoring.score import score

    there = np.array([image is not None for image in images])
    parts = score(service.method(run.name), np.stack([i for i in images if i is not None])).parts
    total = metrics.total(parts, run.weights)
    held_out = metrics.total(service.scores(run.name).val.parts, run.weights)
    called = np.zeros(len(images), dtype=bool)
    called[there] = total > thresholds.threshold_for(held_out)
    truth = anomalous[there]
    row = Row(
        run=run.name,
        way=way,
        images=len(images),
        refused=float(1 - there.mean()),
        changed=None if usual is None else float((called != usual)[there].mean()),
        false_alarms=float(called[there & ~anomalous].mean()),
        promised=FALSE_ALARMS,
        caught=float(called[there & anomalous].mean()),
        auroc=metrics.area(total[~truth], total[truth]),
    )
    return row, called


def table(rows: Sequence[Row]) -> str:
    """Each way as a mean over the runs, with the worst run where there are several, as Markdown."""
    runs = list(dict.fromkeys(r.run for r in rows))
    lines = [
        "| drawn | refused | verdicts that change | false alarms | worst run | of the promise | caught | AUROC | change |",
        "|---|" + "---:|" * 8,
    ]
    usual = np.mean([r.auroc for r in rows if r.way == AS_IT_IS])
    for way in dict.fromkeys(r.way for r in rows):
        own = [r for r in rows if r.way == way]
        changed = [r.changed for r in own if r.changed is not None]
        alarms = [r.false_alarms for r in own]
        area = float(np.mean([r.auroc for r in own]))
        cells = [
            f"{np.mean([r.refused for r in own]):.1%}",
            f"{np.mean(changed):.1%}" if changed else "",
            f"{np.mean(alarms):.1%}",
            f"{max(alarms):.1%}",
            f"{np.mean(alarms) / own[0].promised:.1f} ×",
            f"{np.mean([r.caught for r in own]):.1%}",
            f"{area:.4f}",
            f"{area - usual:+.4f}" if way != AS_IT_IS else "",
        ]
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + f"\n\n{len(runs)} runs: {', '.join(runs)}."
