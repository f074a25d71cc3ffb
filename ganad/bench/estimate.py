"""How right is the time that the Train page promises? Trainings are estimated as the page does it, then run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ganad import service
from ganad.bench.folder_of_runs import folder_of_runs
from ganad.config import METHOD_NAMES, Settings, resolve
from ganad.errors import GanadError, RunError
from ganad.runs import run_directory
from ganad.training import jobs, measure_queue

Log = Callable[[str], None]
Row = dict[str, Any]
LOOK_S = 0.2
"""From one look at a training to the next."""


def compare(methods: Sequence[str], digits: Sequence[int], preset: str, epochs: int | None, log: Log) -> list[Row]:
    """A row for each method and normal digit: {"method", "preset", "normal", "expected", "took", "ratio"}, in seconds.

    epochs: of each training; None: the preset's. took: from the command to the end, start-up and scoring included; ratio: took over
    expected, 1 where the promise was kept. The speed of each is measured first, in a process of its own. Everything is in a folder that
    is removed afterwards. Raises RunError where a training or a measurement fails.
    """
    with folder_of_runs():
        return [
            _row(resolve(method, preset, normal=(digit,), **({"epochs": epochs} if epochs else {})), log)
            for method in methods
            for digit in digits
        ]


def _row(settings: Settings, log: Log) -> Row:
    what = f"{METHOD_NAMES[settings.method]} {settings.preset}, normal {settings.normal[0]}"
    expected = _expected(settings)
    log(f"{what}: {expected:.0f} s expected")
    began = time.perf_counter()
    run = jobs.start(settings)
    try:
        while (status := run_directory.status(run)).state not in run_directory.ENDED:
            time.sleep(LOOK_S)
    except BaseException:
        jobs.stop(run, wait=True)
        raise
    took = time.perf_counter() - began
    if status.state != "finished":
        raise RunError(f"{what} {status.state}: {status.error or 'it does not say why'}")
    log(f"  {took:.0f} s, {took / expected:.2f} times as long")
    return {
        "method": settings.method,
        "preset": settings.preset,
        "normal": settings.normal[0],
        "expected": expected,
        "took": took,
        "ratio": took / expected,
    }


def _expected(settings: Settings) -> float:
    """The page's estimate, in seconds."""
    measure_queue.launch(settings.model_dump_json()).wait(measure_queue.MOST_S)
    found = service.estimate(settings)
    if found is None:
        raise GanadError(f"The speed of {settings.method} could not be measured, so there is no estimate.")
    return found.seconds


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, and the share that lies within a fifth."""
    lines = ["| method | preset | normal | expected s | took s | ratio |", "|---|---|---:|---:|---:|---:|"]
    lines += [
        f"| {METHOD_NAMES[r['method']]} | {r['preset']} | {r['normal']} | {r['expected']:.0f} | {r['took']:.0f} | {r['ratio']:.2f} |"
        for r in rows
    ]
    within = sum(abs(r["ratio"] - 1) <= 0.2 for r in rows)
    return "\n".join([*lines, "", f"{within} of {len(rows)} within 20 %."])
