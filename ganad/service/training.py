"""Training in the background: start, stop, resume, how it goes, and how long it will take."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganad.config import (
    VAL_SHARE,
    Settings,
    mixtures,
    resolve,
    transforms,
)
from ganad.data import sources
from ganad.evaluation import projection
from ganad.runs import history, run_directory
from ganad.service.images import class_counts, data_of, data_path, dataset
from ganad.service.quota import room_for
from ganad.service.runs import readable
from ganad.system import access
from ganad.training import jobs, measure_queue, throughput
from ganad.training.length import HELD_OUT_FOLLOWED, TEST_FOLLOWED, TRAINING_IMAGES

START_UP_S = 4.0
"""What a worker needs before its first step: Python, torch, the data."""


def start(settings: Settings) -> str:
    """Train in the background; returns the run's name. Raises DataError at once when the data cannot be used."""
    access.allow("training")
    if settings.data:
        settings = settings.model_copy(update={"data": data_path(settings.data)})
    check_data(settings)
    with room_for():
        queue_has_room()
        return jobs.start(settings).name


def queue_has_room() -> None:
    """Raises AccessError where as many runs wait for their turn as may."""
    access.check_queue(sum(r.state == "queued" for r in readable(run_directory.root())))


def check_data(settings: Settings, *, hand_over: bool = False) -> None:
    """Raises DataError when a run with these settings could not use its data.

    hand_over: the run is trained by this very process, which is not to read the same files twice.
    """
    images = sources.load(settings.data) if settings.data or hand_over else dataset(None)
    sources.split(images, settings)
    if hand_over:
        sources.hand_over(settings.data, images)


def stop(name: str) -> None:
    """Ask a run to stop; returns at once. It obeys within two seconds, or is killed after fifteen."""
    access.allow("stopping runs")
    jobs.stop(run_directory.find(name))


def resume(name: str) -> None:
    """Let a stopped or failed run go on. Raises RunError when there is nothing to resume."""
    access.allow("training")
    run = run_directory.find(name)
    data_of(run)
    with room_for():
        queue_has_room()
        jobs.resume(run)


def train_on(name: str, epochs: int) -> str:
    """A new run that goes on where a finished one ended, for so many epochs more, in the background; returns its name.

    Raises RunError where that cannot be.
    """
    access.allow("training")
    run = run_directory.find(name)
    data_of(run)
    with room_for():
        queue_has_room()
        made = jobs.continued(run, epochs)
        jobs.begin(made)
    return made.name


def logged_metrics(name: str) -> list[dict[str, Any]]:
    """Lines of metrics.jsonl: logged steps with losses, and epochs with held-out parts. Damaged lines are left out."""
    return run_directory.read_metrics(run_directory.find(name))


def damaged_lines(name: str) -> int:
    """How many lines of metrics.jsonl were left out because they are damaged."""
    return run_directory.damaged_lines(run_directory.find(name))


def log(name: str) -> str:
    """The last lines of log.txt."""
    return run_directory.log_tail(run_directory.find(name))


def samples(name: str) -> dict[int, Path]:
    """epoch -> picture of the probe digits above their reconstructions."""
    return run_directory.samples(run_directory.find(name))


@dataclass(frozen=True, eq=False)
class EpochHistory:
    """How a run learned: a small fixed sample of images after each kept epoch. Monitoring: nothing was chosen by it.

    epoch, is_finished   (E,): which epoch; the last may be the finished run, with what is fitted after the training
    parts                part -> (E, S)
    places               (E, S, 2) codes on the two axes along which held-out normals vary most at the end
    held_out, anomalous  (S,) bool; digit (S,)
    given, drawn         (P, 28, 28) and (E, P, 28, 28) uint8: the probe images and what was made of them; None without pictures
    """

    epoch: np.ndarray
    is_finished: np.ndarray
    parts: dict[str, np.ndarray]
    places: np.ndarray
    held_out: np.ndarray
    anomalous: np.ndarray
    digit: np.ndarray
    given: np.ndarray | None
    drawn: np.ndarray | None


def epoch_history(name: str) -> EpochHistory | None:
    """None where nothing was kept: runs of earlier versions, most shipped ones, and methods that search. RunError for a damaged file."""
    run = run_directory.find(name)
    kept = history.read(run)
    if kept is None:
        return None
    places = projection.project_epochs(kept.z, kept.held_out) if kept.z is not None else kept.places
    pictures = run_directory.samples(run)
    given, drawn = None, kept.drawn
    if pictures:
        given = run_directory.read_probe(pictures[max(pictures)])[0]
        if drawn is None and all(int(e) in pictures for e in kept.epoch):
            drawn = np.stack([run_directory.read_probe(pictures[int(e)])[1] for e in kept.epoch])
    return EpochHistory(
        kept.epoch, kept.is_finished, kept.parts, places, kept.held_out,
        ~kept.held_out & ~np.isin(kept.digit, run_directory.settings(run).normal), kept.digit, given, drawn,
    )  # fmt: skip


def history_version(name: str) -> int:
    """Changes whenever an epoch more is kept; 0 where none is."""
    path = run_directory.find(name) / history.FILE
    return path.stat().st_mtime_ns if path.exists() else 0


def meta(name: str) -> dict[str, Any]:
    """Versions, device, data and number of parameters of a run; empty before it has begun. Raises RunError if damaged."""
    return run_directory.read_meta(run_directory.find(name))


@dataclass(frozen=True)
class Estimate:
    """How long a training will take here. seconds includes start-up and scoring; rate is images a second."""

    seconds: float
    rate: float
    images: int


_measuring = measure_queue.Line()


def estimate(settings: Settings) -> Estimate | None:
    """From the speed measured on this machine. None while it is being measured, in a process of its own, or waits for that.

    One is measured at a time; a page that still wants to know asks again every second. Raises GanadError if the
    measurement failed.
    """
    access.allow("training")
    counts = class_counts(settings.data)
    n = sum(counts[d] for d in settings.normal)
    n = round(min(n, settings.limit or n) / (1 - settings.contamination))
    rates = throughput.recall(settings)
    if rates is None:
        _measuring.ask(throughput.memory(settings), settings.model_dump_json())
        return None
    rate = rates.get(throughput.expected(settings, rates)) or rates["float32"]
    n_test = settings.test_limit or sum(class_counts(settings.data, test=True).values())
    n_val, most = round(VAL_SHARE * n), settings.sample or n + n_test
    looks, each_look = min(settings.epochs, settings.max_checkpoints), min(n_val, settings.val_images_per_check)
    scored = min(n_val, most) + min(n_test, most)
    if not settings.scores_by_search:
        each_look += min(n - n_val, settings.val_images_per_check, TRAINING_IMAGES)
        scored += (looks + 1) * (min(n_val, HELD_OUT_FOLLOWED) + min(n_test, TEST_FOLLOWED))
    scored += looks * each_look
    if settings.scores_by_search and settings.fits_statistics:
        scored += mixtures.others_of(n - n_val, settings.most_statistics)
    seconds = START_UP_S + (n - n_val) * settings.epochs / rate + scored / rates["score"]
    if rates["fit"]:
        seconds += mixtures.expected_seconds(n - n_val, rates["fit"])
    if rates.get("learn"):
        steps = transforms.steps(n - n_val, settings.epochs, settings.batch_size)
        seconds += steps * transforms.BATCH / rates["learn"]
    return Estimate(seconds=seconds, rate=rate, images=n)


def scoring_ms(settings: Settings) -> float | None:
    """Milliseconds to score one image of many on this machine, as it was measured once; None until it is."""
    rates = throughput.recall(settings)
    return 1000 / rates["score"] if rates and rates.get("score") else None


def measure(settings_json: str) -> None:
    """Measure the speed of these settings and remember it."""
    saved = json.loads(settings_json)
    throughput.known(resolve(saved.pop("method"), saved.pop("preset"), **saved))
