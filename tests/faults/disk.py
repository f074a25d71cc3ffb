"""A disk that is full or read-only, at each moment at which something is written.

On a real small disk where one may be mounted, else on a pretended one whose calls fail with the same error numbers.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganad.errors import GanadError
from ganad.runs import archive, run_directory
from ganad.system import files
from ganad.training import jobs, run_training, worker
from tests.conftest import SHIPPED
from tests.faults.settings import small

MB = 1_000_000


class RealDisk:
    """A tmpfs of a few megabytes."""

    words = "a small disk, mounted"

    def __init__(self, folder: Path):
        self.folder = folder
        self.ballast = folder / ".ballast"

    def fill(self) -> None:
        """Leave no byte."""
        with contextlib.suppress(OSError), open(self.ballast, "ab") as file:
            while True:
                file.write(bytes(4096))
                file.flush()

    def free(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def protect(self, on: bool) -> None:
        """Make it read-only, or not."""
        subprocess.run(["mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.folder)], check=True)


class PretendedDisk:
    """The calls that write fail, as on a full or read-only disk; what is there already can be read and removed."""

    words = "a pretended disk: calls that write fail"

    def __init__(self, folder: Path, patch):
        self.folder, self.refusal = folder, None
        fsync, mkdir, touch = os.fsync, Path.mkdir, Path.touch

        def refused(call):
            def wrapped(*args, **more):
                if self.refusal is not None:
                    raise OSError(self.refusal, os.strerror(self.refusal))
                return call(*args, **more)

            return wrapped

        patch.setattr(files.os, "fsync", refused(fsync))
        patch.setattr(Path, "mkdir", refused(mkdir))
        patch.setattr(Path, "touch", refused(touch))

    def fill(self) -> None:
        self.refusal = errno.ENOSPC

    def free(self) -> None:
        self.refusal = None

    def protect(self, on: bool) -> None:
        self.refusal = errno.EROFS if on else None


@contextlib.contextmanager
def disk(folder: Path, patch, size: int = 40 * MB) -> Iterator[RealDisk | PretendedDisk]:
    """A disk of its own under the runs of this test."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = False
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "ganad-test", str(folder)], capture_output=True
        )
        mounted = done.returncode == 0
    patch.setattr(run_directory, "LEAST_FREE", 1 * MB)
    patch.setattr(run_training, "space_needed", lambda *_: 0)  # so that the disk fills up in the middle of the work
    try:
        made = RealDisk(folder) if mounted else PretendedDisk(folder, patch)
        yield made
        made.free()
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def everything(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.name not in (".ballast", ".lock")}


def refused(call, code: str) -> str:
    """The call ends in one sentence that names the cause."""
    with pytest.raises(GanadError) as caught:
        call()
    assert code in str(caught.value), caught.value
    return str(caught.value)


def full_at_start(place: RealDisk | PretendedDisk) -> str:
    """A run is begun: refused with the cause, and no folder is left."""
    before = everything(place.folder)
    place.fill()
    refused(lambda: jobs.start(small()), "ENOSPC")
    assert everything(place.folder) == before
    place.free()
    return "refused, the message names ENOSPC, no folder left behind"


def full_while_training(place: RealDisk | PretendedDisk) -> str:
    """The disk fills up after some steps: the status names the cause; with room the run goes on to the end."""
    run = run_directory.create(small(epochs=4))

    def fill(said: run_directory.Status) -> None:
        if said.step >= 7 and said.state == "running":
            place.fill()

    assert worker.work(run, fill) == "failed"
    assert "ENOSPC" in (run_directory.status(run).error or ""), run_directory.status(run)
    assert not list(run.rglob("*.part"))
    assert [r["step"] for r in run_directory.read_metrics(run)]  # what was logged can be read
    place.free()
    jobs.requeue(run)
    assert worker.work(run) == "finished"
    return "failed, status.json names ENOSPC; after room was made it was resumed and finished"


def full_at_rename_and_import(place: RealDisk | PretendedDisk) -> str:
    """A name, a note and an import are refused with the cause, and what was there stays."""
    run, parcel = run_directory.create(small(name="before")), archive.pack(SHIPPED["ganomaly"])
    before = everything(place.folder)
    place.fill()
    refused(lambda: run_directory.rename(run, "after"), "ENOSPC")
    refused(lambda: run_directory.write_note(run, "x"), "ENOSPC")
    refused(lambda: archive.unpack(parcel), "ENOSPC")
    assert run_directory.settings(run).name == "before"
    assert everything(place.folder) == before
    place.free()
    run_directory.rename(run, "after")
    assert run_directory.settings(run).name == "after"
    return "refused, the message names ENOSPC, what was there is untouched"


def read_only(place: RealDisk | PretendedDisk) -> str:
    """Everything that writes is refused with the cause; what is there can be looked at."""
    run, parcel = run_directory.create(small(name="before")), archive.pack(SHIPPED["ganomaly"])
    run_directory.write_status(run, run_directory.Status(state="stopped"))
    place.protect(True)
    try:
        refused(lambda: run_directory.create(small()), "EROFS")
        refused(lambda: run_directory.rename(run, "x"), "EROFS")
        refused(lambda: run_directory.write_note(run, "x"), "EROFS")
        refused(lambda: run_directory.move_to_trash(run), "EROFS")
        refused(lambda: jobs.requeue(run), "EROFS")
        refused(lambda: archive.unpack(parcel), "EROFS")
        assert run_directory.status(run).state == "stopped"
        assert run_directory.settings(run).name == "before"
    finally:
        place.protect(False)
    return "refused, the message names EROFS, what is there can be read"
