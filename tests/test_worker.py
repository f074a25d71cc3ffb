"""A worker and its directory: everything that was promised is left behind, and a stop loses nothing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from ganad.config import resolve
from ganad.errors import RunError
from ganad.runs import history, run_directory
from ganad.training import context, jobs, run_training, worker
from tests.waiting import PATIENCE_S, until

SMALL = dict(normal=(8,), filters=4, latent=8, limit=400, test_limit=400, precision="float32")


def small(method="ganomaly", **asked):
    return resolve(method, "tuned", **{**SMALL, "epochs": 2, **asked})


def wait(run, *states):
    until(lambda: run_directory.status(run).state in states, lambda: run_directory.status(run))
    return run_directory.status(run)


@pytest.mark.parametrize("method", ["ganomaly", "egbad"])
def test_a_finished_run_has_left_everything_that_pages_and_command_line_need(runs_dir, method):
    run = run_directory.create(small(method))
    heard = []
    assert worker.work(run, heard.append) == "finished"
    there = {p.name for p in run.iterdir()}
    promised = {"config.json", "meta.json", "status.json", "metrics.jsonl", "samples", "state.pt", "log.txt"}
    promised |= {"weights.safetensors", "scores.npz", "reconstructions.npz", "report.json"}
    assert promised <= there
    assert {"queued", "running", "finished"} <= {s.state for s in heard}
    assert list(run_directory.samples(run)) == [0, 1, 2]
    scores, made = run_directory.read_scores(run), run_directory.read_reconstructions(run)
    assert (len(scores.val), len(scores.test)) == (40, 400)
    assert made.shape == (400, 28, 28)
    assert made.dtype == np.uint8
    rows = run_directory.read_metrics(run)
    assert [r["epoch"] for r in rows if "val" in r] == [1, 2]
    assert run_directory.read_json(run / "report.json")["n_anomalous"] == int(scores.anomalous.sum())
    assert run_directory.read_json(run / "meta.json")["parameters"]["discriminator"] > 0


def test_a_run_with_images_of_other_digits_among_its_normals_trains_and_is_scored(runs_dir):
    from ganad import service

    run = run_directory.create(small(epochs=1, contamination=0.2, contamination_digits=(3,)))
    assert worker.work(run) == "finished"
    scores = run_directory.read_scores(run)
    assert set(np.unique(scores.val.digit)) == {3, 8}
    assert len(scores.val) == 50
    assert service.held_out_images(run.name, [0]).shape == (1, 28, 28)
    assert "contamination=0.2" in service.run_info(run.name).command
    parts = service.reference_anomalies(run.name)
    assert all(np.isfinite(v).all() for v in parts.values())


def test_a_finished_run_that_is_trained_on_ends_as_one_that_had_all_the_epochs(runs_dir):
    short, whole = run_directory.create(small(epochs=1)), run_directory.create(small(epochs=3))
    assert worker.work(short) == worker.work(whole) == "finished"
    before = {p.name: p.read_bytes() for p in short.iterdir() if p.is_file() and p.name != ".lock"}
    longer = jobs.continued(short, 2)
    assert worker.work(longer) == "finished"
    assert (longer / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    assert [r["epoch"] for r in run_directory.read_metrics(longer) if "val" in r] == [1, 2, 3]
    assert history.read(longer).epoch.tolist() == [1, 2, 3, 3]
    assert {p.name: p.read_bytes() for p in short.iterdir() if p.is_file() and p.name != ".lock"} == before
    assert "goes on from" in (longer / "log.txt").read_text()


def test_what_cannot_be_trained_on_says_why(runs_dir):
    run = run_directory.create(small(epochs=1))
    with pytest.raises(RunError, match="is queued"):
        jobs.continued(run, 2)
    worker.work(run)
    (run / "state.pt").unlink()
    with pytest.raises(RunError, match="kept no state"):
        jobs.continued(run, 2)
    phases = run_directory.create(small("fanogan", epochs=2))
    worker.work(phases)
    with pytest.raises(RunError, match="phases"):
        jobs.continued(phases, 2)
    assert len(run_directory.listing(runs_dir)) == 2


def test_what_a_loaded_run_says_is_what_its_worker_said(runs_dir):
    from ganad import service

    run = run_directory.create(small())
    worker.work(run)
    found = run_directory.read_scores(run)
    again = service.score_images(run.name, service.test_images(run.name)[:5])
    for i, j in enumerate(again):
        for part in found.test.parts:
            assert j.parts[part] == pytest.approx(found.test.parts[part][i], rel=1e-4)


def test_a_stopped_and_resumed_run_ends_with_the_scores_of_an_uninterrupted_one(runs_dir):
    whole = run_directory.create(small(epochs=3))
    worker.work(whole)
    broken = run_directory.create(small(epochs=3))

    def stop_at_step_8(status):
        if status.step >= 8:
            run_directory.ask_to_stop(broken)

    before = context.BEAT_S
    context.BEAT_S = 0.0  # so that every step is heard of
    try:
        assert worker.work(broken, stop_at_step_8) == "stopped"
    finally:
        context.BEAT_S = before
    assert run_directory.read_status(broken).step == 8
    assert not (broken / "scores.npz").exists()
    jobs.requeue(broken)
    assert worker.work(broken) == "finished"
    a, b = run_directory.read_scores(whole), run_directory.read_scores(broken)
    for part in a.test.parts:
        np.testing.assert_array_equal(a.test.parts[part], b.test.parts[part])
    losses = [[r for r in run_directory.read_metrics(run) if "val" not in r] for run in (whole, broken)]
    assert losses[0] == losses[1]


def test_an_error_ends_a_run_as_failed_with_its_reason_and_a_traceback_in_the_log_alone(runs_dir, monkeypatch):
    run = run_directory.create(small())
    monkeypatch.setattr(run_training, "_train", lambda *a: 1 / 0)
    assert worker.work(run) == "failed"
    assert "ZeroDivisionError" in run_directory.status(run).error
    assert "Traceback" not in run_directory.status(run).error
    assert "Traceback" in run_directory.log_tail(run)


def test_data_that_is_gone_fails_the_run_in_words(runs_dir, tmp_path):
    run = run_directory.create(small(data=str(tmp_path / "gone")))
    assert worker.work(run) == "failed"
    assert "gone" in run_directory.status(run).error


def test_a_started_run_works_by_itself_and_a_stop_costs_less_than_two_seconds_of_work(runs_dir):
    run = jobs.start(small(epochs=5000))
    status = wait(run, "running")
    until(lambda: run_directory.status(run).step >= 5)
    process = psutil.Process(status.pid)
    before = after = sum(process.cpu_times()[:2])
    jobs.stop(run)
    while run_directory.status(run).state == "running" and process.is_running():
        with contextlib.suppress(psutil.Error):
            after = sum(process.cpu_times()[:2])
    assert after - before < 2  # of its own time, since another process may have the core
    assert wait(run, *run_directory.ENDED).state == "stopped"
    assert (run / "state.pt").exists()
    until(
        lambda: jobs.reap() or not run_directory.alive(status.pid, status.process_started)
    )  # its last word said, it leaves


def test_a_killed_worker_reads_as_failed_and_can_be_resumed(runs_dir):
    run = jobs.start(small(epochs=5000))
    wait(run, "running")
    os.kill(run_directory.read_status(run).pid, signal.SIGKILL)
    assert "Resume" in wait(run, "failed").error
    jobs.resume(run)
    wait(run, "running")
    jobs.stop(run, wait=True)


def test_a_second_run_waits_for_the_first_and_a_third_for_both(runs_dir):
    first = jobs.start(small(epochs=5000))
    wait(first, "running")
    second, third = jobs.start(small(epochs=1)), jobs.start(small(epochs=1))
    until(lambda: all(run_directory.read_status(r).pid is not None for r in (second, third)))  # both stand in line
    assert {run_directory.status(r).state for r in (second, third)} == {"queued"}
    jobs.stop(first, wait=True)
    wait(second, "finished")
    wait(third, "finished")
    ended = [run_directory.read_status(r).beat for r in (second, third)]
    assert ended == sorted(ended)


def test_a_waiting_run_can_be_stopped(runs_dir):
    first = jobs.start(small(epochs=5000))
    wait(first, "running")
    second = jobs.start(small())
    jobs.stop(second, wait=True)
    assert run_directory.status(second).state == "stopped"
    assert run_directory.status(first).state == "running"
    jobs.stop(first, wait=True)


def test_what_is_finished_or_at_work_is_not_resumed(runs_dir):
    run = run_directory.create(small())
    with pytest.raises(RunError, match="queued already"):
        jobs.requeue(run)
    run_directory.write_status(run, run_directory.Status(state="finished"))
    with pytest.raises(RunError, match="nothing to resume"):
        jobs.requeue(run)


def test_a_worker_that_does_not_obey_is_killed_but_never_a_stranger(runs_dir, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE_S", 0.5)
    echo = "import signal, sys; signal.signal(15, lambda *_: 0)\nprint('deaf', flush=True)\nfor x in sys.stdin: print(x, flush=True)"
    pipe = subprocess.PIPE
    deaf = subprocess.Popen([sys.executable, "-c", echo], text=True, bufsize=1, stdin=pipe, stdout=pipe)
    assert deaf.stdout.readline() == "deaf\n"
    try:
        run = run_directory.create(small())
        started = psutil.Process(deaf.pid).create_time()
        now = time.time()
        stranger = run_directory.Status(state="running", pid=deaf.pid, process_started=started - 500, since=now)
        run_directory.write_status(run, stranger)
        jobs.stop(run, wait=True)
        deaf.stdin.write("alive?\n")
        assert deaf.stdout.readline() == "alive?\n"
        run_directory.write_status(
            run, run_directory.Status(state="running", pid=deaf.pid, process_started=started, since=now)
        )
        jobs.stop(run, wait=True)
        assert deaf.wait(PATIENCE_S) == -signal.SIGKILL
    finally:
        deaf.kill()
        deaf.communicate()


def test_a_worker_can_run_in_a_thread_too(runs_dir):
    run = run_directory.create(small(epochs=1))
    ended = []
    thread = threading.Thread(target=lambda: ended.append(worker.work(run)))
    thread.start()
    thread.join(PATIENCE_S)
    assert ended == ["finished"]


def test_a_run_of_the_command_line_can_be_repeated_from_its_meta(runs_dir):
    run = run_directory.create(small(epochs=1))
    worker.work(run)
    said = json.loads((run / "meta.json").read_text())
    assert said["command"].startswith("python -m ganad train --method ganomaly --normal 8")
    assert "precision=float32" in said["command"]
    assert said["data"]["train"] == 360
