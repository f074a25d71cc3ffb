"""The shelf of shipped runs: finished runs made small, and a README that says what each is.

Weights lie there in fewer bytes (`runs.small_weights`) where that leaves the AUROC alone, and the scores beside them are those of the
weights as they lie there. Latent vectors stay at home, and with a light run the reconstructions: its net makes them anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganad.bench import method_pages
from ganad.bench.quality import ALL, Job, finished, settings
from ganad.config import FALSE_ALARMS, METHOD_NAMES
from ganad.data import sources
from ganad.errors import RunError
from ganad.evaluation import metrics, projection, thresholds
from ganad.runs import checkpoint, history, run_directory, small_weights
from ganad.scoring import baselines
from ganad.system import files
from ganad.training import run_training

GREYS = 16
"""Shipped reconstructions are rounded to steps of so many of 255 greys: a quarter of the size, and hardly an eye sees it."""
THIRD_DIGIT, SEARCHED = 5e-4, 5e-3
"""How much the AUROC may change through fewer bytes: without a search, and with one, which magnifies rounding errors."""
STILLS, LINES = 2, 25
"""Pictures and logged steps of the training that are kept."""


def ship(run: Path, name: str, *, light: bool = False, nets: bool = True) -> Path:
    """Copy a finished run to the shelf under a name, small. Raises RunError if the run is not finished.

    nets: without them it ships what the run says and nothing to judge with, for nets that would outweigh the shelf.
    """
    if run_directory.status(run).state != "finished":
        raise RunError(f"{run.name} is not finished, so there is nothing to ship.")
    target = run_directory.shelf() / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in ("config.json", "meta.json", "report.json", "scores.npz", "reconstructions.npz", "log.txt"):
        shutil.copy(run / file, target / file)  # without the run's checksums: all of these are made smaller below
    _keep_some(run, target)
    status = run_directory.read_status(run)
    kept = ("state", "epoch", "epochs", "step", "total", "seconds")
    run_directory.write_json(target / "status.json", {k: getattr(status, k) for k in kept})
    if nets and not shrink_weights(run, target):
        shutil.copy(run / "weights.safetensors", target / "weights.safetensors")
    with np.load(target / "scores.npz", allow_pickle=False) as file:
        arrays = {k: _small(k, file[k]) for k in file.files if not k.endswith("_z")}
    with run_directory.replaced(target / "scores.npz") as out:
        np.savez_compressed(out, **arrays)
    _tighten(target / "scores.npz")
    files.record_checksums(target, run_directory.CHECKED)
    _report_again(target)
    pictures = {which: run_directory.read_reconstructions(target, which) for which in ("val", "test")}
    (target / "reconstructions.npz").unlink()
    if name in WITH_HISTORY:
        _keep_history(run, target)
    if not light:
        run_directory.write_reconstructions(target, **{k: coarse(v) for k, v in pictures.items() if v is not None})
        _tighten(target / "reconstructions.npz")
    files.record_checksums(target, run_directory.CHECKED)
    write_readme()
    method_pages.write()
    return target


WITH_HISTORY = ("ganomaly-n8", "egbad-n8", "ganomaly-all-but-8")
"""Shipped runs that one can watch learn: a quarter of a megabyte each."""


def _keep_history(run: Path, target: Path) -> None:
    """The history with codes already projected, coarse pictures of the probe images beside each epoch, and an end that says what the smaller weights say."""
    kept = history.read(run)
    if kept is None or kept.z is None:
        return
    pictures = run_directory.samples(run)
    scores, sets = run_directory.read_scores(target), ((kept.held_out, "val"), (~kept.held_out, "test"))
    parts = {part: _small(part, values) for part, values in kept.parts.items()}
    for rows, which in sets:
        for part, values in parts.items():
            values[-1, rows] = getattr(scores, which).parts[part][kept.row[rows]]
    drawn = [run_directory.read_probe(pictures[int(e)])[1] for e in kept.epoch]
    history.write(
        target,
        replace(
            kept,
            z=None,
            places=projection.project_epochs(kept.z, kept.held_out).astype(np.float16),
            drawn=coarse(np.stack(drawn)),
            parts=parts,
        ),
    )


def shrink_weights(run: Path, target: Path) -> bool:
    """Put the run's weights into target in fewer bytes, with what they say then. False if the AUROC changes."""

    settings = run_directory.settings(run)
    method = checkpoint.load_method(run)
    state = small_weights.shrink(method.scoring_state())
    method.load_scoring_state(small_weights.widen(state))
    with torch.no_grad():
        auroc = run_training.score_and_report(target, method, sources.split(sources.load(settings.data), settings))
    most = SEARCHED if hasattr(method, "search") else THIRD_DIGIT
    if abs(auroc - run_directory.read_json(run / "report.json")["auroc"]) >= most:
        for file in ("report.json", "scores.npz", "reconstructions.npz"):
            shutil.copy(run / file, target / file)
        return False
    checkpoint.save_tensors(target, state)
    return True


def fill(preset: str = "tuned") -> list[Path]:
    """Ship seed 0 of every finished run with one normal digit, and each method's nine-normal run whose anomaly is the 8.

    GANomaly's run on 8, the first to be seen, is whole, the others are light. The baselines of one normal digit go with them. Returns what was shipped.
    """

    shipped = []
    (run_directory.shelf() / baselines.FOLDER).mkdir(exist_ok=True)
    for name in baselines.NAMES:
        for digit in ALL:
            baselines.scores(name, (digit,))
            for file in (run_directory.root() / baselines.FOLDER).glob(f"{name}-{digit}-*.npy"):
                shutil.copy(file, run_directory.shelf() / baselines.FOLDER / file.name)
    for method in METHOD_NAMES:
        for digit in ALL:
            run = finished(settings(Job("B", method, digit, 0), preset))
            if run is not None:
                shipped.append(ship(run, f"{method}-n{digit}", light=(method, digit) != ("ganomaly", 8)))
        run = finished(settings(Job("A", method, 8, 0), preset))
        if run is not None:
            shipped.append(ship(run, f"{method}-all-but-8", light=True))
    return shipped


def _tighten(npz: Path) -> None:
    """The same arrays, packed by LZMA: a fifth smaller than as NumPy packs them, which reads both."""
    packed = io.BytesIO()
    with zipfile.ZipFile(npz) as before, zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as after:
        for entry in before.infolist():
            after.writestr(entry.filename, before.read(entry))
    with run_directory.replaced(npz) as out:
        out.write(packed.getvalue())


def _report_again(target: Path) -> None:
    """report.json from the parts as they lie on the shelf, so that both say the same to the last digit."""
    settings, scores = run_directory.settings(target), run_directory.read_scores(target)
    threshold = thresholds.threshold_for(metrics.total(scores.val.parts, settings.weights), FALSE_ALARMS)
    evaluation = metrics.evaluate(scores.test.parts, scores.test.digit, scores.normal, settings.weights, threshold)
    run_directory.write_json(target / "report.json", metrics.report(evaluation, settings.weights))


def _keep_some(run: Path, target: Path) -> None:
    """A few pictures of the training and a thinned log, the first and the last among them, every epoch's line too."""
    (target / "samples").mkdir()
    pictures = list(run_directory.samples(run).values())
    for i in np.unique(np.linspace(0, len(pictures) - 1, STILLS).round().astype(int)):
        shutil.copy(pictures[i], target / "samples" / pictures[i].name)
    rows = run_directory.read_metrics(run)
    steps = [i for i, row in enumerate(rows) if "val" not in row]
    keep = {steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, LINES).round().astype(int))} if steps else set()
    text = "".join(json.dumps(row) + "\n" for i, row in enumerate(rows) if "val" in row or i in keep)
    run_directory.write_text(target / "metrics.jsonl", text)


def _small(name: str, values: np.ndarray) -> np.ndarray:
    """Parts in single precision with 15 of 23 binary places (3e-5 of themselves), positions in few bytes."""
    if values.dtype.kind == "f":
        bits = values.astype(np.float32).view(np.uint32)
        return ((bits + 0x80) & 0xFFFFFF00).view(np.float32)
    return values.astype(np.uint8 if name.endswith("_digit") else np.int32)


def coarse(pictures: np.ndarray) -> np.ndarray:
    """uint8 pictures rounded to multiples of GREYS; the error is at most GREYS / 2."""
    return ((pictures.astype(np.int16) + GREYS // 2) // GREYS * GREYS).clip(0, 255).astype(np.uint8)


def write_readme() -> None:
    """checkpoints/README.md: what each shipped run is, what it reaches, and the command that repeats it."""
    runs = sorted(run_directory.listing(run_directory.shelf()))
    total = sum(_size(run) for run in runs)
    lines = [
        "# Shipped runs",
        "",
        "Trained by the commands beside them, last epoch, scored on official test images. The format is that of `runs/` (see [the",
        "run directory](../docs/adr/0001-one-run-one-directory.md)). Weights lie here in half precision, those of large layers in",
        "8 bits a number, where that leaves the third digit of the AUROC alone; the scores are those of the weights as they lie here. Runs without reconstructions let the net draw them anew.",
        "This page is written by `python -m ganad ship`; a test scores every one again on a sample, `python -m ganad bench quality --shelf`",
        f"all of them in full. {len(runs)} runs, {total:.1f} MB.",
        "",
        "| run | method | normal | AUROC | average precision | test images | seconds | MB | SHA-256 of the weights | command |",
        "|---|---|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for run in runs:
        settings, report = run_directory.settings(run), run_directory.read_json(run / "report.json")
        lines.append(
            f"| {run.name} | {METHOD_NAMES[settings.method]} {settings.preset} | {' '.join(map(str, settings.normal))} "
            f"| {report['auroc']:.4f} | {report['average_precision']:.4f} | {report['n_normal'] + report['n_anomalous']:,} "
            f"| {run_directory.read_status(run).seconds:.0f} | {_size(run):.1f} | {_digest(run)} "
            f"| `{run_directory.read_json(run / 'meta.json')['command']}` |"
        )
    run_directory.write_text(run_directory.shelf() / "README.md", "\n".join(lines) + "\n")


def _size(run: Path) -> float:
    return sum(p.stat().st_size for p in run.rglob("*") if p.is_file()) / 1e6


def _digest(run: Path) -> Any:
    path = run / "weights.safetensors"
    return f"`{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}`" if path.exists() else "shipped without"
