"""Processes that are killed, suspended, or try the same thing at the same moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from ganad.config import PARTS
from ganad.errors import RunError
from ganad.runs import run_directory
from ganad.training import jobs, worker
from tests.faults.settings import ended, small, until

HOME = Path(__file__).parents[2]


def kill_and_resume(times: int, epochs: int = 20, within: float = 8.0) -> str:
    """SIGKILL at a random moment, again and again, of one training; at the end it has the numbers of one left in peace."""
    whole = run_directory.create(small(epochs=epochs))
    assert worker.work(whole) == "finished"
    rng = random.Random(0)
    stages: dict[str, int] = {}
    run = jobs.start(small(epochs=epochs))
    for i in range(times):
        # Any moment will do, since what is asserted holds at each; every other time it is one of the training itself.
        if i % 2:
            until(
                lambda r=run: (
                    run_directory.status(r).doing == "training" or run_directory.status(r).state in run_directory.ENDED
                ),
                "training",
            )
        time.sleep(rng.uniform(0.0, 1.0) ** 2 * (2.0 if i % 2 else within))
        said = run_directory.status(run)
        if said.state == "finished":
            run = jobs.start(small(epochs=epochs))
            said = run_directory.status(run)
        if said.pid and run_directory.alive(said.pid, said.process_started):
            os.kill(said.pid, signal.SIGKILL)
        stages[said.doing or said.state] = stages.get(said.doing or said.state, 0) + 1
        until(
            lambda r=run: jobs.reap() or run_directory.status(r).state in run_directory.ENDED,
            "a killed process to be gone",
        )
        if run_directory.status(run).state == "finished":
            continue
        assert "Resume" in (run_directory.status(run).error or ""), run_directory.status(run)
        jobs.resume(run)
    assert ended(run).state == "finished", run_directory.status(run)
    a, b = run_directory.read_scores(whole), run_directory.read_scores(run)
    for part in PARTS:
        np.testing.assert_array_equal(a.test.parts[part], b.test.parts[part])
        np.testing.assert_array_equal(a.val.parts[part], b.val.parts[part])
    assert not list(run.rglob("*.part"))
    where = ", ".join(f"{stage or 'start'} {n}" for stage, n in sorted(stages.items()))
    return f"resumed each time, the scores at the end bit-equal to those of an uninterrupted run ({where})"


def suspend_and_stop(times: int) -> str:
    """SIGSTOP: not answering, not resumed by a second process; stop kills it, and the next run has its slot."""
    for _ in range(times):
        run = jobs.start(small(epochs=5000))
        until(lambda r=run: run_directory.read_status(r).step > 0, "the first step")
        pid = run_directory.read_status(run).pid
        os.kill(pid, signal.SIGSTOP)
        until(lambda r=run: not run_directory.status(r).answering, "a suspended process to be noticed")
        assert run_directory.status(run).state == "running"
        try:
            jobs.resume(run)
            raise AssertionError("a suspended run was resumed by a second process")
        except RunError:
            pass
        waiting = jobs.start(small(epochs=1))
        jobs.stop(run, wait=True)
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        assert run_directory.status(run).state == "stopped"
        assert ended(waiting).state == "finished"
        assert run_directory.read_status(run).pid == pid
    return "shown as not answering, never resumed twice, killed by stop, its slot free for the next run"


RACE = """
import os, sys, time
from pathlib import Path
from ganad.runs import run_directory
from ganad.training import jobs
from ganad.errors import RunError
run, gate = Path(sys.argv[1]), Path(sys.argv[2])
(gate / str(os.getpid())).touch()
while not (gate / "go").exists():
    pass
try:
    jobs.resume(run)
    print("accepted")
except RunError as error:
    print("refused:", error)
"""


def resume_twice(times: int, folder: Path) -> str:
    """Two processes resume one run at the same moment: one is accepted, and one process works."""
    run = run_directory.create(small(epochs=5000))
    for i in range(times):
        run_directory.write_status(run, run_directory.Status(state="stopped"))
        gate = folder / f"gate{i}"
        gate.mkdir()
        pair = [
            subprocess.Popen(
                [sys.executable, "-c", RACE, str(run), str(gate)], cwd=HOME, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        until(lambda g=gate: len(list(g.iterdir())) == 2, "both to be ready")
        (gate / "go").touch()
        said = [p.communicate()[0].strip() for p in pair]
        assert sorted(s.split(":")[0] for s in said) == ["accepted", "refused"], said
        mine = [
            p
            for p in psutil.process_iter(["cmdline"])
            if str(run) in (p.info["cmdline"] or []) and "work" in p.info["cmdline"]
        ]
        assert len(mine) <= 1, mine
        jobs.stop(run, wait=True)
        until(
            lambda m=mine: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in m),
            "the worker to leave",
        )
    return "one accepted and one refused each time, never two processes in one directory"


CREATE = """
import sys
from ganad.runs import run_directory
from tests.faults.settings import small
for _ in range(int(sys.argv[1])):
    print(run_directory.create(small(seed=int(sys.argv[2]))).name)
"""


def create_at_once(times: int, processes: int = 4) -> str:
    """Several processes make runs of several names at the same moment: each number is given once."""
    each = max(1, times // processes)
    children = [
        subprocess.Popen([sys.executable, "-c", CREATE, str(each), str(i)], cwd=HOME, stdout=subprocess.PIPE, text=True)
        for i in range(processes)
    ]
    names = [name for child in children for name in child.communicate()[0].split()]
    assert len(names) == each * processes
    assert len({name.split("-")[0] for name in names}) == len(names), "a number was given twice"
    return f"{len(names)} runs by {processes} processes, {len(names)} numbers"


def rename_and_note_at_once(times: int, threads: int = 8) -> str:
    """Many sessions rename and annotate one run at once: no call fails, no file is torn, nothing is left lying about."""
    run = run_directory.create(small())

    def change(i: int) -> None:
        run_directory.rename(run, f"name {i}")
        run_directory.write_note(run, f"note {i} " * 50)
        assert run_directory.settings(run).name.startswith("name")
        assert len(set(run_directory.note(run).split()[1::2])) == 1

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(change, range(times)))
    assert not list(run.rglob("*.part"))
    return f"{4 * times} calls by {threads} threads, none failed, no file torn"


def leave_part_files(times: int) -> str:
    """What a process that was killed while it wrote leaves behind is removed when the run goes on."""
    run = run_directory.create(small(epochs=1))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for i in range(times):
        (run / f"state.pt.{gone.pid}-{i:012x}.part").write_bytes(b"half")
    assert worker.work(run) == "finished"
    assert not list(run.rglob("*.part"))
    return "removed when the run was resumed"


def stop_at_any_moment(times: int) -> str:
    """A stop from the very start of the process to its end: the run ends as stopped (or had finished), and says so."""
    rng, seconds = random.Random(1), []
    for _ in range(times):
        run = jobs.start(small(epochs=5000))
        time.sleep(rng.uniform(0.0, 1.0) ** 2 * 6.0)  # any moment will do
        began = time.monotonic()
        jobs.stop(run, wait=True)
        seconds.append(time.monotonic() - began)
        assert run_directory.status(run).state == "stopped", run_directory.status(run)
    return f"stopped each time, after {max(seconds):.1f} s at most (median {sorted(seconds)[len(seconds) // 2]:.1f} s)"
