"""One training from its directory: images, nets, the epochs, the scores, the report. Every file of the run is written here.

Importing this takes the seconds that torch takes, so `worker` does it when it may be interrupted.
"""

from __future__ import annotations

import functools
import io
import json
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganad.config import FALSE_ALARMS, command
from ganad.data import foreign, sources
from ganad.errors import RunError, Stopped, file_errors
from ganad.evaluation import metrics, thresholds
from ganad.models import Method, build
from ganad.runs import checkpoint, commands, epoch_nets, kept_states, run_directory
from ganad.scoring.score import ScoredBatch, fit_statistics, score, to_picture
from ganad.system import files
from ganad.training import throughput
from ganad.training.context import RunContext
from ganad.training.early_stopping import EarlyStopping
from ganad.training.epoch_keeper import EpochKeeper
from ganad.training.epoch_recorder import EpochRecorder
from ganad.training.length import TRAINING_IMAGES, steps_per_epoch
from ganad.training.loop import train
from ganad.training.steering import steer
from ganad.wording import plural

SAVE_S = 15.0
"""A state to resume from is saved at most so often, in seconds."""


def train_and_score(run: Path, context: RunContext) -> None:
    """Read the settings, load the images, build the nets or go on with saved ones, train, score, report.

    Raises Stopped when a stop was requested, and GanadError for what a user can mend.
    """
    settings = run_directory.settings(run)
    context.log(f"{command(settings)}")

    context.raise_if_stopped()

    context.heartbeat(doing="loading data")
    throughput.limit_threads()
    dataset = sources.load(settings.data)
    split = sources.split(dataset, settings)
    context.raise_if_stopped()
    device = checkpoint.pick_device()
    saved = checkpoint.load_state(run, device)
    context.heartbeat(doing="building the nets")
    precision = saved["precision"] if saved else throughput.number_format(settings)
    context.log(f"number format {precision}: {command(settings.model_copy(update={'precision': precision}))}")
    method = build(settings).to(device)
    if saved:
        advice = "Start a new run with the same settings, or remove the file to begin this one anew."
        with file_errors(f"state.pt of {run.name} does not fit its config.json", advice, RunError):
            method.load_training_state(saved["method"])
        context.log(f"resumed at step {saved['step']}")
    files.check_space(run, space_needed(method, split), f"{run.name}")
    _write_meta(run, method, dataset, split, device, precision)
    context.raise_if_stopped()
    per_epoch = steps_per_epoch(len(split.train.images), settings.batch_size)
    recorder = EpochRecorder(
        run, split, searches=settings.scores_by_search, epochs_done=saved["step"] // per_epoch if saved else 0
    )
    keeper = EpochKeeper(run, split, settings, probe_rows(split))
    early = EarlyStopping.of(run, dataset, split, settings)
    with context.listening(), context.uninterrupted():
        _train(run, context, method, split, saved, precision, recorder, keeper, early)
        _score(run, context, method, split, recorder, keeper)


def space_needed(method: Method, split: Any) -> int:
    """Bytes that a run may take on the disk: twice its state, those that it keeps, weights, pictures, and scores with reconstructions."""
    parameters, state = _parameters(method), state_bytes(method)
    images = len(split.val.images) + len(split.test.images)
    per_image = 28 * 28 + 8 * (len(method.settings.parts) + method.settings.latent)
    kept = min(kept_states.MOST, kept_states.MOST_BYTES // state, method.settings.epochs - 1) * state
    return 2 * state + kept + 4 * parameters + images * per_image + epoch_nets.MOST_BYTES + 10_000_000


def state_bytes(method: Method) -> int:
    """Bytes of one saved state, about: nets, Adam's two moments, averaged nets."""
    return 4 * _parameters(method) * (4 if method.settings.ema_decay else 3)


def _parameters(method: Method) -> int:
    return sum(p.numel() for net in method.networks().values() for p in net.parameters())


def _train(
    run: Path,
    context: RunContext,
    method: Method,
    split: Any,
    saved: dict[str, Any] | None,
    precision: str,
    recorder: EpochRecorder,
    keeper: EpochKeeper,
    early: EarlyStopping | None,
) -> None:
    """The epochs. Leaves metrics, pictures and states behind; a stop saves the very step it came at, and so does an early end."""
    settings = method.settings
    per_epoch = steps_per_epoch(len(split.train.images), settings.batch_size)
    total = per_epoch * settings.epochs
    done = saved["step"] if saved else 0
    spent = saved["seconds"] if saved else 0.0
    began, last_save = time.monotonic() - spent, time.monotonic()
    log_every = max(1, total // 1500)
    looked_at = set(settings.looked_at)
    keep_every = kept_states.stride(settings.epochs, settings.epochs_between_looks, state_bytes(method))
    probe = probe_images(split)
    run_directory.cut_metrics(run, done)
    kept_states.cut(run, done // per_epoch)
    with file_errors(f"samples of {run.name} cannot be written", "Free some space or allow writing there.", RunError):
        (run / "samples").mkdir(exist_ok=True)
    context.set_status(
        doing="training",
        step=done,
        total=total,
        epochs=settings.epochs,
        epoch=done // per_epoch + (done < total),
    )
    step_now = done
    epoch_images, epoch_began = 0, time.monotonic()

    def beat(_: int) -> None:
        context.heartbeat()

    def save() -> None:
        checkpoint.save_state(run, method, step=step_now, seconds=time.monotonic() - began, precision=precision)

    def keep(epoch: int) -> None:
        seconds = time.monotonic() - began
        checkpoint.keep_state(run, method, epoch=epoch, step=step_now, seconds=seconds, precision=precision)

    try:
        with open(run / "metrics.jsonl", "a", buffering=1, encoding="utf-8") as log:
            if not run_directory.samples(run):
                _draw(run, 0, probe, _shown(method, probe, beat)[0])
                method.train()
            for step in train(
                method, split.train.images, epochs=settings.epochs, batch_size=settings.batch_size, seed=settings.seed,
                size=settings.image_size, precision=precision, start=done,
                on_epoch=lambda epoch, begins: steer(run, context, method, settings, epoch, begins=begins),
            ):  # fmt: skip
                step_now = step.number
                epoch_images += step.images
                rate = epoch_images / max(time.monotonic() - epoch_began, 1e-9)
                if step.number % log_every == 0 or step.ends_epoch:
                    log.write(json.dumps({"step": step.number, "epoch": step.epoch, **_rounded(step.scalars)}) + "\n")
                if step.ends_epoch and step.epoch in looked_at:
                    is_last = step.epoch == settings.epochs
                    row = {"step": step.number, "epoch": step.epoch} | look(method, split, beat, is_last=is_last)
                    row |= {
                        "seconds": round(time.monotonic() - began, 2),
                        "images_per_second": round(rate, 1),
                    }
                    if early and (judged := early.objective(method, beat)) is not None:
                        row["objective"] = judged
                    log.write(json.dumps(row) + "\n")
                    picture, shown = _shown(method, probe, beat)
                    _draw(run, step.epoch, probe, picture)
                    recorder.record(method, step.epoch, beat)
                    keeper.keep(method, step.epoch, shown, beat)
                    method.train()
                    if keep_every and step.epoch % keep_every == 0 and step.epoch < settings.epochs:
                        keep(step.epoch)
                    if time.monotonic() - last_save > SAVE_S or step.number == total:
                        save()
                        last_save = time.monotonic()
                    context.log(f"epoch {step.epoch}: {rate:.0f} images/s, {_words(step.scalars)}")
                    if early and early.stops(step.epoch):
                        raise Stopped(
                            f"stopped early after epoch {step.epoch}: earlier trials of its study were better"
                        )
                if step.ends_epoch:
                    epoch_images, epoch_began = 0, time.monotonic()
                context.heartbeat(step=step.number, epoch=step.epoch, rate=rate, seconds=time.monotonic() - began)
    except Stopped:
        save()
        raise
    if late := commands.forget_asked(run):
        context.log(f"{plural(late, 'change')} came too late: the last epoch had begun")
    context.set_status(step=total, epoch=settings.epochs, seconds=time.monotonic() - began)


def look(
    method: Method, split: Any, beat: Callable[[int], None] = lambda done: None, *, is_last: bool = True
) -> dict[str, Any]:
    """What a line of an epoch says of the nets, over at most settings.val_images_per_check images of each kind.

    val: mean of each part over held-out normals. train: over training images as they are, not varied; for a method that searches, which takes long, at
    the last epoch alone. spread: variance of the held-out normals' reconstructions from image to image, as a share of that of the images.
    """
    settings = method.settings
    held_out = split.val.images[: settings.val_images_per_check]
    scored = score(method, held_out, on_batch=beat)
    row: dict[str, Any] = {"val": _means(scored.parts)}
    if varied := float(held_out.var(axis=0).mean()):
        row["spread"] = round(float(scored.reconstruction.var(axis=0).mean()) / varied, 4)
    if is_last or not settings.scores_by_search:
        n = min(len(split.train.images), settings.val_images_per_check, TRAINING_IMAGES)
        at = np.linspace(0, len(split.train.images) - 1, n).astype(int)
        row["train"] = _means(score(method, split.train.images[at], on_batch=beat).parts)
    return row


def _means(parts: dict[str, np.ndarray]) -> dict[str, float]:
    return {part: float(values.mean()) for part, values in parts.items()}


def _score(
    run: Path, context: RunContext, method: Method, split: Any, recorder: EpochRecorder, keeper: EpochKeeper
) -> None:
    """The last word: weights, and what they say."""

    method.eval()
    settings = method.settings
    if settings.fits_statistics:
        context.heartbeat(doing="fitting what the score adds")
    fit_statistics(method, split.train.images, context.heartbeat)
    checkpoint.save_weights(run, method)
    recorder.record(method, method.settings.epochs, lambda _: context.heartbeat(), is_finished=True)
    keeper.keep(method, method.settings.epochs, None, lambda _: context.heartbeat(), is_finished=True)
    counts = {"val": len(split.val.images), "test": len(split.test.images)}
    auroc = score_and_report(
        run,
        method,
        split,
        lambda name, done: context.heartbeat(doing=f"scoring {name} images, {done} of {counts[name]}"),
    )
    context.log(f"AUROC {auroc:.4f} on {counts['test']} test images")


def score_and_report(
    run: Path, method: Method, split: Any, on_progress: Callable[[str, int], None] = lambda name, done: None
) -> float:
    """Parts and reconstructions of val and test, and the report at the default weights; returns its AUROC.

    on_progress is called with the set that is being scored and how many of its images are done.
    """

    sets, pictures = {}, {}
    for name, images in (("val", split.val), ("test", split.test)):
        scored = score(method, images.images, on_batch=functools.partial(on_progress, name))
        sets[name] = scored.parts | {"z": scored.z, "digit": images.digit, "index": images.index}
        pictures[name] = scored.reconstruction
    run_directory.write_reconstructions(run, **pictures)
    weights = method.settings.weights
    threshold = thresholds.threshold_for(metrics.total(sets["val"], weights), FALSE_ALARMS)
    result = metrics.evaluate(
        sets["test"], split.test.digit, method.settings.normal, weights, threshold,
        held_out=len(split.val.images), false_alarms=FALSE_ALARMS,
    )  # fmt: skip
    run_directory.write_json(run / "report.json", metrics.report(result, weights))
    run_directory.write_scores(run, sets)
    return result.auroc


def probe_images(split: Any) -> Any:
    """(10 or so, 28, 28) uint8: one fixed test image a digit, normal ones first. Only looked at, never learned from."""

    return split.test.images[probe_rows(split)]


def probe_rows(split: Any) -> list[int]:
    """Their positions in the test images."""
    digits = split.test.digit
    first = [int(np.argmax(digits == d)) for d in np.unique(digits)]
    normal = set(np.unique(split.train.digit).tolist())
    return sorted(first, key=lambda i: (int(digits[i]) not in normal, int(digits[i])))


def _shown(method: Method, probe: Any, beat: Callable[[int], None]) -> tuple[Any, ScoredBatch | None]:
    """What stands below the probe digits: their reconstructions, with all that was said of them, or generated images in a phase that has none yet."""
    generated = method.eval().generated(len(probe))
    if generated is not None:
        return to_picture(generated), None
    scored = score(method, probe, on_batch=beat)
    return scored.reconstruction, scored


def _draw(run: Path, epoch: int, probe: Any, shown: Any) -> None:
    """The probe digits above what is shown of them, as the picture of an epoch."""
    picture = np.concatenate([np.concatenate(list(probe), axis=1), np.concatenate(list(shown), axis=1)])
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    with run_directory.replaced(run / "samples" / f"{epoch:05d}.png") as out:
        out.write(file.getvalue())


def _write_meta(run: Path, method: Method, dataset: Any, split: Any, device: Any, precision: str) -> None:

    run_directory.write_json(
        run / "meta.json",
        {
            "command": command(method.settings.model_copy(update={"precision": precision})),
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "numpy": np.__version__,
            },
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "threads": torch.get_num_threads(),
            "precision": precision,
            "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in method.networks().items()},
            "data": {
                "source": dataset.source,
                "fingerprint": dataset.fingerprint,
                "classes": list(method.settings.class_names or dataset.classes),
                "preparation": dataset.preparation,
                "train": len(split.train.images),
                "val": len(split.val.images),
                "test": len(split.test.images),
            }
            | _foreign(split, dataset, method.settings)
            | _originals(method.settings.normal, dataset, split),
            "commit": _commit(),
        },
    )


def _foreign(split: Any, dataset: Any, settings: Any) -> dict[str, Any]:
    """Which training images look like those of other classes, for the doctor; empty where there are none to compare with."""
    checked = foreign.check(dataset.train, split, settings.normal)
    return {} if checked is None else {"looked_at": checked[0], "foreign": checked[1].tolist()}


def _originals(normal: tuple[int, ...], dataset: Any, split: Any) -> dict[str, Any]:
    """How many originals the normal images of each part come from, where they are variants of few; a test image is its own."""
    if dataset.originals is None:
        return {}
    counts = {}
    for name, images in (("train", split.train), ("val", split.val)):
        number = dataset.originals.number[images.index[np.isin(images.digit, normal)]]
        if not (number >= 0).all():
            return {}
        counts[name] = len(np.unique(number))
    return {"originals": counts | {"test": int(np.isin(split.test.digit, normal).sum())}}


def _commit() -> str | None:
    try:
        git = subprocess.run(
            ["git", "-C", str(run_directory.HOME), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return git.stdout.strip() or None if git.returncode == 0 else None


def _rounded(scalars: dict[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.5g}") for name, value in scalars.items()}


def _words(scalars: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scalars.items() if name.startswith("loss/"))
