"""Speeds are measured one at a time, in the order they were asked for, and leave no zombie."""

import contextlib
import json
import subprocess
import sys
import threading
import time

import psutil
import pytest

from ganad import service
from ganad.config import VAL_SHARE, mixtures, resolve
from ganad.errors import GanadError
from ganad.runs import run_directory
from ganad.scoring.score import score
from ganad.service import training
from ganad.training import epoch_recorder, measure_queue, run_training, throughput, worker


class Child:
    """A process that ends when a test says so."""

    def __init__(self, words):
        self.words, self.ended, self.code, self.killed = words, threading.Event(), 0, False

    def wait(self, timeout=None):
        if timeout is not None and self.words == "hung" and not self.killed:
            raise subprocess.TimeoutExpired("measure", timeout)
        assert self.killed or self.ended.wait(60)
        return self.code

    def kill(self):
        self.killed = True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def begun():
    return []


@pytest.fixture
def line(begun, clock):
    def begin(words):
        begun.append(Child(words))
        return begun[-1]

    line = measure_queue.Line(begin, clock)
    yield line
    clock.now += 1e6  # nobody waits any more
    for child in begun:
        child.ended.set()
    until(lambda: line._now is None)


def until(true):
    """Wait for a state that another thread brings about."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def end(child, where=None, code=0):
    if where is not None:
        where.write_text("{}")
    child.code = code
    child.ended.set()


def test_ten_settings_are_measured_one_after_the_other(line, begun, tmp_path):
    wanted = [tmp_path / str(i) for i in range(10)]
    for where in wanted:
        line.ask(where, where.name)
        line.ask(where, where.name)  # asking again changes nothing
    for i, where in enumerate(wanted):
        until(lambda n=i + 1: len(begun) == n)
        assert [c.ended.is_set() for c in begun] == [True] * i + [False]
        end(begun[i], where)
    assert [c.words for c in begun] == [where.name for where in wanted]
    until(lambda: line._now is None)
    assert len(begun) == 10


def test_what_nobody_asks_for_any_more_is_left_out(line, begun, clock, tmp_path):
    first, gone, wanted = (tmp_path / name for name in ("first", "gone", "wanted"))
    for where in (first, gone, wanted):
        line.ask(where, where.name)
    clock.now = measure_queue.PATIENCE_S + 0.1
    line.ask(wanted, "wanted")  # its page is still there
    end(begun[0], first)
    until(lambda: len(begun) == 2)
    assert begun[1].words == "wanted"
    end(begun[1], wanted)
    until(lambda: line._now is None)
    line.ask(gone, "gone")  # and can be asked for again
    assert begun[2].words == "gone"


@pytest.mark.parametrize("how", ["a code", "no result", "no process", "hung"])
def test_a_measurement_that_failed_is_said_so_and_not_begun_again_at_once(how, begun, line, clock, tmp_path):
    where = tmp_path / "x"
    if how == "no process":
        line._begin = lambda words: (_ for _ in ()).throw(OSError("no more processes"))
    line.ask(where, how)
    if begun:
        end(begun[0], code=int(how == "a code"))
    until(lambda: line._now is None)
    for _ in range(3):
        with pytest.raises(GanadError, match="could not be measured"):
            line.ask(where, how)
    assert len(begun) == (how != "no process")
    clock.now += measure_queue.AGAIN_S
    with contextlib.suppress(GanadError):
        line.ask(where, how)
    assert len(begun) == (2 if how != "no process" else 0)


def test_a_failed_one_does_not_hold_up_the_next(line, begun, tmp_path):
    for name in ("bad", "good"):
        line.ask(tmp_path / name, name)
    end(begun[0], code=1)
    until(lambda: len(begun) == 2)
    assert begun[1].words == "good"


def test_real_processes_leave_no_zombie_and_are_never_two_at_once(tmp_path):
    seen, code = [], "import sys, pathlib; pathlib.Path(sys.argv[1]).touch()"

    def begin(words):
        seen.append(subprocess.Popen([sys.executable, "-c", code, str(tmp_path / words)]))
        assert [c.poll() is None for c in seen[:-1]] == [False] * (len(seen) - 1)
        return seen[-1]

    line = measure_queue.Line(begin, clock=lambda: 0.0)
    for name in "abc":
        line.ask(tmp_path / name, name)
    until(lambda: all((tmp_path / name).exists() for name in "abc") and line._now is None)
    assert [c.returncode for c in seen] == [0, 0, 0]
    assert not {c.pid for c in seen} & {p.pid for p in psutil.Process().children()}


def test_an_estimate_asks_until_the_speed_is_known(runs_dir, monkeypatch):
    asked = []
    monkeypatch.setattr(training._measuring, "ask", lambda where, words: asked.append((where, words)))
    s = resolve("ganomaly", "tuned", normal=(8,), epochs=2)
    assert service.estimate(s) is None
    assert service.estimate(s) is None
    assert asked == [(throughput.memory(s), s.model_dump_json())] * 2
    throughput.memory(s).parent.mkdir(parents=True)
    rates = {"float32": 100.0, "bf16": 400.0, "score": 1000.0, "fit": 1e6}
    throughput.memory(s).write_text('{"float32": 100.0, "bf16": 400.0, "score": 1000.0, "fit": 1e6, "format": "bf16"}')
    found = service.estimate(s)
    assert found.rate == rates["bf16"]
    assert service.estimate(s.model_copy(update={"precision": "float32"})).rate == rates["float32"]
    assert len(asked) == 2
    # The fit of the density after the last epoch takes its time too.
    throughput.memory(s).write_text('{"float32": 100.0, "bf16": 400.0, "score": 1000.0, "fit": null, "format": "bf16"}')
    without = service.estimate(s)
    fit = mixtures.expected_seconds(found.images - round(VAL_SHARE * found.images), rates["fit"])
    assert found.seconds - without.seconds == pytest.approx(fit)
    assert fit > 1


def test_an_estimate_counts_every_image_that_a_training_scores_but_the_handful_that_is_drawn(runs_dir, monkeypatch):
    s = resolve("ganomaly", "tuned", normal=(8,), filters=4, latent=4, limit=600, epochs=3, precision="float32")
    scored = []

    def counted(method, images, **how):
        scored.append(len(images))
        return score(method, images, **how)

    for module in (run_training, epoch_recorder):
        monkeypatch.setattr(module, "score", counted)
    worker.work(run_directory.create(s))
    throughput.memory(s).parent.mkdir(parents=True, exist_ok=True)
    rates = {"float32": float("inf"), "bf16": None, "score": 1.0, "fit": None, "format": "float32"}
    monkeypatch.setattr(throughput, "recall", lambda _: rates)
    drawn = 10 * (s.epochs + 1)
    assert service.estimate(s).seconds - training.START_UP_S == sum(scored) - drawn


def test_learning_the_transforms_is_part_of_an_estimate(runs_dir):
    s = resolve("egbad", "tuned", normal=(8,), epochs=2, w_transform=1.0)
    throughput.memory(s).parent.mkdir(parents=True)
    rates = {"float32": 100.0, "bf16": None, "score": 1000.0, "fit": None, "learn": None, "format": "float32"}
    throughput.memory(s).write_text(json.dumps(rates))
    without = service.estimate(s)
    throughput.memory(s).write_text(json.dumps(rates | {"learn": 500.0}))
    found = service.estimate(s)
    images = found.images - round(VAL_SHARE * found.images)
    steps = 2 * images // s.batch_size  # as many as the training has
    assert found.seconds - without.seconds == pytest.approx(steps * 32 / 500)


def test_learning_the_transforms_is_measured_with_the_steps_it_has(runs_dir):
    asked = dict(normal=(8,), filters=4, latent=4, w_density=0.0, w_typicality=0.0, w_residual_density=0.0)
    plain, learning = (resolve("egbad", "tuned", **asked, w_transform=w) for w in (0.0, 1.0))
    assert throughput.measure(plain, seconds=0.05)["learn"] is None
    assert throughput.measure(learning, seconds=0.05)["learn"] > 0
    assert throughput.memory(plain) != throughput.memory(learning)
