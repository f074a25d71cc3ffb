"""How fast is this machine at these settings? Measured once by real steps, then remembered beside the runs.

It answers two questions: which number format to train in, and how long a training will take. The first is answered once and
for all: a training in bfloat16 ends with other weights than one in float32, so the same command must not waver.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from ganad.config import Settings
from ganad.errors import RunError
from ganad.runs import run_directory

_SHAPING = (
    "method",
    "architecture",
    "image_size",
    "latent",
    "filters",
    "batch_size",
    "ema_decay",
    "augment",
    "augment_turn",
    "augment_scale",
    "augment_stroke",
    "augment_share",
    "dropout",
    "normalize_latent",
    "search_steps",
    "search_restarts",
    "search_candidates",
)


SEARCHED = 10
"""Steps of AnoGAN's search that are measured."""
MARGIN = 1.25
"""So many times as fast a training in bfloat16 must be to be worth numbers that another machine does not repeat."""
PAIRS = 9
"""Steps in either format that are measured at least, one after the other, ..."""
LONGEST_S = 20.0
"""... unless that takes longer than this."""


def limit_threads() -> None:
    """Compute with one thread fewer than there are cores.

    Threads that compute together wait for the slowest. On a machine whose cores are all taken, a single other busy process (the
    page, the browser) stalls each of their meetings: docs/adr/0007-threads.md has the numbers.
    """
    import torch

    asked = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(asked) if asked.isdigit() and int(asked) else max(1, (os.cpu_count() or 2) - 1))


def memory(settings: Settings) -> Path:
    """The file that remembers the speed of these layers on this machine."""
    key = _shape(settings) | {"machine": [platform.node(), platform.machine(), os.cpu_count()]}
    return run_directory.root() / ".speed" / f"{_key(key)}.json"


def _shape(settings: Settings) -> dict[str, Any]:
    """What of the settings decides how fast a step is."""
    shape = {k: getattr(settings, k, None) for k in _SHAPING}
    shape |= {k: bool(getattr(settings, k, 0)) for k in ("w_cycle", "w_cycle_z", "w_latent")}
    shape["mixtures"] = settings.mixtures
    if settings.fits_transform_error:
        shape["transforms"] = "varied"  # only then, so that what was remembered of other settings holds
    if settings.further_looks:
        shape["looks"] = 3
    # Raised when the layers change their speed, or a measurement its content, so that what was remembered is measured again.
    return shape | {"layers": 4}


def _key(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def recall(settings: Settings) -> dict[str, Any] | None:
    """What was measured earlier, as `measure` returns it; None if nothing was, or if it cannot be read."""
    with contextlib.suppress(RunError):
        rates = run_directory.read_json(memory(settings))
        if isinstance(rates, dict) and {"float32", "bf16", "score", "fit"} <= rates.keys():
            return rates
    return None


def measure(settings: Settings, seconds: float = 1.0) -> dict[str, Any]:
    """Train and score noise for about `seconds` in each format; the fastest of the steps counts, as others only wait.

    Returns images a second: {"float32": training, "bf16": training or None, "score": scoring}, and "gain": how many times as
    fast a step in bf16 is, by the fastest ones or by the median of pairs, whichever says less; 0 where it has no
    instructions of its own. "fit" is the speed of `density.fit` of all mixtures together, "learn" images a second of `TransformError.fit`; None where there is none.
    """
    import torch

    from ganad.models import build, density
    from ganad.models.augment import all_varied, augmented
    from ganad.runs.checkpoint import pick_device
    from ganad.training.loop import train

    limit_threads()
    device = pick_device()
    noise = np.random.default_rng(0).integers(0, 256, (settings.batch_size * 2, 28, 28), dtype=np.uint8)
    sides = {}
    for precision in ("float32", "bf16") if has_bf16(device) else ("float32",):
        method = build(settings).to(device)
        sides[precision] = train(
            method, noise, epochs=10_000, batch_size=settings.batch_size, seed=0, size=settings.image_size,
            precision=precision,
        )  # fmt: skip
        next(sides[precision])  # the first pays for memory and code that the others reuse
    took: dict[str, list[float]] = {precision: [] for precision in sides}
    start = time.perf_counter()
    while not _enough(time.perf_counter() - start, len(took["float32"]), seconds, len(sides)):
        for precision, steps in sides.items():  # in turns, so that a busy moment of the machine meets both
            began = time.perf_counter()
            next(steps)
            took[precision].append(time.perf_counter() - began)
    rates = {"float32": None, "bf16": None} | {p: settings.batch_size / min(t) for p, t in took.items()}
    fit = 1 / sum(1 / density.speed(size) for size in settings.mixtures) if settings.mixtures else None
    learn, rng = None, torch.Generator(device=device)
    if method.transforms is not None:
        learn = method.transforms.speed(settings.image_size, lambda x: augmented(x, all_varied(settings), rng))
    return {**rates, "gain": gain(**took), "score": _scoring_rate(method, noise), "fit": fit, "learn": learn}


def _enough(elapsed: float, rounds: int, seconds: float, formats: int) -> bool:
    """True once a measurement may end: its time is over, and where formats are compared there are pairs enough."""
    wanted = PAIRS if formats > 1 and elapsed < LONGEST_S else 1
    return elapsed >= seconds * formats and rounds >= wanted


def gain(float32: list[float], bf16: list[float] = ()) -> float:
    """How many times as fast a step is in bf16, from the seconds of steps that were taken in turns.

    By the fastest of each, which nothing disturbed, and by the median of the pairs, which a disturbance meets alike: the
    smaller of the two, so that one lucky step decides nothing. 0 without steps in bf16.
    """
    if not bf16:
        return 0.0
    return min(min(float32) / min(bf16), statistics.median(a / b for a, b in zip(float32, bf16, strict=True)))


def _scoring_rate(method: Any, noise: Any) -> float:
    """Images a second. Of a search only a few steps are taken: the others take as long, unless it stops early."""
    from ganad.scoring.score import score

    asked = method.settings
    steps = getattr(asked, "search_steps", 0)
    if steps > SEARCHED:
        method.settings = asked.model_copy(update={"search_steps": SEARCHED})
    began = time.perf_counter()
    score(method, noise)
    seconds = time.perf_counter() - began
    method.settings = asked
    return len(noise) / (seconds * max(1.0, steps / SEARCHED))


def number_format(settings: Settings) -> str:
    """The number format to train in, "float32" or "bf16": the one asked for. "auto" comes to the same every time:

    float32 where the processor has no instructions for bfloat16, without measuring. Elsewhere bf16 if it was `MARGIN` times as
    fast when these layers were first measured on such a machine; the answer is kept in `decision` for all runs folders.
    """
    from ganad.runs.checkpoint import pick_device

    if settings.precision != "auto":
        return settings.precision
    if not has_bf16(pick_device()):
        return "float32"
    return _decided(settings) or known(settings)["format"]


def expected(settings: Settings, rates: dict[str, Any]) -> str:
    """The same as `number_format` without torch, from what `known` remembered."""
    return settings.precision if settings.precision != "auto" else rates.get("format", "float32")


def known(settings: Settings) -> dict[str, Any]:
    """What is remembered, or what is measured now and remembered from then on; "format" is what "auto" comes to."""
    rates = recall(settings)
    if rates is None:
        rates = measure(settings)
    if "format" not in rates:
        fast = "bf16" if rates.get("gain", 0.0) >= MARGIN else "float32"
        rates = rates | {"format": _settle(settings, fast, rates)}
        memory(settings).parent.mkdir(parents=True, exist_ok=True)
        run_directory.write_json(memory(settings), rates)
    return rates


def decision(settings: Settings) -> Path:
    """The file that says what "auto" came to for these layers on a machine like this: GANAD_CACHE, else the user's cache."""
    given = os.environ.get("GANAD_CACHE")
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    key = _shape(settings) | {"machine": machine()}
    return Path(given or Path(base) / "ganad") / "number-format" / f"{_key(key)}.json"


def machine() -> dict[str, Any]:
    """What decides which format is faster: not the host's name, which a container changes from start to start."""
    import torch

    from ganad.runs.checkpoint import pick_device

    able = torch.cpu.get_capabilities()
    return {
        "processor": str(able.get("cpu_name") or platform.processor()),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "able": sorted(name for name, there in able.items() if "bf16" in name and there is True),
        "device": torch.cuda.get_device_name() if pick_device().type == "cuda" else "cpu",
        "torch": torch.__version__,
    }


def _decided(settings: Settings) -> str | None:
    saved = None
    with contextlib.suppress(RunError):
        saved = run_directory.read_json(decision(settings))
    choice = saved.get("format") if isinstance(saved, dict) else None
    return choice if choice in ("float32", "bf16") else None


def _settle(settings: Settings, fast: str, rates: dict[str, Any]) -> str:
    """Write the decision down unless somebody was first; returns the one that holds.

    Where the cache cannot be written, it holds for this runs folder alone.
    """
    if (there := _decided(settings)) is not None:
        return there
    path = decision(settings)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    content = {"format": fast, "gain": rates.get("gain", 0.0), "machine": machine(), "settings": _shape(settings)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():  # it is damaged: nobody could read it
            path.unlink()
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.link(part, path)  # of two processes that measure at once, the first decides
    except OSError:
        return _decided(settings) or fast
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return fast


def has_bf16(device: Any) -> bool:
    """True where bfloat16 has instructions of its own; elsewhere it is emulated, and slow."""
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return any("bf16" in name and there is True for name, there in torch.cpu.get_capabilities().items())
