"""What Ray costs, and whether it changes anything: the same small study by the local engine, by Ray on one worker and on two, one after the other on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ganad.bench.folder_of_runs import folder_of_runs
from ganad.errors import GanadError
from ganad.studies import ray_engine, store, sweep
from ganad.studies.plan import StudyPlan

Log = Callable[[str], None]
Row = dict[str, Any]


def overhead(runs: int, limit: int, epochs: int, log: Log) -> list[Row]:
    """A row each for the local engine with one slot, Ray with one worker and Ray with two: {"name", "seconds", "a_run", "ratio", "same"}.

    runs: of GANomaly `tuned` on digit 8, a seed each; limit, epochs: of each. seconds: for all of them, with what is started for them,
    the cluster's own start apart; ratio: the first row's seconds over these; same: of how many runs the weights are those of the first
    row to the bit. Everything is in a folder that is removed afterwards.
    Raises GanadError without Ray, or where a run fails.
    """
    if not ray_engine.available():
        raise GanadError(ray_engine.HOW_TO_GET_IT)
    import ray
    from ray.cluster_utils import Cluster

    settings = {"epochs": str(epochs), "limit": str(limit), "test_limit": "1000", "precision": "float32"}
    plan = StudyPlan(methods=("ganomaly",), normal=((8,),), seeds=tuple(range(runs)), settings=settings)
    rows: list[Row] = []
    local: list[bytes] = []

    def timed(name: str, **how: Any) -> None:
        with folder_of_runs():
            log(f"{name} …")
            study, began = store.create(plan), time.perf_counter()
            sweep.go_on(study, lambda *_: None, lambda *_: None, **how)
            seconds = time.perf_counter() - began
            made = store.planned(study)
            if bad := [row for row in made if row.state != "finished"]:
                raise GanadError(f"{len(bad)} of {runs} runs did not finish, so there is no time to compare.")
            weights = [(row.run / "weights.safetensors").read_bytes() for row in made]
        local.extend(weights if not local else ())
        rows.append(
            {
                "name": name,
                "seconds": seconds,
                "a_run": seconds / runs,
                "ratio": (rows[0]["seconds"] if rows else seconds) / seconds,
                "same": sum(a == b for a, b in zip(weights, local, strict=True)),
            }
        )

    timed("local engine, one slot", engine="local")
    for workers in (1, 2):
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        for _ in range(workers - 1):
            cluster.add_node(num_cpus=1)
        try:
            timed(f"Ray, {workers} worker{'s' * (workers > 1)}", engine="ray", address=cluster.address)
        finally:
            ray.shutdown()
            cluster.shutdown()
    return rows


def table(rows: list[Row]) -> str:
    """The rows of `overhead` as a Markdown table, with what Ray adds to a run in per cent."""
    lines = [
        "| engine | seconds | a run | times the local engine's speed | more than locally | runs with the same weights |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        more = f"{100 * (row['seconds'] / rows[0]['seconds'] - 1):+.0f} %"
        lines.append(
            f"| {row['name']} | {row['seconds']:.1f} | {row['a_run']:.1f} | {row['ratio']:.2f} | {more} | {row['same']} |"
        )
    return "\n".join(lines)
