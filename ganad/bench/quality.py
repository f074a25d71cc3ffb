"""Quality, rerun by one command: a run for each method, digits and seed, beside baselines, as Markdown.

Protocol B calls one digit normal and the nine others anomalies, A the other way round. Last epoch, official test set.
What is finished is kept, so the command goes on where it was interrupted.
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from ganad import service
from ganad.config import METHOD_NAMES, PRESETS, parts_in, resolve
from ganad.data import sources
from ganad.errors import RunError
from ganad.evaluation import metrics
from ganad.runs import run_directory
from ganad.scoring import baselines
from ganad.training import worker

Log = Callable[[str], None]

ALL = tuple(range(10))
PROTOCOLS = {
    "B": "One digit is normal, the nine others are anomalies (prevalence about 0.90)",
    "A": "Nine digits are normal, one is the anomaly (prevalence about 0.10)",
}
PLAN = {("B", method): {0: ALL} for method in METHOD_NAMES} | {
    ("B", "ganomaly"): {0: ALL, 1: ALL, 2: ALL},
    ("B", "egbad"): {0: ALL, 1: (2, 4, 8), 2: (2, 4, 8)},
    ("A", "ganomaly"): {0: ALL},
    ("A", "egbad"): {0: ALL},
}
"""(protocol, method) -> {seed: digits}; what two cores can afford in an afternoon."""


def preset_of(protocol: str, method: str, preset: str) -> str:
    """The preset of a table's runs: for nine normal digits `many` stands in for `tuned`, in methods that have it."""
    return "many" if (protocol, preset) == ("A", "tuned") and "many" in PRESETS[method] else preset


@dataclass(frozen=True)
class Job:
    """One run of a table. digit: the normal one in B, the anomalous one in A."""

    protocol: str
    method: str
    digit: int
    seed: int

    @property
    def normal(self) -> tuple[int, ...]:
        return normal(self.protocol, self.digit)


def settings(job: Job, preset: str) -> Any:
    """What is asked of the run of a job."""
    return resolve(job.method, preset_of(job.protocol, job.method, preset), normal=job.normal, seed=job.seed)


@dataclass(frozen=True)
class Row:
    """What came out of a job."""

    job: Job
    run: str
    auroc: float
    average_precision: float
    parts: dict[str, float]
    seconds: float
    tested: int


def normal(protocol: str, digit: int) -> tuple[int, ...]:
    """The normal digits of a column of the table."""
    return (digit,) if protocol == "B" else tuple(d for d in ALL if d != digit)


def plan(
    methods: Iterable[str], protocols: Iterable[str], digits: Sequence[int] | None, seeds: Sequence[int] | None
) -> list[Job]:
    """The jobs asked for. Where no digits or seeds are named, those of PLAN, which not every method has for A."""
    jobs = []
    for protocol in protocols:
        for method in methods:
            usual = PLAN.get((protocol, method), {})
            if seeds is None and digits is None:
                wanted = usual
            else:
                wanted = {s: digits or usual.get(s, ALL) for s in (seeds if seeds is not None else usual or (0,))}
            jobs += [Job(protocol, method, d, s) for s, chosen in wanted.items() for d in chosen]
    return jobs


def quality(jobs: Sequence[Job], preset: str, log: Log) -> list[Row]:
    """Train what is missing, one after the other. Raises RunError when a run fails."""
    rows = []
    for i, job in enumerate(jobs, 1):
        asked = settings(job, preset)
        run = finished(asked)
        if run is None:
            log(f"{i} of {len(jobs)}: training {job.method}, normal {''.join(map(str, job.normal))}, seed {job.seed} …")
            run = run_directory.create(asked)
            if worker.work(run) != "finished":
                raise RunError(f"{run.name} did not finish: {run_directory.read_status(run).error or 'stopped'}")
        rows.append(read(job, run))
        log(f"{i} of {len(jobs)}: {run.name}, AUROC {rows[-1].auroc:.4f}")
    return rows


def finished(asked: Any) -> Path | None:
    """The newest finished run of the user's with these very settings, but for its name."""
    for run in run_directory.listing(run_directory.root()):
        with contextlib.suppress(RunError):  # a damaged run is none of these
            if (
                run_directory.read_status(run).state == "finished"
                and run_directory.settings(run).model_copy(update={"name": ""}) == asked
            ):
                return run
    return None


def read(job: Job, run: Path) -> Row:
    """A finished run as a row."""
    report = run_directory.read_report(run)
    return Row(
        job=job,
        run=run.name,
        auroc=report["auroc"],
        average_precision=report["average_precision"],
        parts={p: area["auroc"] for p, area in report["parts"].items()},
        seconds=run_directory.read_status(run).seconds,
        tested=report["n_normal"] + report["n_anomalous"],
    )


def known(preset: str) -> list[Row]:
    """Every job of PLAN that is finished, whoever asked for it."""
    rows = []
    for (protocol, method), seeds in PLAN.items():
        for job in plan([method], [protocol], None, list(seeds)):
            run = finished(settings(job, preset))
            if run is not None and job.digit in seeds[job.seed]:
                rows.append(read(job, run))
    return rows


def baseline(protocol: str, name: str, digits: Sequence[int]) -> list[dict[str, float]]:
    """AUROC and average precision of a baseline, a dict a digit."""

    true = sources.load_test().digit
    results = []
    for d in digits:
        anomalous = ~np.isin(true, normal(protocol, d))
        score = baselines.scores(name, normal(protocol, d))
        results.append(
            {
                "auroc": float(roc_auc_score(anomalous, score)),
                "average_precision": float(average_precision_score(anomalous, score)),
            }
        )
    return results


def table(protocol: str, rows: Sequence[Row], metric: str = "auroc") -> str:
    """Methods and baselines by digit: mean over seeds ± sample standard deviation.

    The last column is the mean over the digits of the means, ± the spread of that mean over those seeds that cover them all.
    """
    rows = [r for r in rows if r.job.protocol == protocol]
    digits = sorted({r.job.digit for r in rows}) or list(ALL)
    lines = ["| detector | " + " | ".join(map(str, digits)) + " | mean |", "|---|" + "---:|" * (len(digits) + 1)]
    for name, words in baselines.NAMES.items():
        values = [b[metric] for b in baseline(protocol, name, digits)]
        lines.append(f"| {words} | " + " | ".join(f"{v:.4f}" for v in values) + f" | {statistics.mean(values):.4f} |")
    for method in dict.fromkeys(r.job.method for r in rows):
        own = [r for r in rows if r.job.method == method]
        cells, means = [], []
        for d in digits:
            values = [getattr(r, metric) for r in own if r.job.digit == d]
            cells.append(metrics.mean_and_spread(values) if values else "")
            means += [statistics.mean(values)] if values else []
        whole = [
            statistics.mean(values)
            for seed in sorted({r.job.seed for r in own})
            if len(values := [getattr(r, metric) for r in own if r.job.seed == seed]) == len(digits)
        ]
        total = f"{statistics.mean(means):.4f}"
        if len(whole) > 1:
            total = metrics.mean_and_spread(whole)
        lines.append(f"| **{METHOD_NAMES[method]}** | " + " | ".join(cells) + f" | **{total}** |")
    return "\n".join(lines)


def covers(protocol: str, rows: Sequence[Row]) -> str:
    """In words: which seeds, digits and test images stand behind a table, and how long the trainings took."""
    lines = []
    for method in METHOD_NAMES:
        own = [r for r in rows if (r.job.protocol, r.job.method) == (protocol, method)]
        if not own:
            continue
        by_seed = {s: sorted(r.job.digit for r in own if r.job.seed == s) for s in sorted({r.job.seed for r in own})}
        whole = [s for s, d in by_seed.items() if d == list(ALL)]
        parts = [f"seed{'s' * (len(whole) > 1)} {', '.join(map(str, whole))} on all digits"] if whole else []
        parts += [f"seed {s} on {', '.join(map(str, d))}" for s, d in by_seed.items() if s not in whole]
        seconds = [r.seconds for r in own]
        tested = own[0].tested
        sample = "" if tested == 10_000 else f", scored on a fixed stratified sample of {tested:,} test images"
        lines.append(
            f"- {METHOD_NAMES[method]}: {'; '.join(parts)}{sample}. Training took {statistics.mean(seconds):.0f} s on average, "
            f"{max(seconds):.0f} s at most."
        )
    return "\n".join(lines)


def parts_table(protocol: str, rows: Sequence[Row]) -> str:
    """What each part would reach alone: mean AUROC over the runs of the table."""
    names = parts_in({p for r in rows if r.job.protocol == protocol for p in r.parts})
    lines = [f"| detector | {' | '.join(names)} | weighed |", "|---|" + "---:|" * (len(names) + 1)]
    for method in METHOD_NAMES:
        own = [r for r in rows if (r.job.protocol, r.job.method) == (protocol, method)]
        if own:
            means = [f"{statistics.mean(r.parts[p] for r in own):.4f}" if p in own[0].parts else "" for p in names]
            means.append(f"{statistics.mean(r.auroc for r in own):.4f}")
            lines.append(f"| {METHOD_NAMES[method]} | " + " | ".join(means) + " |")
    return "\n".join(lines)


def page(rows: Sequence[Row], preset: str) -> str:
    """docs/results.md."""
    lines = [
        "# How well it detects",
        "",
        f"Written by `python -m ganad bench quality`. Preset `{preset}`, settings chosen on training images alone; the last epoch; "
        "`eval()` everywhere; official MNIST split, the test set read for these tables alone. "
        "Mean over seeds ± sample standard deviation; a figure without ± is one seed. Baselines learn from the same images.",
        "",
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, one thread a training.",
    ]
    for protocol, words in PROTOCOLS.items():
        if not any(r.job.protocol == protocol for r in rows):
            continue
        lines += ["", f"## Protocol {protocol}: AUROC", "", f"{words}. A column is the "]
        lines[-1] += "normal digit." if protocol == "B" else "anomalous digit."
        lines += ["", table(protocol, rows), "", covers(protocol, rows), "", "By part, mean AUROC over these runs:", ""]
        lines += [parts_table(protocol, rows)]
        if protocol == "A":
            lines += [
                "",
                " ".join(
                    _epochs(m, preset)
                    for m in METHOD_NAMES
                    if any((r.job.protocol, r.job.method) == ("A", m) for r in rows)
                ),
            ]
        if protocol == "A":
            lines += ["", "Average precision, which guessing brings to the prevalence of about 0.10:", ""]
            lines += [table(protocol, rows, "average_precision")]
    return "\n".join(lines) + "\n"


def _epochs(method: str, preset: str) -> str:
    """How long a method trains in protocol A, in words."""
    n = settings(Job("A", method, 0, 0), preset).epochs
    return f"{METHOD_NAMES[method]}: preset `{preset_of('A', method, preset)}`, {n} epochs, which are as many steps as {9 * n} of one digit."


def shelf(log: Log) -> list[dict[str, Any]]:
    """Score every test image of every shipped run again. Rows of {"run", "shipped", "again", "difference"} (AUROC)."""

    rows = []
    for run in sorted(run_directory.listing(run_directory.shelf())):
        if not (run / "weights.safetensors").exists():
            log(f"{run.name}: shipped without weights")
            continue
        log(f"{run.name} …")
        stored, settings_of_run = service.scores(run.name), run_directory.settings(run)
        parts = service.rescore(run.name)
        anomalous = ~np.isin(stored.test.digit, settings_of_run.normal)
        again = metrics.auroc(anomalous, metrics.total(parts, settings_of_run.weights))
        shipped = run_directory.read_json(run / "report.json")["auroc"]
        rows.append({"run": run.name, "shipped": shipped, "again": again, "difference": again - shipped})
    return rows


def shelf_table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows of `shelf` as Markdown."""
    lines = ["| run | AUROC shipped | scored again | difference |", "|---|---:|---:|---:|"]
    lines += [f"| {r['run']} | {r['shipped']:.5f} | {r['again']:.5f} | {r['difference']:+.5f} |" for r in rows]
    return "\n".join(lines)
