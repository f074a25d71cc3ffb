"""Ship a finished run: copy what pages and a reader need, small, and keep the shelf's README true."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np

from ganad import runs
from ganad.config import METHOD_NAMES
from ganad.errors import RunError

GREYS = 8
"""Shipped reconstructions are rounded to steps of so many of 255 greys: a third of the size, and no eye sees it."""


def ship(run: Path, name: str) -> Path:
    """Copy a finished run to the shelf under a name. Latent vectors in half precision, pictures in 32 greys.

    Raises RunError if the run is not finished. Weights and parts are copied as they are.
    """
    if runs.status(run).state != "finished":
        raise RunError(f"{run.name} is not finished, so there is nothing to ship.")
    target = runs.shelf() / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in ("config.json", "meta.json", "metrics.jsonl", "report.json", "weights.safetensors", "log.txt"):
        shutil.copy(run / file, target / file)
    shutil.copytree(run / "samples", target / "samples")
    said = runs.read_status(run)
    kept = ("state", "epoch", "epochs", "step", "total", "seconds")
    runs.write_json(target / "status.json", {k: getattr(said, k) for k in kept})
    with np.load(run / "scores.npz", allow_pickle=False) as file:
        arrays = {k: file[k].astype(np.float16) if k.endswith("_z") else file[k] for k in file.files}
    with runs.replaced(target / "scores.npz") as out:
        np.savez_compressed(out, **arrays)
    made = {which: runs.read_reconstructions(run, which) for which in ("val", "test")}
    runs.write_reconstructions(target, **{k: coarse(v) for k, v in made.items() if v is not None})
    write_readme()
    return target


def coarse(pictures: np.ndarray) -> np.ndarray:
    """uint8 pictures rounded to multiples of GREYS; the error is at most GREYS / 2."""
    return ((pictures.astype(np.int16) + GREYS // 2) // GREYS * GREYS).clip(0, 255).astype(np.uint8)


def write_readme() -> None:
    """checkpoints/README.md: what each shipped run is, what it reaches, and the command that repeats it."""
    lines = [
        "# Shipped runs",
        "",
        "Trained by the commands beside them, last epoch, scored on the 10,000 official test images. The format is that of",
        "`runs/` (see [the run directory](../docs/adr/0001-one-run-one-directory.md)); latent vectors are kept in half",
        "precision and reconstructions in 32 greys. This page is written by `python -m ganad ship`; a test scores every one again.",
        "",
        "| run | method | normal | AUROC | average precision | seconds | MB | SHA-256 of the weights | command |",
        "|---|---|---|---:|---:|---:|---:|---|---|",
    ]
    for run in sorted(runs.listing(runs.shelf())):
        settings, report = runs.settings(run), runs.read_json(run / "report.json")
        size = sum(p.stat().st_size for p in run.rglob("*") if p.is_file()) / 1e6
        digest = hashlib.sha256((run / "weights.safetensors").read_bytes()).hexdigest()[:16]
        lines.append(
            f"| {run.name} | {METHOD_NAMES[settings.method]} {settings.preset} | {' '.join(map(str, settings.normal))} "
            f"| {report['auroc']:.4f} | {report['average_precision']:.4f} | {runs.read_status(run).seconds:.0f} "
            f"| {size:.1f} | `{digest}` | `{runs.read_json(run / 'meta.json')['command']}` |"
        )
    runs.write_text(runs.shelf() / "README.md", "\n".join(lines) + "\n")
