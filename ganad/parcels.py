"""A run as a zip file, to be kept or sent to somebody, and back again.

A parcel may come from anybody. Nothing of it is believed: names are compared with the list of a run's files, sizes are
counted while they are read, each file must be what its name says, the process that the status names is forgotten, and
the report is computed anew from the scores. What arrives gets the next free number, so nothing is ever overwritten.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from PIL import Image

from ganad import data, evaluate, runs
from ganad.config import PARTS, Settings, command, parse
from ganad.errors import ConfigError, RunError

FILES = (
    "config.json", "meta.json", "status.json", "metrics.jsonl", "weights.safetensors", "scores.npz", "reconstructions.npz",
    "report.json", "log.txt", "note.txt", "state.pt",
)  # fmt: skip
MOST_BYTES = 200_000_000
"""Of all files of a parcel, unpacked; of the arrays in an .npz as well."""
MOST_FILES = 500
MOST_PIXELS = 4_000_000
"""Of one picture of the training."""

_SAMPLE = re.compile(r"samples/\d{1,6}\.png")
_ALREADY_SMALL = (".npz", ".png", ".safetensors")
_SCORED = {"digit", "index", *PARTS}


def pack(run: Path) -> bytes:
    """The run as a zip: one folder of its name with its files. What resuming needs goes along until it has finished.

    Raises RunError while it is at work: its files belong together only when it has ended.
    """
    said = runs.status(run)
    if said.state not in runs.ENDED:
        raise RunError(f"{run.name} is {said.state}: stop it or let it finish, then download it.")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parcel:
        for path in sorted([*run.iterdir(), *(run / "samples").glob("*.png")]):
            name = path.relative_to(run).as_posix()
            if not path.is_file() or not _known(name) or (name == "state.pt" and said.state == "finished"):
                continue
            how = zipfile.ZIP_STORED if path.suffix in _ALREADY_SMALL else zipfile.ZIP_DEFLATED
            content = _status(said.__dict__, {}) if name == "status.json" else path.read_bytes()
            parcel.writestr(f"{run.name}/{name}", content, how)
    return out.getvalue()


def unpack(parcel: IO[bytes] | bytes) -> Path:
    """A new run out of a zip. Raises RunError, in one sentence that says what was wrong and what to do."""
    files = _read(io.BytesIO(parcel) if isinstance(parcel, bytes) else parcel)
    settings, checked = _checked(files)
    run = runs.reserve(settings)
    try:
        for name, content in checked.items():
            (run / name).parent.mkdir(exist_ok=True)
            with runs.replaced(run / name) as file:
                file.write(content)
        runs.write_json(run / "config.json", settings.model_dump(mode="json"))  # from here on it is a run
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)  # made a moment ago, and by nobody else
        raise
    return run


# --- the zip -----------------------------------------------------------------------------------------------------------


def _read(file: IO[bytes]) -> dict[str, bytes]:
    """name -> content, of known names alone."""
    try:
        with zipfile.ZipFile(file) as parcel:
            entries = [e for e in parcel.infolist() if not e.is_dir()]
            if len(entries) > MOST_FILES:
                raise RunError(f"The zip holds {len(entries):,} files, a run has at most {MOST_FILES}.")
            names = _names(entries)
            found, left = {}, MOST_BYTES
            for name, entry in zip(names, entries, strict=True):
                with parcel.open(entry) as packed:
                    found[name] = packed.read(left + 1)
                left -= len(found[name])
                if left < 0:
                    raise RunError(
                        f"Unpacked, the zip is larger than {MOST_BYTES // 1_000_000} MB, too large for a run."
                    )
            return found
    except zipfile.BadZipFile as error:
        raise RunError(f"This is not a whole zip file ({error}). Download the run once more.") from None
    except (NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:  # encrypted, exotic, cut off
        raise RunError(f"The zip cannot be unpacked ({error}). Pack the run's folder as a plain zip.") from None


def _names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """The files' names inside the run; the one folder that all may lie in is left out."""
    for e in entries:
        parts = PurePosixPath(e.filename).parts
        if e.filename.startswith("/") or "\\" in e.filename or ":" in e.filename or ".." in parts or not parts:
            raise RunError(f"{e.filename!r} points outside of the run's folder. Such a zip is not opened.")
        if stat.S_ISLNK(e.external_attr >> 16):
            raise RunError(f"{e.filename!r} is a link, not a file. Pack the files themselves.")
    names = [PurePosixPath(e.filename).as_posix() for e in entries]
    tops = {name.split("/", 1)[0] for name in names}
    if len(tops) == 1 and all("/" in name for name in names) and tops != {"samples"}:
        names = [name.split("/", 1)[1] for name in names]
    for name in names:
        if not _known(name):
            raise RunError(
                f"{name!r} does not belong to a run. A run's zip holds {', '.join(FILES)} and samples/; leave the rest out."
            )
    if len(set(names)) < len(names):
        raise RunError("The zip holds a file twice. Pack the run's folder once more.")
    return names


def _known(name: str) -> bool:
    return name in FILES or _SAMPLE.fullmatch(name) is not None


# --- what is in it -----------------------------------------------------------------------------------------------------


def _checked(files: dict[str, bytes]) -> tuple[Settings, dict[str, bytes]]:
    """The settings, and every other file as it may be written."""
    if "config.json" not in files:
        raise RunError("The zip holds no config.json, so it is not a run. Pack the folder that holds that file.")
    try:
        settings = parse(_object(files, "config.json"))
        command(settings)  # a run whose preset is not known here would not be listed
    except ConfigError as error:
        raise RunError(f"config.json of the zip cannot be used: {error}.") from None
    checked = {k: v for k, v in files.items() if k not in ("config.json", "report.json")}
    if "meta.json" in files:
        _object(files, "meta.json")
    for line in files.get("metrics.jsonl", b"").splitlines():
        if not _is_row(_json(line, "metrics.jsonl")):
            raise RunError("metrics.jsonl of the zip is damaged: each of its lines is a JSON object of numbers.")
    for name in ("log.txt", "note.txt"):
        if name in files:
            checked[name] = files[name].decode("utf-8", errors="replace").encode()
    if len(files.get("note.txt", b"").decode("utf-8", errors="replace")) > runs.NOTE_LENGTH:
        raise RunError(f"note.txt of the zip is longer than the {runs.NOTE_LENGTH:,} characters of a note.")
    for name in files:
        if name.startswith("samples/"):
            _check_picture(name, files[name])
    report = _check_scores(files, settings)
    if report is not None:
        checked["report.json"] = json.dumps(report, indent=2).encode()
    said = _object(files, "status.json")
    unproven = report is None and said.get("state") == "finished"
    checked["status.json"] = _status(said, {"state": "stopped"} if unproven else {})
    return settings, checked


def _object(files: dict[str, bytes], name: str) -> dict[str, Any]:
    if name not in files:
        raise RunError(f"The zip holds no {name}, so it is not a whole run. Download the run once more.")
    value = _json(files[name], name)
    if not isinstance(value, dict):
        raise RunError(f"{name} of the zip is damaged: a JSON object is wanted.")
    return value


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise RunError(f"{name} of the zip is not JSON. Download the run once more.") from None


def _is_row(row: Any) -> bool:
    """True for a line as a training writes it: numbers by name, and one group of such under "val"."""
    return isinstance(row, dict) and all(
        _is_row(v) if k == "val" else isinstance(v, int | float | None) for k, v in row.items()
    )


def _status(said: dict[str, Any], changes: dict[str, Any]) -> bytes:
    """status.json without the process: on another machine its number belongs to another one, or to none."""
    kinds = {"state": str, "doing": str, "epoch": int, "epochs": int, "step": int, "total": int, "seconds": int | float}
    kept = {k: said[k] for k, kind in kinds.items() if isinstance(said.get(k), kind)}
    if isinstance(said.get("error"), str):
        kept["error"] = said["error"][:1000]
    kept |= changes
    if kept.get("state") not in runs.ENDED:
        kept["state"] = "stopped"
    return json.dumps(kept, indent=2).encode()


def _check_picture(name: str, content: bytes) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            width, height = picture.size
            picture.verify()
    except Exception as error:
        raise RunError(f"{name} of the zip is no picture ({error}). Download the run once more.") from None
    if width * height > MOST_PIXELS:
        raise RunError(f"{name} of the zip has {width} x {height} pixels, too many for a picture of a training.")


def _check_scores(files: dict[str, bytes], settings: Settings) -> dict[str, Any] | None:
    """The report of the scores, computed anew; None for a run without scores."""
    if "scores.npz" not in files:
        return None
    arrays = _arrays(files, "scores.npz")
    for which in ("val", "test"):
        if missing := sorted(k for k in _SCORED if f"{which}_{k}" not in arrays):
            raise RunError(f"scores.npz of the zip has no {which}_{missing[0]}. Download the run once more.")
        n = len(arrays[f"{which}_digit"])
        for key in _SCORED | ({"z"} if f"{which}_z" in arrays else set()):
            values = arrays[f"{which}_{key}"]
            fits = values.ndim == (2 if key == "z" else 1) and len(values) == n > 0 and np.isfinite(values).all()
            if not fits or (key in ("digit", "index") and values.dtype.kind not in "iu"):
                raise RunError(f"{which}_{key} in scores.npz of the zip is not a finite value for each of its images.")
        if not np.isin(arrays[f"{which}_digit"], range(10)).all():
            raise RunError(f"{which}_digit in scores.npz of the zip holds something else than the digits 0 to 9.")
    test = {k: arrays[f"test_{k}"] for k in _SCORED}
    if settings.data is None and not _in_mnist(test):
        raise RunError("scores.npz of the zip names test images that MNIST does not have, or other digits than theirs.")
    if len(np.unique(np.isin(test["digit"], settings.normal))) < 2:
        raise RunError(
            "scores.npz of the zip has only normal or only anomalous test images, so there is nothing to judge."
        )
    if "reconstructions.npz" in files:
        made = _arrays(files, "reconstructions.npz")
        for which in ("val", "test"):
            wanted = (len(arrays[f"{which}_digit"]), 28, 28)
            if which not in made or made[which].shape != wanted or made[which].dtype != np.uint8:
                raise RunError(
                    f"reconstructions.npz of the zip does not fit its scores: {which} should be {wanted}, 8 bit."
                )
    parts = {p: test[p] for p in PARTS}
    at = evaluate.threshold_for(evaluate.total({p: arrays[f"val_{p}"] for p in PARTS}, settings.weights))
    judged = evaluate.evaluate(parts, test["digit"], settings.normal, settings.weights, at)
    return evaluate.report(judged, settings.weights)


def _in_mnist(test: dict[str, np.ndarray]) -> bool:
    digit = data.load_test(None).digit
    index = test["index"]
    return 0 <= index.min() and index.max() < len(digit) and bool((digit[index] == test["digit"]).all())


def _arrays(files: dict[str, bytes], name: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz, none of them pickled, all together not too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(files[name])) as inner:
            if sum(e.file_size for e in inner.infolist()) > MOST_BYTES:
                raise RunError(f"{name} of the zip is larger than {MOST_BYTES // 1_000_000} MB when it is unpacked.")
        with np.load(io.BytesIO(files[name]), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, KeyError, EOFError, MemoryError, zipfile.BadZipFile, NotImplementedError) as error:
        raise RunError(f"{name} of the zip cannot be read ({error}). Download the run once more.") from None
