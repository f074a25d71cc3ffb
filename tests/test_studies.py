"""Studies: what is asked for is trained, once, whoever interrupts it; runs are compared without the test set."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ganad import service
from ganad.errors import ConfigError, RunError
from ganad.evaluation import metrics
from ganad.runs import run_directory
from ganad.studies import local_engine, objective, process, store, summary, sweep
from ganad.studies.plan import key, parse
from ganad.studies.summary import Row
from ganad.training import worker
from tests import test_cli
from tests.conftest import ROOT, put_finished
from tests.waiting import until

SMALL = {"epochs": "1", "limit": "300", "test_limit": "400", "filters": "4", "latent": "4", "precision": "float32"}


def plan(**asked):
    return parse({"methods": ["ganomaly"], "normal": [[3]], "settings": SMALL, **asked})


@pytest.fixture
def at_once(monkeypatch):
    """Runs are trained in this very process, one after the other; the list says which."""
    trained = []

    def run_all(study, more, progress):
        waiting = more()
        while waiting:
            planned = waiting.pop(0)
            run = planned.run or run_directory.create(planned.settings)
            store.mark(run, study, planned.key)
            worker.work(run)
            trained.append(planned.key)
            yield planned.key, run
            waiting += more()

    monkeypatch.setattr(local_engine, "run_all", run_all)
    return trained


def quiet(*_):
    pass


def test_a_plan_asks_for_every_combination_once():
    asked = plan(normal=[[3], [7, 8]], seeds=[0, 1], grid={"latent": ["4", "8"], "lr": ["1e-3", "0.001"]})
    runs = asked.runs()
    assert {(s.normal, s.seed, s.latent) for s in runs} == {
        (n, s, z) for n in ((3,), (7, 8)) for s in (0, 1) for z in (4, 8)
    }
    assert len(runs) == 8, "1e-3 and 0.001 are one value"
    assert len({key(s) for s in runs}) == 8
    assert all(s.filters == 4 and s.epochs == 1 for s in runs)


def test_a_setting_that_only_some_methods_have_is_asked_of_those():
    runs = parse(
        {"methods": ["ganomaly", "egbad"], "normal": [[3]], "settings": {"w_con": "7", "dropout": "0.5"}}
    ).runs()
    assert {s.method: (getattr(s, "w_con", None), getattr(s, "dropout", None)) for s in runs} == {
        "ganomaly": (7.0, None),
        "egbad": (None, 0.5),
    }


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"methods": ["vae"]}, "methods are one or more of ganomaly"),
        ({"normal": []}, "name at least one"),
        ({"grid": {"colour": ["red"]}}, "'colour' is no setting that a study can vary"),
        ({"settings": {"seed": "3"}}, "'seed' is no setting that a study can vary"),
    ],
)
def test_a_plan_that_does_not_fit_says_what_is_wrong(asked, words):
    with pytest.raises(ConfigError, match=words):
        plan(**asked)


def test_a_value_out_of_bounds_is_an_error_before_anything_is_trained(runs_dir):
    with pytest.raises(ConfigError, match="latent"):
        store.create(plan(grid={"latent": ["4", "-1"]}))
    assert not store.listing()


def test_more_runs_than_a_study_may_have_are_refused():
    with pytest.raises(ConfigError, match="at most 2,000 runs"):
        plan(seeds=list(range(1001)), grid={"latent": ["4", "8"]}).runs()


def test_what_is_finished_is_never_done_again_and_what_failed_is(runs_dir, at_once):
    study = store.create(plan(seeds=[0, 1]))
    assert study.name == "0001-ganomaly"
    sweep.go_on(study, quiet, quiet)
    assert len(at_once) == 2
    first, second = store.planned(study)
    weights = (first.run / "weights.safetensors").read_bytes()
    sweep.go_on(study, quiet, quiet)
    assert len(at_once) == 2, "a second call finds nothing to do"
    run_directory.write_status(second.run, run_directory.Status(state="failed", since=time.time()))
    (second.run / "scores.npz").unlink()
    sweep.go_on(study, quiet, quiet)
    assert at_once[2:] == [second.key]
    assert (first.run / "weights.safetensors").read_bytes() == weights


def test_the_objective_is_the_area_between_held_out_normals_and_training_images_of_other_classes(runs_dir):
    run = put_finished(runs_dir)
    parts, weights = service.reference_anomalies(run.name), service.run_info(run.name).weights
    normal, strange = metrics.total(service.scores(run.name).val.parts, weights), metrics.total(parts, weights)
    expected = roc_auc_score(np.r_[np.zeros(len(normal)), np.ones(len(strange))], np.r_[normal, strange])
    assert objective.objective(run.name) == pytest.approx(expected, abs=1e-12)


def row(value, **more):
    usual = dict(
        key="",
        run="r",
        state="finished",
        method="ganomaly",
        normal=(3,),
        seed=0,
        values={},
        auroc=None,
        seconds=36.0,
        share=1.0,
    )
    return Row(**(usual | more), objective=value)


def test_a_study_of_own_images_speaks_of_classes_by_their_names(runs_dir, tmp_path):
    images, labels = np.zeros((60, 28, 28), np.uint8), np.arange(60) % 3
    images[:, 4:20, 8] = 200
    np.savez(tmp_path / "own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    asked = {"data": str(tmp_path / "own.npz"), "class_names": "Shirt,Coat,Bag"}
    study = store.create(plan(normal=[[0], [1, 2]], settings=asked))
    assert [row.normal_in_words for row in summary.rows(study)] == ["Shirt", "Coat and Bag"]
    assert [row.normal_in_words for row in summary.rows(store.create(plan(normal=[[0], [1, 2]])))] == ["0", "1 and 2"]


def test_what_mattered_is_the_share_of_the_spread_between_its_groups():
    made = [
        row(0.1, seed=0, values={"latent": 4}),
        row(0.3, seed=1, values={"latent": 4}),
        row(0.7, seed=0, values={"latent": 8}),
        row(0.9, seed=1, values={"latent": 8}),
    ]
    found = {m.name: m.share for m in summary.mattered(made)}
    # Total 4 · (0.3² + 0.1²) + ... about the mean 0.5: 0.16 + 0.04 + 0.04 + 0.16; between the settings 4 · 0.3², between the seeds 4 · 0.1².
    assert found == {"latent": pytest.approx(0.36 / 0.4), "seed": pytest.approx(0.04 / 0.4)}
    assert [m.name for m in summary.mattered(made)] == ["latent", "seed"]
    assert summary.best(made).objective == 0.9
    assert summary.core_hours(made) == pytest.approx(4 * 0.01)


def test_the_best_run_is_chosen_by_the_objective_even_where_the_test_set_says_otherwise():
    assert (
        summary.best([row(0.8, run="a", auroc=0.99), row(0.9, run="b", auroc=0.5), row(None, run="c", auroc=1.0)]).run
        == "b"
    )


def test_two_processes_do_not_work_on_one_study(runs_dir):
    study = store.create(plan())
    with run_directory.owned(study), pytest.raises(RunError, match="at work already"):
        sweep.go_on(study, quiet, quiet)


def test_a_damaged_study_says_so(runs_dir):
    study = store.create(plan())
    (study / "study.json").write_text('{"methods": 3}')
    with pytest.raises(RunError, match=r"study\.json of 0001-ganomaly is damaged"):
        store.plan_of(study)
    with pytest.raises(RunError, match=r"There is no study '7'\. There are: 0001-ganomaly"):
        store.find("7")


def ganad(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "ganad", *words],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_leaves_everything_so_that_the_study_goes_on(runs_dir):
    words = [f"--set={k}={v}" for k, v in (SMALL | {"epochs": "3"}).items()]
    first = ganad("sweep", "--normal", "3", "--seeds", "0-1", *words)
    begun = lambda: [r for r in run_directory.listing(runs_dir) if run_directory.read_status(r).step > 0]  # noqa: E731
    until(lambda: begun() or first.poll() is not None, lambda: first.poll())
    first.send_signal(signal.SIGINT)
    out, _ = first.communicate()
    assert first.returncode == 130
    (study,) = store.listing()
    assert out.strip() == str(study)
    assert all(r.state in ("finished", "stopped", "planned") for r in store.planned(study))
    assert not process.at_work(study)
    second = ganad("sweep", "1")
    out, said = second.communicate()
    assert second.returncode == 0, said
    assert out.strip().splitlines()[-1] == str(study)
    assert [r.state for r in store.planned(study)] == ["finished", "finished"]
    told = json.loads(test_cli.ganad("sweep", "1", "--status", "--json").stdout)
    assert [r["state"] for r in told["runs"]] == ["finished", "finished"]
    assert all(0 <= r["objective"] <= 1 for r in told["runs"])
    # What was interrupted ends as it would have without.
    plain = run_directory.create(store.planned(study)[0].settings)
    worker.work(plain)
    interrupted = store.planned(study)[0].run
    assert (plain / "weights.safetensors").read_bytes() == (interrupted / "weights.safetensors").read_bytes()
