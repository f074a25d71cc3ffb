"""The command line: train, judge, keep runs in order, measure. Results on stdout, everything else on stderr.

Exit codes: 0 all went well, 1 it failed, 2 the arguments were wrong, 130 it was stopped, 141 nobody reads what it prints.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
import traceback
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from ganad import glossary
from ganad.cli import terminal
from ganad.config import METHOD_NAMES, PARTS, PRESETS, from_text, resolve
from ganad.errors import ConfigError, DataError, GanadError, RunError, file_errors
from ganad.wording import plural

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See what a GAN finds strange: train and judge GAN anomaly detectors on handwritten digits. "
    "RUN is a run's name, number or folder, as `list` shows it. The dashboard: streamlit run app.py",
)
say, tell = terminal.say, terminal.tell

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
    from ganad import service
    from ganad.runs import run_directory
    from ganad.system import access

    access.allow("training")
    settings = resolve(
        method.value, preset, normal=tuple(normal) if normal else None, epochs=epochs, seed=seed, limit=limit,
        name=name or None, data=service.data_path(str(data)) if data else None, **_pairs(set_),
    )  # fmt: skip
    service.check_data(settings, hand_over=True)
    _work(run_directory.create(settings))


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
    from ganad.runs import run_directory
    from ganad.system import access
    from ganad.training import jobs

    access.allow("training")
    path = run_directory.find(run)
    jobs.requeue(path)
    _work(path)


def _work(run: Path) -> None:
    """Train in the foreground with a progress bar, print the folder, and exit as the run ended."""
    from ganad.runs import run_directory
    from ganad.training import length, worker

    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=terminal.err, transient=not terminal.err.is_terminal) as bar:
        task = bar.add_task(terminal.plain(f"{run.name}: starting"), total=None)

        def watch(s: run_directory.Status) -> None:
            at = f", epoch {s.epoch} of {s.epochs}, {s.rate:.0f} images/s" if s.rate and s.doing == "training" else ""
            bar.update(
                task,
                description=terminal.plain(f"{run.name}: {s.doing or s.state}{at}"),
                total=s.total or None,
                completed=s.step,
            )

        ended = worker.work(run, watch)
    if ended == "failed":
        terminal.complain(run_directory.read_status(run).error, "failed")
    elif ended == "stopped":
        tell(f"stopped. Go on with: python -m ganad resume {run.name}")
    else:
        report = run_directory.read_json(run / "report.json") or {}
        tell(f"AUROC {report['auroc']:.4f} on the test set. See it: streamlit run app.py")
        if short := length.too_short(run_directory.settings(run), run_directory.read_status(run).total):
            tell((short, "yellow"))
    terminal.path(run)
    raise typer.Exit({"finished": 0, "stopped": 130}.get(ended, 1))


@app.command()
def stop(run: Run) -> None:
    """Ask a run to stop. It saves what it has, within two seconds; `resume` goes on from there."""
    from ganad.runs import run_directory
    from ganad.system import access
    from ganad.training import jobs

    access.allow("stopping runs")
    path = run_directory.find(run)
    before = run_directory.status(path).state
    if before in run_directory.ENDED:
        tell(f"{path.name} is {before} already.")
        return
    jobs.stop(path, wait=True)
    state = run_directory.status(path).state
    tell(f"{path.name} is {state}.")
    if state not in run_directory.ENDED:
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
                "auroc": r.report and r.report["auroc"], "error": r.status.error, "own_name": r.settings.name,
            }
            for r in found
        ]  # fmt: skip
        terminal.put(json.dumps(rows, indent=2))
        return
    if not found:
        tell("There are no runs yet. Train one: python -m ganad train --normal 8")
        return
    rows = []
    for r in found:
        done = f"{r.status.epoch}/{r.settings.epochs}" if r.at_work else str(r.settings.epochs)
        auroc = f"{r.report['auroc']:.4f}" if r.report else "–"
        digits = " ".join(map(str, r.normal))
        rows.append((r.name, r.state, METHOD_NAMES[r.method], digits, r.settings.preset, done, auroc, r.settings.name))
    heads = ("run", "state", "method", "normal", "preset", "epochs", "AUROC", "name")
    shown = len(heads) if any(r.settings.name for r in found) else len(heads) - 1
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
    json_: Json = False,
) -> None:
    """Judge a run on the test set: areas, operating point, and how each digit fares."""
    from ganad import service
    from ganad.evaluation import metrics as ev

    result, used = service.evaluate_run(run, weights)
    report = ev.report(result, used)
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
    parts = (f"{p} {w:g} (alone {result.part_auroc[p]:.3f})" for p, w in zip(PARTS, used, strict=True))
    say("weights " + ", ".join(parts))
    heads = ("digit", "", "images", "called anomalous", "AUROC")
    rows = [
        (
            row["digit"],
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


@app.command(epilog=glossary.paragraphs("score", "percentile", "held-out normals", "threshold", "verdict", *PARTS))
def score(
    run: Run,
    files: Annotated[list[Path], typer.Argument(help="images of one digit each", show_default=False)],
    raw: Annotated[
        bool, typer.Option("--raw", help="the images are 28x28 already, white on black, as in MNIST")
    ] = False,
    json_: Json = False,
) -> None:
    """Judge your own images: score, percentile among held-out normals, verdict, parts.

    A file that cannot be judged is named in a line of its own, the others are judged, and the exit code is 1. What is
    hardly one digit (a dot, several digits) is judged too, and the line below says so.
    """
    import numpy as np

    from ganad import service

    service.run_info(run)
    good, prepared = [], []
    for file in files:
        try:
            prepared.append(service.prepare_file(file, raw))
        except (DataError, RunError) as error:
            terminal.complain(_of_file(file, str(error)))
            continue
        good.append(file)
    found = service.score_images(run, np.stack([p.digit for p in prepared])) if prepared else []
    if json_:
        keys = ("score", "percentile", "verdict", "threshold", "parts")
        rows = [{"file": str(f), **{k: getattr(j, k) for k in keys}} for f, j in zip(good, found, strict=True)]
        for row, p, j in zip(rows, prepared, found, strict=True):
            if p.doubts:
                row["doubts"] = list(p.doubts)
            if j.why:  # JSON has no infinity
                row |= {"threshold": None, "why": j.why}
        terminal.put(json.dumps(rows, indent=2))
    else:
        for file, p, j in zip(good, prepared, found, strict=True):
            verdict = (j.verdict, "red" if j.verdict == "anomalous" else "green")
            say(f"{file}: ", verdict, f", stranger than {j.percentile:.1f} % of held-out normals")
            parts = ", ".join(f"{p} {v:.4g}" for p, v in j.parts.items())
            line = "no threshold" if j.why else f"threshold {j.threshold:.4g}"
            say(f"  score {j.score:.4g}, {line}; {parts}")
            for doubt in p.doubts:
                say(("  " + doubt, "yellow"))
        if found and found[0].why:
            tell((found[0].why, "yellow"))
    if len(good) < len(files):
        raise typer.Exit(1)


def _of_file(file: Path, said: str) -> str:
    """An error that names its file by the path that was typed: two folders may hold files of one name."""
    if str(file) in said:
        return said
    return f"{file}{said[len(file.name) :]}" if said.startswith(f"{file.name} ") else f"{file}: {said}"


@app.command()
def report(
    run: Run,
    to: Annotated[Path | None, typer.Option("--out", help="the file; default: the run's name, here")] = None,
) -> None:
    """Write a finished run as one HTML file that opens without network: numbers, live mixer, digits, settings."""
    from ganad.report import html_report as r
    from ganad.runs import run_directory

    page = r.report_html(run)
    path = to or Path(f"{run_directory.find(run).name}.html")
    with file_errors(f"{path} cannot be written", "Name another file with --out."):
        run_directory.write_text(path, page)
    tell(f"{len(page) / 1e6:.1f} MB. Open it in a browser; it needs no network.")
    terminal.path(path)


# --- keeping runs in order -------------------------------------------------------------------------------------


@app.command()
def rename(run: Run, name: Annotated[str, typer.Argument(help='a name of your own; "" takes it away')]) -> None:
    """Give a run a name of your own. Its folder keeps its name."""
    from ganad import service

    service.rename(run, name)
    info = service.run_info(run)
    tell(
        f"{info.name} is called {info.settings.name!r} now." if info.settings.name else f"{info.name} has no name now."
    )


@app.command()
def note(
    run: Run,
    text: Annotated[
        str | None, typer.Argument(help='the note; "" takes it away; without it the note is printed')
    ] = None,
) -> None:
    """Write a note on a run, in place of the one that it has, or print it."""
    from ganad import service

    if text is not None:
        service.write_note(run, text)
        tell(f"{service.run_info(run).name} has {'a' if text.strip() else 'no'} note now.")
        return
    for line in service.run_info(run).note.splitlines():
        say(line)


@app.command()
def delete(
    runs_: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="number, name or path", show_default=False)
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="bring it back instead, and print its folder")] = False,
    empty_trash: Annotated[
        bool, typer.Option("--empty-trash", help="remove for good what lies in the trash; there is no undo")
    ] = False,
) -> None:
    """Move runs into the trash, whole. `--undo` brings them back.

    What cannot be moved is named in a line of its own, the others are moved, and the exit code is 1.
    """
    from ganad import service
    from ganad.runs import run_directory

    if not runs_ and not empty_trash:
        raise GanadError("Name the runs to delete, or add --empty-trash. python -m ganad list shows them.")
    if undo and empty_trash:
        raise GanadError("--undo brings back what --empty-trash removes: give one of them.")
    failed = False
    for run in runs_ or ():
        try:
            if undo:
                terminal.path(run_directory.find(service.restore(service.in_trash(run))))
                continue
            thrown = service.trash(run)
        except GanadError as error:
            terminal.complain(str(error))
            failed = True
            continue
        tell(f"{thrown} lies in the trash. Bring it back with: python -m ganad delete {thrown} --undo")
    if empty_trash and not failed:
        size = service.trash_bytes()
        count = service.empty_trash()
        tell(f"{plural(count, 'run')} removed for good, {size / 1e6:.1f} MB are free again.")
    if failed:
        raise typer.Exit(1)


@app.command()
def export(
    run: Run,
    to: Annotated[Path | None, typer.Argument(metavar="[FILE.zip]", help="default: the run's name, here")] = None,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there already")] = False,
) -> None:
    """Pack a run that has ended as a zip, to keep it elsewhere or send it to somebody, and print the file's path."""
    from ganad import service
    from ganad.runs import run_directory

    path = to or Path(f"{run_directory.find(run).name}.zip")
    if path.exists() and not force:
        raise GanadError(f"{path} is there already. Name another file, or replace it with --force.")
    content = service.packed(run)
    with file_errors(f"{path} cannot be written", "Name another file."), run_directory.replaced(path) as file:
        file.write(content)
    tell(f"{len(content) / 1e6:.1f} MB. Bring it in elsewhere with: python -m ganad import {path.name}")
    terminal.path(path)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="as `export` or Download makes it")]) -> None:
    """Bring in a run from a zip, with a number of its own, and print the new run's folder."""
    from ganad import service
    from ganad.runs import run_directory

    if not file.is_file():
        raise GanadError(
            f"{file} {'is not a file' if file.exists() else 'does not exist'}; the zip of a run is wanted."
        )
    with (
        file_errors(f"{file} cannot be brought in", "Look at the path and its permissions."),
        file.open("rb") as parcel,
    ):
        name = service.unpacked(parcel)
    terminal.path(run_directory.find(name))


# --- what other parts of ganad call ----------------------------------------------------------------------------


@app.command(hidden=True)
def work(run: Path) -> None:
    """Train a run that was made before: what the dashboard starts in the background."""
    from ganad.training import worker

    os.environ["GANAD_DEBUG"] = "1"  # what is printed here goes to log.txt, which is where one looks
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
    from ganad.bench import release
    from ganad.runs import run_directory

    if fill:
        for path in release.fill():
            terminal.path(path)
    elif run and name:
        terminal.path(release.ship(run_directory.find(run), name, light=light, nets=not bare))
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
    from ganad.bench import speed as b
    from ganad.bench import time_to_auroc as r

    methods = [m.value for m in method] if method else list(METHOD_NAMES)
    rows = b.speed(tell) if to is None else r.reach(to, methods, _numbers(digits), tell, every=every, sample=sample)
    terminal.put(json.dumps(rows, indent=2) if json_ else b.speed_table(rows) if to is None else r.reach_table(rows))


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

    if shelf:
        again = b.shelf(tell)
        terminal.put(json.dumps(again, indent=2) if json_ else b.shelf_table(again))
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
    rows = b.quality(jobs, preset, tell)
    if json_:
        terminal.put(json.dumps([dataclasses.asdict(r) for r in rows], indent=2))
    else:
        for p in dict.fromkeys(r.job.protocol for r in rows):
            terminal.put(f"\nProtocol {p}: {b.PROTOCOLS[p]}. AUROC.\n\n{b.table(p, rows)}\n\n{b.covers(p, rows)}")
    if write is not None:
        write.write_text(b.page(b.known(preset), preset), encoding="utf-8")
        tell(f"written to {write}")


def _numbers(text: str) -> list[int]:
    try:
        return [int(t) for t in text.split(",")]
    except ValueError:
        raise ConfigError(f"a list of whole numbers such as 0,1,2 is wanted, got {text!r}") from None


def main() -> int:
    """Run a command; whatever goes wrong becomes one line and an exit code, never a traceback."""
    terminal.prepare()
    try:
        try:
            code = app(standalone_mode=False) or 0
        except Exception as error:
            code = _ended_by(error)
        except KeyboardInterrupt:
            code = 130
        except SystemExit:  # typer's way out when nobody reads what it prints
            raise BrokenPipeError from None
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        terminal.hang_up()
        return 141


def _ended_by(error: Exception) -> int:
    """Say what ended a command and return its exit code."""
    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, typer.Abort):
        if not isinstance(error.__cause__, EOFError):
            return 130
        error = error.__cause__  # typer takes the end of any file for a wish to leave
    if isinstance(error, GanadError):
        terminal.complain(error)
        return 2 if isinstance(error, ConfigError) else 1
    if hasattr(error, "exit_code") and hasattr(error, "show"):
        # typer's own complaints about arguments, whichever click it is built on, know how to show themselves
        error.show()
        return int(error.exit_code)
    if os.environ.get("GANAD_DEBUG", "0") not in ("", "0"):
        traceback.print_exception(error)
    else:
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        terminal.complain(
            f"{what}. This was not foreseen; with GANAD_DEBUG=1 before the command it says where it happened."
        )
    return 1


if __name__ == "__main__":
    sys.exit(main())
