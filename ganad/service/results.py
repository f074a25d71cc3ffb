"""What was stored of a finished run: scores, images and reconstructions in one order, metrics, baselines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganad.config import (
    FALSE_ALARMS,
    check_weights,
)
from ganad.data import sources
from ganad.errors import RunError
from ganad.evaluation import metrics, thresholds
from ganad.evaluation.scores import ScoredImages, Scores
from ganad.runs import run_directory
from ganad.scoring import baselines
from ganad.service.images import data_of, dataset, readable_path, test_set
from ganad.service.runs import RunInfo, run_info
from ganad.service.training import meta


def version(name: str) -> int:
    """Changes whenever the scores of a run change: a key for caches, and so asked for a hundred times a page."""
    for folder in (run_directory.root(), run_directory.shelf()):
        with contextlib.suppress(OSError, ValueError):  # not by this name, or no name at all: `find` knows
            return os.stat(os.path.join(folder, name, "scores.npz")).st_mtime_ns
    path = run_directory.find(name) / "scores.npz"
    return path.stat().st_mtime_ns if path.exists() else 0


def scores(name: str) -> Scores:
    """Parts, digits and latent vectors of held-out and test images. Raises RunError before they are written."""
    return run_directory.read_scores(run_directory.find(name))


def test_images(name: str) -> np.ndarray:
    """(n_test, 28, 28) uint8: the test images, in the order of the run's scores.

    Raises GanadError if the images are not where they were, or if there are others now.
    """
    run = run_directory.find(name)
    return same_images(run, test_set(data_of(run)), run_directory.read_scores(run).test)


def same_images(run: Path, now: sources.Images, scored: ScoredImages, rows: np.ndarray | None = None) -> np.ndarray:
    """The images that were scored, or some rows of them, out of those that are there now."""
    index, digit = (a if rows is None else a[rows] for a in (scored.index, scored.digit))
    if len(index) and (index.max() >= len(now.digit) or not np.array_equal(now.digit[index], digit)):
        raise RunError(
            f"The images of {run_directory.settings(run).data or 'MNIST'} are not those that {run.name} was scored on. "
            "Bring the old ones back to that path, or train a new run on these."
        )
    return now.images[index]


def reconstructions(name: str) -> np.ndarray | None:
    """(n_test, 28, 28) uint8 in the order of the run's scores, or None if only the net can make them.

    Raises RunError if the file is damaged.
    """
    run = run_directory.find(name)
    drawn = run_directory.read_reconstructions(run)
    if drawn is not None and len(drawn) != len(run_directory.read_scores(run).test):
        raise RunError(
            f"reconstructions.npz of {run.name} does not fit its scores: {len(drawn)} images. Remove it, then the nets make "
            "the reconstructions anew."
        )
    return drawn


def held_out_images(name: str, rows: Sequence[int]) -> np.ndarray:
    """(len(rows), 28, 28) uint8: some of the run's held-out normals, by their row in its scores."""
    run = run_directory.find(name)
    train = dataset(data_of(run)).train
    return same_images(run, train, run_directory.read_scores(run).val, np.asarray(rows, dtype=int))


@dataclass(frozen=True)
class BaselineCurve:
    """The ROC curve of a baseline on the whole test set."""

    name: str
    fpr: np.ndarray
    tpr: np.ndarray
    auroc: float


def baselines_are_known(normal: Sequence[int]) -> bool:
    """True when the baselines of these normal digits were computed before."""
    return all(baselines.known(name, normal) for name in baselines.NAMES)


def baseline_curves(normal: Sequence[int], path: str | None = None) -> list[BaselineCurve]:
    """PCA and nearest neighbours for these normal digits; the first time this takes seconds, with nine of them half a minute."""
    from sklearn.metrics import roc_curve

    path = readable_path(path)
    anomalous = ~np.isin(test_set(path).digit, list(normal))
    curves = []
    for name, words in baselines.NAMES.items():
        score = baselines.scores(name, normal, path)
        fpr, tpr, _ = roc_curve(anomalous, score)
        curves.append(BaselineCurve(words, fpr, tpr, metrics.auroc(anomalous, score)))
    return curves


def evaluate_run(
    name: str, weights: Sequence[float] | None = None, at: float | None = None
) -> tuple[metrics.Evaluation, tuple[float, float, float]]:
    """The test set under a weighting and a threshold; None means the run's own, and the usual 5 %."""
    stored = scores(name)
    usual, parts = run_info(name).weights, run_info(name).settings.parts
    w = check_weights(tuple(weights), parts) if weights is not None else usual
    rate = None
    if at is None:
        at, rate = thresholds.threshold_for(metrics.total(stored.val.parts, w)), FALSE_ALARMS
    evaluation = metrics.evaluate(
        stored.test.parts, stored.test.digit, stored.normal, w, at, held_out=len(stored.val), false_alarms=rate
    )
    return evaluation, w


def no_threshold(run: RunInfo) -> str:
    """Why a finished run calls nothing anomalous at the usual rate of false alarms; empty for one that has a threshold."""
    if run.report is None or run.report.get("threshold") is not None:
        return ""
    group = meta(run.name).get("data")
    held_out = group.get("val") if isinstance(group, dict) else None
    return thresholds.no_threshold(held_out if isinstance(held_out, int) else None, FALSE_ALARMS)
