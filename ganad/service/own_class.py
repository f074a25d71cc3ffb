"""A detector of one's own class: images collected, kept as a data set, trained on in a minute, and judged honestly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ganad.config import FALSE_ALARMS, Settings, resolve
from ganad.data import own_class, preprocess
from ganad.errors import DataError
from ganad.evaluation import few_originals, metrics, thresholds
from ganad.evaluation.few_originals import Quality
from ganad.runs import own_classes
from ganad.runs.own_classes import OwnClass
from ganad.service.new_images import digits_on_page, prepare_bytes
from ganad.service.quota import check_space
from ganad.service.results import scores
from ganad.service.runs import run_info
from ganad.service.training import start
from ganad.system import access
from ganad.wording import percent

ENOUGH = math.ceil(1 / FALSE_ALARMS - 1 - 1e-9)
"""Held-out images from which on a threshold can promise the usual rate of false alarms: (n + 1) a >= 1."""
EPOCHS, BATCH = 20, 32
"""Passes over about 800 training images, half as many in a step as usual, so that there are twice as many steps: 45 seconds of one slow core."""


def originals_in(content: bytes, name: str, page: bool = False) -> list[np.ndarray]:
    """The images (28, 28) uint8 of one's own class in the bytes of an image file. Raises DataError naming the file.

    page: it is a photo of many symbols, and each that can be prepared is one; else it shows one.
    """
    if not page:
        return [prepare_bytes(content, name).digit]
    found = [d.prepared.digit for d in digits_on_page(content, name).digits if d.prepared is not None]
    if not found:
        raise DataError(f"{name}: no symbol on it could be prepared. Leave some paper round each, and more light.")
    return found


def original_of(drawing: np.ndarray) -> np.ndarray:
    """The image (28, 28) uint8 of a drawing (H, W) uint8, ink 255 on 0. Raises DataError where there is no ink."""
    return preprocess.prepare(drawing, invert=False).digit


def keep_own_class(originals: Sequence[np.ndarray], name: str, seed: int = 0) -> tuple[str, int]:
    """Make a data set of images (28, 28) uint8 of one's own class and keep it: its path, and how many copies were left out.

    Raises GanadError for a name that no class may have, too few images, and where nothing may be stored; then nothing remains.
    """
    access.allow("training")
    name = own_class.checked_name(name)
    images = np.stack(originals) if len(originals) else np.zeros((0, 28, 28), np.uint8)
    kept = images[own_class.without_copies(images)]
    copies = len(images) - len(kept)
    if len(kept) < own_class.LEAST and copies:
        raise DataError(
            f"{len(images)} images, {copies} of them copies of others: {len(kept)} are left, at least {own_class.LEAST} are needed."
        )
    access.check_upload(kept.nbytes)
    check_space()
    return str(own_classes.keep(kept, name, seed, check_space)), copies


def own_class_settings(path: str, name: str, seed: int = 0, epochs: int | None = None) -> Settings:
    """The settings of a run on such a data set, class 0 normal: small nets and few images, so that a minute is enough."""
    return resolve(
        "ganomaly",
        "tuned",
        normal=(0,),
        data=path,
        batch_size=BATCH,
        name=name.strip(),
        seed=seed,
        epochs=epochs or EPOCHS,
    )


def train_own_class(originals: Sequence[np.ndarray], name: str, seed: int = 0) -> tuple[str, int]:
    """Keep a class and train on it in the background: the run's name, and how many copies were left out."""
    path, copies = keep_own_class(originals, name, seed)
    return start(own_class_settings(path, name, seed)), copies


def own_classes_kept() -> list[OwnClass]:
    """The classes that were collected here, newest first."""
    return own_classes.kept()


def originals_kept(folder: str) -> tuple[str, np.ndarray]:
    """Name and originals (n, 28, 28) of a kept class, by the name of its folder. Raises GanadError where it cannot be read."""
    own = own_classes.find(folder)
    return own.name, own_classes.read(own)


def delete_own_class(folder: str) -> None:
    """Remove a kept class for good. Raises RunError while a run needs it."""
    access.allow("deleting images")
    own_classes.delete(own_classes.find(folder))


def own_class_quality(
    name: str, weights: Sequence[float] | None = None, threshold: float | None = None
) -> Quality | None:
    """How well a finished run on few originals does, and how sure that is; None for any other run.

    weights, threshold: None for the run's own, and the usual 5 %. Test images are originals, each once, so to resample them is to
    resample originals.
    """
    run = run_info(name)
    if run.originals is None or run.state != "finished":
        return None
    stored = scores(name)
    used = run.weights if weights is None else weights
    if threshold is None:
        threshold = thresholds.threshold_for(metrics.total(stored.val.parts, used))
    test = metrics.total(stored.test.parts, used)
    return few_originals.quality(test, stored.anomalous, threshold, run.originals)


def quality_in_words(q: Quality) -> tuple[str, str, str]:
    """Three plain sentences: the AUROC, the false alarms that were seen, and what the threshold can promise."""
    n, held, flagged = q.originals["test"], q.originals["val"], q.flagged
    alarms = q.false_alarms
    share, low, high, promise = map(percent, (alarms.value, alarms.low, alarms.high, q.promise))
    return (
        f"AUROC {q.auroc:.3f} against digits of MNIST, 95 % interval {_down(q.low)} to {q.high:.3f}: it comes from {n} test images of yours "
        "that neither the nets nor the threshold have seen.",
        f"{flagged} of these {n} are called anomalous, {share} false alarms; the true share lies, with 95 % certainty, "
        f"between {low} and {high}.",
        f"The threshold comes from {held} held-out images of yours and variants of them, which are no independent images: the usual 5 % is an "
        f"aim here, no promise. No threshold from {held} images could promise less than 1 false alarm in {held + 1}, {promise}."
        + (f" For 5 % it takes {ENOUGH}: {_needed()} images in all." if held < ENOUGH else ""),
    )  # fmt: skip


def _down(share: float) -> str:
    """Three decimals, never rounded up: a lower end is not to look better than it is."""
    return f"{math.floor(1000 * share + 1e-9) / 1000:.3f}"


def _needed() -> int:
    """The least number of originals of which ENOUGH are held out."""
    return next(n for n in range(own_class.LEAST, own_class.MOST + 1) if own_class.parts(n)[1] >= ENOUGH)
