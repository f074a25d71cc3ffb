"""The runs of a study on a Ray cluster: a task for each, which may lose its node and go on elsewhere.

Nothing need be shared but Ray's object store: a task gets settings, and the last saved state where there is one; it sends states
while it trains, and the finished run. `ganad` itself travels as a package of Ray's runtime environment, own images once as an
object. On a shared disk runs are written in place instead, and none is sent. Ray schedules, retries and moves the bytes; here is only what is done on a node.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import platform
import secrets
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganad.config import Settings, parse
from ganad.data import sources
from ganad.errors import GanadError, RunError, file_errors
from ganad.runs import archive, run_directory
from ganad.runs.trials import NOTE
from ganad.studies import store
from ganad.studies.local_engine import More, Progress
from ganad.studies.mailbox import Mailbox
from ganad.studies.plan import StudyPlan
from ganad.studies.store import Planned
from ganad.system import files
from ganad.training import worker

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster that is begun here reports to nobody

HOW_TO_GET_IT = "Ray is not installed here: python -m pip install -r requirements-ray.txt"
TOKEN = " If it wants a token, this machine must have the same: `ray get-auth-token` prints it there, RAY_AUTH_TOKEN takes it here."
RETRIES = 5
"""How often a run is begun again elsewhere after its node was lost."""
LOOK_S = 0.5
PATIENCE_S = 15.0
"""So long runs at work have to save their step when the sweep is stopped."""
REPORT_S = 1.0
"""Seconds between two reports of a task."""
JOINS = 4
"""How often a cluster is asked to be joined from outside while it cannot start the process that would serve us. Of Ray's first tries some
7 % end so, for no fault of anybody's: the process dies as it is forked (https://github.com/ray-project/ray/issues/63202)."""
_DIED = (
    "Starting Ray client server failed", "Proxy failed to Connect",
    "psutil.ZombieProcess", "psutil.NoSuchProcess",  # Ray has looked at it just then
)  # fmt: skip
"""What is said of a process that died so."""


def available() -> bool:
    """Whether Ray is installed."""
    return importlib.util.find_spec("ray") is not None


@dataclass(frozen=True)
class Cluster:
    """Where the runs are done, and what each reserves there.

    address       `auto`: the cluster that this machine belongs to, or a new one on this machine; `local`: a new one; ray://HOST:PORT
    cpus, gpus    of each run, also a share of one
    shared_disk   every node sees the folder of runs: runs are written there in place, and none is sent
    """

    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0
    shared_disk: bool = False

    @classmethod
    def of(cls, plan: StudyPlan) -> Cluster:
        """As a plan says it."""
        return cls(plan.address, plan.cpus, plan.gpus, plan.shared_disk)


@dataclass(frozen=True)
class Place:
    """A disk that every node sees, as a task is told of it: paths of the runs and of the study, and a word that lies there."""

    runs: str
    study: str
    word: str


def run_all(study: Path, more: More, progress: Progress, cluster: Cluster) -> Iterator[tuple[str, Path]]:
    """Do the runs that `more` gives on a cluster; yields (key, run) of each as it ends, its directory then being here.

    study: a folder for what comes meanwhile. Closing the generator stops what is at work: each run saves the step that it is at, and
    the states that have come are kept in the study, to go on from. Raises GanadError without Ray or without the cluster.
    """
    ray = _connected(cluster.address)
    # Beside whoever sweeps: with it all that has come would be lost, and no task needs it elsewhere.
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    mailbox = ray.remote(num_cpus=0)(Mailbox).options(scheduling_strategy=here).remote()
    task = ray.remote(num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=RETRIES)(train_on_node)
    place = _place(study) if cluster.shared_disk else None
    data: dict[str, Any] = {}
    refs: dict[Any, Planned] = {}

    def submit() -> None:
        for planned in more():
            state = None if place else _saved_state(study, planned)
            if state:
                ray.get(mailbox.keep.remote(planned.key, state))
            path = planned.settings.data
            if path and path not in data:
                data[path] = ray.put(_packed_data(path))
            given = planned.settings.model_dump_json()
            refs[task.remote(planned.key, given, planned.trial, mailbox, data.get(path), place)] = planned

    try:
        submit()
        while refs:
            done, _ = ray.wait(list(refs), num_returns=1, timeout=LOOK_S)
            _hear(ray, study, mailbox, progress)
            for ref in done:
                planned = refs.pop(ref)
                try:
                    run = _arrived(study, planned, ray.get(ref))
                except ray.exceptions.RayError as error:
                    raise GanadError(
                        f"The run {planned.key} was lost on the cluster: {str(error).strip().splitlines()[-1][:300]}"
                    ) from None
                yield planned.key, run
                submit()
    except ray.exceptions.RayActorError:
        raise GanadError(
            f"The cluster at {cluster.address} ended the process that hears of its runs. Where it was begun with RAY_AUTH_MODE=disabled, "
            "or with a token, set the same here. `sweep` goes on with what has come."
        ) from None
    finally:
        with contextlib.suppress(ray.exceptions.RayActorError):
            _hear(ray, study, mailbox, lambda run_key, status: None)
        _stop(ray, study, refs)
        ray.kill(mailbox)


def _stop(ray: Any, study: Path, refs: dict[Any, Planned]) -> None:
    """As Ctrl+C on each node: a run saves its step and sends it; what has finished by then is taken. After PATIENCE_S it is ended."""
    for ref in refs:
        ray.cancel(ref)
    if not refs:
        return
    at_end, late = ray.wait(list(refs), num_returns=len(refs), timeout=PATIENCE_S)
    for ref in late:
        ray.cancel(ref, force=True)
    for ref in at_end:
        with contextlib.suppress(ray.exceptions.RayError):  # cancelled
            ended, content = ray.get(ref)
            if ended == "finished":
                _arrived(study, refs[ref], (ended, content))
            elif isinstance(content, bytes):
                _keep_state(study, refs[ref].key, content)


def _place(study: Path) -> Place:
    study.mkdir(parents=True, exist_ok=True)
    word = secrets.token_hex(8)
    run_directory.write_text(study / "shared.txt", word)
    return Place(str(run_directory.root().resolve()), str(study.resolve()), word)


def _connected(address: str) -> Any:
    if not available():
        raise GanadError(HOW_TO_GET_IT)
    if from_outside := address.startswith("ray://"):
        _present_token()
    import ray
    import ray.util.scheduling_strategies

    if ray.is_initialized():
        return ray
    # Threads: a run computes on one, as everywhere. What a task prints is in its run's log.
    environment = {
        "py_modules": [str(Path(__file__).parents[1])], "env_vars": {"OMP_NUM_THREADS": "1"}, "excludes": ["**/__pycache__"],
    }  # fmt: skip
    options: dict[str, Any] = {
        "runtime_env": environment,
        "log_to_driver": False,
        "logging_level": "error",
        "include_dashboard": False,
    }
    joining = {k: v for k, v in options.items() if k != "include_dashboard"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is in the error, too
            if address == "auto":
                try:
                    ray.init(address="auto", **joining)
                except ConnectionError:
                    ray.init(address="local", **options)
            elif address == "local":
                ray.init(address="local", **options)  # without an address it would join whichever cluster is there
            else:
                _join(ray, address, joining)
    except (ConnectionError, RuntimeError, ValueError, ImportError, ray.exceptions.RayError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        said = " ".join(dict.fromkeys([lines[0], lines[-1]]))[:400].rstrip(
            "."
        )  # between them stands a traceback, if anything
        raise GanadError(f"There is no Ray cluster at {address}: {said}.{TOKEN if from_outside else ''}") from None
    return ray


def _join(ray: Any, address: str, options: dict[str, Any]) -> None:
    for left in reversed(range(JOINS)):
        try:
            ray.init(address=address, **options)
            return
        except ConnectionAbortedError as error:
            if not (left and any(words in str(error) for words in _DIED)):
                raise


def _present_token() -> None:
    """Let Ray show its token, where there is one, to a cluster that it joins from outside. It does so by itself everywhere else."""
    kept = Path.home() / ".ray" / "auth_token"
    if kept.exists() or {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # read when Ray is imported


def train_on_node(
    key: str, settings_json: str, trial: dict[str, Any] | None, mailbox: Any, data: bytes | None, place: Place | None
) -> tuple[str, bytes | str]:
    """On a node: train one run, going on from its last state.

    Returns how it ended, and all its files, or with a place its name there. trial: as `runs.trials`; data: own images as an .npz.
    """
    with tempfile.TemporaryDirectory(prefix="ganad-") as folder:
        os.environ["GANAD_RUNS"] = place.runs if place else folder
        settings = parse(json.loads(settings_json))
        if data is not None and not (place and Path(settings.data).exists()):
            path = Path(folder) / "data.npz"
            path.write_bytes(data)
            settings = settings.model_copy(update={"data": str(path)})
        run = _run_in(place, key, settings) if place else run_directory.create(settings)
        if not place and (state := _answer(mailbox.state.remote(key))):
            _unzip(state, run)
            _begin_again(run, settings)
        store.mark_trial(run, trial)
        sent = {"report": 0.0, "state": _changed(run)}

        def watch(status: run_directory.Status) -> None:
            now = time.monotonic()
            if now - sent["report"] > REPORT_S:
                sent["report"] = now
                mailbox.report.remote(key, run_directory.status_values(status))
            if not place and (changed := _changed(run)) != sent["state"]:
                sent["state"] = changed
                mailbox.keep.remote(key, _zip(run))

        ended = worker.work(run, watch, listen=False, on_node=True)
        if place:
            return ended, run.name
        return ended, _zip(run, with_state=ended != "finished")


def _answer(ref: Any) -> Any:
    """What an actor answers. `ray.get` would give the processor of this task to another one while it waits, and not take it back."""
    return ref.future().result()


def _run_in(place: Place, key: str, settings: Settings) -> Path:
    """The run of a key on the shared disk, new or begun. Raises GanadError where this node does not see that disk."""
    study = Path(place.study)
    if files.read_bytes(study / "shared.txt") != place.word.encode():
        raise GanadError(f"{platform.node()} does not see {study}: leave --shared-disk away, and runs are sent")
    run = store.runs_of(study).get(key)
    if run is None:
        run = run_directory.create(settings)
        store.mark(run, study, key)
        return run
    with file_errors(f"{run.name} cannot be resumed", "Allow writing in its folder.", RunError):
        (run / "stop").unlink(missing_ok=True)
    _begin_again(run, settings)
    return run


def _begin_again(run: Path, settings: Settings) -> None:
    run_directory.write_json(run / "config.json", settings.model_dump(mode="json"))
    run_directory.write_status(run, run_directory.Status(state="queued", since=time.time()))


def _changed(run: Path) -> float:
    try:
        return (run / "state.pt").stat().st_mtime
    except OSError:
        return 0.0


def _zip(run: Path, *, with_state: bool = True) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path in archive.paths_of(run):
            name = path.relative_to(run).as_posix()
            if path.is_file() and _is_sent(name) and (with_state or name != "state.pt"):
                packed.write(path, name)
    return out.getvalue()


def _is_sent(name: str) -> bool:
    return archive.is_of_a_run(name) or name == NOTE


def _unzip(content: bytes, run: Path) -> None:
    """Files of a run from our own cluster, into its directory; a name that no run has is an error."""
    with (
        file_errors(f"{run.name} cannot be written", "Free some space or allow writing there.", RunError),
        zipfile.ZipFile(io.BytesIO(content)) as packed,
    ):
        for name in packed.namelist():
            if not _is_sent(name):
                raise RunError(f"The cluster sent {name[:80]!r} as a file of {run.name}, which no run has.")
            target = run / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(packed.read(name))


def _arrived(study: Path, planned: Planned, result: tuple[str, bytes | str]) -> Path:
    """The run in the folder of runs, as if it had been trained here."""
    ended, content = result
    if isinstance(content, str):
        run = run_directory.root() / content
    else:
        run = planned.run or run_directory.reserve(planned.settings)
        _unzip(content, run)
    run_directory.write_json(run / "config.json", planned.settings.model_dump(mode="json"))  # its data lie here
    said = run_directory.read_status(run)
    run_directory.write_status(run, replace(said, state=ended, pid=None, process_started=None))
    store.mark(run, study, planned.key)
    store.mark_trial(run, planned.trial)
    (study / "states" / f"{planned.key}.zip").unlink(missing_ok=True)
    return run


def _hear(ray: Any, study: Path, mailbox: Any, progress: Progress) -> None:
    news, states = ray.get(mailbox.take.remote())
    for run_key, state in states.items():  # at first: whoever is told may interrupt
        _keep_state(study, run_key, state)
    for run_key, values in news.items():
        progress(run_key, run_directory.Status(**{k: v for k, v in values.items() if k != "beat"}))


def _keep_state(study: Path, run_key: str, state: bytes) -> None:
    (study / "states").mkdir(parents=True, exist_ok=True)
    with files.replaced(study / "states" / f"{run_key}.zip") as out:
        out.write(state)


def _saved_state(study: Path, planned: Planned) -> bytes | None:
    """To go on from: what the cluster sent before it was cancelled, or the run itself where it was stopped here."""
    kept = files.read_bytes(study / "states" / f"{planned.key}.zip")
    if kept is not None:
        return kept
    return _zip(planned.run) if planned.run and (planned.run / "state.pt").exists() else None


def _packed_data(path: str) -> bytes:
    """Own images as one .npz, as any source is read."""
    data, out = sources.load(path), io.BytesIO()
    np.savez_compressed(
        out, x_train=data.train.images, y_train=data.train.digit, x_test=data.test.images, y_test=data.test.digit
    )
    return out.getvalue()
