"""The command line: train, resume, stop, list, evaluate, score, bench. Results on stdout, everything else on stderr.

Exit codes: 0 all went well, 1 it failed, 2 the arguments were wrong, 130 it was stopped.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from ganad import glossary
from ganad.config import METHOD_NAMES, PARTS, PRESETS, from_text, resolve
from ganad.errors import ConfigError, GanadError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See what a GAN finds strange: train and judge GAN anomaly detectors on handwritten digits. "
    "RUN is a run's name, number or folder, as `list` shows it. The dashboard: streamlit run app.py",
)
err = Console(stderr=True, soft_wrap=True)
out = Console(soft_wrap=True)

MethodName = Enum("MethodName", {m: m for m in METHOD_NAMES}, type=str)
DEFAULT_METHOD = next(iter(MethodName))
Run = Annotated[str, typer.Argument(help="name, number or folder of a run", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]


@app.command()
def train(
    method: Annotated[MethodName, typer.Option(help="which GAN")] = DEFAULT_METHOD,
    normal: Annotated[
        list[int] | None,
        typer.Option(help=f"a normal digit, 0 to 9; repeat for more. These are {glossary.MEANING['normal digits']}"),
    ] = None,
    preset: Annotated[str, typer.Option(help="; ".join(f"{m}: {', '.join(p)}" for m, p in PRESETS.items()))] = "tuned",
    epochs: Annotated[int | None, typer.Option(help="passes over the training images; default: the preset's")] = None,
    seed: Annotated[int, typer.Option(help="fixes held-out images, first weights and order")] = 0,
    limit: Annotated[int | None, typer.Option(help="use only the first so many normal training images")] = None,
    name: Annotated[str, typer.Option(help="a name of your own for the run")] = "",
    data: Annotated[
        Path | None,
        typer.Option(help="own images: IDX folder, CSV pair, .npz, or a folder a class; default: MNIST"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="any other setting of config.json; repeat"),
    ] = None,
) -> None:
    """Train a detector on the normal digits, score the test set, and print the run's folder.

    Ctrl+C stops it in good order; `resume` goes on from there.
    """
    from ganad import paths, runs

    settings = resolve(
        method.value, preset, normal=tuple(normal) if normal else None, epochs=epochs, seed=seed, limit=limit,
        name=name or None, data=str(paths.typed(data)) if data else None, **_pairs(set_),
    )  # fmt: skip

    _work(runs.create(settings))


def _pairs(texts: list[str] | None) -> dict[str, Any]:
    values = {}
    for text in texts or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set wants KEY=VALUE, got {text!r}")
        values[key.strip()] = from_text(key.strip(), value.strip())
    return values


@app.command()
def resume(run: Run) -> None:
    """Go on with a stopped or failed run, with the same numbers as if it had never been interrupted."""
    from ganad import jobs, runs

    path = runs.find(run)
    jobs.requeue(path)
    _work(path)


def _work(run: Path) -> None:
    """Train in the foreground with a progress bar, print the folder, and exit as the run ended."""
    from ganad import runs, training_length, worker

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=not err.is_terminal) as bar:
        task = bar.add_task(f"{run.name}: starting", total=None)

        def watch(s: runs.Status) -> None:
            at = f", epoch {s.epoch} of {s.epochs}, {s.rate:.0f} images/s" if s.rate and s.doing == "training" else ""
            bar.update(
                task,
                description=f"{run.name}: {s.doing or s.state}{at}",
                total=s.total or None,
                completed=s.step,
            )

        ended = worker.work(run, watch)
    if ended == "failed":
        err.print(f"[red]failed:[/red] {runs.read_status(run).error}", highlight=False)
    elif ended == "stopped":
        err.print(f"stopped. Go on with: python -m ganad resume {run.name}", highlight=False)
    else:
        report = runs.read_json(run / "report.json") or {}
        err.print(f"AUROC {report['auroc']:.4f} on the test set. See it: streamlit run app.py", highlight=False)
        if short := training_length.too_short(runs.settings(run), runs.read_status(run).total):
            err.print(short, style="yellow", highlight=False)
    out.print(str(run), highlight=False)
    raise typer.Exit({"finished": 0, "stopped": 130}.get(ended, 1))


@app.command()
def stop(run: Run) -> None:
    """Ask a run to stop. It saves what it has, within two seconds; `resume` goes on from there."""
    from ganad import jobs, runs

    path = runs.find(run)
    before = runs.status(path).state
    if before in runs.ENDED:
        err.print(f"{path.name} is {before} already.", highlight=False)
        return
    jobs.stop(path, wait=True)
    state = runs.status(path).state
    err.print(f"{path.name} is {state}.", highlight=False)
    if state not in runs.ENDED:
        raise typer.Exit(1)


@app.command("list")
def list_(json_: Json = False) -> None:
    """Show every run, yours first, then the shipped ones."""
    from ganad import service

    found = service.list_runs()
    if json_:
        rows = [
            {
                "name": r.name, "state": r.state, "method": r.method, "preset": r.settings.preset,
                "normal": list(r.normal), "seed": r.settings.seed, "epochs": r.settings.epochs, "shipped": r.shipped,
                "auroc": r.report and r.report["auroc"], "error": r.status.error,
            }
            for r in found
        ]  # fmt: skip
        print(json.dumps(rows, indent=2))
        return
    if not found:
        err.print("There are no runs yet. Train one: python -m ganad train --normal 8")
        return
    table = Table(box=None, pad_edge=False)
    for head in ("run", "state", "method", "normal", "preset", "epochs", "AUROC"):
        table.add_column(head, justify="right" if head in ("epochs", "AUROC") else "left", no_wrap=head == "run")
    for r in found:
        done = f"{r.status.epoch}/{r.settings.epochs}" if r.at_work else str(r.settings.epochs)
        auroc = f"{r.report['auroc']:.4f}" if r.report else "–"
        digits = " ".join(map(str, r.normal))
        table.add_row(r.name, r.state, METHOD_NAMES[r.method], digits, r.settings.preset, done, auroc)
    out.print(table)


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
    json_: Json = False,
) -> None:
    """Judge a run on the test set: areas, operating point, and how each digit fares."""
    from ganad import evaluate as ev
    from ganad import service

    result, used = service.judge_run(run, weights)
    report = ev.report(result, used)
    if json_:
        print(json.dumps(report, indent=2))
        return
    out.print(
        f"[bold]AUROC {result.auroc:.4f}[/bold]   share of (anomaly, normal) pairs in the right order; 0.5 is guessing"
    )
    out.print(
        f"average precision {result.average_precision:.4f} at a prevalence of {result.prevalence:.3f} (guessing: the same)"
    )
    out.print(f"equal error rate {result.eer:.3f}")
    if math.isfinite(result.threshold):  # else a warning below says why there is none
        out.print(
            f"above the threshold {result.threshold:.4g}: {result.hit_rate:.1%} of {result.n_anomalous} anomalies, ",
            end="",
        )
        out.print(f"{result.false_alarm_rate:.1%} of {result.n_normal} normal images")
    out.print(
        "weights "
        + ", ".join(f"{p} {w:g} (alone {result.part_auroc[p]:.3f})" for p, w in zip(PARTS, used, strict=True))
    )
    table = Table(box=None, pad_edge=False)
    for head in ("digit", "", "images", "called anomalous", "AUROC"):
        table.add_column(head, justify="right")
    for row in result.per_digit:
        kind = "normal" if row["normal"] else "anomaly"
        table.add_row(str(row["digit"]), kind, str(row["n"]), f"{row['flagged']:.1%}", f"{row['auroc']:.4f}")
    out.print(table)
    for warning in result.warnings:
        err.print(f"[yellow]{warning}[/yellow]")


@app.command(epilog=glossary.paragraphs("score", "percentile", "held-out normals", "threshold", "verdict", *PARTS))
def score(
    run: Run,
    files: Annotated[list[Path], typer.Argument(help="images of one digit each", show_default=False)],
    raw: Annotated[
        bool, typer.Option("--raw", help="the images are 28x28 already, white on black, as in MNIST")
    ] = False,
    json_: Json = False,
) -> None:
    """Judge your own images: score, percentile among held-out normals, verdict, parts."""
    import numpy as np

    from ganad import service

    service.run_info(run)
    prepared = [service.prepare_file(file, raw) for file in files]
    found = service.judge(run, np.stack([p.digit for p in prepared]))
    if json_:
        keys = ("score", "percentile", "verdict", "threshold", "parts")
        rows = [{"file": str(f), **{k: getattr(j, k) for k in keys}} for f, j in zip(files, found, strict=True)]
        for row, j in zip(rows, found, strict=True):
            if j.why:  # JSON has no infinity
                row |= {"threshold": None, "why": j.why}
        print(json.dumps(rows, indent=2))
        return
    for file, j in zip(files, found, strict=True):
        colour = "red" if j.verdict == "anomalous" else "green"
        out.print(
            f"{file}: [{colour}]{j.verdict}[/{colour}], stranger than {j.percentile:.1f} % of held-out normals",
            highlight=False,
        )
        parts = ", ".join(f"{p} {v:.4g}" for p, v in j.parts.items())
        line = "no threshold" if j.why else f"threshold {j.threshold:.4g}"
        out.print(f"  score {j.score:.4g}, {line}; {parts}", highlight=False)
    if found and found[0].why:
        err.print(found[0].why, style="yellow", highlight=False)


@app.command()
def report(
    run: Run,
    to: Annotated[Path | None, typer.Option("--out", help="the file; default: the run's name, here")] = None,
) -> None:
    """Write a finished run as one HTML file that opens without network: numbers, live mixer, digits, settings."""
    from ganad import report as r
    from ganad import runs

    page = r.report_html(run)
    path = to or Path(f"{runs.find(run).name}.html")
    try:
        runs.write_text(path, page)
    except OSError as error:
        raise GanadError(f"{path} cannot be written ({error.strerror}). Name another file with --out.") from None
    err.print(f"{len(page) / 1e6:.1f} MB. Open it in a browser; it needs no network.", highlight=False)
    out.print(str(path), highlight=False)


@app.command(hidden=True)
def work(run: Path) -> None:
    """Train a run that was made before: what the dashboard starts in the background."""
    from ganad import worker

    raise typer.Exit(worker.main(run))


@app.command(hidden=True)
def measure(settings: str) -> None:
    """Measure how fast this machine trains with the given settings (JSON), and remember it."""
    from ganad import service

    service.measure(settings)


@app.command(hidden=True)
def ship(
    run: Annotated[str | None, typer.Argument()] = None,
    name: Annotated[str | None, typer.Argument()] = None,
    light: Annotated[bool, typer.Option("--light", help="without reconstructions")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="without weights")] = False,
    fill: Annotated[bool, typer.Option("--fill", help="instead: every run of the quality tables, seed 0")] = False,
) -> None:
    """Copy a finished run to checkpoints/ under a name, and write checkpoints/README.md anew."""
    from ganad import runs, shelf

    if fill:
        for path in shelf.fill():
            out.print(str(path), highlight=False)
    elif run and name:
        found = runs.find(run)
        out.print(str(shelf.ship(found, name, light=light, nets=not bare)), highlight=False)
    else:
        raise ConfigError("ship wants a RUN and a NAME, or --fill")


bench = typer.Typer(no_args_is_help=True, help="Measure speed or quality on this machine, as ratios.")
app.add_typer(bench, name="bench")


@bench.command("speed")
def bench_speed(
    to: Annotated[
        float | None, typer.Option(help="instead: seconds until the mean AUROC is so high", min=0, max=1)
    ] = None,
    digits: Annotated[str, typer.Option(help="with --to: normal digits, a training each")] = "0,1,2,3,4,5,6,7,8,9",
    method: Annotated[list[MethodName] | None, typer.Option(help="with --to; repeat for more; default: all")] = None,
    every: Annotated[int, typer.Option(help="with --to: epochs between two looks", min=1)] = 1,
    sample: Annotated[int, typer.Option(help="with --to: test images scored at each look", min=100)] = 2000,
    json_: Json = False,
) -> None:
    """Training steps, scoring and single images, each against a plain reference in the same process.

    `--to 0.95 --digits 2,4,8` trains every method in full instead, until it is good.
    """
    from ganad.bench import reach as r
    from ganad.bench import speed as b

    def say(text: str) -> None:
        err.print(text, highlight=False)

    methods = [m.value for m in method] if method else list(METHOD_NAMES)
    rows = b.speed(say) if to is None else r.reach(to, methods, _numbers(digits), say, every=every, sample=sample)
    print(json.dumps(rows, indent=2) if json_ else b.speed_table(rows) if to is None else r.reach_table(rows))


@bench.command("quality")
def bench_quality(
    method: Annotated[list[MethodName] | None, typer.Option(help="repeat for more; default: all")] = None,
    protocol: Annotated[str, typer.Option(help="B: one digit normal; A: nine; default: both")] = "B,A",
    digits: Annotated[str | None, typer.Option(help="B: the normal, A: the anomalous digits, such as 2,4,8")] = None,
    seeds: Annotated[str | None, typer.Option(help="such as 0,1,2; default: what two cores can afford")] = None,
    preset: Annotated[str, typer.Option(help="which settings")] = "tuned",
    write: Annotated[Path | None, typer.Option(help="write the tables of all finished runs into this file")] = None,
    shelf: Annotated[bool, typer.Option("--shelf", help="instead: score every shipped run again, in full")] = False,
    json_: Json = False,
) -> None:
    """AUROC per digit beside baselines, as Markdown. Trains what is missing and keeps what is finished.

    `--write docs/results.md` puts the tables of everything that is finished there.
    """
    from ganad.bench import quality as b

    def say(text: str) -> None:
        err.print(text, highlight=False)

    if shelf:
        again = b.shelf(say)
        print(json.dumps(again, indent=2) if json_ else b.shelf_table(again))
        if off := [r["run"] for r in again if abs(r["difference"]) >= 5e-4]:
            raise GanadError(f"AUROC of {', '.join(off)} differs in the third digit.")
        return
    protocols = [p for p in protocol.upper().replace(" ", "").split(",") if p]
    if bad := [p for p in protocols if p not in b.PROTOCOLS]:
        raise ConfigError(f"--protocol is A, B or A,B, got {bad[0]!r}")
    jobs = b.plan(
        [m.value for m in method] if method else list(METHOD_NAMES), protocols,
        _numbers(digits) if digits else None, _numbers(seeds) if seeds else None,
    )  # fmt: skip
    rows = b.quality(jobs, preset, say)
    if json_:
        print(json.dumps([dataclasses.asdict(r) for r in rows], indent=2))
    else:
        for p in dict.fromkeys(r.job.protocol for r in rows):
            print(f"\nProtocol {p}: {b.PROTOCOLS[p]}. AUROC.\n\n{b.table(p, rows)}\n\n{b.covers(p, rows)}")
    if write is not None:
        write.write_text(b.page(b.known(preset), preset), encoding="utf-8")
        err.print(f"written to {write}", highlight=False)


def _numbers(text: str) -> list[int]:
    try:
        return [int(t) for t in text.split(",")]
    except ValueError:
        raise ConfigError(f"a list of whole numbers such as 0,1,2 is wanted, got {text!r}") from None


def main() -> int:
    """Run a command; turn the errors that are meant for users into one line and an exit code."""
    try:
        return app(standalone_mode=False) or 0
    except ConfigError as error:
        err.print(f"[red]error:[/red] {error}", highlight=False)
        return 2
    except GanadError as error:
        err.print(f"[red]error:[/red] {error}", highlight=False)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        # typer's own complaints about arguments, whichever click it is built on, know how to show themselves
        if hasattr(error, "exit_code") and hasattr(error, "show"):
            error.show()
            return int(error.exit_code)
        raise


if __name__ == "__main__":
    sys.exit(main())
