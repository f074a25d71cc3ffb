"""Quality, rerun by one command: a run for each method, digits and seed, beside baselines, as Markdown.

Protocol B calls one class normal and the others anomalies, A the other way round. Last epoch, official test set.
What is finished is kept, so the command goes on where it was interrupted. The classes are MNIST's digits, or those of
own data, named by their path.
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
from ganad.errors import ConfigError, RunError
from ganad.evaluation import metrics
from ganad.runs import run_directory
from ganad.scoring import baselines
from ganad.studies import ray_engine, store, sweep
from ganad.studies.plan import key
from ganad.training import worker

Log = Callable[[str], None]
ON_CLUSTER = "quality-tables"
"""In the folder of studies: what comes from a cluster for the tables before its run is done."""

ALL = tuple(range(10))
PROTOCOLS = {
    "B": "One class is normal, all others are anomalies",
    "A": "All classes but one are normal, one is the anomaly",
}
PLAN = {("B", method): {0: ALL} for method in METHOD_NAMES} | {
    ("B", "ganomaly"): {0: ALL, 1: ALL, 2: ALL},
    ("B", "egbad"): {0: ALL, 1: ALL, 2: ALL},
    ("A", "ganomaly"): {0: ALL},
    ("A", "egbad"): {0: ALL, 1: ALL, 2: ALL},
    ("A", "anogan"): {0: ALL},
    ("A", "fanogan"): {0: ALL},
}
"""(protocol, method) -> {seed: digits}; what two cores can afford in a day."""


def preset_of(protocol: str, method: str, preset: str) -> str:
    """The preset of a table's runs: for nine normal digits `many` stands in for `tuned`, in methods that have it."""
    return "many" if (protocol, preset) == ("A", "tuned") and "many" in PRESETS[method] else preset


@dataclass(frozen=True)
class Job:
    """One run of a table. digit: the normal class in B, the anomalous one in A; data: a path of own images, None for MNIST."""

    protocol: str
    method: str
    digit: int
    seed: int
    data: str | None = None

    @property
    def normal(self) -> tuple[int, ...]:
        return normal(self.protocol, self.digit, self.data)


def settings(job: Job, preset: str) -> Any:
    """What is asked of the run of a job."""
    chosen = preset_of(job.protocol, job.method, preset)
    return resolve(job.method, chosen, normal=job.normal, seed=job.seed, data=job.data)


@dataclass(frozen=True)
class Row:
    """What came out of a job. None and no parts: only the AUROC is known."""

    job: Job
    run: str
    auroc: float
    average_precision: float | None
    parts: dict[str, float]
    seconds: float | None
    tested: int


def classes(data: str | None) -> tuple[str, ...]:
    """Names of the classes of own images, or MNIST's digits."""
    return tuple(map(str, ALL)) if data is None else service.class_names(data)


def normal(protocol: str, digit: int, data: str | None = None) -> tuple[int, ...]:
    """The normal classes of a column of the table."""
    return (digit,) if protocol == "B" else tuple(d for d in range(len(classes(data))) if d != digit)


def plan(
    methods: Iterable[str],
    protocols: Iterable[str],
    digits: Sequence[int] | None,
    seeds: Sequence[int] | None,
    data: str | None = None,
) -> list[Job]:
    """The jobs asked for. Where no digits or seeds are named, those of PLAN, which not every method has for A.

    With own images: every class and seed 0. Raises ConfigError for a class that they do not have.
    """
    every = ALL if data is None else tuple(range(len(classes(data))))
    if odd := [d for d in digits or () if d not in every]:
        raise ConfigError(f"--digits are numbers of classes, 0 to {every[-1]}, got {odd[0]}.")
    jobs = []
    for protocol in protocols:
        for method in methods:
            usual = PLAN.get((protocol, method), {}) if data is None else {0: every}
            if seeds is None and digits is None:
                wanted = usual
            else:
                wanted = {s: digits or usual.get(s, every) for s in (seeds if seeds is not None else usual or (0,))}
            jobs += [Job(protocol, method, d, s, data) for s, chosen in wanted.items() for d in chosen]
    return jobs


def quality(jobs: Sequence[Job], preset: str, log: Log, cluster: ray_engine.Cluster | None = None) -> list[Row]:
    """Train what is missing, one after the other, or all together on a cluster. Raises RunError when a run fails."""
    rows = []
    if cluster is not None:
        _train_on(cluster, jobs, preset, log)
    for i, job in enumerate(jobs, 1):
        asked = settings(job, preset)
        run = finished(asked)
        if run is None:
            log(f"{i} of {len(jobs)}: training {job.method}, {_in_words(job)}, seed {job.seed} …")
            run = run_directory.create(asked)
            if worker.work(run) != "finished":
                raise RunError(f"{run.name} did not finish: {run_directory.read_status(run).error or 'stopped'}")
        rows.append(read(job, run))
        log(f"{i} of {len(jobs)}: {run.name}, AUROC {rows[-1].auroc:.4f}")
    return rows


def _train_on(cluster: ray_engine.Cluster, jobs: Sequence[Job], preset: str, log: Log) -> None:
    """Train on a cluster what is missing. Ctrl+C keeps what has come, and the next call goes on from there."""
    folder = (
        store.root() / ON_CLUSTER
    )  # no study, since presets differ by protocol, but as one it keeps states to go on from
    asked = {key(s): (job, s) for job in jobs if finished(s := settings(job, preset)) is None}
    todo = store.planned_of([s for _, s in asked.values()], store.runs_of(folder))
    log(f"{len(jobs) - len(todo)} of {len(jobs)} are finished, {len(todo)} are trained on the cluster …")
    runs = ray_engine.run_all(folder, sweep.given(todo), lambda run_key, status: None, cluster) if todo else iter(())
    with contextlib.closing(runs) if todo else contextlib.nullcontext():
        for done, (run_key, run) in enumerate(runs, 1):
            status, job = run_directory.read_status(run), asked[run_key][0]
            if status.state != "finished":
                raise RunError(f"{run.name} did not finish: {status.error or 'stopped'}")
            log(f"{done} of {len(todo)}: {run.name}, {METHOD_NAMES[job.method]}, {_in_words(job)}, seed {job.seed}")


def _in_words(job: Job) -> str:
    return f"{'normal' if job.protocol == 'B' else 'all normal but'} {classes(job.data)[job.digit]}"


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


def known(preset: str, data: str | None = None) -> list[Row]:
    """Every job of PLAN that is finished, whoever asked for it; with own images, every method and class with seed 0."""
    rows = []
    if data is not None:
        jobs = plan(list(METHOD_NAMES), list(PROTOCOLS), None, None, data)
        return [read(job, run) for job in jobs if (run := finished(settings(job, preset)))]
    for (protocol, method), seeds in PLAN.items():
        for job in plan([method], [protocol], None, list(seeds)):
            run = finished(settings(job, preset))
            if run is not None and job.digit in seeds[job.seed]:
                rows.append(read(job, run))
    return rows


def baseline(
    protocol: str, name: str, digits: Sequence[int], data: str | None = None, tested: int | None = None
) -> list[dict[str, float]]:
    """AUROC and average precision of a baseline, a dict a class. tested: so many test images, those of a run with such a `sample`; None: all."""

    true = sources.load_test(data).digit
    seen = np.arange(len(true))
    if tested is not None:
        seen = sources.spread_evenly(seen, true, tested)
    results = []
    for d in digits:
        anomalous = ~np.isin(true[seen], normal(protocol, d, data))
        score = baselines.scores(name, normal(protocol, d, data), data)[seen]
        results.append(
            {
                "auroc": float(roc_auc_score(anomalous, score)),
                "average_precision": float(average_precision_score(anomalous, score)),
            }
        )
    return results


def table(protocol: str, rows: Sequence[Row], metric: str = "auroc") -> str:
    """Methods and baselines by class: mean over seeds ± sample standard deviation.

    The last column is the mean over the classes of the means, ± the spread of that mean over those seeds that cover them all.
    """
    rows = [r for r in rows if r.job.protocol == protocol]
    digits = sorted({r.job.digit for r in rows}) or list(ALL)
    data = _data(rows)
    names = [classes(data)[d] for d in digits]
    lines = ["| detector | " + " | ".join(names) + " | mean |", "|---|" + "---:|" * (len(digits) + 1)]
    for name, words in baselines.NAMES.items():
        values = [b[metric] for b in baseline(protocol, name, digits, data)]
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


def _data(rows: Sequence[Row]) -> str | None:
    """Whose images the rows of a table are about."""
    return rows[0].job.data if rows else None


def covers(protocol: str, rows: Sequence[Row]) -> str:
    """In words: which seeds, classes and test images stand behind a table, and how long the trainings took."""
    lines = []
    data = _data(rows)
    names = classes(data)
    kind, whole_set = ("digits", 10_000) if data is None else ("classes", len(sources.load_test(data).digit))
    for method in METHOD_NAMES:
        own = [r for r in rows if (r.job.protocol, r.job.method) == (protocol, method)]
        if not own:
            continue
        by_seed = {s: sorted(r.job.digit for r in own if r.job.seed == s) for s in sorted({r.job.seed for r in own})}
        whole = [s for s, d in by_seed.items() if d == list(range(len(names)))]
        parts = [f"seed{'s' * (len(whole) > 1)} {', '.join(map(str, whole))} on all {kind}"] if whole else []
        parts += [f"seed {s} on {', '.join(names[i] for i in d)}" for s, d in by_seed.items() if s not in whole]
        seconds = [r.seconds for r in own if r.seconds is not None]
        took = (
            f" Training took {statistics.mean(seconds):.0f} s on average, {max(seconds):.0f} s at most."
            if seconds
            else ""
        )
        tested = own[0].tested
        sample = ""
        if tested != whole_set:
            sample = f", scored on a fixed stratified sample of {tested:,} test images ({_there(protocol, own)})"
        lines.append(f"- {METHOD_NAMES[method]}: {'; '.join(parts)}{sample}.{took}")
    return "\n".join(lines)


def _there(protocol: str, own: Sequence[Row]) -> str:
    """What the baselines reach on the sample of test images that a method's rows are about."""
    digits = sorted({r.job.digit for r in own})
    areas = {
        words: statistics.mean(b["auroc"] for b in baseline(protocol, name, digits, _data(own), own[0].tested))
        for name, words in baselines.NAMES.items()
    }
    return "AUROC there: " + "; ".join(f"{words} {area:.4f}" for words, area in areas.items())


def parts_table(protocol: str, rows: Sequence[Row]) -> str:
    """What each part would reach alone: mean AUROC over the runs of the table."""
    names = parts_in({p for r in rows if r.job.protocol == protocol for p in r.parts})
    lines = [f"| detector | {' | '.join(names)} | weighed |", "|---|" + "---:|" * (len(names) + 1)]
    for method in METHOD_NAMES:
        own = [r for r in rows if (r.job.protocol, r.job.method) == (protocol, method) and r.parts]
        if own:
            means = [f"{statistics.mean(r.parts[p] for r in own):.4f}" if p in own[0].parts else "" for p in names]
            means.append(f"{statistics.mean(r.auroc for r in own):.4f}")
            lines.append(f"| {METHOD_NAMES[method]} | " + " | ".join(means) + " |")
    return "\n".join(lines)


PLAYED_THE_ANOMALY = (0, 2, 4, 6, 8)
"""Digits that played the anomaly, among training images, when settings for many normal digits were chosen (docs/choices/)."""


def apart(rows: Sequence[Row], metric: str = "auroc") -> str:
    """Protocol A: means over the digits that settings were chosen by and over those that no choice saw.

    Empty without rows of all ten digits.
    """
    groups = (PLAYED_THE_ANOMALY, tuple(d for d in ALL if d not in PLAYED_THE_ANOMALY))
    lines = [f"| detector | {' | '.join(', '.join(map(str, g)) for g in groups)} |", "|---|---:|---:|"]
    for name, words in baselines.NAMES.items():
        means = [statistics.mean(b[metric] for b in baseline("A", name, g)) for g in groups]
        lines.append(f"| {words} | " + " | ".join(f"{m:.4f}" for m in means) + " |")
    for method in dict.fromkeys(r.job.method for r in rows if r.job.protocol == "A"):
        by_digit = {
            d: [getattr(r, metric) for r in rows if (r.job.protocol, r.job.method, r.job.digit) == ("A", method, d)]
            for d in ALL
        }
        if not all(by_digit.values()):
            continue
        means = [statistics.mean(statistics.mean(by_digit[d]) for d in g) for g in groups]
        lines.append(f"| **{METHOD_NAMES[method]}** | " + " | ".join(f"{m:.4f}" for m in means) + " |")
    return "\n".join(lines) if len(lines) > 2 + len(baselines.NAMES) else ""


def page(rows: Sequence[Row], preset: str) -> str:
    """A file of docs/: the tables of all rows, which are about the same images."""
    own = _data(rows)
    title, split = (
        "How well it detects",
        "official MNIST split; [how often the test set was read](choices/test-set.md#how-often-the-test-set-was-read)",
    )
    command, kind = "python -m ganad bench quality", "digit"
    if own is not None:
        source = Path(own).name.replace("`", "")
        title, split = f"{title}: {source}", f"every training and test image of {source}"
        command, kind = f"{command} --data …/{source}", "class"
    lines = [
        f"# {title}",
        "",
        f"Written by `{command}`. Preset `{preset}`, settings chosen on training images of MNIST, three "
        "weights each of AnoGAN's and f-AnoGAN's score [on those of Fashion-MNIST too](choices/weights-together.md#several-weights-at-once-digits-and-clothes); the last epoch; "
        f"`eval()` everywhere; {split}. "
        "Mean over seeds ± sample standard deviation; a figure without ± is one seed. Baselines learn from the same images.",
        "",
        f"Machine: {os.cpu_count()} cores, {platform.machine()}, one thread a training.",
    ]
    for protocol, words in PROTOCOLS.items():
        if not any(r.job.protocol == protocol for r in rows):
            continue
        lines += ["", f"## Protocol {protocol}: AUROC", "", f"{words}. A column is the "]
        lines[-1] += f"normal {kind}." if protocol == "B" else f"anomalous {kind}."
        lines += ["", table(protocol, rows), "", covers(protocol, rows), "", "By part, mean AUROC over these runs:", ""]
        lines += [parts_table(protocol, rows)]
        if protocol == "A":
            lines += [
                "",
                " ".join(
                    _epochs(m, preset, own)
                    for m in METHOD_NAMES
                    if any((r.job.protocol, r.job.method) == ("A", m) for r in rows)
                ),
            ]
        if protocol == "A" and own is None and (two := apart(rows)):
            lines += [
                "",
                "Settings for nine normal digits were chosen with training images of 0, 2, 4, 6, 8 in the part of ",
            ]
            lines[-1] += (
                "the anomaly ([choices](choices/README.md)); no choice saw 1, 3, 5, 7, 9. AUROC, mean over either five:"
            )
            lines += ["", two]
        if protocol == "A":
            lines += ["", "Average precision, which guessing brings to the anomalies' share of about one in ten:", ""]
            lines += [table(protocol, rows, "average_precision")]
    return "\n".join(lines) + "\n"


def _epochs(method: str, preset: str, data: str | None) -> str:
    """How long a method trains in protocol A, in words."""
    n, others = settings(Job("A", method, 0, 0, data), preset).epochs, len(classes(data)) - 1
    return f"{METHOD_NAMES[method]}: preset `{preset_of('A', method, preset)}`, {n} epochs, which are as many steps as {others * n} of one class."


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
