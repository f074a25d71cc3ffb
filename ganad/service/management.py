"""Name, note, trash and zip of a run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ganad.errors import RunError
from ganad.runs import archive, run_directory
from ganad.service.quota import bytes_in, room_for
from ganad.system import access


def rename(name: str, own: str) -> None:
    """Call a run by a name of one's own; an empty one takes it away."""
    access.allow("naming runs")
    run_directory.rename(run_directory.find(name), own)


def write_note(name: str, text: str) -> None:
    """Replace the note of a run."""
    access.allow("writing notes")
    run_directory.write_note(run_directory.find(name), text)


def trash(name: str) -> str:
    """Move a run into the trash; returns the name by which `restore` finds it.

    Raises RunError for one that is at work, shipped, or not in the folder of runs.
    """
    access.allow("moving runs to the trash")
    run = run_directory.find(name)
    if run.parent not in (run_directory.root().resolve(), run_directory.shelf().resolve()):
        raise RunError(
            f"{run} is not in your folder of runs, {run_directory.root()}, which has the trash. Remove it by hand."
        )
    return run_directory.move_to_trash(run)


def trashed() -> list[str]:
    """What is in the trash, the last moved there first."""
    return run_directory.trashed()


def in_trash(name: str) -> str:
    """A run in the trash by its name or number; of several the one that was moved there last. Raises RunError if none is."""
    wanted, names = Path(name).name, run_directory.trashed()
    number = f"{int(wanted):04d}-" if re.fullmatch(r"[0-9]{1,6}", wanted) else None
    for there in names:
        if wanted in (there, there.rpartition("~")[0]) or (number and there.startswith(number)):
            return there
    there = f"There are: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}." if names else "It is empty."
    raise RunError(f"There is no run {name!r} in the trash. {there}")


def restore(name: str) -> str:
    """Bring a run back out of the trash; returns its name."""
    access.allow("taking runs out of the trash")
    return run_directory.restore(name)


def trash_bytes() -> int:
    """Bytes of the runs in the trash."""
    return bytes_in(run_directory.trash())


def empty_trash() -> int:
    """Remove for good what lies in the trash; returns how many runs that were."""
    access.allow("emptying the trash")
    return run_directory.empty_trash()


def export_zip(name: str) -> bytes:
    """A run as a zip file."""
    return archive.pack(run_directory.find(name))


def import_zip(file: Any) -> str:
    """A new run out of a zip file (open, or its bytes); returns its name. Raises RunError, and then leaves nothing."""
    access.allow("importing runs")
    size = len(file) if isinstance(file, bytes) else file.seek(0, os.SEEK_END)
    access.check_upload(size)
    with room_for(size):
        return archive.unpack(file).name
