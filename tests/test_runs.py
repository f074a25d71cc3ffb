"""The run directory: nothing half-written, nothing lost, and a dead process is never taken for a living one."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ganad.config import PARTS, resolve
from ganad.errors import ConfigError, RunError
from ganad.runs import run_directory
from ganad.runs.run_directory import Status
from tests.conftest import SHIPPED, put_finished, put_running
from tests.waiting import until

EIGHT = resolve("ganomaly", "tuned", normal=(8,))


@pytest.fixture
def run(runs_dir):
    return run_directory.create(EIGHT)


def test_a_new_run_is_named_after_what_was_asked_and_remembers_it(run):
    assert run.name == "0001-ganomaly-n8-s0"
    assert run_directory.settings(run) == EIGHT
    assert run_directory.status(run).state == "queued"


def test_runs_made_at_the_same_moment_get_different_numbers(runs_dir):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: run_directory.create(EIGHT).name, range(24)))
    assert len({n[:4] for n in names}) == 24


def test_a_run_is_found_by_name_number_and_path(run):
    assert (
        run_directory.find(run.name)
        == run_directory.find("1")
        == run_directory.find("0001")
        == run_directory.find(run)
        == run.resolve()
    )


def test_a_run_that_is_not_there_is_answered_with_those_that_are(run):
    with pytest.raises(RunError, match="0001-ganomaly-n8-s0"):
        run_directory.find("0042")
    with pytest.raises(RunError, match="no run"):
        run_directory.find("../../etc")


def test_a_file_is_replaced_whole_or_not_at_all(run):
    run_directory.write_json(run / "report.json", {"auroc": 0.9})

    def torn():
        with run_directory.replaced(run / "report.json") as file:
            file.write(b'{"auroc": 0.')
            raise OSError("disk full")

    with pytest.raises(RunError, match=r"report\.json of 0001-ganomaly-n8-s0 cannot be written: disk full"):
        torn()
    assert run_directory.read_json(run / "report.json") == {"auroc": 0.9}
    assert not list(run.glob("*.part"))


def test_a_last_line_that_is_still_being_written_waits_for_the_next_look(run):
    first, second = {"step": 1, "epoch": 1}, {"step": 2, "epoch": 1}
    (run / "metrics.jsonl").write_text(f"{json.dumps(first)}\n{json.dumps(second)}\n" + '{"ste')
    assert run_directory.read_metrics(run) == [first, second]
    assert run_directory.damaged_lines(run) == 0
    run_directory.cut_metrics(run, 1)
    assert run_directory.read_metrics(run) == [first]


def me():
    import psutil

    return dict(pid=os.getpid(), process_started=psutil.Process().create_time())


def test_a_living_process_that_speaks_is_running(run):
    run_directory.write_status(run, Status(state="running", **me()))
    assert run_directory.status(run).state == "running"


def test_a_silent_process_that_lives_is_not_answering_and_stays_at_work(run):
    run_directory.write_status(run, Status(state="running", **me()))
    assert run_directory.status(run).answering
    later = run_directory.status(run, now=time.time() + run_directory.HEARTBEAT_S + 1)
    assert (later.state, later.answering) == ("running", False)
    assert "not answering" in later.doing


def test_a_suspended_process_is_not_answering_and_the_next_look_after_it_went_on_says_so(run):
    import psutil

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = psutil.Process(child.pid)
    try:
        run_directory.write_status(run, Status(state="running", pid=child.pid, process_started=process.create_time()))
        assert run_directory.status(run).answering
        process.suspend()
        while process.status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        assert not run_directory.status(run).answering
        assert run_directory.status(run).state == "running"
        process.resume()
        while process.status() == psutil.STATUS_STOPPED:
            time.sleep(0.01)
        assert run_directory.status(run).answering
    finally:
        child.kill()
        child.communicate()


def test_a_process_of_which_nobody_knows_when_it_began_is_not_believed_to_be_the_one(run):
    run_directory.write_status(run, Status(state="running", pid=os.getpid(), process_started=None))
    assert run_directory.status(run).state == "failed"


def test_a_run_that_was_queued_in_the_future_without_a_process_does_not_wait_for_ever(run):
    run_directory.write_status(run, Status(state="queued", since=time.time() + 1e6))
    assert run_directory.status(run).state == "failed"
    assert "never started" in run_directory.status(run).error


def test_a_dead_process_without_a_last_word_has_failed_and_can_be_resumed(run):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    run_directory.write_status(run, Status(state="running", pid=child.pid, process_started=time.time()))
    assert run_directory.status(run).state == "failed"
    assert "Resume" in run_directory.status(run).error


def test_a_zombie_is_dead(run):
    import psutil

    child = subprocess.Popen([sys.executable, "-c", ""])
    started = psutil.Process(child.pid).create_time()
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    assert not run_directory.alive(child.pid, started)
    child.wait()


def test_a_number_that_now_belongs_to_another_process_is_dead(run):
    assert run_directory.alive(os.getpid(), me()["process_started"])
    assert not run_directory.alive(os.getpid(), me()["process_started"] - 100)


def test_a_process_that_died_after_it_was_asked_to_stop_has_stopped(run):
    run_directory.write_status(run, Status(state="running", pid=2**22 + 1, process_started=1.0))
    run_directory.ask_to_stop(run)
    assert run_directory.status(run).state == "stopped"


def test_a_process_that_never_came_has_failed_but_not_at_once(run):
    assert run_directory.status(run).state == "queued"
    assert run_directory.status(run, now=time.time() + run_directory.GRACE_S + 1).state == "failed"


def test_a_last_word_stays_whatever_became_of_the_process(run):
    run_directory.write_status(run, Status(state="finished", pid=2**22 + 1))
    assert run_directory.status(run, now=time.time() + 1e6).state == "finished"


def columns(n):
    rng = np.random.default_rng(n)
    made = {p: rng.normal(size=n) for p in PARTS}
    return made | {"digit": np.arange(n, dtype=np.uint8) % 10, "index": np.arange(n), "z": rng.normal(size=(n, 4))}


def test_scores_come_back_as_they_were_written(run):
    val, test = columns(5), columns(30)
    run_directory.write_scores(run, {"val": val, "test": test})
    found = run_directory.read_scores(run)
    assert (len(found.val), len(found.test)) == (5, 30)
    for p in PARTS:
        np.testing.assert_array_equal(found.test.parts[p], test[p])
    np.testing.assert_array_equal(found.anomalous, test["digit"] != 8)


def test_scores_that_are_missing_or_damaged_are_said_so(run):
    with pytest.raises(RunError, match="no scores yet"):
        run_directory.read_scores(run)
    (run / "scores.npz").write_bytes(b"PK\x03\x04 half a file")
    with pytest.raises(RunError, match="cannot be read"):
        run_directory.read_scores(run)


def test_a_config_that_cannot_be_read_is_an_error_of_that_run_alone(run):
    other = run_directory.create(EIGHT)
    (other / "config.json").write_text("{")
    with pytest.raises(RunError, match=r"config.json"):
        run_directory.settings(other)
    assert json.loads((run / "config.json").read_text())["method"] == "ganomaly"


def files(run):
    every = (p for p in run.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in every}


def test_a_new_name_and_a_note_change_nothing_else(runs_dir):
    run = put_finished(runs_dir)
    before = files(run)
    run_directory.rename(run, "  my best\n one ")
    run_directory.write_note(run, "trained on a Monday\n")
    assert run_directory.settings(run) == run_directory.settings(SHIPPED["ganomaly"]).model_copy(
        update={"name": "my best one"}
    )
    assert run_directory.note(run) == "trained on a Monday"
    assert {k for k, v in files(run).items() if before.get(k) != v} == {"config.json", "note.txt"}
    run_directory.write_note(run, "")
    assert run_directory.note(run) == ""


def test_a_name_or_a_note_that_is_too_long_is_refused_and_what_was_there_stays(runs_dir):
    run = put_finished(runs_dir)
    before = files(run)
    with pytest.raises(ConfigError, match="at most 80"):
        run_directory.rename(run, "x" * 81)
    with pytest.raises(RunError, match="4,000 characters, this one has 4,001"):
        run_directory.write_note(run, "x" * 4001)
    assert files(run) == before


def test_what_was_thrown_away_comes_back_whole_under_its_name_whatever_was_begun_since(runs_dir):
    run = put_finished(runs_dir, "0003-ganomaly-n8-s0")
    before = files(run)
    thrown = run_directory.move_to_trash(run)
    assert not run.exists()
    assert run_directory.listing(runs_dir) == []
    with pytest.raises(RunError, match="no run"):
        run_directory.find(run.name)
    assert run_directory.create(EIGHT).name == "0004-ganomaly-n8-s0"
    assert run_directory.trashed() == [thrown]
    assert run_directory.restore(thrown) == run.name
    assert files(run) == before
    with pytest.raises(RunError, match="taken back already"):
        run_directory.restore(thrown)


def test_two_runs_of_one_name_lie_in_the_trash_beside_each_other(runs_dir):
    first = files(put_finished(runs_dir))
    names = [run_directory.move_to_trash(runs_dir / "0001-ganomaly-n8-s0")]
    run = put_finished(runs_dir)
    run_directory.rename(run, "second")
    names.append(run_directory.move_to_trash(run))
    assert len(set(run_directory.trashed())) == 2
    assert run_directory.restore(names[1]) == run.name
    with pytest.raises(RunError, match="another run"):
        run_directory.restore(names[0])
    assert run_directory.settings(run).name == "second"
    run_directory.move_to_trash(run)
    assert run_directory.restore(names[0]) == run.name
    assert files(run) == first


def test_the_trash_gives_nothing_else_than_its_runs(runs_dir):
    put_finished(runs_dir)
    for name in ("../0001-ganomaly-n8-s0", "..", "", "/etc"):
        with pytest.raises(RunError, match="in the trash"):
            run_directory.restore(name)


def test_an_emptied_trash_holds_nothing_not_even_what_an_interrupted_emptying_left(runs_dir):
    left = run_directory.trash() / ".gone" / "half"
    left.mkdir(parents=True)
    (left / "weights.safetensors").write_bytes(b"half")
    kept = put_finished(runs_dir)
    run_directory.move_to_trash(put_finished(runs_dir, "0002-ganomaly-n8-s0"))
    assert run_directory.empty_trash() == 1
    assert list(run_directory.trash().iterdir()) == []
    assert run_directory.empty_trash() == 0
    assert kept.exists()


def test_a_run_at_work_is_not_thrown_away_and_neither_is_one_whose_process_still_lives(runs_dir):
    for run in (put_running(runs_dir), put_running(runs_dir, "0003-ganomaly-n8-s0", beat=0.0)):
        with pytest.raises(RunError, match="still at work: stop it first"):
            run_directory.move_to_trash(run)
        assert run.exists()
    assert not run_directory.status(run).answering  # the second had been silent for too long


def test_a_shipped_run_stays_as_it_is(runs_dir, tmp_path):
    run = put_finished(tmp_path / "checkpoints", "ganomaly-n8")
    before = files(run)
    for change in (
        lambda: run_directory.rename(run, "x"),
        lambda: run_directory.write_note(run, "x"),
        lambda: run_directory.move_to_trash(run),
    ):
        with pytest.raises(RunError, match="shipped with the project"):
            change()
    assert files(run) == before
