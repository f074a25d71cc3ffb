"""What tests share: an empty folder of runs, runs in every state, one thread a process, an order for several at once."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
# UMAP's compiler would set OpenMP's number again, and every net of a later test would be computed by threads that wait for each other.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import functools
import gc
import json
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from ganad.config import PRESETS, resolve
from ganad.data import sources
from ganad.runs import run_directory
from ganad.training import jobs, throughput

# In the background of a script all processes ignore Ctrl+C from their start on, and so would those that the tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parents[1]
SHIPPED = {m: ROOT / "checkpoints" / f"{m}-n8" for m in ("ganomaly", "egbad", "anogan")}

LONG = (
    "test_ray",  # waits
    "ui/test_damaged_runs",
    "test_checkpoints",
    "test_own_class",
    "test_score",
    "browser/test_main_path",  # waits
    "test_projection",
    "test_pages",
    "test_access",
    "test_steering",
    "test_cli",
    "faults/",  # waits
    "browser/test_live_mixer",
    "browser/test_typed_values",  # waits
    "browser/test_linked_views",
    "test_worker",  # waits
    "browser/test_narrow_screens",
    "test_studies",  # waits
    "browser/",
    "ui/",
    "models/",
)
"""Beginnings of the files that take long. They start first, so that none of them is alone at the end; and what mostly waits, for
other processes, runs beside what mostly computes, so that two processes on two cores seldom wait at the same time."""


def pytest_collection_modifyitems(items):
    """Files that take long come first. Within a file the order stays."""

    def place(item):
        path = item.path.relative_to(ROOT / "tests").as_posix()
        return next((i for i, start in enumerate(LONG) if path.startswith(start)), len(LONG))

    items.sort(key=place)


def pytest_collection_finish():
    """What a process does over and over, it does once.

    MNIST is unpacked once, and not for each of a hundred trainings. Two things AppTest does at each run of a page, and they take
    more of a slow processor than the page: it looks through every installed package for components, for which once is enough; and
    it asks a thousand times a second whether the page is drawn, which keeps the thread that draws it waiting: a hundred times are enough.
    And in search of garbage Python need not look through all that was imported, nor as often as it does (a thirteenth of the time of a page's tests).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    official, read = sources.MNIST, sources._read_official
    unpacked = functools.cache(read)
    sources._read_official = lambda path, n: unpacked(path, n).copy() if path.parent == official else read(path, n)
    if "streamlit.testing.v1" in sys.modules:
        from streamlit.components.v2 import manifest_scanner
        from streamlit.testing.v1 import local_script_runner

        manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
        local_script_runner.time = SimpleNamespace(time=time.time, sleep=lambda s: time.sleep(max(s, 0.01)))


def pytest_unconfigure():
    """What was made once is removed. AppTest leaves a folder to Python's end, which complains about it."""
    if _as_written.cache_info().currsize:
        _as_written().cleanup()
    if "streamlit.testing.v1.app_test" in sys.modules:
        sys.modules["streamlit.testing.v1.app_test"].TMP_DIR.cleanup()


def pytest_xdist_auto_num_workers():
    """One process a core. One more takes longer, not less: browsers and servers keep two slow cores busy, and each process wants its own and some 2 GB."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(2, min(cores, int(psutil.virtual_memory().available / 2e9)))


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    """An empty folder of runs and an empty shelf of shipped ones."""
    monkeypatch.setenv("GANAD_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("GANAD_CHECKPOINTS", str(tmp_path / "checkpoints"))
    yield tmp_path / "runs"
    for folder in run_directory.listing(tmp_path / "runs"):
        end_worker(folder)


def end_worker(run: Path) -> None:
    """A process that works on this run is killed: whatever became of the test that started it, no other has to wait."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words[-2:] == ["work", str(run)]:
            process.kill()
            psutil.wait_procs([process])
    jobs.reap()


@functools.cache
def _as_written() -> tempfile.TemporaryDirectory:
    """A shipped run as runs are written. Those of the shelf are packed more tightly, which takes five times as long to read."""
    folder = tempfile.TemporaryDirectory()
    run = Path(folder.name) / "run"
    shutil.copytree(SHIPPED["ganomaly"], run)
    drawn = [run_directory.read_reconstructions(run, which) for which in ("val", "test")]
    run_directory.write_reconstructions(run, *drawn)
    return folder


def put_finished(folder: Path, name: str = "0001-ganomaly-n8-s0") -> Path:
    """A finished run of the user's own: a copy of a shipped one, which was really trained."""
    shutil.copytree(Path(_as_written().name) / "run", folder / name)
    return folder / name


def put_running(folder: Path, name: str = "0002-ganomaly-n8-s0", **said) -> Path:
    """A run in the middle of its training, as its worker would have left it; this very process stands in for it."""
    run = put_finished(folder, name)
    for gone in ("scores.npz", "reconstructions.npz", "report.json", "weights.safetensors"):
        (run / gone).unlink(missing_ok=True)
    me = psutil.Process()
    status = json.loads((run / "status.json").read_text())
    half = {
        "state": "running",
        "doing": "training",
        "epoch": 2,
        "step": 200,
        "total": 800,
        "seconds": 20.0,
        "rate": 640.0,
    }
    status |= half | {"pid": me.pid, "process_started": me.create_time(), "beat": 4e9, "error": None} | said
    (run / "status.json").write_text(json.dumps(status))
    return run


def put_failed(folder: Path, name: str = "0003-ganomaly-n8-s0") -> Path:
    """A run whose loss ran away."""
    run = put_running(folder, name, state="failed", error="loss/generator stopped being finite at step 200.")
    (run / "log.txt").write_text("12:00:00  failed: loss/generator stopped being finite\n")
    return run


def put_speed(folder: Path, *of) -> None:
    """What measuring this machine for these settings (or for the presets `tuned` and `many`) would leave beside the runs: no page need measure it."""
    usual = [
        resolve(method, preset, normal=(8,))
        for method in PRESETS
        for preset in ("tuned", "many")
        if preset in PRESETS[method]
    ]
    for settings in of or usual:
        where = folder / ".speed" / throughput.memory(settings).name
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(json.dumps({"float32": 1000.0, "bf16": None, "score": 4000.0, "fit": 1e6}))


def as_read(markdown: str) -> str:
    """Plain text that was made safe for Markdown, as a reader sees it: without backslashes and spaces of no width."""
    return re.sub(r"\\([^\sA-Za-z0-9])", r"\1", markdown).replace("\u200b", "")
