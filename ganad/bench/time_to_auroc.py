"""How long from Start until a detector is good? Training is timed, scoring is not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ganad.config import resolve
from ganad.data import sources
from ganad.evaluation import metrics
from ganad.models import build
from ganad.runs import checkpoint
from ganad.scoring.score import fit_statistics, score
from ganad.training import throughput
from ganad.training.loop import train

Log = Callable[[str], None]
Row = dict[str, Any]

SAMPLE = 2000
"""Test images that are scored at each look: the same ones always, each digit by its share."""


def reach(
    bars: Sequence[float], methods: Sequence[str], digits: Sequence[int], log: Log, *, every: int = 1, **asked: Any
) -> list[Row]:
    """Train each digit with the tuned preset until the mean AUROC over the digits is at least the highest of `bars`.

    The digits take turns, `every` epochs each and then a look, so all stop at the first look that is good enough. A row
    for each method and bar: {"name", "bar", "ours", "reference", "unit", "ratio", "epoch", "best", "looks"}. ours:
    seconds of training of one digit up to that epoch, mean over the digits; None if the preset's epochs do not suffice.
    reference: the first method's at the same bar, ratio: how often ours goes into that. best: the highest mean seen.
    looks: (epoch, seconds, mean AUROC) at each. asked: other settings.
    """
    rows: list[Row] = []
    for method in methods:
        log(f"{method} tuned, digits {', '.join(map(str, digits))} …")
        runs = [_looks(resolve(method, "tuned", normal=(d,), **({"sample": SAMPLE} | asked)), every) for d in digits]
        seen: list[tuple[int, float, float]] = []
        for now in zip(*runs, strict=True):
            epochs, seconds, aurocs = zip(*now, strict=True)
            seen.append((epochs[0], statistics.mean(seconds), statistics.mean(aurocs)))
            log(f"  epoch {epochs[0]}: {seen[-1][2]:.4f} after {seen[-1][1]:.1f} s")
            if seen[-1][2] >= max(bars):
                break
        for bar in sorted(set(bars)):
            epoch, ours = next(((e, s) for e, s, auroc in seen if auroc >= bar), (None, None))
            first = next((r["ours"] for r in rows if r["bar"] == bar), ours)
            rows.append({
                "name": f"mean AUROC {bar:g} over digits {', '.join(map(str, digits))}, {method} tuned", "bar": bar,
                "ours": ours, "reference": first, "unit": "s", "ratio": first / ours if first and ours else None,
                "epoch": epoch, "best": max(a for *_, a in seen), "looks": seen,
            })  # fmt: skip
    return rows


def _looks(settings: Any, every: int) -> Iterator[tuple[int, float, float]]:
    """(epoch, seconds of training so far, AUROC) after every so many epochs of a run, and after its last."""

    throughput.limit_threads()
    split = sources.split(sources.load(settings.data), settings)
    precision = throughput.number_format(settings)
    method = build(settings).to(checkpoint.pick_device())
    anomalous = ~np.isin(split.test.digit, settings.normal)
    seconds, began = 0.0, time.perf_counter()
    for step in train(
        method, split.train.images, epochs=settings.epochs, batch_size=settings.batch_size, seed=settings.seed,
        size=settings.image_size, precision=precision,
    ):  # fmt: skip
        if step.ends_epoch and (step.epoch % every == 0 or step.epoch == settings.epochs):
            seconds += time.perf_counter() - began
            began = time.perf_counter()
            fit_statistics(method, split.train.images)
            fit = time.perf_counter() - began  # once, wherever a training ends
            scored = score(method, split.test.images)
            total = metrics.total(scored.parts, settings.weights)
            yield step.epoch, seconds + fit, metrics.auroc(anomalous, total)
            method.train()
            began = time.perf_counter()


def reach_table(rows: list[Row]) -> str:
    """The rows of `reach` as a Markdown table."""
    lines = ["| what | seconds | epoch | best mean | times the first's speed |", "|---|---:|---:|---:|---:|"]
    for r in rows:
        seconds = "not reached" if r["ours"] is None else f"{r['ours']:,.1f}"
        ratio = "" if r["ratio"] is None else f"{r['ratio']:.2f}"
        lines.append(f"| {r['name']} | {seconds} | {r['epoch'] or ''} | {r['best']:.4f} | {ratio} |")
    return "\n".join(lines)
