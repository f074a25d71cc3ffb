"""Own classes that were collected by drawing or uploading: each an ordinary .npz with `classes.txt`, in `.uploads` beside the runs.

They lie among the uploads, so that quota, access and the sweep of what no run names know them. A folder is named after what is in it:
the same images under the same name are the same data set.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganad.data import class_names, own_class, sources
from ganad.errors import DataError, GanadError, RunError, file_errors
from ganad.runs import run_directory, uploads
from ganad.system import paths

FILE = "images.npz"
MARK = "own-class"
"""Beside the file: this was collected here."""


@dataclass(frozen=True)
class OwnClass:
    """A class that was collected. path: of its .npz; originals: how many; runs: that were trained on it, those in the trash too."""

    path: Path
    name: str
    originals: int
    kept: float
    runs: tuple[str, ...]


def keep(originals: np.ndarray, name: str, seed: int = 0, room: Callable[[], None] = lambda: None) -> Path:
    """Make the data set of (n, 28, 28) uint8 originals and store it; returns the path that a run names as its data.

    room is called when all is stored, and raises when that is too much; then, and on any error, nothing of it remains. Raises
    DataError as `own_class.arrays` does.
    """
    uploads.sweep()
    arrays, classes = own_class.arrays(originals, name, seed)

    def store(part: Path) -> str:
        np.savez_compressed(part / FILE, **arrays)
        (part / class_names.FILE).write_text("\n".join(classes) + "\n", encoding="utf-8")
        (part / MARK).write_text(f"{len(originals)}\n", encoding="utf-8")
        recipe = [(key, hashlib.sha256(value.tobytes()).hexdigest()) for key, value in sorted(arrays.items())]
        return uploads.digest_of((classes, recipe))

    with file_errors("The images of your class cannot be stored", "Free some space or allow writing there.", DataError):
        return uploads.stored(store, lambda part: sources.load(part / FILE), room) / FILE


def kept() -> list[OwnClass]:
    """Those that are there, newest first. One that cannot be read is left out."""
    found = []
    for home in uploads.folder().iterdir() if uploads.folder().is_dir() else ():
        with contextlib.suppress(GanadError, OSError, ValueError, IndexError):
            if not home.name.startswith(".") and (home / MARK).is_file():
                number = int(paths.contents(home / MARK, 100, "number").decode())
                name = class_names.beside(home, 2)[0]
                found.append(OwnClass(home / FILE, name, number, home.stat().st_mtime, uploads.runs_on(home)))
    return sorted(found, key=lambda own: own.kept, reverse=True)


def find(name: str) -> OwnClass:
    """The one in the folder of that name. Raises RunError where there is none."""
    for own in kept():
        if own.path.parent.name == name:
            return own
    raise RunError("That collection is no longer there.")


def read(own: OwnClass) -> np.ndarray:
    """(n, 28, 28) uint8: its originals. Raises RunError for a damaged file."""
    what = f"The images of {own.name}"
    content = paths.contents(own.path, run_directory.MOST_ARRAY_BYTES, "collection")
    arrays = run_directory.read_arrays(content, what, "Collect them anew.")
    originals = arrays.get("originals")
    if originals is None or originals.shape != (own.originals, 28, 28) or originals.dtype != np.uint8:
        raise RunError(f"{what} are damaged: expected {own.originals} of 28 × 28. Collect them anew.")
    return originals


def delete(own: OwnClass) -> None:
    """Remove it for good. Raises RunError while a run, in the trash or out of it, was trained on it."""
    if own.runs:
        raise RunError(
            f"{own.name} is what {', '.join(own.runs[:3])} was trained on: remove that run first, and empty the trash."
        )
    with file_errors(f"{own.name} cannot be deleted", "Look at the permissions of the folder of runs.", RunError):
        shutil.rmtree(own.path.parent)
