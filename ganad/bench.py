"""Speed and quality, rerun by one command. Speed is told as ratios: absolute times say more of the machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ganad import evaluate, runs, worker
from ganad.config import resolve
from ganad.errors import RunError

Say = Callable[[str], None]


def speed(say: Say, rounds: int = 7) -> list[dict[str, Any]]:
    """Rows of {"name", "ours", "reference", "unit", "ratio"}; ratio > 1 means that ours is faster.

    Both sides take turns on the same inputs in one process; medians are compared.
    """
    import torch

    from ganad import checkpoint
    from ganad import speed as measured
    from ganad.models import build
    from ganad.score import score
    from ganad.train import train

    device = checkpoint.pick_device()
    noise = np.random.default_rng(0).integers(0, 256, (512, 28, 28), dtype=np.uint8)
    rows = []

    def row(name: str, count: int, ours: Callable[[], Any], reference: Callable[[], Any]) -> None:
        say(f"{name} …")
        a, b = alternate(ours, reference, rounds)
        rows.append({"name": name, "ours": count / a, "reference": count / b, "unit": "images/s", "ratio": b / a})

    for method, preset in (
        ("ganomaly", "tuned"),
        ("ganomaly", "paper"),
        ("egbad", "tuned"),
        ("egbad", "paper"),
    ):
        s = resolve(method, preset, normal=(8,))
        chosen = measured.choose(s, measured.known(s))
        steps = {}
        for side, precision in (("ours", chosen), ("reference", "float32")):
            net = build(s).to(device)
            if precision == "bf16":
                net = net.to(memory_format=torch.channels_last)
            steps[side] = train(
                net,
                noise,
                epochs=10_000,
                batch_size=s.batch_size,
                seed=0,
                size=s.image_size,
                precision=precision,
            )
        row(
            f"training step, {method} {preset}, {chosen} against float32",
            s.batch_size,
            lambda it=steps["ours"]: next(it),
            lambda it=steps["reference"]: next(it),
        )
    for method in ("ganomaly", "egbad"):
        net = build(resolve(method, "tuned", normal=(8,))).to(device)
        row(
            f"scoring, {method} tuned, in batches against one by one",
            len(noise),
            lambda net=net: score(net, noise),
            lambda net=net: score(net, noise, batch_size=1),
        )
    return rows


def alternate(a: Callable[[], Any], b: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median seconds of each, taken in turns after one call that is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for k in range(rounds + 1):
        for kept, call in zip(times, (a, b), strict=True):
            began = time.perf_counter()
            call()
            if k:
                kept.append(time.perf_counter() - began)
    return statistics.median(times[0]), statistics.median(times[1])


def speed_table(rows: list[dict[str, Any]]) -> str:
    """The rows of `speed` as a Markdown table."""
    lines = ["| what | ours | reference | unit | ratio |", "|---|---:|---:|---|---:|"]
    lines += [
        f"| {r['name']} | {r['ours']:,.0f} | {r['reference']:,.0f} | {r['unit']} | {r['ratio']:.2f} |" for r in rows
    ]
    return "\n".join(lines)


def quality(methods: list[str], digits: list[int], seeds: list[int], preset: str, say: Say) -> list[dict[str, Any]]:
    """Train (or find) a run per method, digit and seed; rows of {"method", "digit", "seed", "auroc", "run"}.

    Last epoch, official split. PCA with 20 components stands beside as a baseline. Raises RunError when a run fails.
    """
    rows = []
    for digit in digits:
        rows.append({"method": "pca", "digit": digit, "seed": None, "auroc": pca_auroc(digit), "run": None})
        for method in methods:
            for seed in seeds:
                settings = resolve(method, preset, normal=(digit,), seed=seed)
                run = next((r for r in _finished() if runs.settings(r) == settings), None)
                if run is None:
                    say(f"training {method}, normal {digit}, seed {seed} …")
                    run = runs.create(settings)
                    if worker.work(run) != "finished":
                        raise RunError(f"{run.name} did not finish: {runs.read_status(run).error or 'stopped'}")
                auroc = runs.read_json(run / "report.json")["auroc"]
                say(f"{run.name}: AUROC {auroc:.4f}")
                rows.append({"method": method, "digit": digit, "seed": seed, "auroc": auroc, "run": run.name})
    return rows


def _finished() -> list[Any]:
    return [r for r in runs.listing(runs.root()) if runs.read_status(r).state == "finished"]


def pca_auroc(digit: int, components: int = 20) -> float:
    """AUROC of the squared residual outside the first principal components of one digit's training images."""
    from sklearn.decomposition import PCA
    from sklearn.metrics import roc_auc_score

    from ganad import data

    mnist = data.load()
    x = mnist.train.images[mnist.train.digit == digit].reshape(-1, 784) / 255.0
    t = mnist.test.images.reshape(-1, 784) / 255.0
    pca = PCA(components, random_state=0).fit(x)
    residual = ((t - pca.inverse_transform(pca.transform(t))) ** 2).sum(axis=1)
    return float(roc_auc_score(mnist.test.digit != digit, residual))


def quality_table(rows: list[dict[str, Any]]) -> str:
    """The rows of `quality` as a Markdown table: mean over seeds ± sample standard deviation, digits as columns."""
    digits = sorted({r["digit"] for r in rows})
    lines = [
        "| method | " + " | ".join(map(str, digits)) + " | mean |",
        "|---|" + "---:|" * (len(digits) + 1),
    ]
    for method in dict.fromkeys(r["method"] for r in rows):
        cells, means = [], []
        for digit in digits:
            values = [r["auroc"] for r in rows if (r["method"], r["digit"]) == (method, digit)]
            means.append(statistics.mean(values))
            cells.append(evaluate.mean_and_spread(values))
        lines.append(f"| {method} | " + " | ".join(cells) + f" | {statistics.mean(means):.4f} |")
    return "\n".join(lines)
