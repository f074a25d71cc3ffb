"""A run as a zip file, to be kept or sent to somebody, and back again.

An archive may come from anybody. Nothing in it is trusted: names are compared with the list of a run's files, sizes are
counted while they are read, each file must be what its name says, the process that the status names is forgotten, and
the report is computed anew from the scores. What arrives gets the next free number, so nothing is ever overwritten.
"""

from __future__ import annotations

import hashlib
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
from safetensors import SafetensorError
from safetensors.numpy import load

from ganad.config import Settings, command, parse
from ganad.data import sources
from ganad.errors import ConfigError, RunError, file_errors
from ganad.evaluation import metrics, thresholds
from ganad.runs import commands, epoch_nets, history, run_directory, schemas, wall
from ganad.system import files

FILES = (
    "config.json", "meta.json", "status.json", "metrics.jsonl", "commands.jsonl", "parent_metrics.jsonl", "weights.safetensors", "scores.npz", "reconstructions.npz", "history.npz",
    "wall.npz", "checksums.json", "report.json", "log.txt", "note.txt", "state.pt",
)  # fmt: skip
MOST_BYTES = 200_000_000
"""Of all files of an archive, unpacked; of the arrays in an .npz as well."""
MOST_FILES = 500

_MORE = re.compile(rf"samples/\d{{1,6}}\.png|{epoch_nets.FOLDER}/\d{{1,6}}\.safetensors")
_ALREADY_SMALL = (".npz", ".png", ".safetensors")


def pack(run: Path) -> bytes:
    """The run as a zip: one folder of its name with its files. What resuming needs goes along until it has finished.

    Raises RunError while it is at work: its files belong together only when it has ended.
    """
    status = run_directory.status(run)
    if status.state not in run_directory.ENDED:
        raise RunError(f"{run.name} is {status.state}: stop it or let it finish, then download it.")
    out = io.BytesIO()
    with (
        file_errors(f"{run.name} cannot be packed", kind=RunError),
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in sorted(paths_of(run)):
            name = path.relative_to(run).as_posix()
            if not path.is_file() or not is_of_a_run(name) or (name == "state.pt" and status.state == "finished"):
                continue
            how = zipfile.ZIP_STORED if path.suffix in _ALREADY_SMALL else zipfile.ZIP_DEFLATED
            content = (
                _status(run_directory.status_values(status), {}) if name == "status.json" else files.read_bytes(path)
            )
            archive.writestr(f"{run.name}/{name}", content, how)
    return out.getvalue()


def unpack(file: IO[bytes] | bytes) -> Path:
    """A new run out of a zip. Raises RunError, in one sentence that says what was wrong and what to do."""
    contents = _read(io.BytesIO(file) if isinstance(file, bytes) else file)
    settings, checked = _checked(contents)
    files.check_space(_nearest(run_directory.root()), sum(map(len, checked.values())), "The run in the zip")
    run = run_directory.reserve(settings)
    try:
        for name, content in checked.items():
            with file_errors(f"{name} cannot be written", "Free some space.", RunError):
                (run / name).parent.mkdir(exist_ok=True)
            with run_directory.replaced(run / name) as file:
                file.write(content)
        run_directory.write_json(run / "config.json", settings.model_dump(mode="json"))  # from here on it is a run
    except BaseException:
        shutil.rmtree(run, ignore_errors=True)  # made a moment ago, and by nobody else
        raise
    return run


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there already."""
    return next((p for p in (folder, *folder.parents) if p.is_dir()), Path.cwd())


# --- the zip -----------------------------------------------------------------------------------------------------------


def _read(file: IO[bytes]) -> dict[str, bytes]:
    """name -> content, of known names alone."""
    with file_errors(
        "The zip cannot be unpacked", "Download the run once more, or pack its folder as a plain zip.", RunError
    ):
        try:
            archive = zipfile.ZipFile(file)
        except zipfile.BadZipFile as error:
            raise RunError(f"This is not a whole zip file ({error}). Download the run once more.") from None
        with archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if len(entries) > MOST_FILES:
                raise RunError(f"The zip holds {len(entries):,} files, a run has at most {MOST_FILES}.")
            names = _names(entries)
            contents, left = {}, MOST_BYTES
            for name, entry in zip(names, entries, strict=True):
                with archive.open(entry) as packed:
                    contents[name] = packed.read(left + 1)
                left -= len(contents[name])
                if left < 0:
                    raise RunError(
                        f"Unpacked, the zip is larger than {MOST_BYTES // 1_000_000} MB, too large for a run."
                    )
            return contents


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
    if len(tops) == 1 and all("/" in name for name in names) and tops.isdisjoint(("samples", epoch_nets.FOLDER)):
        names = [name.split("/", 1)[1] for name in names]
    for name in names:
        if not is_of_a_run(name):
            raise RunError(
                f"{name!r} does not belong to a run. A run's zip holds {', '.join(FILES)}, samples/ and {epoch_nets.FOLDER}/; leave the rest out."
            )
    if len(set(names)) < len(names):
        raise RunError("The zip holds a file twice. Pack the run's folder once more.")
    return names


def paths_of(run: Path) -> list[Path]:
    """Everything in a run's directory and in the folders there that belong to it."""
    return [*run.iterdir(), *(run / "samples").glob("*.png"), *epoch_nets.kept(run).values()]


def is_of_a_run(name: str) -> bool:
    """Whether a run may have a file of that name, a path from its directory."""
    return name in FILES or _MORE.fullmatch(name) is not None


# --- what is in it -----------------------------------------------------------------------------------------------------


def _checked(contents: dict[str, bytes]) -> tuple[Settings, dict[str, bytes]]:
    """The settings, and every other file as it may be written."""
    if "config.json" not in contents:
        raise RunError("The zip holds no config.json, so it is not a run. Pack the folder that holds that file.")
    try:
        settings = parse(_object(contents, "config.json"))
        command(settings)  # a run whose preset is not known here would not be listed
    except ConfigError as error:
        raise RunError(f"config.json of the zip cannot be used: {error}.") from None
    checked = {k: v for k, v in contents.items() if k not in ("config.json", "report.json")}
    if "meta.json" in contents:
        schemas.checked(schemas.Meta, _object(contents, "meta.json"), "meta.json of the zip")
    for name in ("metrics.jsonl", run_directory.PARENT_METRICS):
        for line in contents.get(name, b"").splitlines():
            if not schemas.is_metrics_row(_json(line, name)):
                raise RunError(
                    f"{name} of the zip is damaged: each of its lines is a JSON object of numbers, with step and epoch."
                )
    _check_commands(contents, settings)
    _compare_checksums(contents)
    _check_weights(contents)
    for name in ("log.txt", "note.txt"):
        if name in contents:
            checked[name] = contents[name].decode("utf-8", errors="replace").encode()
    if len(contents.get("note.txt", b"").decode("utf-8", errors="replace")) > run_directory.NOTE_LENGTH:
        raise RunError(f"note.txt of the zip is longer than the {run_directory.NOTE_LENGTH:,} characters of a note.")
    for name in contents:
        if name.startswith("samples/"):
            _check_picture(name, contents[name])
    if "history.npz" in contents:
        history.check(_arrays(contents, "history.npz"), settings.parts, "history.npz of the zip")
    if "wall.npz" in contents:
        wall.check(_arrays(contents, "wall.npz"), settings.parts, "wall.npz of the zip")
    report = _check_scores(contents, settings)
    if report is not None:
        checked["report.json"] = json.dumps(report, indent=2).encode()
    status = _object(contents, "status.json")
    unproven = report is None and status.get("state") == "finished"
    checked["status.json"] = _status(status, {"state": "stopped"} if unproven else {})
    return settings, checked


def _object(contents: dict[str, bytes], name: str) -> dict[str, Any]:
    if name not in contents:
        raise RunError(f"The zip holds no {name}, so it is not a whole run. Download the run once more.")
    value = _json(contents[name], name)
    if not isinstance(value, dict):
        raise RunError(f"{name} of the zip is damaged: a JSON object is wanted.")
    return value


def _json(content: bytes, name: str) -> Any:
    try:
        return files.parse_json(content)
    except (ValueError, RecursionError):
        raise RunError(f"{name} of the zip is not JSON. Download the run once more.") from None


def _check_commands(contents: dict[str, bytes], settings: Settings) -> None:
    """Every command is one that these settings allow."""
    what = f"{commands.FILE} of the zip"
    recorded = commands.parsed(contents.get(commands.FILE, b""), what)
    try:
        for epoch in {command.epoch for command in recorded}:
            commands.in_force(settings, recorded, epoch)
    except ConfigError as error:
        raise RunError(f"{what} cannot be used: {error}.") from None


def _compare_checksums(contents: dict[str, bytes]) -> None:
    """Every file that checksums.json names is what it was when the run wrote it."""
    if "checksums.json" not in contents:
        return
    for name, wanted in _object(contents, "checksums.json").items():
        if name not in contents:
            continue
        if wanted != hashlib.sha256(contents[name]).hexdigest():
            raise RunError(f"{name} of the zip is damaged: its SHA-256 is another one. Download the run once more.")


def _check_weights(contents: dict[str, bytes]) -> None:
    """Weights are finite numbers under names. Whether they fit the nets is found when they are loaded."""
    for name in (name for name in contents if name.endswith(".safetensors")):
        with file_errors(f"{name} of the zip cannot be read", "Download the run once more.", RunError):
            try:
                tensors = load(contents[name])
            except SafetensorError as error:
                raise ValueError(str(error)) from None
        if bad := [k for k, v in tensors.items() if v.dtype.kind == "f" and not np.isfinite(v).all()]:
            raise RunError(f"{name} of the zip is damaged: {bad[0]} holds values that are not finite.")


def _status(values: dict[str, Any], changes: dict[str, Any]) -> bytes:
    """status.json without the process: on another machine its number belongs to another one, or to none."""
    kinds = {"state": str, "doing": str, "epoch": int, "epochs": int, "step": int, "total": int, "seconds": int | float}
    kept = {k: values[k] for k, kind in kinds.items() if isinstance(values.get(k), kind)}
    if isinstance(values.get("error"), str):
        kept["error"] = values["error"][:1000]
    kept |= changes
    if kept.get("state") not in run_directory.ENDED:
        kept["state"] = "stopped"
    return json.dumps(kept, indent=2).encode()


def _check_picture(name: str, content: bytes) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            width, height = picture.size
            picture.verify()
    except Exception as error:
        raise RunError(f"{name} of the zip is no picture ({error}). Download the run once more.") from None
    if width * height > run_directory.MOST_PIXELS:
        raise RunError(f"{name} of the zip has {width} x {height} pixels, too many for a picture of a training.")


def _check_scores(contents: dict[str, bytes], settings: Settings) -> dict[str, Any] | None:
    """The report of the scores, computed anew; None for a run without scores."""
    if "scores.npz" not in contents:
        return None
    arrays = _arrays(contents, "scores.npz")
    run_directory.check_scores(arrays, settings.normal, settings.parts, "scores.npz of the zip")
    if settings.data is None:
        _check_positions(arrays)
    if "reconstructions.npz" in contents:
        pictures = _arrays(contents, "reconstructions.npz")
        for which in ("val", "test"):
            wanted = (len(arrays[f"{which}_digit"]), 28, 28)
            if which not in pictures or pictures[which].shape != wanted or pictures[which].dtype != np.uint8:
                raise RunError(
                    f"reconstructions.npz of the zip does not fit its scores: {which} should be {wanted}, 8 bit."
                )
    parts = {p: arrays[f"test_{p}"] for p in settings.parts}
    at = thresholds.threshold_for(metrics.total({p: arrays[f"val_{p}"] for p in settings.parts}, settings.weights))
    judged = metrics.evaluate(parts, arrays["test_digit"], settings.normal, settings.weights, at)
    return metrics.report(judged, settings.weights)


def _check_positions(arrays: dict[str, np.ndarray]) -> None:
    """Raises RunError unless MNIST has these images, with these digits."""
    for which, digit in (("test", sources.load_test(None).digit), ("val", sources.load(None).train.digit)):
        index = arrays[f"{which}_index"]
        if index.max() >= len(digit) or not (digit[index] == arrays[f"{which}_digit"]).all():
            raise RunError(
                f"scores.npz of the zip names {which} images that MNIST does not have, or other digits than theirs."
            )


def _arrays(contents: dict[str, bytes], name: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz, none of them pickled, all together not too large."""
    return run_directory.read_arrays(
        contents[name], f"{name} of the zip cannot be read", "Download the run once more.", MOST_BYTES
    )
