"""Commands that train: start, resume, stop, and what the dashboard calls in the background."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from ganad import glossary, service
from ganad.cli import terminal
from ganad.cli.app import DEFAULT_METHOD, MethodName, Run, app
from ganad.cli.terminal import tell
from ganad.config import PRESETS, from_text, resolve
from ganad.data import sources
from ganad.data.class_names import number_of as class_number
from ganad.errors import ConfigError
from ganad.runs import commands, run_directory
from ganad.system import access, limits, paths
from ganad.system.files import MOST_JSON_BYTES
from ganad.training import jobs, replay, worker


@app.command()
def train(
    method: Annotated[MethodName, typer.Option(help="which GAN")] = DEFAULT_METHOD,
    normal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS",
            help=f"a normal digit, 0 to 9, or a class of own data by name or number; repeat for more. These are {glossary.MEANING['normal digits']}",
        ),
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
    class_names: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME,...",
            help="names of the classes of own data, class 0 first; default: those that the data bring",
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="any other setting of config.json; repeat"),
    ] = None,
    commands_file: Annotated[
        Path | None,
        typer.Option("--commands", metavar="FILE", help="follow the commands.jsonl of a run that was steered"),
    ] = None,
) -> None:
    """Train a detector on the normal digits, score the test set, and print the run's folder.

    Ctrl+C stops it in good order; `resume` goes on from there.
    """

    access.allow("training")
    names = tuple(class_names.split(",")) if class_names else None
    options = dict(
        normal=_classes(normal, data, names), epochs=epochs, seed=seed, limit=limit, class_names=names, name=name or None,
        data=service.data_path(str(data)) if data else None,
    )  # fmt: skip
    settings = resolve(method.value, preset, **_together(options, pairs(set_)))
    service.check_data(settings, hand_over=True)
    recorded = (
        commands.parsed(paths.contents(commands_file, MOST_JSON_BYTES), str(commands_file)) if commands_file else []
    )
    foreground(replay.begun_with(settings, recorded))


def _classes(asked: list[str] | None, data: Path | None, names: tuple[str, ...] | None) -> tuple[int, ...] | None:
    """The numbers of the classes that are named, or None where none is. Data are read for their names alone where a name is asked for."""
    if not asked:
        return None
    if all(text.isdecimal() for text in asked):
        return tuple(map(int, asked))
    classes = names or service.class_names(str(data) if data else None)
    return tuple(class_number(text, classes) for text in asked)


def _together(options: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Settings that options of their own gave (None: not given), and those of `--set`. Raises ConfigError for one that both give."""
    for key in others:
        if key in ("method", "preset") or options.get(key) is not None:
            option = f"--{key.replace('_', '-')}"
            raise ConfigError(f"--set {key}=… says again what {option} says: use {option} alone.")
    return options | others


def pairs(texts: list[str] | None) -> dict[str, Any]:
    """The values of `--set KEY=VALUE`, by their keys. Raises ConfigError for what has no equals sign."""
    values = {}
    for text in texts or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set wants KEY=VALUE, got {text!r}")
        values[key.strip()] = from_text(key.strip(), value.strip())
    return values


@app.command()
def own(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER_OR_FILES",
            help="images of one symbol of yours each, or a folder of them",
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Option(help="what your class is called")] = "my sign",
    page: Annotated[
        bool, typer.Option("--page", help="each file is a photo of several symbols: every one is taken")
    ] = False,
    seed: Annotated[int, typer.Option(help="fixes which images are held out, the first weights and the order")] = 0,
    epochs: Annotated[
        int | None, typer.Option(help="passes over the training images; default: about a minute's worth")
    ] = None,
) -> None:
    """Train a detector of one symbol of your own from 10 to 100 images, judge it against digits of MNIST, and print the run's folder.

    About half of the images train, varied as a hand varies; a quarter is held out for the threshold, a quarter tests.
    """

    access.allow("training")
    images = [image for file in _pictures(files) for image in service.originals_in(*_content(file), page=page)]
    path, copies = service.keep_own_class(images, name, seed)
    if copies:
        tell((f"{copies} of {len(images)} images left out: each is a copy of another one.", "yellow"))
    settings = service.own_class_settings(path, name, seed, epochs)
    service.check_data(settings, hand_over=True)
    foreground(run_directory.create(settings))


def _pictures(files: list[Path]) -> list[Path]:
    """The files themselves, and in place of a folder the pictures in it. Raises DataError for a folder without any."""
    found: list[Path] = []
    for file in map(paths.typed, files):
        found += sources.pictures_in(file) if file.is_dir() else [file]
    return found


def _content(file: Path) -> tuple[bytes, str]:
    return paths.contents(file, limits.PICTURE_BYTES, "picture"), str(file)


@app.command()
def resume(run: Run) -> None:
    """Go on with a stopped or failed run, with the same numbers as if it had never been interrupted."""

    access.allow("training")
    path = run_directory.find(run)
    jobs.requeue(path)
    foreground(path)


@app.command("continue")
def continue_(run: Run, epochs: Annotated[int, typer.Option(help="so many more", min=1)]) -> None:
    """Train a finished run on, as a new run: it ends as a run of all these epochs would. The finished one stays as it is."""

    access.allow("training")
    foreground(jobs.continued(run_directory.find(run), epochs))


def foreground(run: Path, then: Callable[[Path], bool] = lambda run: True) -> None:
    """Train in the foreground with a progress bar, print the folder, and exit as the run ended.

    then: called where it finished; False makes the exit code 1.
    """

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
        if quality := service.own_class_quality(run.name):
            for sentence in service.quality_in_words(quality):
                tell(sentence)
        elif short := service.run_info(run.name).short_in_words:
            tell((short, "yellow"))
    good = ended != "finished" or then(run)
    terminal.path(run)
    raise typer.Exit({"finished": 0, "stopped": 130}.get(ended, 1) if good else 1)


@app.command()
def stop(run: Run) -> None:
    """Ask a run to stop. It saves what it has, within two seconds; `resume` goes on from there."""

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


@app.command(hidden=True)
def work(run: Path) -> None:
    """Train a run that was made before: what the dashboard starts in the background."""

    os.environ["GANAD_DEBUG"] = "1"  # what is printed here goes to log.txt, which is where one looks
    raise typer.Exit(worker.main(run))


@app.command(hidden=True)
def measure(settings: str) -> None:
    """Measure how fast this machine trains with the given settings (JSON), and remember it."""

    service.measure(settings)
