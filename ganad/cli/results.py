"""Commands that show: the list of runs, metrics, verdicts on own images, a report."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ganad import glossary, service
from ganad.cli import terminal
from ganad.cli.app import Json, Run, app
from ganad.cli.terminal import say, tell
from ganad.config import METHOD_NAMES, PARTS, Weights
from ganad.errors import ConfigError, DataError, RunError, file_errors
from ganad.evaluation import metrics
from ganad.report import html_report
from ganad.runs import run_directory


@app.command("list")
def list_(json_: Json = False) -> None:
    """Show every run, yours first, then the shipped ones."""

    runs = service.list_runs()
    if json_:
        rows = [
            {
                "name": r.name, "state": r.state, "method": r.method, "preset": r.settings.preset,
                "normal": list(r.normal), "seed": r.settings.seed, "epochs": r.settings.epochs, "shipped": r.shipped,
                "auroc": r.report and r.report["auroc"], "error": r.status.error, "own_name": r.settings.name,
            }
            for r in runs
        ]  # fmt: skip
        terminal.put(json.dumps(rows, indent=2))
        return
    if not runs:
        tell("There are no runs yet. Train one: python -m ganad train --normal 8")
        return
    rows = []
    for r in runs:
        done = f"{r.status.epoch}/{r.settings.epochs}" if r.at_work else str(r.settings.epochs)
        auroc = f"{r.report['auroc']:.4f}" if r.report else "–"
        rows.append(
            (r.name, r.state, METHOD_NAMES[r.method], r.normal_listed, r.settings.preset, done, auroc, r.settings.name)
        )
    heads = ("run", "state", "method", "normal", "preset", "epochs", "AUROC", "name")
    shown = len(heads) if any(r.settings.name for r in runs) else len(heads) - 1
    terminal.table(heads[:shown], [row[:shown] for row in rows], right=("epochs", "AUROC"))


@app.command(
    epilog=glossary.paragraphs(
        "AUROC", "average precision", "prevalence", "equal error rate", "threshold", "false alarms at most"
    )
)
def evaluate(
    run: Run,
    weights: Annotated[
        tuple[float, float, float] | None,
        typer.Option(
            metavar="R D L",
            help="weights of residual, discrimination and latent part. "
            + " ".join(f"{p.capitalize()}: {glossary.MEANING[p]}." for p in PARTS),
            show_default="the method's",
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=NUMBER", help="the weight of one part, once for each; the others keep theirs"),
    ] = None,
    json_: Json = False,
) -> None:
    """Judge a run on the test set: areas, operating point, and how each digit fares."""

    result, used = service.evaluate_run(run, _weights(run, weights, weight or []))
    report = metrics.report(result, used)
    if json_:
        terminal.put(json.dumps(report, indent=2))
        return
    say(
        (f"AUROC {result.auroc:.4f}", "bold"), "   share of (anomaly, normal) pairs in the right order; 0.5 is guessing"
    )
    say(
        f"average precision {result.average_precision:.4f} at a prevalence of {result.prevalence:.3f} (guessing: the same)"
    )
    say(f"equal error rate {result.eer:.3f}")
    if math.isfinite(result.threshold):  # else a warning below says why there is none
        say(
            f"above the threshold {result.threshold:.4g}: {result.hit_rate:.1%} of {result.n_anomalous} anomalies, "
            f"{result.false_alarm_rate:.1%} of {result.n_normal} normal images"
        )
    parts = (f"{p} {w:g} (alone {result.part_auroc[p]:.3f})" for p, w in zip(result.part_auroc, used, strict=True))
    say("weights " + ", ".join(parts))
    info = service.run_info(run)
    heads = (info.kind, "", "images", "called anomalous", "AUROC")
    rows = [
        (
            info.class_name(row["digit"]),
            "normal" if row["normal"] else "anomaly",
            row["n"],
            f"{row['flagged']:.1%}",
            f"{row['auroc']:.4f}",
        )
        for row in result.per_digit
    ]
    terminal.table(heads, rows, right=heads)
    for warning in result.warnings:
        tell((warning, "yellow"))


def _weights(run: str, three: Weights | None, single: list[str]) -> Weights | None:
    """One weight for each part of the run, or None for the run's own. Raises ConfigError for what names no part or is no number."""
    info = service.run_info(run)
    parts = info.settings.parts
    if three is not None and len(parts) > len(three):
        three = (*three, *info.weights[len(three) :])
    if not single:
        return three
    used = dict(zip(parts, three or info.weights, strict=True))
    for text in single:
        part, _, number = text.partition("=")
        try:
            used[parts[parts.index(part)]] = float(number)
        except ValueError:
            raise ConfigError(
                f"--weight is PART=NUMBER with a part of {info.name}, one of {', '.join(parts)}, got {text!r}"
            ) from None
    return tuple(used.values())


@app.command(epilog=glossary.paragraphs("score", "percentile", "held-out normals", "threshold", "verdict", *PARTS))
def score(
    run: Run,
    files: Annotated[list[Path], typer.Argument(help="images of one digit each", show_default=False)],
    raw: Annotated[
        bool, typer.Option("--raw", help="the images are 28x28 already, as those that the run was trained on")
    ] = False,
    page: Annotated[
        bool, typer.Option("--page", help="each file is a photo of several digits: every one is found and judged")
    ] = False,
    json_: Json = False,
) -> None:
    """Judge your own images: score, percentile among held-out normals, verdict, parts.

    With --page digits are named as one reads them: photo.jpg#1, photo.jpg#2, ...

    A file that cannot be judged is named in a line of its own, the others are judged, and the exit code is 1. What is
    hardly one digit (a dot, several digits) is judged too, and the line below says so.
    """

    service.run_info(run)
    if page and raw:
        raise ConfigError("--page looks for digits and prepares them, --raw takes images as they are: use one of them.")
    good, prepared, failed = [], [], False
    for file in files:
        try:
            found = _on_page(file) if page else [(str(file), service.prepare_file(file, raw, run))]
        except (DataError, RunError) as error:
            terminal.complain(_of_file(file, str(error)))
            failed = True
            continue
        for name, digit in found:
            if isinstance(digit, str):
                terminal.complain(f"{name}: {digit}")
                failed = True
                continue
            good.append(name)
            prepared.append(digit)
    judged = service.score_images(run, np.stack([p.digit for p in prepared])) if prepared else []
    if json_:
        keys = ("score", "percentile", "verdict", "threshold", "parts")
        rows = [{"file": str(f), **{k: getattr(j, k) for k in keys}} for f, j in zip(good, judged, strict=True)]
        for row, p, j in zip(rows, prepared, judged, strict=True):
            if p.doubts:
                row["doubts"] = list(p.doubts)
            if j.why:  # JSON has no infinity
                row |= {"threshold": None, "why": j.why}
        terminal.put(json.dumps(rows, indent=2))
    else:
        for file, p, j in zip(good, prepared, judged, strict=True):
            verdict = (j.verdict, "red" if j.verdict == "anomalous" else "green")
            say(f"{file}: ", verdict, f", stranger than {j.percentile:.1f} % of held-out normals")
            parts = ", ".join(f"{p} {v:.4g}" for p, v in j.parts.items())
            threshold = "no threshold" if j.why else f"threshold {j.threshold:.4g}"
            say(f"  score {j.score:.4g}, {threshold}; {parts}")
            for doubt in p.doubts:
                say(("  " + doubt, "yellow"))
        if judged and judged[0].why:
            tell((judged[0].why, "yellow"))
    if failed:
        raise typer.Exit(1)


def _on_page(file: Path) -> list[tuple[str, Any]]:
    """(file#number, prepared digit or why there is none) of each digit on a photo, as one reads."""
    page = service.digits_on_page_file(file)
    return [(f"{file}#{i + 1}", digit.prepared or digit.problem) for i, digit in enumerate(page.digits)]


def _of_file(file: Path, message: str) -> str:
    """An error that names its file by the path that was typed: two folders may hold files of one name."""
    if str(file) in message:
        return message
    named = message.startswith((f"{file.name} ", f"{file.name}:"))
    return f"{file}{message[len(file.name) :]}" if named else f"{file}: {message}"


@app.command()
def report(
    run: Run,
    to: Annotated[Path | None, typer.Option("--out", help="the file; default: the run's name, here")] = None,
) -> None:
    """Write a finished run as one HTML file that opens without network: numbers, live mixer, digits, settings."""

    page = html_report.report_html(run)
    path = to or Path(f"{run_directory.find(run).name}.html")
    with file_errors(f"{path} cannot be written", "Name another file with --out."):
        run_directory.write_text(path, page)
    tell(f"{len(page) / 1e6:.1f} MB. Open it in a browser; it needs no network.")
    terminal.path(path)
