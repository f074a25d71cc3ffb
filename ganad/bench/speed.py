"""Speed, rerun by one command. It is told as ratios: absolute times say more of the machine than of the project.

Nets are untrained and images are noise: neither changes how long a layer takes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from ganad.bench.reference import PlainGanomaly
from ganad.config import METHOD_NAMES, resolve
from ganad.models import build
from ganad.runs.checkpoint import pick_device
from ganad.scoring.score import score, to_input
from ganad.training import throughput
from ganad.training.loop import train

Log = Callable[[str], None]
Row = dict[str, Any]

STEPS = tuple(
    (name, preset) for name in METHOD_NAMES for preset in ("tuned", "paper") if (name, preset) != ("fanogan", "paper")
)
"""(method, preset) whose training step is throughput. One of f-AnoGAN's `paper` takes seconds: its penalty is a second derivative."""
ONE_PASS = ("ganomaly", "egbad")
"""Methods that score in one pass, so that ten thousand images take seconds."""
IMAGES, ONE_BY_ONE = 10_000, 100
"""Images that are scored in batches, and how many of them one by one."""
SEARCH_BATCHES = (1, 256)
"""Images of which AnoGAN's search and EGBAD's pass are compared."""
FITTED_TO, OTHERS = 3000, 100
"""Images of noise that a score's statistics are fitted to, as many as make mixtures as large as those of one digit, and that give units."""
MATMUL = 2048
"""Side of the square matrices whose product is the measure of what this machine can do."""


def speed(log: Log, rounds: int = 7) -> list[Row]:
    """Rows of {"name", "ours", "reference", "unit", "ratio"}; ratio > 1 means that ours is faster.

    Both sides take turns on the same inputs in one process; medians are compared. A row with "share" says how much of
    the rate of a large matrix product, in ours' number format and in turn with it, ours reaches; "gflop" is what it counts.
    """

    throughput.limit_threads()
    rows = []
    for row in chain(_training(log, rounds), _scoring(log, rounds), _one_image(log, rounds), _search(log)):
        log(f"  {row['ours']:,.1f} against {row['reference']:,.1f} {row['unit']}, ratio {row['ratio']:.2f}")
        rows.append(row)
    return rows


def _training(log: Log, rounds: int) -> Iterator[Row]:
    """A step of each method in the format chosen for this machine against a plain float32 one."""

    for name, preset in STEPS:
        s = resolve(name, preset, normal=(8,))
        chosen = throughput.number_format(s)
        if (name, preset) == ("ganomaly", "paper"):
            against, plain = "the release's step", _plain_stepper(s)
        else:
            against, plain = "our own", _stepper(s, "float32")
        what = f"training step, {name} {preset}, {chosen} against {against} in float32"
        log(f"{what} …")
        matmul, work = _matmul(chosen)
        count = flops(_stepper(s, "float32"))
        a, b, m = alternate(_stepper(s, chosen), plain, matmul, rounds=3 * rounds)
        yield _row(what, s.batch_size / a, s.batch_size / b, gflop=count / 1e9, share=count / a / (work / m))


def _stepper(s: Any, precision: str) -> Callable[[], Any]:
    """What takes a step of a training."""

    method = build(s).to(pick_device())
    it = train(
        method, _images(4 * s.batch_size), epochs=10_000, batch_size=s.batch_size, seed=0, size=s.image_size,
        precision=precision,
    )  # fmt: skip
    return lambda: next(it)


def _plain_stepper(s: Any) -> Callable[[], Any]:

    plain = PlainGanomaly(s.image_size, s.filters, s.latent, s.lr).to(pick_device())
    x = _noise(s).to(pick_device())
    return lambda: plain.step(x)


def _scoring(log: Log, rounds: int) -> Iterator[Row]:
    """Many images at once, as a run's test set is scored, against one by one with the method as it was trained."""

    for name in ONE_PASS:
        method, images = _method(name), _images(IMAGES)
        what = f"scoring, {name} tuned, {IMAGES:,} in batches and folded against one by one"
        log(f"{what} …")
        matmul, work = _matmul("float32")
        count = flops(lambda m=method: m.parts(_noise(m.settings)[:1])) * IMAGES
        a, b, m = alternate(
            lambda m=method, i=images: score(m, i),
            lambda m=method, i=images: score(m, i[:ONE_BY_ONE], batch_size=1),
            matmul,
            rounds=rounds,
        )
        yield _row(what, IMAGES / a, ONE_BY_ONE / b, gflop=count / 1e9, share=count / a / (work / m))


def _one_image(log: Log, rounds: int) -> Iterator[Row]:
    """One image from (28, 28) uint8 to its parts, with the method folded before and with the method as it was trained."""

    for name, spelt in METHOD_NAMES.items():
        method, image = _method(name), _images(1)
        folded = method.folded()
        what = f"one image, {spelt} tuned, folded before against as trained"
        log(f"{what} …")
        a, b = alternate(
            lambda m=folded, i=image: score(m, i), lambda m=method, i=image: score(m, i), rounds=3 * rounds
        )
        yield _row(what, 1000 * a, 1000 * b, unit="ms")


def _search(log: Log) -> Iterator[Row]:
    """The time that AnoGAN needs for having no encoder: all steps of its search against one pass of those that have one."""

    egbad, fanogan, search = (_method(name).folded() for name in ("egbad", "fanogan", "anogan"))
    search.settings = search.settings.model_copy(update={"search_patience": 0})  # no path stops early
    for n in SEARCH_BATCHES:
        images = _images(n)
        log(f"one pass against AnoGAN's search, batch of {n} …")
        *passes, searched = alternate(
            *(lambda m=m, i=images, n=n: score(m, i, batch_size=n) for m in (egbad, fanogan, search)), rounds=3
        )
        for name, seconds in zip(("EGBAD", "f-AnoGAN"), passes, strict=True):
            what = f"{name}'s pass against AnoGAN's search ({search.settings.search_steps} steps), batch of {n}"
            yield _row(what, n / seconds, n / searched)


def _method(name: str) -> Any:
    """With new weights, and a score of as many terms as a trained one has, which are fitted to noise."""
    method = build(resolve(name, "tuned", normal=(8,))).to(pick_device()).eval()
    fitted, others = (to_input(_images(n), method.settings.image_size, pick_device()) for n in (FITTED_TO, OTHERS))
    method.fit_statistics(lambda: [fitted], lambda: [others], steps=1)
    return method


def _images(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def _noise(s: Any) -> Any:

    return to_input(_images(s.batch_size), s.image_size)


def _row(name: str, ours: float, reference: float, unit: str = "images/s", **more: float) -> Row:
    ratio = reference / ours if unit == "ms" else ours / reference
    return {"name": name, "ours": ours, "reference": reference, "unit": unit, "ratio": ratio, **more}


def flops(call: Callable[[], Any]) -> int:
    """Additions and multiplications of the layers, and of their gradients, that a call runs."""

    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def _matmul(precision: str) -> tuple[Callable[[], Any], int]:
    """A large matrix product, and how many additions and multiplications it is."""

    a = torch.rand((MATMUL, MATMUL), device=pick_device())
    a = a.bfloat16() if precision == "bf16" else a
    return lambda: (a @ a)[0, 0].item(), 2 * MATMUL**3


def alternate(*calls: Callable[[], Any], rounds: int) -> list[float]:
    """Median seconds of each, taken in turns after one call that is not counted."""
    times: list[list[float]] = [[] for _ in calls]
    for k in range(rounds + 1):
        for kept, call in zip(times, calls, strict=True):
            began = time.perf_counter()
            call()
            if k:
                kept.append(time.perf_counter() - began)
    return [statistics.median(t) for t in times]


def speed_table(rows: list[Row]) -> str:
    """The rows of `speed` as a Markdown table."""
    lines = ["| what | ours | reference | unit | ratio | of the limit |", "|---|---:|---:|---|---:|---:|"]
    for r in rows:
        digits = 2 if r["unit"] == "ms" else 0
        share = f"{r['share']:.0%}" if "share" in r else ""
        lines.append(
            f"| {r['name']} | {r['ours']:,.{digits}f} | {r['reference']:,.{digits}f} | {r['unit']} | {r['ratio']:.2f} | "
            f"{share} |"
        )
    return "\n".join(lines)
