"""How fast is this machine at these settings? Measured once by real steps, then remembered beside the runs.

It answers two questions: which number format to train in, and how long a training will take.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

from ganad import runs
from ganad.config import Settings

_SHAPING = (
    "method",
    "architecture",
    "image_size",
    "latent",
    "filters",
    "batch_size",
    "average",
    "augment",
    "dropout",
    "sphere",
    "search_steps",
    "search_restarts",
    "search_bank",
)


SEARCHED = 10
"""Steps of AnoGAN's search that are measured."""


def leave_a_core() -> None:
    """Compute with one thread fewer than there are cores.

    Threads that compute together wait for the slowest. On a machine whose cores are all taken, a single other busy process (the
    page, the browser) stalls each of their meetings: docs/adr/0007-threads.md has the numbers.
    """
    import torch

    asked = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(asked) if asked.isdigit() and int(asked) else max(1, (os.cpu_count() or 2) - 1))


def memory(settings: Settings) -> Path:
    """The file that remembers the speed of these layers on this machine."""
    said = {k: getattr(settings, k, None) for k in _SHAPING}
    said |= {k: bool(getattr(settings, k, 0)) for k in ("w_cycle", "w_cycle_z", "w_code")}
    said["layers"] = 2  # raised when they change their speed, so that what was remembered before is measured again
    said["machine"] = [platform.node(), platform.machine(), os.cpu_count()]
    key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
    return runs.root() / ".speed" / f"{key}.json"


def recall(settings: Settings) -> dict[str, Any] | None:
    """What was measured earlier, as `measure` returns it; None if nothing was."""
    return runs.read_json(memory(settings))


def measure(settings: Settings, seconds: float = 1.0) -> dict[str, Any]:
    """Train and score noise for about `seconds` in each format; the fastest of the steps counts, as others only wait.

    Returns images a second: {"float32": training, "bf16": training or None, "score": scoring}.
    """
    import numpy as np
    import torch

    from ganad.checkpoint import pick_device
    from ganad.models import build
    from ganad.train import train

    leave_a_core()
    device = pick_device()
    noise = np.random.default_rng(0).integers(0, 256, (settings.batch_size * 2, 28, 28), dtype=np.uint8)
    sides = {}
    for precision in ("float32", "bf16") if has_bf16(device) else ("float32",):
        method = build(settings).to(device)
        if precision == "bf16":
            method = method.to(memory_format=torch.channels_last)
        sides[precision] = train(
            method, noise, epochs=10_000, batch_size=settings.batch_size, seed=0, size=settings.image_size,
            precision=precision,
        )  # fmt: skip
        next(sides[precision])  # the first pays for memory and code that the others reuse
    best = dict.fromkeys(sides, float("inf"))
    until = time.perf_counter() + seconds * len(sides)
    while time.perf_counter() < until:
        for precision, steps in sides.items():  # in turns, so that a busy moment of the machine meets both
            began = time.perf_counter()
            next(steps)
            best[precision] = min(best[precision], time.perf_counter() - began)
    rates = {"float32": None, "bf16": None} | {p: settings.batch_size / b for p, b in best.items() if b < float("inf")}
    return {**rates, "score": _scoring_rate(method, noise)}


def _scoring_rate(method: Any, noise: Any) -> float:
    """Images a second. Of a search only a few steps are taken: the others cost the same, unless it stops early."""
    from ganad.score import score

    asked = method.settings
    steps = getattr(asked, "search_steps", 0)
    if steps > SEARCHED:
        method.settings = asked.model_copy(update={"search_steps": SEARCHED})
    began = time.perf_counter()
    score(method, noise)
    seconds = time.perf_counter() - began
    method.settings = asked
    return len(noise) / (seconds * max(1.0, steps / SEARCHED))


def choose(settings: Settings, rates: dict[str, Any]) -> str:
    """The number format to train in: the one asked for, or with "auto" the one that was measured faster."""
    if settings.precision != "auto":
        return settings.precision
    return max((p for p in ("float32", "bf16") if rates.get(p)), key=lambda p: rates[p], default="float32")


def known(settings: Settings) -> dict[str, Any]:
    """What is remembered, or what is measured now and remembered from then on."""
    found = recall(settings)
    if found is None:
        found = measure(settings)
        memory(settings).parent.mkdir(parents=True, exist_ok=True)
        runs.write_json(memory(settings), found)
    return found


def has_bf16(device: Any) -> bool:
    """True where bfloat16 has instructions of its own; elsewhere it is emulated, and slow."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return any("bf16" in name and there for name, there in torch.cpu.get_capabilities().items())
