"""Does the doctor find what is wrong, and nothing where nothing is? Faults planted in small trainings, and every shipped run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ganad import service
from ganad.bench.folder_of_runs import folder_of_runs
from ganad.config import Settings, resolve
from ganad.runs import run_directory
from ganad.training import worker

Log = Callable[[str], None]

_SMALL: dict[str, Any] = dict(filters=8, limit=600, test_limit=200, precision="float32")
_ADVERSARIES: dict[str, Any] = _SMALL | dict(search_steps=10, search_candidates=0)
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "discriminator has won": ("anogan", _ADVERSARIES | dict(epochs=8, lr=1e-5, lr_d=5e-3)),
    "loss running away": ("anogan", _ADVERSARIES | dict(epochs=4, lr=0.1, lr_d=0.1)),
    "collapse": ("ganomaly", _SMALL | dict(epochs=8, w_con=0.0, w_adv=0.0, w_density=0.0, w_typicality=0.0)),
    "still improving": ("ganomaly", _SMALL | dict(epochs=2)),
    "overfitting": (
        "ganomaly",
        _SMALL | dict(
            epochs=130, limit=100, batch_size=16, augment=0.0, filters=16, w_density=0.0, w_typicality=0.0, w_enc=1.0, ema_decay=0.9,
            normalize_latent=False,
        ),
    ),
    "contamination": ("ganomaly", _SMALL | dict(epochs=2, contamination=0.15)),
}  # fmt: skip
"""Finding -> method and settings of a training that has it. The normal digit of seed s is s mod 10."""


def planted(fault: str, seed: int) -> Settings:
    """The settings of a training with that fault. Contamination is of all other digits in even seeds, of the next digit alone in odd ones."""
    method, values = FAULTS[fault]
    digit = seed % 10
    if fault == "contamination" and seed % 2:
        values = values | {"contamination_digits": ((digit + 1) % 10,)}
    return resolve(method, "tuned", normal=(digit,), seed=seed, **values)


def validate(seeds: range, faults: list[str], log: Log) -> list[dict[str, Any]]:
    """A row for each fault: {"fault", "found", "seeds", "with it"}; with it: how often other findings came along.

    Each training is one of a folder of its own that is gone afterwards.
    """
    rows = []
    for fault in faults:
        found, others = 0, Counter()
        for seed in seeds:
            with folder_of_runs():
                run = run_directory.create(planted(fault, seed))
                worker.work(run)
                names = [finding.name for finding in service.diagnose(run.name)]
            found += fault in names
            others.update(n for n in names if n != fault)
            log(f"{fault}, seed {seed}: {', '.join(names) or 'nothing found'}")
        rows.append({"fault": fault, "found": found, "seeds": len(seeds), "with it": dict(others)})
    return rows


def shelf(log: Log) -> list[dict[str, Any]]:
    """What the doctor says of each shipped run, in a thorough look: {"run", "findings", "auroc"}."""
    rows = []
    for run in sorted(run_directory.listing(run_directory.shelf())):
        names = [finding.name for finding in service.diagnose(str(run), thorough=True)]
        auroc = (run_directory.read_report(run) or {}).get("auroc")
        rows.append({"run": run.name, "findings": names, "auroc": auroc})
        log(f"{run.name}: {', '.join(names) or 'nothing found'}")
    return rows


def table(faults: list[dict[str, Any]], shipped: list[dict[str, Any]]) -> str:
    """Both as Markdown."""
    lines = ["| planted fault | found in | found besides |", "|---|---:|---|"] if faults else []
    for row in faults:
        besides = ", ".join(f"{name} ({n})" for name, n in sorted(row["with it"].items()))
        lines.append(f"| {row['fault']} | {row['found']} of {row['seeds']} seeds | {besides or 'nothing'} |")
    said = [f"{r['run']} (AUROC {r['auroc']:.3f}): {', '.join(r['findings'])}" for r in shipped if r["findings"]]
    if shipped:
        lines += [""] * bool(lines) + [
            f"Findings in {len(said)} of {len(shipped)} shipped runs{': ' if said else '.'}{'; '.join(said)}"
        ]
    return "\n".join(lines)
