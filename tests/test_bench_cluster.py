"""The benchmark of a cluster says of how many runs the weights are those of this machine."""

from types import SimpleNamespace

import pytest
import ray.cluster_utils

from ganad.bench import cluster as b
from ganad.runs import run_directory
from ganad.studies import store


@pytest.fixture
def engines(monkeypatch):
    """No cluster is begun, and runs are not trained: what an engine is said to make of a seed is what its weights are."""
    made, weights = [], {"local": lambda seed: seed, "ray": lambda seed: seed}

    def go_on(study, heard, ended, engine, address=None):
        for planned in store.planned(study):
            run = run_directory.create(planned.settings)
            store.mark(run, study, planned.key)
            (run / "weights.safetensors").write_bytes(bytes([weights[engine](planned.settings.seed)]))
            run_directory.write_status(run, run_directory.Status(state="finished"))

    def cluster(**_):
        made.append(0)
        return SimpleNamespace(
            address="here", add_node=lambda **_: made.append(1), shutdown=lambda: made.append("gone")
        )

    monkeypatch.setattr(b.sweep, "go_on", go_on)
    monkeypatch.setattr(ray.cluster_utils, "Cluster", cluster)
    return made, weights


def test_each_engine_trains_the_same_runs_and_its_clusters_are_ended(runs_dir, engines):
    made, _ = engines
    rows = b.overhead(3, 100, 1, print)
    assert [row["same"] for row in rows] == [3, 3, 3]
    assert made == [0, "gone", 0, 1, "gone"], "one worker, then two"
    assert not runs_dir.exists(), "all of it is in a folder of its own"


def test_a_run_with_other_weights_than_here_does_not_count_as_the_same(runs_dir, engines):
    _, weights = engines
    weights["ray"] = lambda seed: 9 if seed == 1 else seed
    rows = b.overhead(3, 100, 1, print)
    assert [row["same"] for row in rows] == [3, 2, 2]
    assert "| 3 |" in b.table(rows).splitlines()[2]
    assert "| 2 |" in b.table(rows).splitlines()[3]
