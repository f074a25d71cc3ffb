"""`sweep`: many runs by one command, on this machine or a cluster."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ganad import service
from ganad.cli import terminal
from ganad.cli.app import DEFAULT_METHOD, Json, MethodName, app
from ganad.cli.terminal import tell
from ganad.config import METHOD_NAMES
from ganad.data.class_names import number_of as class_number
from ganad.errors import ConfigError
from ganad.runs import run_directory
from ganad.studies import objective, store, summary, sweep
from ganad.studies.plan import parse
from ganad.system import access
from ganad.wording import plural

MOST_BARS = 12
"""Runs at work that are shown at once, a line each."""


@app.command("sweep")
def sweep_(
    study: Annotated[str | None, typer.Argument(help="go on with this study: its name, number or folder", show_default=False)] = None,
    method: Annotated[list[MethodName] | None, typer.Option(help=f"which GAN; repeat for more; default: {DEFAULT_METHOD.value}")] = None,
    normal: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="`each`: a run for each class; 3: one with class 3; 3,8: one with both; repeat for more"),
    ] = None,
    preset: Annotated[str, typer.Option(help="as of `train`")] = "tuned",
    seeds: Annotated[str, typer.Option(help="such as 0-2 or 0,5")] = "0",
    epochs: Annotated[int | None, typer.Option(help="passes over the training images; default: the preset's")] = None,
    limit: Annotated[int | None, typer.Option(help="use only the first so many normal training images")] = None,
    data: Annotated[Path | None, typer.Option(help="own images, as of `train`; default: MNIST")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE,...", help="a setting; with several values each is tried, with each of the others; repeat")
    ] = None,
    name: Annotated[str, typer.Option(help="a name of your own for the study")] = "",
    engine: Annotated[str | None, typer.Option(help="local: this machine, GANAD_SLOTS runs at once; ray: a Ray cluster; default: local")] = None,
    address: Annotated[str | None, typer.Option(help="of the cluster: auto, local or ray://HOST:PORT")] = None,
    status: Annotated[bool, typer.Option("--status", help="only say how the study stands")] = False,
    json_: Json = False,
) -> None:  # fmt: skip
    """Train many runs that answer one question, or go on with a study; what is finished is never done twice.

    The study's folder is the last line. Ctrl+C leaves everything so that `sweep STUDY` goes on. Runs are compared by the AUROC of
    held-out normals against training images of the other classes: the test set has no part in any choice.
    """  # fmt: skip
    if engine not in (None, "local", "ray"):
        raise ConfigError(f"--engine is local or ray, got {engine!r}")
    if study is not None:
        folder = store.find(study)
        if status:
            _status(folder, json_)
            return
        access.allow("training")
    else:
        if status:
            raise ConfigError("--status needs a study: python -m ganad sweep STUDY --status")
        access.allow("training")
        path = service.data_path(str(data)) if data else None
        settings, grid = _settings(set_)
        given = {"epochs": epochs, "limit": limit, "data": path}
        plan = parse(
            {
                "name": name, "methods": [m.value for m in method or [DEFAULT_METHOD]], "preset": preset, "normal": _normal(normal, path), "seeds": _seeds(seeds),
                "settings": settings | {k: str(v) for k, v in given.items() if v is not None}, "grid": grid, "engine": engine or "local", "address": address or "auto",
            }
        )  # fmt: skip
        folder = store.create(plan)
    _work(folder, engine, address)


def _work(folder: Path, engine: str | None, address: str | None) -> None:
    made = summary.rows(folder)
    left = [row for row in made if row.state != "finished"]
    tell(f"{folder.name}: {plural(len(made), 'run')}, {len(made) - len(left)} finished already.")
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    names = {
        row.key: f"{METHOD_NAMES[row.method]} {service.digits_in_words(row.normal)} s{row.seed} "
        + " ".join(f"{k}={v}" for k, v in row.values.items())
        for row in made
    }
    bars: dict[str, TaskID] = {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a page that stops a study asks so
    failed = 0
    try:
        with Progress(*columns, console=terminal.err, transient=not terminal.err.is_terminal) as progress:
            every = progress.add_task("all runs", total=len(made), completed=len(made) - len(left))

            def heard(key: str, now: run_directory.Status) -> None:
                if key not in bars and len(bars) < MOST_BARS:
                    bars[key] = progress.add_task(terminal.plain(names[key]), total=None)
                if key in bars:
                    progress.update(bars[key], total=now.total or None, completed=now.step)

            def ended(key: str, run: Path) -> None:
                nonlocal failed
                failed += run_directory.status(run).state != "finished"
                if key in bars:
                    progress.remove_task(bars.pop(key))
                progress.advance(every)

            sweep.go_on(folder, heard, ended, engine=engine, address=address)
    except KeyboardInterrupt:
        tell(f"stopped. Go on with: python -m ganad sweep {folder.name}")
        terminal.path(folder)
        raise typer.Exit(130) from None
    best = summary.best(summary.rows(folder))
    if best is not None:
        tested = "" if best.auroc is None else f"; on the test set {best.auroc:.4f}"
        tell(f"best by {objective.IN_WORDS}: {best.run}, {best.objective:.4f}{tested}")
    if failed:
        terminal.complain(
            f"{plural(failed, 'run')} did not finish; `python -m ganad sweep {folder.name} --status` says which."
        )
    terminal.path(folder)
    raise typer.Exit(1 if failed else 0)


def _status(folder: Path, as_json: bool) -> None:
    made = summary.rows(folder)
    if as_json:
        values = [vars(row) | {"normal": list(row.normal)} for row in made]
        terminal.put(json.dumps({"study": folder.name, "objective": objective.IN_WORDS, "runs": values}, indent=2))
        return
    for row in made:
        known = "" if row.objective is None else f", objective {row.objective:.4f}"
        varied = "".join(f", {k}={v}" for k, v in row.values.items())
        terminal.say(
            f"{row.run or 'not begun'}: {METHOD_NAMES[row.method]}, normal {service.digits_in_words(row.normal)}, seed {row.seed}{varied}: {row.state}{known}"
        )
    tell(
        ", ".join(f"{n} {state}" for state, n in summary.counts(made).items())
        + f"; {summary.core_hours(made):.2f} core-hours"
    )


def _settings(texts: list[str] | None) -> tuple[dict[str, str], dict[str, list[str]]]:
    """--set: with one value a setting of all runs, with several a row of the grid. Lists such as weights are no grid."""
    settings, grid = {}, {}
    for text in texts or []:
        setting, equals, value = text.partition("=")
        if not equals or not setting.strip():
            raise ConfigError(f"--set wants KEY=VALUE or KEY=VALUE,VALUE, got {text!r}")
        values = [v.strip() for v in value.split(",")]
        if len(values) > 1 and setting.strip() not in ("weights", "test_digits", "contamination_digits", "class_names"):
            grid[setting.strip()] = values
        else:
            settings[setting.strip()] = value.strip()
    return settings, grid


def _normal(texts: list[str] | None, data: str | None) -> list[list[int]]:
    """--normal: each class by itself, or groups of classes."""
    if not texts:
        raise ConfigError("name the normal classes: --normal each, or --normal 3 --normal 7")
    names: tuple[str, ...] | None = None
    groups: list[list[int]] = []
    for text in texts:
        if text.strip() == "each":
            groups += [[int(c)] for c, n in service.class_counts(data).items() if n]
            continue
        group: list[int] = []
        for word in text.split(","):
            if word.strip().isdecimal():
                group.append(int(word))
                continue
            names = names or service.class_names(data)
            group.append(class_number(word.strip(), names))
        groups.append(group)
    return groups


def _seeds(text: str) -> list[int]:
    """0-2 or 0,5."""
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*", part)
        if not found or (found[2] and int(found[2]) - int(found[1]) not in range(1000)):
            raise ConfigError(f"--seeds is such as 0-2 or 0,5, got {text!r}")
        seeds += range(int(found[1]), int(found[2] or found[1]) + 1)
    return seeds
