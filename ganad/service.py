"""The only door of pages and command line: plain values in, plain values out.

Torch and scikit-learn are imported inside the functions that need them, so that a page opens at once.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ganad.config import (
    FALSE_ALARMS,
    METHOD_NAMES,
    PARTS,
    VAL_SHARE,
    Settings,
    check_weights,
    command,
    resolve,
)
from ganad.data import preprocess, sources
from ganad.errors import DataError, GanadError, RunError, file_errors
from ganad.evaluation import metrics, thresholds
from ganad.evaluation.scores import ScoredImages, Scores
from ganad.runs import archive, run_directory, uploads
from ganad.scoring import attribution, baselines
from ganad.system import access, limits, paths, shared_cache
from ganad.training import jobs, measure_queue, throughput

START_UP_S = 4.0
"""What a worker needs before its first step: Python, torch, the data."""


@dataclass(frozen=True)
class RunInfo:
    """A run as a list or a picker shows it."""

    name: str
    label: str
    short: str
    shipped: bool
    settings: Settings
    status: run_directory.Status
    report: dict[str, Any] | None
    command: str
    note: str = ""
    damage: str | None = None
    """What of its files is damaged and what can be done, where the run can be listed all the same."""

    @property
    def state(self) -> str:
        return self.status.state

    @property
    def method(self) -> str:
        return self.settings.method

    @property
    def normal(self) -> tuple[int, ...]:
        return self.settings.normal

    @property
    def weights(self) -> tuple[float, float, float]:
        return self.settings.weights

    @property
    def at_work(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def seconds_left(self) -> float | None:
        """Of training alone, at the present speed; None while it cannot be said."""
        s = self.status
        if not s.step or not s.seconds or s.state != "running":
            return None
        return s.seconds / s.step * (s.total - s.step)


def digits_in_words(digits: Sequence[int]) -> str:
    """(3,) -> "3", (3, 8) -> "3 and 8", (1, 2, 3) -> "1, 2 and 3"."""
    *first, last = map(str, digits)
    return f"{', '.join(first)} and {last}" if first else last


def list_runs() -> list[RunInfo]:
    """The user's runs, newest first, then the shipped ones, whole before light. `damaged_runs` has what cannot be read."""
    jobs.reap()
    own, shipped = _readable(run_directory.root()), _readable(run_directory.shelf())
    return own + sorted(shipped, key=_place_on_shelf)


def damaged_runs() -> list[tuple[str, str]]:
    """Name of each run that cannot even be listed, and what is wrong with it in a sentence."""
    found = []
    for folder in (run_directory.root(), run_directory.shelf()):
        for run in run_directory.listing(folder):
            try:
                _info(run)
            except GanadError as error:
                found.append((run.name, str(error)))
    return found


def _readable(folder: Path) -> list[RunInfo]:
    found = []
    for run in run_directory.listing(folder):
        with contextlib.suppress(GanadError):
            found.append(_info(run))
    return found


def _place_on_shelf(run: RunInfo) -> tuple[bool, int, int, str]:
    """Runs that open without a net first, the others by method and digit."""
    light = not (run_directory.shelf() / run.name / "reconstructions.npz").exists() or run.settings.preset != "tuned"
    return light, list(METHOD_NAMES).index(run.method), len(run.normal), run.name


def run_info(name: str) -> RunInfo:
    """Raises RunError if there is no such run."""
    jobs.reap()
    return _info(run_directory.find(name))


def _info(run: Path) -> RunInfo:
    """How a run stands. What its files say is read again only when one of them has changed: many sessions ask, every second."""
    read = _read_files(
        run, run.parent.resolve() == run_directory.shelf().resolve(), tuple(_stamp(run / name) for name in _LISTED)
    )
    return replace(read, status=run_directory.status(run)) if read.status.state not in run_directory.ENDED else read


_LISTED = ("config.json", "status.json", "report.json", "meta.json", "note.txt")
"""Files that a list of runs shows something of."""


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Changes whenever a file is replaced or written to."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


@functools.lru_cache(maxsize=2000)
def _read_files(run: Path, shipped: bool, stamps: tuple[tuple[int, ...] | None, ...]) -> RunInfo:
    settings = run_directory.settings(run)
    method = METHOD_NAMES[settings.method]
    label = f"{method} · normal {digits_in_words(settings.normal)}"
    label += f" · {settings.name}" if settings.name else f" · {settings.preset} · seed {settings.seed}"
    short = settings.name or f"{method} · {''.join(map(str, settings.normal))}"
    damage, report, note = [], None, ""
    try:
        report = run_directory.read_report(run)
    except RunError as error:
        damage.append(f"{error} `python -m ganad evaluate {run.name}` computes it from the scores.")
    try:
        note = run_directory.note(run)
    except RunError as error:
        damage.append(str(error))
    used = settings
    try:
        used = _as_trained(run, settings)
    except RunError as error:
        damage.append(str(error))
    return RunInfo(
        name=run.name,
        label=label,
        short=f"{short} · shipped" if shipped else f"{run.name[:4]} {short}",
        shipped=shipped,
        settings=settings,
        status=run_directory.status(run),
        report=report,
        command=command(used),
        note=note,
        damage=" ".join(damage) or None,
    )


def _as_trained(run: Path, settings: Settings) -> Settings:
    """The settings with the number format that "auto" came to, once the run has begun: on another machine it may be the other."""
    used = run_directory.read_meta(run).get("precision")
    return settings.model_copy(update={"precision": used}) if used in ("float32", "bf16") else settings


# --- keeping order ---------------------------------------------------------------------------------------------


def rename(name: str, own: str) -> None:
    """Call a run by a name of one's own; an empty one takes it away."""
    access.allow("naming runs")
    run_directory.rename(run_directory.find(name), own)


def write_note(name: str, text: str) -> None:
    """Replace the note of a run."""
    access.allow("writing notes")
    run_directory.write_note(run_directory.find(name), text)


def trash(name: str) -> str:
    """Move a run into the trash; returns what `take_back` wants.

    Raises RunError for one that is at work, shipped, or not in the folder of runs.
    """
    access.allow("throwing runs away")
    run = run_directory.find(name)
    if run.parent not in (run_directory.root().resolve(), run_directory.shelf().resolve()):
        raise RunError(
            f"{run} is not in your folder of runs, {run_directory.root()}, which has the trash. Remove it by hand."
        )
    return run_directory.move_to_trash(run)


def thrown_away() -> list[str]:
    """What is in the trash, the last thrown first."""
    return run_directory.thrown_away()


def in_trash(name: str) -> str:
    """A run in the trash by its name or number; of several the one that was thrown last. Raises RunError if none is."""
    asked, thrown = Path(name).name, run_directory.thrown_away()
    number = f"{int(asked):04d}-" if re.fullmatch(r"[0-9]{1,6}", asked) else None
    for there in thrown:
        if asked in (there, there.rpartition("~")[0]) or (number and there.startswith(number)):
            return there
    there = f"There are: {', '.join(thrown[:8])}{' …' if len(thrown) > 8 else ''}." if thrown else "It is empty."
    raise RunError(f"There is no run {name!r} in the trash. {there}")


def restore(name: str) -> str:
    """Bring a run back out of the trash; returns its name."""
    access.allow("taking runs out of the trash")
    return run_directory.restore(name)


def trash_bytes() -> int:
    """Bytes of the runs in the trash."""
    return _bytes_in(run_directory.trash())


def empty_trash() -> int:
    """Remove for good what lies in the trash; returns how many runs that were."""
    access.allow("emptying the trash")
    return run_directory.empty_trash()


def packed(name: str) -> bytes:
    """A run as a zip file."""
    return archive.pack(run_directory.find(name))


def unpacked(parcel: Any) -> str:
    """A new run out of a zip file (open, or its bytes); returns its name. Raises RunError, and then leaves nothing."""
    access.allow("importing runs")
    size = len(parcel) if isinstance(parcel, bytes) else parcel.seek(0, os.SEEK_END)
    access.check_upload(size)
    with _room(size):
        return archive.unpack(parcel).name


@contextlib.contextmanager
def _room(more: int = 0) -> Iterator[None]:
    """Hold the folder of runs to its quota: one visitor at a time looks whether there is room and takes it."""
    import filelock

    with file_errors("The folder of runs cannot be written", "Look at the disk.", RunError):
        run_directory.root().mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(run_directory.root() / ".quota.lock")
        lock.acquire()
    try:
        _check_space(more)
        yield
    finally:
        lock.release()


def _check_space(more: int = 0) -> None:
    if access.quota("GANAD_MAX_RUNS_BYTES") is not None:  # else nothing is counted
        # Everything counts: runs, trash, uploads, what was measured.
        access.check_space(_bytes_in(run_directory.root()), more)


def _bytes_in(top: Path) -> int:
    """Bytes of every file below a folder; 0 where there is none."""
    total = 0
    for folder, _, names in os.walk(top):
        for name in names:
            with contextlib.suppress(OSError):  # it went away in the meantime
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


# --- training --------------------------------------------------------------------------------------------------


def start(settings: Settings) -> str:
    """Train in the background; returns the run's name. Raises DataError at once when the data cannot be used."""
    access.allow("training")
    if settings.data:
        settings = settings.model_copy(update={"data": data_path(settings.data)})
    check_data(settings)
    with _room():
        access.check_queue(_waiting())
        return jobs.start(settings).name


def _waiting() -> int:
    return sum(r.state == "queued" for r in _readable(run_directory.root()))


def check_data(settings: Settings, *, hand_over: bool = False) -> None:
    """Raises DataError when a run with these settings could not use its data.

    hand_over: the run is trained by this very process, which is not to read the same files twice.
    """
    found = sources.load(settings.data) if settings.data or hand_over else _dataset(None)
    sources.split(found, settings)
    if hand_over:
        sources.hand_over(settings.data, found)


def stop(name: str) -> None:
    """Ask a run to stop; returns at once. It obeys within two seconds, or is killed after fifteen."""
    access.allow("stopping runs")
    jobs.stop(run_directory.find(name))


def resume(name: str) -> None:
    """Let a stopped or failed run go on. Raises RunError when there is nothing to resume."""
    access.allow("training")
    run = run_directory.find(name)
    _data_of(run)
    with _room():
        access.check_queue(_waiting())
        jobs.resume(run)


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
    n = min(n, settings.limit or n)
    rates = throughput.recall(settings)
    if rates is None:
        _measuring.ask(throughput.memory(settings), settings.model_dump_json())
        return None
    rate = rates.get(throughput.expected(settings, rates)) or rates["float32"]
    n_test = settings.test_limit or sum(class_counts(settings.data, test=True).values())
    n_val, most = round(VAL_SHARE * n), settings.sample or n + n_test
    looks = min(settings.epochs, settings.max_checkpoints) * min(n_val, settings.val_images_per_check)
    scored = looks + min(n_val, most) + min(n_test, most)
    seconds = START_UP_S + (n - n_val) * settings.epochs / rate + scored / rates["score"]
    return Estimate(seconds=seconds, rate=rate, images=n)


def scoring_ms(settings: Settings) -> float | None:
    """Milliseconds to score one image of many on this machine, as it was measured once; None until it is."""
    rates = throughput.recall(settings)
    return 1000 / rates["score"] if rates and rates.get("score") else None


# --- data ------------------------------------------------------------------------------------------------------


def data_path(path: str) -> str:
    """The whole path of own images, as runs name it. Raises GanadError for one that this server does not read."""
    access.allow("reading own images")
    paths.typed(path)  # refuses what can be no path; a relative one begins at GANAD_DATA, so it is resolved below
    return access.data_path(path, uploads.folder())


def upload(files: Sequence[tuple[str, IO[bytes]]]) -> str:
    """Keep own images that came through the browser, (name, open file) each; returns the path that a run can name.

    Raises GanadError for what cannot be used or is too much, and then leaves nothing.
    """
    access.allow("uploading images")
    access.check_upload(sum(file.seek(0, os.SEEK_END) for _, file in files))
    _check_space()
    return str(uploads.keep_upload(files, _check_space))


def _typed(path: str | None) -> str | None:
    return data_path(path) if path else None


def _data_of(run: Path) -> str | None:
    """Where the images of a run lie, if this server reads them: a run may come from anybody, and name any path."""
    return _readable_path(run_directory.settings(run).data)


def _readable_path(path: str | None) -> str | None:
    return access.data_path(path, uploads.folder()) if path else None


@shared_cache.remembered
def _dataset(path: str | None) -> sources.Dataset:
    return sources.load(path)


@shared_cache.remembered
def _test_images(path: str | None) -> sources.Images:
    return sources.load_test(path)


def class_counts(path: str | None = None, test: bool = False) -> dict[int, int]:
    """digit -> number of its images in the training (or test) file."""
    return _class_counts(_typed(path), test)


@shared_cache.remembered
def _class_counts(path: str | None, test: bool) -> dict[int, int]:
    digit = _test_images(path).digit if test else _dataset(path).train.digit
    return {d: int((digit == d).sum()) for d in range(10)}


def examples(path: str | None = None) -> np.ndarray:
    """(10, 28, 28) uint8: one test image of each digit, 0 to 9; empty where the data have none."""
    images = _test_images(_typed(path))
    first = {d: np.flatnonzero(images.digit == d)[:1] for d in range(10)}
    blank = np.zeros((28, 28), dtype=np.uint8)
    return np.stack([images.images[at[0]] if len(at) else blank for at in first.values()])


# --- what a run says -------------------------------------------------------------------------------------------


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
    return _same_images(run, _test_images(_data_of(run)), run_directory.read_scores(run).test)


def _same_images(run: Path, now: sources.Images, scored: ScoredImages, rows: np.ndarray | None = None) -> np.ndarray:
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


def reconstruct(name: str, images: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8 -> (N, 28, 28) uint8 by the net itself."""
    from ganad.scoring.score import score

    return score(method(name), images).reconstruction


@dataclass(frozen=True)
class Explanation:
    """What the net makes of one image."""

    reconstruction: np.ndarray  # (28, 28) uint8
    pixels: attribution.Pixels


def look(name: str, image: np.ndarray) -> Explanation:
    """One (28, 28) uint8 image through the net. Raises RunError if the run has no weights."""
    from ganad.scoring.score import score

    net = method(name)
    made = score(net, image[None], pixels=True)
    pixels = attribution.Pixels(made.pixels[0], float(made.outside[0]), net.settings.image_size, exact=True)
    return Explanation(made.reconstruction[0], pixels)


def codes(name: str) -> tuple[np.ndarray, np.ndarray]:
    """z of the held-out normals and of the test images, (n, nz) and (m, nz) float32, in the order of the run's scores.

    From scores.npz where they were kept, else from the net: seconds, for AnoGAN, which searches each, a minute or so.
    Raises RunError for a run without weights.
    """
    from ganad.scoring.score import score

    found = scores(name)
    if found.test.z.shape[1]:
        return found.val.z, found.test.z
    held_out = held_out_images(name, range(len(found.val)))
    net = method(name)
    return score(net, held_out).z, score(net, test_images(name)).z


def held_out_images(name: str, rows: Sequence[int]) -> np.ndarray:
    """(len(rows), 28, 28) uint8: some of the run's held-out normals, by their row in its scores."""
    run = run_directory.find(name)
    train = _dataset(_data_of(run)).train
    return _same_images(run, train, run_directory.read_scores(run).val, np.asarray(rows, dtype=int))


def reference_anomalies(name: str) -> dict[str, np.ndarray]:
    """part -> (n,) of a fixed sample of *training* images of the digits that are not normal, as many of each.

    For whatever is chosen with anomalies and must not be chosen on the test set. The net has never seen them. Raises
    RunError for a run without weights.
    """
    from ganad.scoring.score import score

    settings = run_info(name).settings
    train, rng = _dataset(_data_of(run_directory.find(name))).train, np.random.default_rng(0)
    others = [d for d in range(10) if d not in settings.normal and (train.digit == d).any()]
    if not others:
        raise RunError("Every digit is normal here, so there is no anomaly among the training images.")
    each = max(1, settings.reference_anomalies // len(others))
    rows = np.concatenate([rng.permutation(np.flatnonzero(train.digit == d))[:each] for d in others])
    made = score(method(name), train.images[rows])
    return {p: np.asarray(getattr(made, p)) for p in PARTS}


def rescore(name: str, rows: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """Parts of the run's test images (or of some rows of them), by the net itself instead of from scores.npz."""
    from ganad.scoring.score import score

    images = test_images(name)
    made = score(method(name), images if rows is None else images[np.asarray(rows)])
    return {p: np.asarray(getattr(made, p)) for p in PARTS}


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

    path = _readable_path(path)
    anomalous = ~np.isin(_test_images(path).digit, list(normal))
    made = []
    for name, words in baselines.NAMES.items():
        score = baselines.scores(name, normal, path)
        fpr, tpr, _ = roc_curve(anomalous, score)
        made.append(BaselineCurve(words, fpr, tpr, metrics.auroc(anomalous, score)))
    return made


def evaluate_run(
    name: str, weights: Sequence[float] | None = None, at: float | None = None
) -> tuple[metrics.Evaluation, tuple[float, float, float]]:
    """The test set under a weighting and a threshold; None means the run's own, and the usual 5 %."""
    found = scores(name)
    w = check_weights(tuple(weights)) if weights is not None else run_info(name).weights
    rate = None
    if at is None:
        at, rate = thresholds.threshold_for(metrics.total(found.val.parts, w)), FALSE_ALARMS
    judged = metrics.evaluate(
        found.test.parts, found.test.digit, found.normal, w, at, held_out=len(found.val), false_alarms=rate
    )
    return judged, w


def no_threshold(run: RunInfo) -> str:
    """Why a finished run calls nothing anomalous at the usual rate of false alarms; empty for one that has a threshold."""
    if run.report is None or run.report.get("threshold") is not None:
        return ""
    group = meta(run.name).get("data")
    held_out = group.get("val") if isinstance(group, dict) else None
    return thresholds.no_threshold(held_out if isinstance(held_out, int) else None, FALSE_ALARMS)


# --- new images ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImageScore:
    """What a run says of one new image."""

    score: float
    percentile: float  # share of held-out normal images that score lower, 0 to 100
    verdict: str  # "normal" or "anomalous"
    threshold: float  # infinite where there are too few held-out images for the rate of false alarms
    parts: dict[str, float]
    part_percentiles: dict[str, float]
    reconstruction: np.ndarray  # (28, 28) uint8
    pixels: attribution.Pixels
    z: np.ndarray  # (nz,)
    why: str = ""  # of an infinite threshold: one sentence with what to do


def method(name: str) -> Any:
    """The trained net of a run, frozen and folded; the last few are kept, so that a second image is judged at once."""
    run = run_directory.find(name)
    path = run / "weights.safetensors"
    return _method(str(run), path.stat().st_mtime_ns if path.exists() else 0)


@functools.lru_cache(maxsize=3)
def _method(run: str, version: int) -> Any:
    from ganad.runs.checkpoint import load_method

    throughput.limit_threads()  # two threads would wait for each other while a training has the other core
    return load_method(Path(run)).folded()


def score_images(
    name: str, images: np.ndarray, weights: Sequence[float] | None = None, false_alarms: float = FALSE_ALARMS
) -> list[ImageScore]:
    """Judge new images, (N, 28, 28) uint8, against the run's held-out normals.

    Raises RunError if the run has no weights or no scores yet.
    """
    from ganad.scoring.score import score

    val = scores(name).val.parts
    w = check_weights(tuple(weights)) if weights is not None else run_info(name).weights
    val_scores = metrics.total(val, w)
    at = thresholds.threshold_for(val_scores, false_alarms)
    why = thresholds.no_threshold(len(val_scores), false_alarms) if at == math.inf else ""
    net = method(name)
    made = score(net, images, pixels=True)
    parts = {p: np.asarray(getattr(made, p)) for p in PARTS}
    total = metrics.total(parts, w)
    percentiles = {p: metrics.percentile(parts[p], val[p]) for p in PARTS}
    return [
        ImageScore(
            score=float(total[i]),
            percentile=float(metrics.percentile(total[i], val_scores)),
            verdict="anomalous" if total[i] > at else "normal",
            threshold=at,
            parts={p: float(parts[p][i]) for p in PARTS},
            part_percentiles={p: float(percentiles[p][i]) for p in PARTS},
            reconstruction=made.reconstruction[i],
            pixels=attribution.Pixels(made.pixels[i], float(made.outside[i]), net.settings.image_size, exact=True),
            z=made.z[i],
            why=why,
        )
        for i in range(len(images))
    ]


@dataclass(frozen=True)
class Search:
    """AnoGAN's search for one image, step by step. T steps, the start among them; K of them as pictures."""

    score: np.ndarray  # (T,) of the best z so far; never rises
    paths: np.ndarray  # (T, R) where each path is; one that has stopped keeps its last
    shown: np.ndarray  # (K,) which steps have a picture
    frames: np.ndarray  # (K, 28, 28) uint8: G(z) of the best z so far


def search(name: str, image: np.ndarray, frames: int = 24) -> Search | None:
    """How an AnoGAN finds its z for one (28, 28) uint8 image; None for a method that does not search."""
    net = method(name)
    if not hasattr(net, "search"):
        return None
    import torch

    from ganad.scoring.score import to_input, to_picture

    x = to_input(image[None], net.settings.image_size, next(net.parameters()).device)
    looks = list(net.search(x))
    # Most happens at first, so the pictures stand close there.
    shown = np.unique(np.round(np.geomspace(1, len(looks), min(frames, len(looks)))).astype(int)) - 1
    drawn = to_picture(net.picture(torch.cat([looks[i].z for i in shown])))
    return Search(
        score=np.array([float(look.score[0]) for look in looks]),
        paths=np.stack([look.paths[0].double().cpu().numpy() for look in looks]),
        shown=shown,
        frames=drawn,
    )


def prepare_file(path: Path, raw: bool = False) -> preprocess.Prepared:
    """An image file as a 28x28 digit. Raises DataError naming the file."""
    path = paths.typed(path)
    return prepare_bytes(paths.contents(path, limits.PICTURE_BYTES, "picture"), path.name, raw)


def prepare_bytes(content: bytes, name: str, raw: bool = False) -> preprocess.Prepared:
    """The bytes of an image file as a 28x28 digit; raw: it is one already. Raises DataError naming the file."""
    grey = preprocess.read_image(content, name)
    try:
        return preprocess.as_given(grey) if raw else preprocess.prepare(grey)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def measure(settings_json: str) -> None:
    """Measure the speed of these settings and remember it."""
    saved = json.loads(settings_json)
    throughput.known(resolve(saved.pop("method"), saved.pop("preset"), **saved))
