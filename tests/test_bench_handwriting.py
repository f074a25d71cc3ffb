"""The table about handwriting: what each way of drawing does to an image, and what the figures of a row are."""

import numpy as np
import pytest

from ganad import service
from ganad.bench import handwriting as b
from ganad.config import FALSE_ALARMS
from ganad.data import sources
from ganad.errors import RunError
from ganad.evaluation import metrics, thresholds
from ganad.runs import run_directory

UNIT = b.CANVAS * 2 / 3 / 28
"""Pixels of the canvas to one of 28."""


def bar(width=4):
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12 : 12 + width] = 255
    return image


def extent(ink, axis):
    """Rows (axis 1) or columns (axis 0) that ink reaches, counted on the canvas."""
    return int((ink.max(axis=axis) > 0.5).sum())


@pytest.mark.parametrize(("pixels", "width"), [(1.0, 5), (-1.0, 3), (0.0, 4)])
def test_a_bar_of_four_pixels_gets_wider_or_thinner_by_what_is_asked(pixels, width):
    ink = b._wider(bar(4), pixels) if pixels else b._ink(bar(4))
    assert extent(ink, 0) == pytest.approx(width * UNIT, abs=3)


@pytest.mark.parametrize("width", [2, 4, 6])
def test_a_pen_draws_each_bar_as_wide_as_itself(width):
    ink = b._pen(bar(width), b.PEN)
    across = (ink[b.CANVAS // 2] > 0.5).sum()
    assert across == pytest.approx(b.PEN, abs=4), "the ridge that it follows is a few pixels wide"
    assert extent(ink, 1) == pytest.approx(20 * 1.3 * UNIT + b.PEN, abs=12), "from end to end, and half a pen beyond"


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.4])
def test_size_is_a_factor_and_what_is_drawn_stays_on_the_canvas(factor):
    ink = b._ink(bar(4), factor)
    assert ink.shape == (b.CANVAS, b.CANVAS)
    assert extent(ink, 1) == pytest.approx(20 * UNIT * factor, abs=3)


def test_a_turn_to_the_left_moves_the_top_to_the_left():
    left = b._ink(bar(2), turn=10)
    rows, columns = np.nonzero(left > 0.5)
    assert columns[rows < np.median(rows)].mean() < columns[rows > np.median(rows)].mean()


def test_paper_is_light_ink_dark_and_shade_falls_towards_one_corner():
    blank = b._photo(np.zeros((50, 50)), paper=200, shade=60)
    assert blank[0, 0] == 200
    assert blank[-1, -1] == 140
    assert set(b._photo(np.ones((5, 5)), paper=200).ravel()) <= {39, 40}  # a fifth is left, cut to a whole grey


@pytest.mark.parametrize("way", b.WAYS)
def test_every_way_draws_a_digit_that_can_be_prepared(way):
    digit = b._prepared(b.WAYS[way](sources.load_test().images[0]))
    assert digit is not None
    assert digit.shape == (28, 28)
    assert digit.max() > 200


def test_blank_paper_is_refused():
    assert b._prepared(np.full((100, 100), 220, np.uint8)) is None


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(b, "EACH", 18)
    monkeypatch.setattr(b, "WAYS", {w: b.WAYS[w] for w in ("on a canvas", "half the size")})


def test_as_it_is_the_figures_are_those_of_the_kept_scores_of_held_out_images(few):
    kept = service.scores("ganomaly-n8").val
    weights = run_directory.settings(run_directory.find("ganomaly-n8")).weights
    total = metrics.total(kept.parts, weights)
    chosen = np.linspace(0, len(kept) - 1, 18).astype(int)
    usual, canvas, drawn, others = b.handwriting(["ganomaly-n8"], lambda text: None)
    assert usual.false_alarms == pytest.approx(
        (total[chosen] > thresholds.threshold_for(total)).mean(), abs=1 / 18 + 1e-9
    )
    assert (usual.way, usual.changed, usual.refused, usual.promised) == (b.AS_IT_IS, None, 0, FALSE_ALARMS)
    assert usual.images == drawn.images == 36
    assert canvas.changed is None
    assert 0 <= drawn.changed <= 0.1, "half the size is prepared away"
    assert others.way == b.ELSEWHERE
    assert usual.auroc > 0.8


def test_a_changed_verdict_is_one_that_differs_from_that_of_the_same_image_drawn_as_usual():
    run, images = service.run_info("ganomaly-n8"), sources.load_test().images[:20]
    anomalous = np.arange(20) % 2 == 0
    first, called = b._judged(run, "x", images, anomalous, None)
    assert first.changed is None
    assert b._judged(run, "x", images, anomalous, called)[0].changed == 0
    other = called.copy()
    other[[2, 5, 7]] ^= True
    assert b._judged(run, "x", images, anomalous, other)[0].changed == pytest.approx(3 / 20)
    without = [None if at in (5, 6) else image for at, image in enumerate(images)]
    assert b._judged(run, "x", without, anomalous, other)[0].changed == pytest.approx(2 / 18), (
        "of those that were judged"
    )


def test_a_refused_image_counts_in_one_column_alone(few, monkeypatch):
    prepared = b._prepared
    taken = iter([True, False] * 100)
    monkeypatch.setattr(b, "_prepared", lambda picture: prepared(picture) if next(taken) else None)
    drawn = b.handwriting(["ganomaly-n8"], lambda text: None)[2]
    assert drawn.refused == 0.5
    assert drawn.auroc > 0.7


def test_the_table_is_a_mean_over_runs_beside_the_worst_of_them():
    def row(run, way, changed, alarms, auroc):
        return b.Row(run, way, 10, 0.0, changed, alarms, 0.05, 0.8, auroc)

    rows = [row("a", b.AS_IT_IS, None, 0.05, 0.99), row("a", "x", 0.02, 0.06, 0.98)]
    rows += [row("b", b.AS_IT_IS, None, 0.05, 0.97), row("b", "x", 0.04, 0.10, 0.96)]
    lines = b.table(rows).splitlines()
    assert lines[2] == "| as it is | 0.0% |  | 5.0% | 5.0% | 1.0 × | 80.0% | 0.9800 |  |"
    assert lines[3] == "| x | 0.0% | 3.0% | 8.0% | 10.0% | 1.6 × | 80.0% | 0.9700 | -0.0100 |"
    assert lines[-1] == "2 runs: a, b."


def test_a_detector_of_whole_pictures_is_refused(monkeypatch):
    from dataclasses import replace

    run = service.run_info("ganomaly-n8")
    monkeypatch.setattr(service, "run_info", lambda name: replace(run, preparation="picture"))
    with pytest.raises(RunError, match="whole pictures"):
        b.handwriting(["ganomaly-n8"], lambda text: None)
