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
from ganad.data import sources
from ganad.errors import RunError, Stopped, file_errors
from ganad.evaluation import metrics, thresholds
from ganad.models import Method, build
from ganad.runs import checkpoint, run_directory
from ganad.scoring.score import fit_statistics, score, to_picture
from ganad.system import files
from ganad.training import throughput
from ganad.training.context import RunContext
from ganad.training.epoch_recorder import EpochRecorder
from ganad.training.length import steps_per_epoch
from ganad.training.loop import train

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
    if precision == "bf16":
        method = method.to(memory_format=torch.channels_last)
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
    with context.listening(), context.uninterrupted():
        _train(run, context, method, split, saved, precision, recorder)
        _score(run, context, method, split, recorder)


def space_needed(method: Method, split: Any) -> int:
    """Bytes that a run may take on the disk: twice its state, weights, pictures, and scores with reconstructions."""
    parameters = sum(p.numel() for net in method.networks().values() for p in net.parameters())
    state = 4 * parameters * (4 if method.settings.ema_decay else 3)  # nets, Adam's two moments, averaged nets
    images = len(split.val.images) + len(split.test.images)
    per_image = 28 * 28 + 8 * (len(method.settings.parts) + method.settings.latent)
    return 2 * state + 4 * parameters + images * per_image + 10_000_000


def _train(
    run: Path,
    context: RunContext,
    method: Method,
    split: Any,
    saved: dict[str, Any] | None,
    precision: str,
    recorder: EpochRecorder,
) -> None:
    """The epochs. Leaves metrics, pictures and states behind; a stop saves the very step it came at."""
    settings = method.settings
    per_epoch = steps_per_epoch(len(split.train.images), settings.batch_size)
    total = per_epoch * settings.epochs
    done = saved["step"] if saved else 0
    spent = saved["seconds"] if saved else 0.0
    began, last_save = time.monotonic() - spent, time.monotonic()
    log_every = max(1, total // 1500)
    stride = -(-settings.epochs // settings.max_checkpoints)
    probe = probe_images(split)
    run_directory.cut_metrics(run, done)
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

    try:
        with open(run / "metrics.jsonl", "a", buffering=1, encoding="utf-8") as log:
            if not run_directory.samples(run):
                _draw(run, 0, probe, _shown(method, probe, beat))
                method.train()
            for step in train(
                method, split.train.images, epochs=settings.epochs, batch_size=settings.batch_size, seed=settings.seed,
                size=settings.image_size, precision=precision, start=done,
            ):  # fmt: skip
                step_now = step.number
                epoch_images += step.images
                rate = epoch_images / max(time.monotonic() - epoch_began, 1e-9)
                if step.number % log_every == 0 or step.ends_epoch:
                    log.write(json.dumps({"step": step.number, "epoch": step.epoch, **_rounded(step.scalars)}) + "\n")
                if step.ends_epoch and (step.epoch % stride == 0 or step.epoch == settings.epochs):
                    row = {"step": step.number, "epoch": step.epoch, "val": _val(method, split, beat)}
                    row |= {
                        "seconds": round(time.monotonic() - began, 2),
                        "images_per_second": round(rate, 1),
                    }
                    log.write(json.dumps(row) + "\n")
                    _draw(run, step.epoch, probe, _shown(method, probe, beat))
                    recorder.record(method, step.epoch, beat)
                    method.train()
                    if time.monotonic() - last_save > SAVE_S or step.number == total:
                        save()
                        last_save = time.monotonic()
                    context.log(f"epoch {step.epoch}: {rate:.0f} images/s, {_words(step.scalars)}")
                if step.ends_epoch:
                    epoch_images, epoch_began = 0, time.monotonic()
                context.heartbeat(step=step.number, epoch=step.epoch, rate=rate, seconds=time.monotonic() - began)
    except Stopped:
        save()
        raise
    context.set_status(step=total, epoch=settings.epochs, seconds=time.monotonic() - began)


def _val(method: Method, split: Any, beat: Callable[[int], None]) -> dict[str, float]:
    """Mean of each part over (at most settings.val_images_per_check of) the held-out normals: do the nets still generalise?"""

    scored = score(method, split.val.images[: method.settings.val_images_per_check], on_batch=beat)
    return {part: float(values.mean()) for part, values in scored.parts.items()}


def _score(run: Path, context: RunContext, method: Method, split: Any, recorder: EpochRecorder) -> None:
    """The last word: weights, and what they say."""

    method.eval()
    if any(method.settings.latent_statistics):
        context.heartbeat(doing="fitting the density of codes")
    fit_statistics(method, split.train.images, context.heartbeat)
    checkpoint.save_weights(run, method)
    recorder.record(method, method.settings.epochs, lambda _: context.heartbeat(), is_finished=True)
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

    digits = split.test.digit
    first = [int(np.argmax(digits == d)) for d in np.unique(digits)]
    normal = set(np.unique(split.train.digit).tolist())
    return split.test.images[sorted(first, key=lambda i: (int(digits[i]) not in normal, int(digits[i])))]


def _shown(method: Method, probe: Any, beat: Callable[[int], None]) -> Any:
    """What stands below the probe digits: their reconstructions, or generated images in a phase that has none yet."""
    generated = method.eval().generated(len(probe))
    return score(method, probe, on_batch=beat).reconstruction if generated is None else to_picture(generated)


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
                "originals": _originals(method.settings.normal, dataset, split),
            },
            "commit": _commit(),
        },
    )


def _originals(normal: tuple[int, ...], dataset: Any, split: Any) -> dict[str, int] | None:
    """How many originals the normal images of each part come from, where they are variants of few; a test image is its own."""
    if dataset.originals is None:
        return None
    counts = {}
    for name, images in (("train", split.train), ("val", split.val)):
        number = dataset.originals.number[images.index[np.isin(images.digit, normal)]]
        if not (number >= 0).all():
            return None
        counts[name] = len(np.unique(number))
    return counts | {"test": int(np.isin(split.test.digit, normal).sum())}


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
