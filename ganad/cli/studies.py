"""`sweep`: many runs by one command, on this machine or a cluster."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ganad import service
from ganad.cli import terminal
from ganad.cli.app import DEFAULT_METHOD, Json, MethodName, app
from ganad.cli.terminal import tell
from ganad.config import METHOD_NAMES
from ganad.data.class_names import number_of as class_number
from ganad.errors import ConfigError, GanadError
from ganad.runs import run_directory
from ganad.runs.trials import ended_itself
from ganad.studies import objective, store, summary, sweep
from ganad.studies import search as optuna_search
from ganad.studies.plan import parse
from ganad.studies.space import FORMS
from ganad.system import access
from ganad.training.context import slots
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
    search: Annotated[
        list[str] | None, typer.Option(metavar="KEY=SPACE", help="search a setting: LOW:HIGH, LOW:HIGH:log or VALUE,VALUE; needs Optuna; repeat")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="of a search: choices of settings to try; default: 20", min=1)] = None,
    stop_early: Annotated[str | None, typer.Option(help="of a search: end what earlier trials are better than: median, asha or none; default: none")] = None,
    at_once: Annotated[int | None, typer.Option(help="of a search: trials at work at a time; default: GANAD_SLOTS; with ray: 4", min=1)] = None,
    name: Annotated[str, typer.Option(help="a name of your own for the study")] = "",
    engine: Annotated[str | None, typer.Option(help="local: this machine, GANAD_SLOTS runs at once; ray: a Ray cluster; default: local")] = None,
    address: Annotated[str | None, typer.Option(help="of the cluster: auto, local or ray://HOST:PORT")] = None,
    cpus: Annotated[float | None, typer.Option(help="of the cluster that each run reserves; default: 1", min=0)] = None,
    gpus: Annotated[float | None, typer.Option(help="of the cluster that each run reserves, such as 0.25; default: none", min=0)] = None,
    shared_disk: Annotated[
        bool | None, typer.Option("--shared-disk/--no-shared-disk", help="every node sees the folder of runs: write there, send nothing", show_default=False)
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="only say how the study stands")] = False,
    json_: Json = False,
) -> None:  # fmt: skip
    """Train many runs that answer one question, or go on with a study; what is finished is never done twice.

    `--set latent=16,32` tries each value with each of the others; `--search latent=16:128 --trials 20` lets Optuna choose.

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
        where = {"cpus": cpus, "gpus": gpus, "shared_disk": shared_disk} | _search(
            search, trials, stop_early, at_once, engine
        )
        given = {"epochs": epochs, "limit": limit, "data": path}
        plan = parse(
            {
                "name": name, "methods": [m.value for m in method or [DEFAULT_METHOD]], "preset": preset, "normal": _normal(normal, path), "seeds": _seeds(seeds),
                "settings": settings | {k: str(v) for k, v in given.items() if v is not None}, "grid": grid, "engine": engine or "local", "address": address or "auto",
            } | {k: v for k, v in where.items() if v is not None}
        )  # fmt: skip
        folder = store.create(plan)
    _work(folder, {"engine": engine, "address": address, "cpus": cpus, "gpus": gpus, "shared_disk": shared_disk})


def _work(folder: Path, instead: dict[str, Any]) -> None:
    made, to_come = summary.rows(folder), store.to_come(folder)
    done = sum(row.state in ("finished", store.EARLY) for row in made)
    tell(f"{folder.name}: {plural(len(made) + to_come, 'run')}, {done} finished already.")
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    names = _names(made)
    bars: dict[str, TaskID] = {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a page that stops a study asks so
    failed = 0
    try:
        with Progress(*columns, console=terminal.err, transient=not terminal.err.is_terminal) as progress:
            every = progress.add_task("all runs", total=len(made) + to_come, completed=done)

            def heard(key: str, now: run_directory.Status) -> None:
                if key not in names:  # of a trial that was chosen meanwhile
                    names.update(_names(summary.rows(folder)))
                if key not in bars and len(bars) < MOST_BARS:
                    bars[key] = progress.add_task(terminal.plain(names[key]), total=None)
                if key in bars:
                    progress.update(bars[key], total=now.total or None, completed=now.step)

            def ended(key: str, run: Path) -> None:
                nonlocal failed
                failed += not (run_directory.status(run).state == "finished" or ended_itself(run))
                if key in bars:
                    progress.remove_task(bars.pop(key))
                progress.advance(every)

            sweep.go_on(folder, heard, ended, **instead)
    except KeyboardInterrupt:
        tell(f"stopped. Go on with: python -m ganad sweep {folder.name}")
        terminal.path(folder)
        raise typer.Exit(130) from None
    made = summary.rows(folder)
    if early := summary.counts(made).get(store.EARLY):
        tell(f"{plural(early, 'run')} stopped early.")
    best = summary.best(made)
    if best is not None:
        tested = "" if best.auroc is None else f"; on the test set {best.auroc:.4f}"
        varied = "".join(f", {k} {v}" for k, v in best.values.items())
        tell(f"best by {objective.IN_WORDS}: {best.run}{varied}, {best.objective:.4f}{tested}")
    trial = summary.best_trial(made) if store.plan_of(folder).search else None
    if trial is not None and trial.runs > 1:
        words = ", ".join(f"{k} {v}" for k, v in trial.values.items())
        tell(f"best settings, mean of {trial.runs} runs: {words}, {trial.objective:.4f}")
    if failed:
        terminal.complain(
            f"{plural(failed, 'run')} did not finish; `python -m ganad sweep {folder.name} --status` says which."
        )
    terminal.path(folder)
    raise typer.Exit(1 if failed else 0)


def _names(made: list[summary.Row]) -> dict[str, str]:
    """key -> what stands before its bar."""
    return {
        row.key: f"{METHOD_NAMES[row.method]} {row.normal_in_words} s{row.seed} "
        + " ".join(f"{k}={v}" for k, v in row.values.items())
        for row in made
    }


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
            f"{row.run or 'not begun'}: {METHOD_NAMES[row.method]}, normal {row.normal_in_words}, seed {row.seed}{varied}: {row.state}{known}"
        )
    counts = summary.counts(made)
    if to_come := store.to_come(folder):
        counts["to come"] = to_come
    tell(", ".join(f"{n} {state}" for state, n in counts.items()) + f"; {summary.core_hours(made):.2f} core-hours")


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


def _search(
    texts: list[str] | None, trials: int | None, stop_early: str | None, at_once: int | None, engine: str | None
) -> dict[str, Any]:
    """--search and what belongs to it, as a plan has it."""
    if not texts:
        if given := [
            w for w, v in (("--trials", trials), ("--stop-early", stop_early), ("--at-once", at_once)) if v is not None
        ]:
            raise ConfigError(f"{given[0]} is of a search: name what to search, such as --search latent=16:128")
        return {}
    spaces = {}
    for text in texts:
        setting, equals, space = text.partition("=")
        if not equals or not setting.strip() or not space.strip():
            raise ConfigError(f"--search wants KEY={FORMS}, got {text!r}")
        spaces[setting.strip()] = space.strip()
    if stop_early not in (None, "median", "asha", "none"):
        raise ConfigError(f"--stop-early is median, asha or none, got {stop_early!r}")
    if not optuna_search.available():
        raise GanadError(optuna_search.HOW_TO_GET_IT)
    return {
        "search": spaces, "trials": trials or 20, "stop_early": stop_early or "none",
        "at_once": at_once or (4 if engine == "ray" else slots()),
    }  # fmt: skip


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
