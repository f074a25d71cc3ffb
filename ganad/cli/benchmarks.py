"""Commands that measure speed and quality, and the one that ships a run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ganad import service
from ganad.cli import terminal
from ganad.cli.app import Json, MethodName, app
from ganad.cli.terminal import tell
from ganad.cli.training import pairs
from ganad.config import METHOD_NAMES
from ganad.errors import ConfigError, GanadError
from ganad.runs import run_directory

bench = typer.Typer(no_args_is_help=True, help="Measure speed or quality on this machine, as ratios.")
app.add_typer(bench, name="bench")


@app.command(hidden=True)
def ship(
    run: Annotated[str | None, typer.Argument()] = None,
    name: Annotated[str | None, typer.Argument()] = None,
    light: Annotated[bool, typer.Option("--light", help="without reconstructions")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="without weights")] = False,
    fill: Annotated[bool, typer.Option("--fill", help="instead: every run of the quality tables, seed 0")] = False,
    pages: Annotated[
        bool, typer.Option("--pages", help="instead: only write the figures of docs/methods/ anew")
    ] = False,
) -> None:
    """Copy a finished run to checkpoints/ under a name, and write checkpoints/README.md and the figures of docs/methods/ anew."""
    from ganad.bench import method_pages, release

    if pages:
        for path in method_pages.write():
            terminal.path(path)
    elif fill:
        for path in release.fill():
            terminal.path(path)
    elif run and name:
        terminal.path(release.ship(run_directory.find(run), name, light=light, nets=not bare))
    else:
        raise ConfigError("ship wants a RUN and a NAME, --fill or --pages")


@bench.command("speed")
def bench_speed(
    to: Annotated[
        list[float] | None,
        typer.Option(help="instead: seconds until the mean AUROC is so high; repeat for more marks", min=0, max=1),
    ] = None,
    digits: Annotated[str, typer.Option(help="with --to: normal digits, a training each")] = "0,1,2,3,4,5,6,7,8,9",
    method: Annotated[list[MethodName] | None, typer.Option(help="with --to; repeat for more; default: all")] = None,
    every: Annotated[int, typer.Option(help="with --to: epochs between two looks", min=1)] = 1,
    sample: Annotated[int, typer.Option(help="with --to: test images scored at each look", min=100)] = 2000,
    json_: Json = False,
) -> None:
    """Training steps, scoring and single images, each against a plain reference in the same process.

    `--to 0.95 --to 0.98 --digits 2,4,8` trains every method in full instead, until it is good.
    """
    from ganad.bench import speed as b
    from ganad.bench import time_to_auroc as r

    methods = [m.value for m in method] if method else list(METHOD_NAMES)
    rows = b.speed(tell) if not to else r.reach(to, methods, _numbers(digits), tell, every=every, sample=sample)
    terminal.put(json.dumps(rows, indent=2) if json_ else b.speed_table(rows) if not to else r.reach_table(rows))


@bench.command("quality")
def bench_quality(
    method: Annotated[list[MethodName] | None, typer.Option(help="repeat for more; default: all")] = None,
    protocol: Annotated[str, typer.Option(help="B: one class normal; A: all but one; default: both")] = "B,A",
    digits: Annotated[str | None, typer.Option(help="B: the normal, A: the anomalous digits, such as 2,4,8")] = None,
    seeds: Annotated[str | None, typer.Option(help="such as 0,1,2; default: what two cores can afford")] = None,
    preset: Annotated[str, typer.Option(help="which settings")] = "tuned",
    write: Annotated[Path | None, typer.Option(help="write the tables of all finished runs into this file")] = None,
    data: Annotated[str | None, typer.Option(help="own images, such as a folder of Fashion-MNIST's files")] = None,
    engine: Annotated[
        str, typer.Option(help="local: this machine, one run after the other; ray: all together on a Ray cluster")
    ] = "local",
    address: Annotated[str, typer.Option(help="of the cluster: auto, local or ray://HOST:PORT")] = "auto",
    cpus: Annotated[float, typer.Option(help="of the cluster that each run reserves", min=0)] = 1.0,
    gpus: Annotated[float, typer.Option(help="of the cluster that each run reserves, such as 0.25", min=0)] = 0.0,
    shared_disk: Annotated[bool, typer.Option("--shared-disk", help="every node sees the folder of runs")] = False,
    shelf: Annotated[bool, typer.Option("--shelf", help="instead: score every shipped run again, in full")] = False,
    json_: Json = False,
) -> None:
    """AUROC per digit, or class of own images, beside baselines, as Markdown. Trains what is missing, keeps what is finished.

    `--write docs/results.md` puts the tables of everything that is finished there, and keeps the rows in docs/results.json.
    `--engine ray` trains on a cluster; Ctrl+C keeps what has come.
    """
    if engine not in ("local", "ray"):
        raise ConfigError(f"--engine is local or ray, got {engine!r}")
    from ganad.bench import kept_rows
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
    data = service.data_path(data) if data else None
    jobs = b.plan(
        [m.value for m in method] if method else list(METHOD_NAMES), protocols,
        _numbers(digits) if digits else None, _numbers(seeds) if seeds else None, data,
    )  # fmt: skip
    cluster = b.ray_engine.Cluster(address, cpus, gpus, shared_disk) if engine == "ray" else None
    rows = b.quality(jobs, preset, tell, cluster)
    if json_:
        terminal.put(json.dumps([dataclasses.asdict(r) for r in rows], indent=2))
    else:
        for p in dict.fromkeys(r.job.protocol for r in rows):
            terminal.put(f"\nProtocol {p}: {b.PROTOCOLS[p]}. AUROC.\n\n{b.table(p, rows)}\n\n{b.covers(p, rows)}")
    if write is not None:
        known = kept_rows.with_kept(write, b.known(preset, data), preset, data)
        write.write_text(b.page(known, preset), encoding="utf-8")
        kept_rows.keep(write, known, preset)
        tell(f"written to {write} and {write.with_suffix('.json').name}")


@bench.command("handwriting")
def bench_handwriting(
    runs: Annotated[
        list[str] | None, typer.Argument(help="runs of digits; default: the shipped ones of GANomaly")
    ] = None,
    json_: Json = False,
) -> None:
    """Digits drawn with another place, size, pen, angle or paper, then prepared as an upload is: do verdicts survive?

    Held-out normals and training images of the other digits; no test image is looked at.
    """
    from ganad.bench import handwriting as b

    shipped = [p.name for p in run_directory.listing(run_directory.shelf()) if p.name.startswith("ganomaly-n")]
    rows = b.handwriting(runs or sorted(shipped), tell)
    terminal.put(json.dumps([dataclasses.asdict(r) for r in rows], indent=2) if json_ else b.table(rows))


@bench.command("term")
def bench_term(
    setting: Annotated[
        str,
        typer.Argument(
            help="w_density, w_typicality, w_residual_density, w_feature_density, w_encoder_density, w_transform, w_transform_density, w_first_layer_density, w_bce or look_turn"
        ),
    ],
    runs: Annotated[
        list[str] | None, typer.Argument(help="finished runs; default: the shipped ones that have the term")
    ] = None,
    values: Annotated[str, typer.Option(help="weights of the term to compare")] = "0,0.5,1,2,3,4",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="what another term of the runs counts meanwhile; repeat"),
    ] = None,
    held_out: Annotated[int, typer.Option(help="held-out normal images at most", min=20)] = 1000,
    each: Annotated[int, typer.Option(help="training images of each other class", min=5)] = 150,
    json_: Json = False,
) -> None:
    """AUROC at other weights of a term of the score, or other turns of its looks, without a look at the test set: to choose one by.

    Held-out normals against training images of the other classes. Where each image is searched for (AnoGAN), a fifth of both.
    """
    from ganad.bench import terms as b

    rows = b.compare(
        runs or b.runs_with(setting),
        setting,
        _listed(values, float, "numbers such as 0,0.5,2"),
        tell,
        also={key: _weight(key, text) for key, text in pairs(set_).items()},
        held_out=held_out,
        each=each,
    )
    terminal.put(json.dumps([dataclasses.asdict(r) for r in rows], indent=2) if json_ else b.table(rows, setting))


def _weight(key: str, text: Any) -> float:
    try:
        weight = float(text)
    except (TypeError, ValueError):
        weight = -1.0
    if not 0 <= weight < float("inf"):
        raise ConfigError(f"{key} counts a number of 0 or more, got {text!r}")
    return weight


def _numbers(text: str) -> list[int]:
    return _listed(text, int, "whole numbers such as 0,1,2")


def _listed(text: str, kind: type, wanted: str) -> list:
    try:
        return [kind(t) for t in text.split(",")]
    except ValueError:
        raise ConfigError(f"a list of {wanted} is wanted, got {text!r}") from None


@bench.command("cluster")
def bench_cluster(
    runs: Annotated[int, typer.Option(help="runs of each study", min=1)] = 4,
    limit: Annotated[int, typer.Option(help="training images of each run", min=20)] = 2000,
    epochs: Annotated[int, typer.Option(help="of each run", min=1)] = 4,
    json_: Json = False,
) -> None:
    """What Ray costs and gains on this machine: a small study locally, by Ray on one worker and on two."""
    from ganad.bench import cluster as b

    rows = b.overhead(runs, limit, epochs, tell)
    terminal.put(json.dumps(rows, indent=2) if json_ else b.table(rows))


@bench.command("estimate")
def bench_estimate(
    method: Annotated[list[MethodName] | None, typer.Option(help="repeat for more; default: all")] = None,
    digits: Annotated[str, typer.Option(help="normal digits, a training each")] = "8",
    preset: Annotated[str, typer.Option(help="which settings")] = "tuned",
    epochs: Annotated[int | None, typer.Option(help="of each training; default: the preset's", min=1)] = None,
    json_: Json = False,
) -> None:
    """Is the time that the Train page promises right on this machine? Each training is estimated, then run in full."""
    from ganad.bench import estimate as b

    methods = [m.value for m in method] if method else list(METHOD_NAMES)
    rows = b.compare(methods, _numbers(digits), preset, epochs, tell)
    terminal.put(json.dumps(rows, indent=2) if json_ else b.table(rows))


@bench.command("doctor")
def bench_doctor(
    seeds: Annotated[int, typer.Option(help="trainings with each planted fault", min=0)] = 10,
    first: Annotated[int, typer.Option(help="the first seed", min=0)] = 0,
    fault: Annotated[list[str] | None, typer.Option(help="repeat for more; default: all")] = None,
    shelf: Annotated[bool, typer.Option(help="look at every shipped run too")] = True,
    json_: Json = False,
) -> None:
    """Does `doctor` find faults planted in small trainings, and nothing in the shipped runs? A quarter of an hour on two cores."""
    from ganad.bench import doctor as b

    if bad := [f for f in fault or [] if f not in b.FAULTS]:
        raise ConfigError(f"--fault is one of {', '.join(b.FAULTS)}, got {bad[0]!r}")
    faults = b.validate(range(first, first + seeds), fault or list(b.FAULTS), tell) if seeds else []
    shipped = b.shelf(tell) if shelf else []
    terminal.put(json.dumps({"planted": faults, "shipped": shipped}, indent=2) if json_ else b.table(faults, shipped))
