"""Own images that came through the browser, in `.uploads` beside the runs, where the quota of the runs counts them.

An upload is an .npz, a train and a test CSV, or a zip of such a pair, of the four IDX files or of a folder of pictures for each
class. Each file is stored under a name of ours, in a folder that is named after the content; of a zip's own names only those
of classes are taken, and letters and digits of its pictures'. Sizes are counted while files are unpacked. An upload that no
run names is removed a day later.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from ganad.config import CLASS_NAME, CLASS_NAME_IN_WORDS
from ganad.data import sources
from ganad.errors import DataError, GanadError, file_errors
from ganad.runs import run_directory

TYPES = ("npz", "zip", "csv")
MOST_UNPACKED = 500_000_000
"""Bytes of all files of an upload on the disk."""
KEEP_S = 24 * 3600.0
"""An upload that no run names is kept so long."""

MOST_PICTURES = 100_000
"""Pictures in a zip of folders."""

_WANTED = "an .npz, a train and a test CSV, or a zip of those two, of the four MNIST files or of a folder of pictures for each class"
_IDX = re.compile(r"(train-images|t10k-images)[.-]idx3-ubyte(\.gz)?|(train-labels|t10k-labels)[.-]idx1-ubyte(\.gz)?")
_CHUNK = 1 << 20


def folder() -> Path:
    """Where uploads lie."""
    return run_directory.root() / ".uploads"


def keep_upload(files: Sequence[tuple[str, IO[bytes]]], room: Callable[[], None] = lambda: None) -> Path:
    """Store an upload, (name, open file) each, and return the path that a run can name as its data.

    room is called when all is stored, and raises when that is too much. Raises DataError for images that cannot
    be used, and then nothing of it remains.
    """
    sweep()
    with file_errors("The upload cannot be read or stored", "Upload the files once more.", DataError):
        return _entry(stored(lambda part: _store(files, part), lambda part: _check(_entry(part)), room))


def stored(store: Callable[[Path], str], check: Callable[[Path], object], room: Callable[[], None]) -> Path:
    """A folder among the uploads that is named after its content; on any error nothing of it remains.

    store   fills an empty folder and returns a digest of what is in it
    check   looks at that folder, unless one of this name is there already, and raises where it cannot be used
    room    is called when all is stored, and raises when that is too much
    """
    part = folder() / f".{secrets.token_hex(8)}.part"
    part.mkdir(parents=True)
    try:
        digest = store(part)
        room()
        home = folder() / digest
        if home.is_dir():
            os.utime(home)
        else:
            check(part)
            try:
                os.rename(part, home)
            except OSError:
                if not home.is_dir():  # else somebody brought the same images a moment ago
                    raise
        return home
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sweep(now: float | None = None) -> None:
    """Remove uploads that no run names, in the trash or out of it, and that nobody brought within the last day."""
    now = time.time() if now is None else now
    named = _named()
    for upload in folder().iterdir() if folder().is_dir() else ():
        with contextlib.suppress(OSError):
            if upload.name not in named and now - upload.stat().st_mtime > KEEP_S:
                shutil.rmtree(upload)


def _named() -> set[str]:
    """Names of the uploads that runs are trained on. A run that cannot be read may name any, but keeps none for ever."""
    return {name for _, name in _uses()}


def runs_on(home: Path) -> tuple[str, ...]:
    """The runs, in the trash or out of it, that were trained on the upload in that folder."""
    return tuple(run for run, name in _uses() if name == home.name)


def _uses() -> list[tuple[str, str]]:
    """(run, name of the upload that it was trained on), the trash included."""
    home, used = folder().resolve(), []
    for run in (*run_directory.listing(run_directory.root()), *run_directory.listing(run_directory.trash())):
        with contextlib.suppress(GanadError, OSError, ValueError, TypeError, AttributeError):
            path = Path(json.loads((run / "config.json").read_text(encoding="utf-8"))["data"] or "")
            if path.is_relative_to(home):
                used.append((run.name, path.relative_to(home).parts[0]))
    return used


def _entry(home: Path) -> Path:
    return home / "images.npz" if (home / "images.npz").exists() else home


def _check(path: Path) -> None:
    """Raises DataError without our folder in its words: whoever uploaded has never seen it."""
    try:
        sources.load(path)
    except GanadError as error:
        where = path if path.is_dir() else path.parent
        text = str(error).replace(f"{where}{os.sep}", "").replace(str(where), "The upload")
        raise DataError(text) from None


def _store(files: Sequence[tuple[str, IO[bytes]]], part: Path) -> str:
    """Write the files of an upload under our names; returns a digest of names and content."""
    suffixes = [PurePosixPath(name).suffix.lower() for name, _ in files]
    left, digests = MOST_UNPACKED, {}
    if suffixes == [".zip"]:
        with zipfile.ZipFile(files[0][1]) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir() and not _litter(e.filename)]
            pictures = [
                e
                for e in entries
                if _path(e.filename).parent.name and _kind(_path(e.filename)) in sources.PICTURE_TYPES
            ]
            if pictures:
                entries = sorted(pictures, key=lambda e: e.filename)
                names = _names_of_pictures([e.filename for e in entries])
            elif len(entries) > 4:
                raise DataError(f"The zip holds {len(entries)} files; {_WANTED} is taken.")
            else:
                names = _names([e.filename for e in entries])
            for entry, name in zip(entries, names, strict=True):
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source:
                    digests[name], size = _copy(source, part / name, left)
                left -= size
    else:
        names = ["images.npz"] if suffixes == [".npz"] else _names([name for name, _ in files])
        for (_, source), name in zip(files, names, strict=True):
            source.seek(0)
            digests[name], size = _copy(source, part / name, left)
            left -= size
    return digest_of(sorted(digests.items()))


def digest_of(content: object) -> str:
    """The name of a folder that holds what is described so."""
    return hashlib.sha256(repr(content).encode()).hexdigest()[:20]


def _litter(name: str) -> bool:
    """What a file manager adds to a zip unasked."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


def _path(name: str) -> PurePosixPath:
    """Where a file of an upload says that it lies, whatever system it comes from."""
    return PurePosixPath(name.replace("\\", "/"))


def _kind(path: PurePosixPath) -> str:
    return path.suffix.lower().removeprefix(".")


def _names_of_pictures(given: list[str]) -> list[str]:
    """Our names for pictures, class/number-name.kind, or below train/ or test/ where they lay so; raises DataError for a class of no good name."""
    if len(given) > MOST_PICTURES:
        raise DataError(
            f"The zip holds {len(given):,} pictures, expected {MOST_PICTURES:,} at most. Upload fewer images."
        )
    targets = []
    for number, path in enumerate(map(_path, given)):
        folder, above = path.parent.name, path.parent.parent.name
        if not CLASS_NAME.fullmatch(folder):
            raise DataError(f"The zip has the folder {folder[:60]!r}; {CLASS_NAME_IN_WORDS}.")
        part = next((part for part, names in sources.PART_FOLDERS.items() if above.lower() in names), "")
        stem = re.sub(r"[^\w-]+", "_", path.stem)[:40]
        targets.append(str(PurePosixPath(part, folder, f"{number:06d}-{stem}.{_kind(path)}")))
    return targets


def _names(given: list[str]) -> list[str]:
    """Our names for the files of a pair of CSVs, or for the four MNIST files; raises DataError for anything else."""
    last = [_path(name).name.lower() for name in given]
    if len(last) == 2 and all(name.endswith(".csv") for name in last):
        targets = ["train.csv" if "train" in name else "test.csv" if "test" in name else "" for name in last]
    elif len(last) == 4:
        targets = [name if _IDX.fullmatch(name) else "" for name in last]
    else:
        targets = [""]
    if not all(targets) or len(set(targets)) < len(targets):
        raise DataError(f"{', '.join(last[:4]) or 'nothing'} cannot be used; {_WANTED} is taken.")
    return targets


def _copy(source: IO[bytes], to: Path, left: int) -> tuple[str, int]:
    """Copy at most `left` bytes; returns digest and size. Raises DataError for more."""
    digest, size = hashlib.sha256(), 0
    with open(to, "xb") as file:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise DataError(
                    f"Unpacked, the upload has more than {MOST_UNPACKED // 1_000_000} MB. Upload fewer images."
                )
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest(), size
