"""Speed, rerun by one command. It is told as ratios: absolute times say more of the machine than of the project."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ganad.config import resolve

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
