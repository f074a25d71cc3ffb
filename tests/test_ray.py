"""A study on a real cluster of two nodes on this machine: the same weights as here, and a lost node loses nothing."""

import json
import os
import re
import signal
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
import ray
from ray.cluster_utils import Cluster

from ganad.runs import run_directory, trials
from ganad.studies import process, ray_engine, search, store, sweep
from ganad.studies.mailbox import Mailbox
from ganad.training import context, worker
from tests.ports import free_port
from tests.test_studies import plan, quiet

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*ray_client_server:ResourceWarning")  # left by Ray


@pytest.fixture(scope="module")
def cluster():
    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "ray_client_server_port": free_port()},
    )
    made.second = made.add_node(num_cpus=1)
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def address(cluster):
    return cluster.address


def test_eight_runs_have_the_weights_of_this_machine_and_a_second_call_finishes_at_once(runs_dir, address):
    study = store.create(plan(normal=[[3], [7]], seeds=[0, 1], grid={"latent": ["4", "6"]}, engine="ray"))
    heard, ended = [], []
    sweep.go_on(
        study,
        lambda run_key, status: heard.append(status.state),
        lambda run_key, run: ended.append(run.name),
        address=address,
    )
    rows = store.planned(study)
    assert [r.state for r in rows] == ["finished"] * 8
    assert len(ended) == 8
    assert len({r.run for r in rows}) == 8
    for row in rows:
        here = run_directory.create(row.settings)
        worker.work(here)
        for name in ("weights.safetensors", "config.json"):
            assert (row.run / name).read_bytes() == (here / name).read_bytes(), name
        a, b = run_directory.read_scores(row.run), run_directory.read_scores(here)
        assert all((a.test.parts[p] == b.test.parts[p]).all() for p in a.test.parts)
    assert set(store.objectives(study)) == {r.run.name for r in rows}
    # Nothing is left to do, so no cluster is asked: not even for one that is not there.
    sweep.go_on(study, quiet, lambda *_: ended.append("again"), address="ray://nowhere.invalid:10001")
    assert len(ended) == 8


def test_ctrl_c_saves_the_step_of_every_run_on_the_cluster_and_the_study_goes_on_from_there(runs_dir, address):
    study = store.create(plan(settings=plan().settings | {"epochs": "12"}, seeds=[0, 1], engine="ray"))
    steps = {}

    def heard(run_key, status):
        if len(steps) == 2 and all(steps.values()):
            return  # it is asked to stop already
        steps[run_key] = status.step
        if len(steps) == 2 and all(steps.values()):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        sweep.go_on(study, heard, quiet, address=address)
    assert not process.at_work(study)
    kept = {}
    for row in store.planned(study):
        if row.state != "finished":  # where it was quicker than we
            with zipfile.ZipFile(study / "states" / f"{row.key}.zip") as sent:
                kept[row.key] = json.loads(sent.read("status.json"))["step"]
            assert kept[row.key] >= steps[row.key] > 0, "nothing that was heard of is lost"
    sweep.go_on(study, quiet, quiet, address=address)
    rows = store.planned(study)
    assert [r.state for r in rows] == ["finished", "finished"]
    assert not list((study / "states").glob("*.zip"))
    for row in rows:
        if row.key in kept:
            (step,) = re.findall(r"resumed at step (\d+)", (row.run / "log.txt").read_text())
            assert int(step) >= kept[row.key], "the state is of the last step, which the status may not have said yet"
    here = run_directory.create(rows[0].settings)
    worker.work(here)
    assert (rows[0].run / "weights.safetensors").read_bytes() == (here / "weights.safetensors").read_bytes()


def test_a_search_with_runs_on_a_shared_disk_is_the_one_of_this_machine(runs_dir, address, monkeypatch):
    asked = {"search": {"w_enc": "0.1:10:log"}, "trials": 2, "stop_early": "median", "cpus": 0.5, "shared_disk": True}
    study = store.create(plan(**asked, engine="ray"))
    monkeypatch.setattr(ray_engine, "_unzip", lambda *_: pytest.fail("a run was sent"))
    sweep.go_on(study, quiet, quiet, address=address)
    rows = store.planned(study)
    assert [r.state for r in rows] == ["finished", "finished"]
    assert all(r.run.parent == runs_dir and trials.curve(r.run) for r in rows)
    assert json.loads((rows[1].run / trials.TRIAL).read_text())["others"] == [
        {"curve": {str(e): v for e, v in trials.curve(rows[0].run).items()}, "finished": True}
    ]
    here = store.create(plan(**asked))
    assert search.Search(here).ready()[0].key == rows[0].key


def test_a_node_that_does_not_see_the_shared_disk_says_so(runs_dir, tmp_path):
    study = store.create(plan(engine="ray"))
    place = ray_engine._place(study)
    with pytest.raises(ray_engine.GanadError, match=r"does not see .*leave --shared-disk away"):
        ray_engine._run_in(replace(place, word="another"), "k", plan().runs()[0])
    assert not run_directory.listing(runs_dir)
    made = ray_engine._run_in(place, "k", plan().runs()[0])
    assert ray_engine._run_in(place, "k", plan().runs()[0]) == made, "a run that was lost is gone on with in its place"


@pytest.mark.parametrize(
    ("asked", "there", "tried"),
    [
        ("local", True, ["local"]),  # not the one that is there
        ("auto", True, ["auto"]),
        ("auto", False, ["auto", "local"]),
        ("ray://h:10001", True, ["ray://h:10001"]),
    ],
)
def test_a_new_cluster_is_begun_where_one_is_asked_for_or_none_is_there(monkeypatch, asked, there, tried):
    seen = []

    def init(address=None, **options):
        seen.append(address)
        if address == "auto" and not there:
            raise ConnectionError

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    ray_engine._connected(asked)
    assert seen == tried


@pytest.mark.parametrize(
    ("said", "tries"),
    [
        ("RuntimeError: Proxy failed to Connect to backend! Check the logs.", ray_engine.JOINS),
        ("RuntimeError: Starting Ray client server failed. See the logs.", ray_engine.JOINS),
        ("psutil.ZombieProcess: PID still exists but it's a zombie (pid=7)", ray_engine.JOINS),
        ("psutil.NoSuchProcess: process PID not found (pid=7)", ray_engine.JOINS),
        ("RuntimeError: Failed to create runtime_env for Ray client server.", 1),
    ],
)
def test_a_cluster_that_could_not_start_a_process_for_us_is_asked_again_and_says_why_when_it_never_can(
    monkeypatch, said, tries
):
    asked = []

    def init(address, **_):
        asked.append(address)
        raise ConnectionAbortedError(f"Initialization failure from server:\nTraceback:\n  line 1\n{said}")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ray_engine.GanadError, match=f"ray://h:1: Initialization failure from server: {said[:40]}"):
        ray_engine._connected("ray://h:1")
    assert asked == ["ray://h:1"] * tries


def test_what_a_run_reserves_is_asked_of_the_cluster():
    asked = plan(engine="ray", cpus=2, gpus=0.25, address="ray://here:10001")
    assert ray_engine.Cluster.of(asked) == ray_engine.Cluster("ray://here:10001", 2.0, 0.25, False)


def test_a_run_whose_node_is_lost_is_done_elsewhere_and_ends_with_the_same_weights(runs_dir, cluster, address):
    study = store.create(plan(settings=plan().settings | {"epochs": "12"}, seeds=[0, 1], engine="ray"))
    at_work, gone = set(), []

    def heard(run_key, status):
        at_work.add(run_key)
        if not gone and len(at_work) == 2:  # one on each node, which has one processor
            gone.append(True)
            cluster.remove_node(cluster.second, allow_graceful=False)

    sweep.go_on(study, heard, quiet, address=address)
    assert gone
    rows = store.planned(study)
    assert [r.state for r in rows] == ["finished", "finished"]
    for row in rows:
        here = run_directory.create(row.settings)
        worker.work(here)
        assert (row.run / "weights.safetensors").read_bytes() == (here / "weights.safetensors").read_bytes()


def test_a_run_that_was_stopped_goes_on_from_its_saved_state_on_a_cluster_that_is_joined_from_outside(
    runs_dir, cluster, monkeypatch
):
    port = cluster.head_node._ray_params.ray_client_server_port
    study = store.create(plan(settings=plan().settings | {"epochs": "3"}, engine="ray"))
    (planned,) = store.planned(study)
    run = run_directory.create(planned.settings)
    store.mark(run, study, planned.key)
    monkeypatch.setattr(context, "BEAT_S", 0.0)  # so that every step is heard of
    assert worker.work(run, lambda s: run_directory.ask_to_stop(run) if s.step >= 7 else None) == "stopped"
    ray.shutdown()  # this process belongs to the cluster, as none from outside does
    sweep.go_on(study, quiet, quiet, address=f"ray://127.0.0.1:{port}")
    (row,) = store.planned(study)
    assert row.state == "finished"
    assert row.run == run
    assert "resumed at step 7" in (run / "log.txt").read_text()
    here = run_directory.create(planned.settings)
    worker.work(here)
    assert (run / "weights.safetensors").read_bytes() == (here / "weights.safetensors").read_bytes()


def test_states_that_a_task_sends_are_kept_in_the_study_until_its_run_has_come(runs_dir):
    study = store.create(plan(engine="ray"))
    mailbox, heard = Mailbox(), []
    mailbox.keep("k", b"state")
    mailbox.report("k", run_directory.status_values(run_directory.Status(state="running", step=5, total=9)))

    class Here:
        """Calls the mailbox where a cluster would be asked to."""

        @staticmethod
        def get(answer):
            return answer

    remote = SimpleNamespace(take=SimpleNamespace(remote=mailbox.take))
    ray_engine._hear(Here, study, remote, lambda run_key, status: heard.append((run_key, status.step)))
    assert heard == [("k", 5)]
    assert (study / "states" / "k.zip").read_bytes() == b"state"
    (planned,) = store.planned(study)
    (study / "states" / "k.zip").rename(study / "states" / f"{planned.key}.zip")
    assert ray_engine._saved_state(study, planned) == b"state"


def test_without_ray_one_sentence_says_how_to_get_it(runs_dir, monkeypatch):
    monkeypatch.setattr(ray_engine, "available", lambda: False)
    study = store.create(plan(engine="ray"))
    with pytest.raises(ray_engine.GanadError, match=r"python -m pip install -r requirements-ray\.txt"):
        sweep.go_on(study, quiet, quiet)


@pytest.mark.parametrize(
    ("there", "asked", "said"),
    [("", None, None), ("file", None, "token"), ("word", None, "token"), ("file", "disabled", "disabled")],
)
def test_a_token_that_is_here_is_shown_to_a_cluster_that_is_joined_from_outside(
    monkeypatch, tmp_path, there, asked, said
):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that whatever is set here is gone afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    if there == "file":
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray" / "auth_token").write_text("secret")
    elif there == "word":
        monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    if asked:
        monkeypatch.setenv("RAY_AUTH_MODE", asked)
    seen = []
    monkeypatch.setattr(ray, "init", lambda **_: seen.append(os.environ.get("RAY_AUTH_MODE")))
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    ray_engine._connected("ray://there:10001")
    assert seen == [said]


@pytest.mark.parametrize("error", [ConnectionError("ray client connection timeout"), ImportError("needs grpcio")])
def test_a_cluster_that_cannot_be_joined_from_outside_is_named_with_what_may_be_missing(monkeypatch, error):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: (_ for _ in ()).throw(error))
    with pytest.raises(ray_engine.GanadError, match=rf"ray://there:10001: {error}\. .*`ray get-auth-token` prints it"):
        ray_engine._connected("ray://there:10001")
