"""The run directory: the only reader and writer of its files.

    runs/0007-ganomaly-n8-s0/
      config.json          what was asked for; rebuilds the model with no flags
      meta.json            versions, device, data fingerprint, commit, the command that repeats the run
      status.json          how it stands: state, heartbeat, epoch, step; replaced in one move
      metrics.jsonl        a line a logged step, a line an epoch
      commands.jsonl       exists: what was changed while it trained, and from which epoch on (`runs.commands`)
      parent_metrics.jsonl of a branch: the metrics.jsonl of the run that it branched off from, as that was then
      samples/             a PNG an epoch: the probe digits above their reconstructions
      state.pt             what resuming needs
      states/              the same after a few of its epochs, for branches (`runs.kept_states`)
      weights.safetensors  what scoring needs
      scores.npz           parts, digits, positions and latent vectors of val and test
      reconstructions.npz  the reconstructions of val and test, for the eye (8 bit)
      history.npz          what the nets said of a small fixed sample after each kept epoch (`runs.history`)
      wall.npz             twenty probe images as the nets see them after the latest epoch (`runs.wall`)
      epoch_nets/          small nets of the latest epoch and a handful before it, in half precision (`runs.epoch_nets`)
      checksums.json       SHA-256 of weights, scores, reconstructions, history and wall
      report.json          metrics at the default weights
      log.txt              the process's own words
      note.txt             exists: what its owner wrote about it
      study.txt            exists: the study that it belongs to, and its key there
      trial.json           exists: what a trial of a search is compared with after each epoch
      stopped_early.json   exists: after which epoch it ended itself, and its objective then
      stop                 exists: somebody asked it to stop
      asked/               changes that were asked for and have not yet taken effect, a file each
      .lock                held by the one process that writes the run, for as long as it lives
      .reserve             room for the last words on a full disk, while it is at work

One process writes a run, any number read it. Every reader checks what it reads: a damaged file is a RunError of that run
and of no other. Nothing here knows a network. A run that was moved to the trash lies whole in `runs/.trash/`, until its owner
empties that folder.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import psutil
from PIL import Image

from ganad.config import MOST_CLASSES, Settings, parse
from ganad.errors import ConfigError, RunError, file_errors
from ganad.evaluation.scores import ScoredImages, Scores
from ganad.runs import schemas
from ganad.runs.schemas import Status
from ganad.system import files, limits
from ganad.system.files import read_json, replaced, replaced_with_checksum, write_json, write_text

__all__ = ["Status", "read_json", "replaced", "replaced_with_checksum", "write_json", "write_text"]

HOME = Path(__file__).resolve().parents[2]
CHECKED = ("weights.safetensors", "scores.npz", "reconstructions.npz", "history.npz", "wall.npz")
"""Files whose SHA-256 is kept in checksums.json and compared whenever they are read."""
ENDED = ("finished", "stopped", "failed")
HEARTBEAT_S = 60.0
"""A run at work that says nothing for so long is not answering."""
GRACE_S = 45.0
"""So long may a run be queued without a process: whoever queued it starts one at once."""
LEAST_FREE = 100_000_000
"""Bytes that must be free on the disk of the runs before one is begun. Large nets need more: the worker asks again."""
LOCK_S = 20.0
"""A new process waits so long for the lock of its run, which whoever started it holds for a moment."""

PARENT_METRICS = "parent_metrics.jsonl"
MOST_PIXELS = 4_000_000
"""Of one picture of the training."""

_NUMBERED = re.compile(r"\d{4,}-.+")


def root() -> Path:
    """The folder of the user's runs: `runs` beside app.py, or wherever GANAD_RUNS says."""
    return Path(os.environ.get("GANAD_RUNS") or HOME / "runs")


def trash() -> Path:
    """Where runs lie that were moved to the trash. Their numbers are not given again, so that each can come back."""
    return root() / ".trash"


def shelf() -> Path:
    """The folder of the runs that are shipped with the project."""
    return Path(os.environ.get("GANAD_CHECKPOINTS") or HOME / "checkpoints")


def find(name: str | Path) -> Path:
    """The directory of a run: by its path, its name, or its number alone. Raises RunError if there is none."""
    with file_errors(f"There is no run {str(name)[:80]!r}", "`python -m ganad list` shows them all.", RunError):
        path = Path(name)
        if (path / "config.json").exists():
            return path.resolve()
        for folder in (root(), shelf()):
            if path.name == str(name) and (folder / path / "config.json").exists():
                return (folder / path).resolve()
            if re.fullmatch(r"[0-9]{1,6}", str(name)):
                for run in listing(folder):
                    if run.name.startswith(f"{int(str(name)):04d}-"):
                        return run.resolve()
    known = [run.name for folder in (root(), shelf()) for run in listing(folder)]
    there = f"There are: {', '.join(known[:8])}{' …' if len(known) > 8 else ''}." if known else "There are none yet."
    raise RunError(f"There is no run {str(name)[:80]!r}. {there} `python -m ganad list` shows them all.")


def listing(folder: Path) -> list[Path]:
    """Every run in a folder, newest first, damaged ones among them. Raises RunError if the folder cannot be read."""
    with file_errors(f"{folder} cannot be read", kind=RunError):
        if not folder.is_dir():
            return []
        return sorted((p.parent for p in folder.glob("*/config.json")), key=lambda p: p.name, reverse=True)


def create(settings: Settings) -> Path:
    """A new run directory with its config.json, numbered one above the highest. State: queued.

    Raises RunError, and leaves nothing behind, where the disk is full or cannot be written.
    """
    run = reserve(settings)
    try:
        write_status(run, Status(state="queued", since=time.time()))
        write_json(run / "config.json", settings.model_dump(mode="json"))  # from here on it is a run
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)  # made a moment ago, and by nobody else
        raise
    return run


def reserve(settings: Settings) -> Path:
    """A new, empty directory with the next free number. It is no run until a config.json lies in it.

    A number is claimed by making a folder of that number, which only one process can do; so it belongs to one run, however
    many are begun at once. Raises RunError where the disk is full or cannot be written.
    """
    digits = "".join(map(str, settings.normal))
    with file_errors(
        "No run can be begun", "Free some space, or set GANAD_RUNS to a folder that can be written.", RunError
    ):
        root().mkdir(parents=True, exist_ok=True)
        files.check_space(root(), LEAST_FREE, "A run")
        return numbered(root(), f"{settings.method}-n{digits}-s{settings.seed}", (trash(),))


def numbered(folder: Path, name: str, others: Sequence[Path] = ()) -> Path:
    """A new directory NUMBER-name in a folder, with the next number that is free there and in the other folders.

    A number is claimed by making a folder of that number, which only one process can do. Raises OSError.
    """
    number = max(_numbers(folder, *others), default=0)
    while True:
        number += 1
        claim = folder / f".{number:04d}"
        try:
            claim.mkdir()
        except FileExistsError:
            continue
        try:
            if number in _numbers(folder, *others):  # somebody was faster, and has given the claim back since
                continue
            made = folder / f"{number:04d}-{name}"
            made.mkdir()
            return made
        finally:
            claim.rmdir()


def _numbers(*folders: Path) -> set[int]:
    """The numbers that are taken in these folders."""
    taken = (p.name for folder in folders if folder.is_dir() for p in folder.iterdir())
    return {int(name.split("-")[0]) for name in taken if _NUMBERED.fullmatch(name)}


def settings(run: Path) -> Settings:
    """What was asked for. Raises RunError if config.json is missing or not readable."""
    saved = read_json(run / "config.json")
    if saved is None:
        raise RunError(f"{run.name} has no config.json, so it cannot be opened.")
    try:
        return parse(saved)
    except ConfigError as error:
        raise RunError(f"config.json of {run.name} is damaged: {error}.") from None


@contextlib.contextmanager
def owned(run: Path, wait: float = 0.0) -> Iterator[None]:
    """Be the one process that writes a run, until the end of the block or of the process, however it ends.

    wait: seconds to wait for the present owner. Raises RunError if the run has another one.
    """
    with file_errors(f"{run.name} cannot be written", "Free some space or allow writing there.", RunError):
        lock = filelock.FileLock(run / ".lock")
        try:
            lock.acquire(timeout=wait)
        except filelock.Timeout:
            raise RunError(f"{run.name} is at work already, in another process.") from None
    try:
        yield
    finally:
        lock.release()


# --- how it stands ---------------------------------------------------------------------------------------------


def write_status(run: Path, status: Status) -> None:
    """Replace status.json; the heartbeat is now. Raises RunError where the disk is full or cannot be written."""
    write_json(run / "status.json", status_values(status))


def status_values(status: Status) -> dict[str, Any]:
    """What status.json holds of a status; the heartbeat is now."""
    values = {k: v for k, v in status.__dict__.items() if k in Status.__dataclass_fields__ and k != "answering"}
    return values | {"beat": time.time()}


def read_status(run: Path) -> Status:
    """The status as it was written, whatever became of the process since. A damaged one reads as failed, and says so."""
    try:
        saved = read_json(run / "status.json")
        if saved is None:
            raise RunError("status.json is missing.")
        return schemas.status(saved)
    except RunError as error:
        return Status(state="failed", error=f"{error} Resume writes it anew.")


def status(run: Path, *, now: float | None = None) -> Status:
    """How a run stands: its own last word, unless its process died without one.

    A dead process that had been asked to stop reads as stopped, any other as failed, with what can be done. A process that
    is suspended, or lives and has been silent for too long, reads as it said, with answering=False: it may come back, and it
    can be stopped.
    """
    status = read_status(run)
    if status.state in ENDED:
        return status
    now = time.time() if now is None else now
    if status.pid is None:
        # A clock that was put back leaves a time in the future: that is no reason to wait for ever.
        if abs(now - max(status.beat, status.since)) <= GRACE_S:
            return status
        why = "Its process never started."
    elif (process := process_state(status.pid, status.process_started)) == "gone":
        why = "Its process ended without a word: killed, out of memory, or the machine was restarted."
    elif process == "suspended":
        return replace(status, doing="not answering: its process is suspended", answering=False)
    elif now - status.beat > HEARTBEAT_S:
        return replace(status, doing=f"not answering for {now - status.beat:.0f} seconds", answering=False)
    else:
        return status
    again = read_status(run)  # it may have said its last word between the two looks
    if again.state in ENDED:
        return again
    if (run / "stop").exists():
        return replace(again, state="stopped", doing="")
    return replace(again, state="failed", error=f"{why} Resume goes on from the last saved epoch.")


def process_state(pid: int, started: float | None) -> str:
    """ "alive", "suspended" (as by SIGSTOP) or "gone", which a zombie is, and a number that another process has now.

    started: when it was started, seconds since 1970. A process of which that is not known is not believed to be the one.
    """

    try:
        process = psutil.Process(pid)
        if started is None or abs(process.create_time() - started) >= 2:
            return "gone"
        state = process.status()
    except (psutil.Error, ValueError, OverflowError):
        return "gone"
    if state in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
        return "gone"
    return "suspended" if state in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP) else "alive"


def alive(pid: int, started: float | None) -> bool:
    """True while that very process is there, be it suspended."""
    return process_state(pid, started) != "gone"


def ask_to_stop(run: Path) -> None:
    """Ask, never kill: the worker looks between two steps, saves, and says "stopped" itself."""
    with file_errors(f"{run.name} cannot be asked to stop", "Free some space or allow writing there.", RunError):
        (run / "stop").touch()


# --- what it says while it works -------------------------------------------------------------------------------


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every whole and sound line of metrics.jsonl: a step, an epoch, and numbers by name.

    A last line that is still being written is left for the next time, and a damaged one is left out (`damaged_lines`).
    Raises RunError if there is something else than a file.
    """
    return _metrics(run)[0]


def damaged_lines(run: Path) -> int:
    """Lines of metrics.jsonl that are left out because they are no row of numbers."""
    return _metrics(run)[1]


def parent_metrics(run: Path) -> list[dict[str, Any]]:
    """The same of the run that a branch branched off from, as it was then; [] for a run that is no branch."""
    return _metrics(run, PARENT_METRICS)[0]


def _metrics(run: Path, name: str = "metrics.jsonl") -> tuple[list[dict[str, Any]], int]:
    content = files.read_bytes(run / name, most=files.MOST_JSON_BYTES) or b""
    rows, lines = [], content.rpartition(b"\n")[0].splitlines()
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            row = files.parse_json(line)
            if schemas.is_metrics_row(row):
                rows.append(row)
    return rows, len(lines) - len(rows)


def cut_metrics(run: Path, step: int) -> None:
    """Forget what was logged after a step: a resumed run logs it again."""
    kept = [row for row in read_metrics(run) if row["step"] <= step]
    write_text(run / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in kept))


def log_tail(run: Path, lines: int = 200) -> str:
    """The last lines of log.txt, or an empty string."""
    content = files.read_bytes(run / "log.txt", most=files.MOST_JSON_BYTES) or b""
    return "\n".join(content.decode("utf-8", errors="replace").splitlines()[-lines:])


def samples(run: Path) -> dict[int, Path]:
    """epoch -> PNG of the probe digits (upper row) and their reconstructions (lower row)."""
    pictures = {int(p.stem): p for p in (run / "samples").glob("*.png") if re.fullmatch("[0-9]{1,9}", p.stem)}
    return dict(sorted(pictures.items()))


def read_sample(path: Path) -> np.ndarray:
    """A picture of `samples`, (H, W) uint8 grey. Raises RunError if it is damaged or larger than a picture of a training."""
    with file_errors(
        f"samples/{path.name} of {path.parent.parent.name} is damaged", "The other pictures are shown.", RunError
    ):
        content = files.read_bytes(path, most=limits.PICTURE_BYTES) or b""
        with Image.open(io.BytesIO(content), formats=["PNG"]) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"it has {opened.width} x {opened.height} pixels")
            picture = np.asarray(opened.convert("L"))
        if len(picture) < 2:
            raise ValueError("it has no rows")
    return picture


def read_probe(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The probe digits of a picture of `samples`, and what was made of them, (P, 28, 28) uint8 each."""
    given, drawn = read_sample(path).reshape(2, 28, -1, 28).transpose(0, 2, 1, 3)
    return given, drawn


def read_report(run: Path) -> dict[str, Any] | None:
    """Metrics at the default weights, or None before they are written. Raises RunError if report.json is damaged."""
    return _object(run, "report.json", schemas.Report)


def read_meta(run: Path) -> dict[str, Any]:
    """Versions, device, data and number of parameters; empty before the run has begun. Raises RunError if damaged."""
    return _object(run, "meta.json", schemas.Meta) or {}


def _object(run: Path, name: str, model: type) -> dict[str, Any] | None:
    saved = read_json(run / name)
    return None if saved is None else schemas.checked(model, saved, f"{name} of {run.name}")


# --- what it leaves behind -------------------------------------------------------------------------------------


def write_scores(run: Path, sets: dict[str, dict[str, np.ndarray]]) -> None:
    """scores.npz from {"val": {"residual": ..., "digit": ..., "index": ..., "z": ...}, "test": ...}."""
    arrays = {f"{name}_{key}": value for name, columns in sets.items() for key, value in columns.items()}
    with replaced_with_checksum(run / "scores.npz") as part:
        np.savez_compressed(part, **arrays)


def read_scores(run: Path) -> Scores:
    """Raises RunError if the run has no scores yet, or if the file is damaged."""
    content = files.read_verified(run / "scores.npz")
    if content is None:
        raise RunError(f"{run.name} has no scores yet: they are written when its training ends.")
    normal, parts = settings(run).normal, settings(run).parts
    what = f"scores.npz of {run.name}"
    arrays = read_arrays(content, f"{what} cannot be read", "Resume the run to write it again.")
    check_scores(arrays, normal, parts, what)
    val, test = (
        ScoredImages(
            parts={part: arrays[f"{name}_{part}"] for part in parts},
            digit=arrays[f"{name}_digit"],
            index=arrays[f"{name}_index"],
            z=arrays.get(f"{name}_z", np.empty((len(arrays[f"{name}_digit"]), 0))),
        )
        for name in ("val", "test")
    )
    return Scores(val=val, test=test, normal=normal)


MOST_ARRAY_BYTES = 500_000_000
"""Of all arrays of one .npz of a run, unpacked."""


def read_arrays(content: bytes, what: str, advice: str, most: int = MOST_ARRAY_BYTES) -> dict[str, np.ndarray]:
    """The arrays of an .npz, none of them pickled, each compared with its CRC-32; bounded before they are unpacked.

    what, advice: the start and the end of the message of the RunError that is raised where it cannot be read.
    most: bytes of all arrays together.
    """
    with file_errors(what, advice, RunError):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if (size := sum(e.file_size for e in archive.infolist())) > most:
                raise RunError(
                    f"{what}: unpacked it would take {size / 1e6:,.0f} MB, more than scores ever take. {advice}"
                )
            if (bad := archive.testzip()) is not None:
                raise RunError(f"{what}: {bad} does not fit its CRC-32. {advice}")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}


KINDS = {"b": "truth values", "iu": "whole numbers", "f": "decimal numbers"}
"""Kinds of NumPy's dtypes -> what an array of them is called."""


def kept_arrays(
    run: Path, name: str, check: Callable[[dict[str, np.ndarray], tuple[str, ...], str], None], advice: str, most: int
) -> dict[str, np.ndarray] | None:
    """The arrays of an .npz that a run is whole without, checked; None where there is none. Raises RunError if it is damaged.

    check: called with the arrays, the parts of the run and the file's name for a message; advice, most: as of `read_arrays`.
    """
    content = files.read_verified(run / name)
    if content is None:
        return None
    what = f"{name} of {run.name}"
    arrays = read_arrays(content, f"{what} cannot be read", advice, most)
    check(arrays, settings(run).parts, what)
    return arrays


def check_scores(arrays: Mapping[str, np.ndarray], normal: tuple[int, ...], parts: tuple[str, ...], what: str) -> None:
    """Raises RunError unless the arrays are parts, digits and positions of val and test as a worker writes them.

    what: names the file in the message.
    """
    for which in ("val", "test"):
        if missing := sorted(k for k in ("digit", "index", *parts) if f"{which}_{k}" not in arrays):
            raise RunError(f"{what} has no {which}_{missing[0]}. Resume the run, or bring it in once more.")
        n = len(arrays[f"{which}_digit"]) if arrays[f"{which}_digit"].ndim else 0
        for key in ("digit", "index", *parts, *(["z"] if f"{which}_z" in arrays else [])):
            values = arrays[f"{which}_{key}"]
            kinds = "iu" if key in ("digit", "index") else "f"
            shaped = values.ndim == (2 if key == "z" else 1) and len(values) == n > 0
            if not shaped or values.dtype.kind not in kinds or not np.isfinite(values).all():
                raise RunError(
                    f"{which}_{key} in {what} is damaged: a finite value for each image is wanted, got an array of "
                    f"{values.dtype} and shape {values.shape}."
                )
        if not np.isin(arrays[f"{which}_digit"], range(MOST_CLASSES)).all():
            raise RunError(
                f"{which}_digit in {what} is damaged: it holds something else than classes from 0 to {MOST_CLASSES - 1}."
            )
        if arrays[f"{which}_index"].min() < 0 or arrays[f"{which}_index"].max() >= 2**31:
            raise RunError(f"{which}_index in {what} is damaged: it holds positions that no file of images has.")
    if len(np.unique(np.isin(arrays["test_digit"], normal))) < 2:
        raise RunError(f"{what} has only normal or only anomalous test images, so there is nothing to judge.")


def write_reconstructions(run: Path, val: np.ndarray, test: np.ndarray) -> None:
    """reconstructions.npz: (n_val, 28, 28) and (n_test, 28, 28) uint8, rows as in scores.npz."""
    with replaced_with_checksum(run / "reconstructions.npz") as part:
        np.savez_compressed(part, val=val, test=test)


def read_reconstructions(run: Path, which: str = "test") -> np.ndarray | None:
    """(n, 28, 28) uint8, rows as in scores.npz; None when the run was shipped without them.

    Raises RunError if the file is damaged.
    """
    content = files.read_verified(run / "reconstructions.npz")
    if content is None:
        return None
    what = f"reconstructions.npz of {run.name}"
    advice = "Remove it, then the nets make the reconstructions anew, or resume the run."
    arrays = read_arrays(content, f"{what} cannot be read", advice)
    drawn = arrays.get(which)
    if drawn is None or drawn.dtype != np.uint8 or drawn.ndim != 3 or drawn.shape[1:] != (28, 28):
        seen = "nothing" if drawn is None else f"an array of {drawn.dtype} and shape {drawn.shape}"
        raise RunError(f"{what} is damaged: {which} should be (n, 28, 28) of 8 bit, got {seen}. {advice}")
    return drawn


# --- what its owner does with it ---------------------------------------------------------------------------------

NOTE_LENGTH = 4000
"""Characters of a note."""


def rename(run: Path, name: str) -> None:
    """Give a run a name of its owner's own; an empty one takes it away. The directory keeps its name.

    Raises RunError for a shipped run, ConfigError for a name that is too long.
    """
    _own(run, "renamed")
    changed = parse(settings(run).model_dump(mode="json") | {"name": " ".join(name.split())})
    write_json(run / "config.json", changed.model_dump(mode="json"))


def note(run: Path) -> str:
    """What its owner wrote about a run, or an empty string."""
    return (files.read_bytes(run / "note.txt", most=1_000_000) or b"").decode("utf-8", errors="replace")


def write_note(run: Path, text: str) -> None:
    """Replace the note of a run. Raises RunError for a shipped run and for a note that is too long."""
    _own(run, "given a note")
    if len(text) > NOTE_LENGTH:
        raise RunError(f"A note has at most {NOTE_LENGTH:,} characters, this one has {len(text):,}.")
    if text.strip() or note(run):
        write_text(run / "note.txt", text.strip())


def move_to_trash(run: Path) -> str:
    """Move a run into the trash, whole; returns the name that `take_back` wants.

    Raises RunError for a shipped run, for one that is at work or whose process still lives, and where the disk refuses.
    """
    _own(run, "moved to the trash")
    at_work = RunError(f"{run.name} is still at work: stop it first, then throw it away.")
    now = status(run)
    if now.state not in ENDED or (now.pid is not None and alive(now.pid, now.process_started)):
        raise at_work
    with file_errors(f"{run.name} cannot be moved to the trash", "Allow writing in the folder of the runs.", RunError):
        lock = filelock.FileLock(run / ".lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise at_work from None
        try:
            trash().mkdir(exist_ok=True)
            name, again = run.name, 0
            while (trash() / name).exists():
                again += 1
                name = f"{run.name}~{again}"
            os.rename(run, trash() / name)
            (trash() / name / ".lock").unlink(missing_ok=True)
        finally:
            lock.release()
    return name


def trashed() -> list[str]:
    """Names of the runs in the trash, the last moved there first."""
    times = {}
    for run in listing(trash()):
        with contextlib.suppress(OSError):  # taken back a moment ago
            times[run.name] = run.stat().st_ctime_ns
    return sorted(times, key=times.__getitem__, reverse=True)


def restore(name: str) -> str:
    """Move a run out of the trash to where it was; returns its name. Raises RunError if its place is taken."""
    if name not in trashed():
        raise RunError(f"There is no run {name!r} in the trash: it was taken back already.")
    home = root() / re.sub(r"~\d+$", "", name)
    if home.exists():
        raise RunError(f"There is another run {home.name} now. Rename that folder, then take this one back.")
    with file_errors(f"{name} cannot be taken back", "Allow writing in the folder of the runs.", RunError):
        os.rename(trash() / name, home)
    return home.name


def empty_trash() -> int:
    """Remove for good what lies in the trash; returns how many runs that were.

    Each is moved aside first, so that one that is half removed cannot be taken back; what an earlier call left half
    removed goes too. Raises RunError where the disk refuses.
    """
    gone, count = trash() / ".gone", 0
    with file_errors("The trash cannot be emptied", "Allow writing in the folder of the runs.", RunError):
        for name in trashed():
            gone.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # taken back a moment ago
                os.rename(trash() / name, gone / f"{name}~{time.time_ns()}")
                count += 1
        if gone.is_dir():
            shutil.rmtree(gone)
    return count


def _own(run: Path, done: str) -> None:
    if run.resolve().parent == shelf().resolve():
        raise RunError(
            f"{run.name} is shipped with the project, so it cannot be {done}. Copy it: download, then import."
        )
