"""The run directory: the only reader and writer of its files.

    runs/0007-ganomaly-n8-s0/
      config.json          what was asked for; rebuilds the model with no flags
      meta.json            versions, device, data fingerprint, commit, the command that repeats the run
      status.json          how it stands: state, heartbeat, epoch, step; replaced in one move
      metrics.jsonl        a line a logged step, a line an epoch
      samples/             a PNG an epoch: the probe digits above their reconstructions
      state.pt             what resuming needs
      weights.safetensors  what scoring needs
      scores.npz           parts, digits, positions and latent vectors of val and test
      reconstructions.npz  the reconstructions of val and test, for the eye (8 bit)
      report.json          metrics at the default weights
      log.txt              the process's own words
      note.txt             exists: what its owner wrote about it
      stop                 exists: somebody asked it to stop

One process writes a run, any number read it. Nothing here knows a network. A run that was thrown away lies whole in
`runs/.trash/`, until its owner empties that folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganad.config import PARTS, Settings, parse
from ganad.errors import RunError

HOME = Path(__file__).resolve().parents[1]
ENDED = ("finished", "stopped", "failed")
HEARTBEAT_S = 60.0
"""A run that says nothing for so long, though it claims to be at work, has failed."""
GRACE_S = 45.0
"""So long may a started process take until it first speaks: it has Python's start-up ahead of it."""

_NUMBERED = re.compile(r"\d{4,}-.+")


def root() -> Path:
    """The folder of the user's runs: `runs` beside app.py, or wherever GANAD_RUNS says."""
    return Path(os.environ.get("GANAD_RUNS") or HOME / "runs")


def trash() -> Path:
    """Where runs lie that were thrown away. Their numbers are not given again, so that each can come back."""
    return root() / ".trash"


def shelf() -> Path:
    """The folder of the runs that are shipped with the project."""
    return Path(os.environ.get("GANAD_CHECKPOINTS") or HOME / "checkpoints")


def find(name: str | Path) -> Path:
    """The directory of a run: by its path, its name, or its number alone. Raises RunError if there is none."""
    path = Path(name)
    if (path / "config.json").exists():
        return path.resolve()
    for folder in (root(), shelf()):
        if path.name == str(name) and (folder / path / "config.json").exists():
            return (folder / path).resolve()
        if re.fullmatch(r"\d{1,6}", str(name)):
            for run in listing(folder):
                if run.name.startswith(f"{int(str(name)):04d}-"):
                    return run.resolve()
    known = [run.name for folder in (root(), shelf()) for run in listing(folder)]
    there = f"There are: {', '.join(known[:8])}{' …' if len(known) > 8 else ''}." if known else "There are none yet."
    raise RunError(f"There is no run {str(name)!r}. {there} `python -m ganad list` shows them all.")


def listing(folder: Path) -> list[Path]:
    """Every run in a folder, newest first."""
    if not folder.is_dir():
        return []
    return sorted((p.parent for p in folder.glob("*/config.json")), key=lambda p: p.name, reverse=True)


def create(settings: Settings) -> Path:
    """A new run directory with its config.json, numbered one above the highest. State: queued."""
    run = reserve(settings)
    write_json(run / "config.json", settings.model_dump(mode="json"))
    write_status(run, Status(state="queued", since=time.time()))
    return run


def reserve(settings: Settings) -> Path:
    """A new, empty directory with the next free number. It is no run until a config.json lies in it."""
    root().mkdir(parents=True, exist_ok=True)
    digits = "".join(map(str, settings.normal))
    taken = [p.name for folder in (root(), trash()) if folder.is_dir() for p in folder.iterdir()]
    number = max((int(name.split("-")[0]) for name in taken if _NUMBERED.fullmatch(name)), default=0)
    while True:  # another process may take the same number: the one that makes the folder has it
        number += 1
        if any(root().glob(f"{number:04d}-*")):
            continue
        run = root() / f"{number:04d}-{settings.method}-n{digits}-s{settings.seed}"
        try:
            run.mkdir()
        except FileExistsError:
            continue
        return run


def settings(run: Path) -> Settings:
    """What was asked for. Raises RunError if config.json is missing or not readable."""
    saved = read_json(run / "config.json")
    if saved is None:
        raise RunError(f"{run.name} has no readable config.json, so it cannot be opened.")
    return parse(saved)


# --- how it stands ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """How a run stands, as its process last said. Times are seconds since 1970."""

    state: str = "queued"
    since: float = 0.0
    beat: float = 0.0
    pid: int | None = None
    process_started: float | None = None
    doing: str = ""
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    total: int = 0
    seconds: float = 0.0
    rate: float | None = None
    error: str | None = None


def write_status(run: Path, status: Status) -> None:
    """Replace status.json; the heartbeat is now."""
    write_json(run / "status.json", {**status.__dict__, "beat": time.time()})


def read_status(run: Path) -> Status:
    """The status as it was written, whatever became of the process since."""
    saved = read_json(run / "status.json") or {}
    known = {k: v for k, v in saved.items() if k in Status.__dataclass_fields__}
    return Status(**known) if known else Status(state="failed", error="status.json is missing or not readable.")


def status(run: Path, *, now: float | None = None) -> Status:
    """How a run stands: its own last word, unless its process died without one.

    A dead process that had been asked to stop reads as stopped, any other as failed, with what can be done.
    """
    said = read_status(run)
    if said.state in ENDED:
        return said
    now = time.time() if now is None else now
    if said.pid is None:
        lost = now - max(said.beat, said.since) > GRACE_S
        why = "Its process never started."
    elif not alive(said.pid, said.process_started):
        lost, why = (
            True,
            "Its process ended without a word: killed, out of memory, or the machine was restarted.",
        )
    else:
        lost = now - said.beat > HEARTBEAT_S
        why = f"Its process has been silent for more than {HEARTBEAT_S:.0f} seconds."
    if not lost:
        return said
    again = read_status(run)  # it may have said its last word between the two looks
    if again.state in ENDED:
        return again
    if (run / "stop").exists():
        return Status(**{**again.__dict__, "state": "stopped"})
    return Status(**{**again.__dict__, "state": "failed", "error": f"{why} Resume goes on from the last saved epoch."})


def alive(pid: int, started: float | None) -> bool:
    """True while that very process runs: a number that was given to another process, or a zombie, is dead."""
    import psutil

    try:
        process = psutil.Process(pid)
        same = started is None or abs(process.create_time() - started) < 2
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def ask_to_stop(run: Path) -> None:
    """Ask, never kill: the worker looks between two steps, saves, and says "stopped" itself."""
    (run / "stop").touch()


# --- what it says while it works -------------------------------------------------------------------------------


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every complete line of metrics.jsonl. A last line that is still being written is left for the next time."""
    try:
        whole, _, _ = (run / "metrics.jsonl").read_text(encoding="utf-8").rpartition("\n")
    except FileNotFoundError:
        return []
    rows = []
    for line in whole.splitlines():
        with contextlib.suppress(json.JSONDecodeError):  # a line cut by a power failure in the middle of the file
            rows.append(json.loads(line))
    return rows


def cut_metrics(run: Path, step: int) -> None:
    """Forget what was logged after a step: a resumed run logs it again."""
    kept = [row for row in read_metrics(run) if row.get("step", 0) <= step]
    write_text(run / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in kept))


def log_tail(run: Path, lines: int = 200) -> str:
    """The last lines of log.txt, or an empty string."""
    try:
        return "\n".join((run / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def samples(run: Path) -> dict[int, Path]:
    """epoch -> PNG of the probe digits (upper row) and their reconstructions (lower row)."""
    found = {int(p.stem): p for p in (run / "samples").glob("*.png") if p.stem.isdigit()}
    return dict(sorted(found.items()))


# --- what it leaves behind -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """One set of images with their parts. All arrays have one row an image."""

    parts: dict[str, np.ndarray]
    digit: np.ndarray
    index: np.ndarray
    z: np.ndarray  # (n, nz), or (n, 0) in a run that was shipped without

    def __len__(self) -> int:
        return len(self.digit)


@dataclass(frozen=True)
class Scores:
    """What a finished run says of the held-out normal images and of the test images."""

    val: Scored
    test: Scored
    normal: tuple[int, ...]

    @property
    def anomalous(self) -> np.ndarray:
        """(n_test,) bool: which test images show a digit that is not normal."""
        return ~np.isin(self.test.digit, self.normal)


def write_scores(run: Path, sets: dict[str, dict[str, np.ndarray]]) -> None:
    """scores.npz from {"val": {"residual": ..., "digit": ..., "index": ..., "z": ...}, "test": ...}."""
    arrays = {f"{name}_{key}": value for name, columns in sets.items() for key, value in columns.items()}
    with replaced(run / "scores.npz") as part:
        np.savez_compressed(part, **arrays)


def read_scores(run: Path) -> Scores:
    """Raises RunError if the run has no scores yet, or if the file is damaged."""
    try:
        with open(run / "scores.npz", "rb") as raw, np.load(raw, allow_pickle=False) as file:
            val, test = (
                Scored(
                    parts={part: file[f"{name}_{part}"] for part in PARTS},
                    digit=file[f"{name}_digit"],
                    index=file[f"{name}_index"],
                    z=file[f"{name}_z"] if f"{name}_z" in file else np.empty((len(file[f"{name}_digit"]), 0)),
                )
                for name in ("val", "test")
            )
    except FileNotFoundError:
        raise RunError(f"{run.name} has no scores yet: they are written when its training ends.") from None
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise RunError(
            f"scores.npz of {run.name} cannot be read ({error}). Resume the run to write it again."
        ) from None
    return Scores(val=val, test=test, normal=settings(run).normal)


def write_reconstructions(run: Path, val: np.ndarray, test: np.ndarray) -> None:
    """reconstructions.npz: (n_val, 28, 28) and (n_test, 28, 28) uint8, rows as in scores.npz."""
    with replaced(run / "reconstructions.npz") as part:
        np.savez_compressed(part, val=val, test=test)


def read_reconstructions(run: Path, which: str = "test") -> np.ndarray | None:
    """(n, 28, 28) uint8, rows as in scores.npz; None when the run was shipped without them."""
    try:
        with open(run / "reconstructions.npz", "rb") as raw, np.load(raw, allow_pickle=False) as file:
            return file[which]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None


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
    try:
        return (run / "note.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def write_note(run: Path, text: str) -> None:
    """Replace the note of a run. Raises RunError for a shipped run and for a note that is too long."""
    _own(run, "given a note")
    if len(text) > NOTE_LENGTH:
        raise RunError(f"A note has at most {NOTE_LENGTH:,} characters, this one has {len(text):,}.")
    if text.strip() or note(run):
        write_text(run / "note.txt", text.strip())


def throw_away(run: Path) -> str:
    """Move a run into the trash, whole; returns the name that `take_back` wants.

    Raises RunError for a shipped run, and for one that is at work or whose process still lives.
    """
    _own(run, "thrown away")
    said = status(run)
    if said.state not in ENDED or (said.pid is not None and alive(said.pid, said.process_started)):
        raise RunError(f"{run.name} is still at work: stop it first, then throw it away.")
    trash().mkdir(exist_ok=True)
    name, again = run.name, 0
    while (trash() / name).exists():
        again += 1
        name = f"{run.name}~{again}"
    os.rename(run, trash() / name)
    return name


def thrown_away() -> list[str]:
    """Names of the runs in the trash, the last thrown first."""
    found = listing(trash())
    return [run.name for run in sorted(found, key=lambda run: run.stat().st_ctime_ns, reverse=True)]


def take_back(name: str) -> str:
    """Move a run out of the trash to where it was; returns its name. Raises RunError if its place is taken."""
    if name not in thrown_away():
        raise RunError(f"There is no run {name!r} in the trash: it was taken back already.")
    home = root() / re.sub(r"~\d+$", "", name)
    if home.exists():
        raise RunError(f"There is another run {home.name} now. Rename that folder, then take this one back.")
    os.rename(trash() / name, home)
    return home.name


def _own(run: Path, done: str) -> None:
    if run.resolve().parent == shelf().resolve():
        raise RunError(
            f"{run.name} is shipped with the project, so it cannot be {done}. Copy it: download, then import."
        )


# --- files -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Any]:
    """An open file that takes path's place in one move once it is whole; on an error path stays as it was."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one move."""
    with replaced(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file in one move."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any | None:
    """The value, or None if the file is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None
