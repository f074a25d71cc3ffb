"""Files of digits -> train, val, test.

Every format ends up as the same uint8 arrays, ink 255 on 0, so that nothing behind this file knows where images
came from. The official split is kept as it is: val is taken out of train, test is never touched.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import json
import math
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ganad.config import VAL_SHARE
from ganad.data import class_names, foreign, preparation
from ganad.data.preprocess import read_image
from ganad.errors import DataError, file_errors
from ganad.system import limits, paths

MNIST = Path(__file__).parents[1] / "mnist"
MIN_VAL = 10
"""Fewer held-out normal images than this say nothing about a threshold."""

_DIGITS = tuple("0123456789")
_IDX = {"train": ("train-images", "train-labels"), "test": ("t10k-images", "t10k-labels")}
_SHA256 = {  # of the uncompressed official files
    "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_NPZ = {  # array names, in lower case, that people use
    "train": (("x_train", "train_images", "train_x"), ("y_train", "train_labels", "train_y")),
    "test": (("x_test", "test_images", "test_x"), ("y_test", "test_labels", "test_y")),
}
PICTURE_TYPES = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif")
PART_FOLDERS = {"train": ("train", "training"), "test": ("test", "testing")}
"""Part of a data source -> what a folder that holds its class folders may be called, in small letters."""
_ACCEPTED = (
    "expected a folder with the four MNIST files (train-images-idx3-ubyte, ... plain or .gz), with a train and a "
    "test CSV, or with one subfolder of images per class; or the path of a train CSV or of an .npz file"
)


class Images(NamedTuple):
    """Images and their classes, in the order of their file."""

    images: np.ndarray
    """(N, 28, 28) uint8, ink 255 on 0."""
    digit: np.ndarray
    """(N,) uint8, number of the class."""
    index: np.ndarray
    """(N,) int64, position in the train or test file; in folders of pictures, position in the order of reading."""


@dataclass(frozen=True, eq=False)
class Originals:
    """Of data whose training images are variants of fewer originals, as those of one's own class are (`data.own_class`)."""

    number: np.ndarray
    """(N,) int64: the original that each training image is a variant of; -1 for an image that is none."""
    held_out: np.ndarray
    """(N,) bool: the data hold it out themselves. No original has variants on both sides."""


@dataclass(frozen=True)
class Dataset:
    """All images of a source."""

    train: Images
    test: Images
    classes: tuple[str, ...]
    """Names of the classes 0, 1, ...: of `classes.txt` beside the files, of the folders, of a data set that is known, or the numbers."""
    fingerprint: str
    """12 hex digits that depend on images and labels alone: equal content gives the same in every format."""
    source: str
    """Where the images came from, in words or as a path."""
    preparation: str = "digit"
    """How a picture from elsewhere becomes one of these: a key of `preparation.KINDS`."""
    originals: Originals | None = None
    """Which images are variants of one original; None where each stands for itself."""


@dataclass(frozen=True)
class Split:
    """What a run uses: normal images to learn from, held-out normal images, and test images of every digit."""

    train: Images
    val: Images
    test: Images


Arrays = tuple[np.ndarray, np.ndarray]


class _Source(NamedTuple):
    classes: tuple[str, ...]
    read: Callable[[str], Arrays]  # "train" or "test" -> images, labels
    originals: Callable[[int], Originals | None] = lambda n: None  # of n training images


def load(path: str | Path | None = None) -> Dataset:
    """All images at a path, or the embedded MNIST for None. Raises DataError naming the file at fault.

    A path is a folder of the four MNIST files, a folder with a train and a test CSV or the path of the train CSV,
    an .npz file, or a folder of pictures in one subfolder per class (below train/ and test/, or directly: then
    every fifth picture of a class, in the order of names, is a test image). Whatever is larger than ganad.limits says is
    refused before it takes memory.
    """
    if (dataset := _handed_over.pop(str(path), None)) is not None:
        return dataset
    with _faults(path):
        source = _open(path)
        train, test = source.read("train"), source.read("test")
        classes = _classes(source.classes, path, train, test)
        originals = source.originals(len(train[0]))
        if _is_embedded(path):
            digests = [bytes.fromhex(digest) for digest in _SHA256.values()]
        else:
            digests = [_idx_digest(array) for part in (train, test) for array in part]
    fingerprint = hashlib.sha256(b"".join(digests)).hexdigest()[:12]
    return Dataset(
        train=_numbered(train),
        test=_numbered(test),
        classes=classes or class_names.KNOWN.get(fingerprint) or class_names.numbers(train[1], test[1]),
        preparation="digit" if _is_embedded(path) else preparation.kind_of(train[0]),
        fingerprint=fingerprint,
        source="MNIST" if _is_embedded(path) else str(path),
        originals=originals,
    )


_handed_over: dict[str, Dataset] = {}


def hand_over(path: str | Path | None, dataset: Dataset) -> None:
    """The next `load` of this path in this process returns this dataset, once: who has checked it need not read it twice."""
    _handed_over[str(path)] = dataset


def load_test(path: str | Path | None = None) -> Images:
    """The test images alone: the same as `load(path).test`, without reading the training images."""
    with _faults(path):
        return _numbered(_open(path).read("test"))


def load_mnist() -> tuple[Arrays, Arrays]:
    """The embedded MNIST: ((train_images, train_labels), (test_images, test_labels)).

    Images are (60000, 28, 28) and (10000, 28, 28) uint8, ink 255 on 0; labels (N,) uint8 in 0..9. Raises DataError
    when the files are not the official ones.
    """
    return _read_embedded("train"), _read_embedded("test")


def split(dataset: Dataset, settings: Any) -> Split:
    """Train, held-out and test images of a run; each keeps the order of its file.

    `settings` says normal, seed, limit, test_digits, test_limit, sample, contamination and leave_out_foreign. Of each normal digit's training images a share
    of VAL_SHARE, drawn from the seed, is held out; of variants of originals those that the data hold out. Raises DataError when a part would be empty or
    one-sided.
    """
    train, test = dataset.train, dataset.test
    chosen = np.flatnonzero(np.isin(train.digit, settings.normal))[: settings.limit]
    rng = np.random.default_rng(settings.seed)
    held_out = []
    for digit in settings.normal:
        own = chosen[train.digit[chosen] == digit]
        if len(own) < 2:
            among = f" among the first {settings.limit} normal ones" if settings.limit else ""
            raise DataError(
                f"{dataset.source} has {len(own)} training images of normal digit {digit}{among}, and at least 2 are "
                f"needed, one of them to hold out. Training images of each class: {_counts(train, dataset.classes)}."
            )
        if (fixed := dataset.originals) is not None and (fixed.number[own] >= 0).any():
            # Were these drawn, a variant would be held out while others of its original are learned from.
            held_out.append(own[fixed.held_out[own]])
            continue
        held_out.append(rng.permutation(own)[: max(1, round(VAL_SHARE * len(own)))])
    val = apart = np.sort(np.concatenate(held_out))
    if len(val) < MIN_VAL:
        advice = f"raise limit (now {settings.limit})" if settings.limit else "add images"
        raise DataError(
            f"Only {len(val)} of {len(chosen)} normal training images would be held out, too few for a threshold or "
            f"a percentile: at least {MIN_VAL} are needed, so {advice}."
        )
    kept = np.arange(len(test.digit))
    if settings.test_digits is not None:
        kept = kept[np.isin(test.digit, settings.test_digits)]
    kept = kept[: settings.test_limit]
    if settings.sample is not None:
        kept, val = spread_evenly(kept, test.digit, settings.sample), spread_evenly(val, train.digit, settings.sample)
    bad_train, bad_val = contaminants(train, settings, len(chosen) - len(apart), len(val))
    test = _take(test, kept)
    normal = int(np.isin(test.digit, settings.normal).sum())
    if normal in (0, len(test.digit)):
        missing = "anomalies" if normal else "normal images"
        asked = [f"{k} {v}" for k in ("test_digits", "test_limit") if (v := getattr(settings, k)) is not None]
        raise DataError(
            f"The test set has no {missing}, and without them nothing can be told apart. Normal digits are "
            f"{list(settings.normal)}; test images of each class{' with ' + ', '.join(asked) if asked else ''}: "
            f"{_counts(test, dataset.classes)}."
        )
    whole = Split(
        train=_take(train, np.sort(np.concatenate([np.setdiff1d(chosen, apart), bad_train]))),
        val=_take(train, np.sort(np.concatenate([val, bad_val]))),
        test=test,
    )
    return foreign.without_foreign(train, whole, settings.normal) if settings.leave_out_foreign else whole


def contaminants(train: Images, settings: Any, n_train: int, n_val: int) -> tuple[np.ndarray, np.ndarray]:
    """Which training images of other digits a run with `contamination` takes for normal: beside n_train normal ones that it learns
    from, and beside n_val held-out ones. Positions in the file, drawn from the seed; empty without contamination.

    Raises DataError where there are too few of them.
    """
    if not settings.contamination:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    others = ~np.isin(train.digit, settings.normal)
    if settings.contamination_digits is not None:
        others &= np.isin(train.digit, settings.contamination_digits)
    share = settings.contamination / (1 - settings.contamination)
    wanted = [round(share * n) for n in (n_train, n_val)]
    # A stream of its own, so that the normal images that are held out stay those of a run without.
    drawn = np.random.default_rng([settings.seed, 1]).permutation(np.flatnonzero(others))
    if len(drawn) < sum(wanted):
        raise DataError(
            f"contamination of {settings.contamination:g} needs {sum(wanted):,} images of other digits, and there are {len(drawn):,}: lower it, or "
            "name more of contamination_digits."
        )
    return np.sort(drawn[: wanted[0]]), np.sort(drawn[wanted[0] : sum(wanted)])


def reference_rows(dataset: Dataset, settings: Any, each: int | None = None) -> np.ndarray:
    """Positions of a fixed sample of *training* images of the digits that are not normal, as many of each; a run never learns from them.

    For whatever is chosen with anomalies and must not be chosen on the test set. each: so many of a digit, at most; by default
    `reference_anomalies` of all. Raises DataError where every digit is normal.
    """
    train, rng = dataset.train, np.random.default_rng(0)
    seen = np.zeros(len(train.digit), bool)
    if settings.contamination:  # what was put among the normals is no stranger to the net
        own = split(dataset, settings)
        seen[np.searchsorted(train.index, np.concatenate([own.train.index, own.val.index]))] = True
    others = [int(d) for d in np.unique(train.digit) if d not in settings.normal]
    if not others:
        raise DataError("Every digit is normal here, so there is no anomaly among the training images.")
    each = each or max(1, settings.reference_anomalies // len(others))
    return np.concatenate([rng.permutation(np.flatnonzero((train.digit == d) & ~seen))[:each] for d in others])


def spread_evenly(at: np.ndarray, digit: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the positions `at`, in their order: as many of each digit as its share, at equal distances.

    It is the same choice for every seed and every run. digit: the digit at each position of the file.
    """
    if len(at) <= most:
        return at
    by_digit = at[np.argsort(digit[at], kind="stable")]
    return np.sort(by_digit[((np.arange(most) + 0.5) * len(at) / most).astype(np.int64)])


def _take(images: Images, at: np.ndarray) -> Images:
    return Images(*(field[at] for field in images))


def _counts(images: Images, classes: tuple[str, ...]) -> str:
    counts = np.bincount(images.digit, minlength=len(classes))
    named = (str(i) if name == str(i) else f"{i} ({name})" for i, name in enumerate(classes))
    return ", ".join(f"{name}: {n}" for name, n in zip(named, counts, strict=True))


def _numbered(arrays: Arrays) -> Images:
    return Images(*arrays, np.arange(len(arrays[0]), dtype=np.int64))


def _is_embedded(path: str | Path | None) -> bool:
    return path is None or path == ""


def _faults(path: str | Path | None) -> Any:
    """What can be raised of a path that nobody may read, of one that is no path, and of a machine without memory."""
    where = "The embedded MNIST" if _is_embedded(path) else paths.shown(path)
    return file_errors(f"{where} cannot be read", kind=DataError)


def _open(path: str | Path | None) -> _Source:
    """Which format a path holds, found from names alone."""
    if _is_embedded(path):
        return _Source(_DIGITS, _read_embedded)
    path = paths.typed(path)
    if not path.exists():
        raise DataError(f"{paths.shown(path)} does not exist; {_ACCEPTED}.")
    if path.is_file():
        if path.suffix.lower() == ".npz":
            return _Source((), lambda part: _read_npz(path, part), lambda n: _read_originals(path, n))
        if path.suffix.lower() == ".csv":
            pair = {"train": path, "test": _sibling(path)}
            return _Source((), lambda part: _read_csv(pair[part]))
        raise DataError(f"{path} is a file of type {path.suffix or 'unknown'!r}; {_ACCEPTED}.")
    if not path.is_dir():
        raise DataError(f"{path} is {paths.kind_of(path.stat().st_mode)}; {_ACCEPTED}.")
    if any(_idx_file(path, stem) for stems in _IDX.values() for stem in stems):
        return _Source((), lambda part: _read_idx_pair(path, part))
    inside = paths.entries(path)
    if tables := [path / e.name for e in inside if e.name.lower().endswith(".csv") and e.is_file()]:
        pair = {part: _only(path, tables, part) for part in ("train", "test")}
        return _Source((), lambda part: _read_csv(pair[part]))
    return _open_folders(path)


def _classes(own: tuple[str, ...], path: str | Path | None, train: Arrays, test: Arrays) -> tuple[str, ...]:
    """The names of the classes, where the source has any: its own, or those of a `classes.txt` beside it."""
    if own or path is None:
        return own
    most = int(max(train[1].max(), test[1].max()))
    return class_names.beside(paths.typed(path), most + 1)


def _checked(images: np.ndarray, labels: np.ndarray, at: Path | str, labels_at: Path | str | None = None) -> Arrays:
    """uint8 images (N, 28, 28) and labels in 0..99, one for one."""
    labels_at = labels_at or at
    _check_images(images.shape, at)
    if not len(images):
        raise DataError(f"{at} holds no images, expected at least one.")
    if labels.shape != (len(images),):
        raise DataError(f"{labels_at}: {len(images)} images but labels of shape {labels.shape}, expected one each.")
    if bad := [n for n in (labels.min(), labels.max()) if not 0 <= n < class_names.MOST]:
        raise DataError(f"{labels_at}: label {bad[0]} found, expected classes from 0 to {class_names.MOST - 1}.")
    return images, labels.astype(np.uint8)


# --- IDX, and the embedded MNIST ---------------------------------------------------------------------------------


def _read_embedded(part: str) -> Arrays:
    files = [MNIST / f"{stem}-idx{n}-ubyte.gz" for stem, n in zip(_IDX[part], (3, 1), strict=True)]
    return _checked(*(_read_official(path, n) for path, n in zip(files, (3, 1), strict=True)), *files)


def _read_official(path: Path, n_dims: int) -> np.ndarray:
    """The array in an embedded file, compared with its SHA-256 unless that very file passed before."""
    memory = MNIST / ".verified.json"
    try:
        seen = json.loads(memory.read_text())
        seen = seen if isinstance(seen, dict) else {}
    except (OSError, ValueError):
        seen = {}
    array = _read_idx(path, n_dims)
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    if seen.get(path.name) == stamp:
        return array
    digest = _idx_digest(array).hex()
    if digest != _SHA256[path.name]:
        raise DataError(
            f"{path} is not the official MNIST file: SHA-256 of its content is {digest}, expected "
            f"{_SHA256[path.name]}. Restore it from the repository."
        )
    # Only a saving of time: where the folder cannot be written, the files are compared every time.
    note = MNIST / f".verified.{os.getpid()}.part"
    try:
        note.write_text(json.dumps(seen | {path.name: stamp}, indent=2) + "\n")
        os.replace(note, memory)
    except OSError:
        with contextlib.suppress(OSError):  # a read-only file system refuses to remove even what is not there
            note.unlink()
    return array


def _idx_file(folder: Path, stem: str) -> Path | None:
    kind = "idx3" if "images" in stem else "idx1"
    paths = [folder / f"{stem}{dot}{kind}-ubyte{gz}" for gz in ("", ".gz") for dot in "-."]
    return next((path for path in paths if path.is_file()), None)


def _read_idx_pair(folder: Path, part: str) -> Arrays:
    arrays, files = [], []
    for stem, n in zip(_IDX[part], (3, 1), strict=True):
        path = _idx_file(folder, stem)
        if path is None:
            raise DataError(f"{folder} has no {stem}-idx{n}-ubyte, plain or .gz, beside its other MNIST files.")
        files.append(path)
        arrays.append(_read_idx(path, n))
    return _checked(*arrays, *files)


def _read_idx(path: Path, n_dims: int) -> np.ndarray:
    """A writable uint8 array from a plain or gzipped IDX file, which is unpacked up to what its header promises.

    IDX: two zero bytes, 8 for uint8, number of dimensions, big-endian sizes, values.
    """
    start = 4 + 4 * n_dims
    packed = path.suffix == ".gz"
    what, advice = (" as gzip", "Expected a whole gzip file.") if packed else ("", "Expected a readable file.")
    with (
        paths.opened(path, limits.IMAGES * 784 + start, "file of MNIST's format") as raw,
        file_errors(f"{path} cannot be read{what}", advice, DataError),
    ):
        file = gzip.GzipFile(fileobj=raw) if packed else raw
        shape = _idx_shape(file.read(start), path, n_dims)
        array = np.empty(shape, np.uint8)
        filled, expected = _fill(file, array), array.size
        if filled == expected:  # is there more?
            filled += len(file.read(1)) if packed else os.fstat(raw.fileno()).st_size - start - expected
    if filled != expected:
        more = "more than " if packed and filled > expected else ""
        raise DataError(
            f"{path} has {more}{expected if more else filled} bytes after its header, expected {expected} for shape {shape}."
        )
    return array


def _idx_shape(header: bytes, path: Path, n_dims: int) -> tuple[int, ...]:
    """What the header promises. Raises DataError for what is no IDX, no MNIST, or too much."""
    magic, expected = header[:4], bytes((0, 0, 8, n_dims))
    if magic != expected:
        raise DataError(
            f"{path} starts with bytes {magic.hex(' ') or '(none)'}, expected {expected.hex(' ')}: "
            f"IDX with {n_dims} dimension{'s' * (n_dims > 1)} of unsigned bytes."
        )
    if len(header) < 4 + 4 * n_dims:
        raise DataError(f"{path} ends within its header: {len(header)} bytes, expected at least {4 + 4 * n_dims}.")
    shape = struct.unpack(f">{n_dims}I", header[4:])
    _check_images(shape if n_dims == 3 else (*shape, 28, 28), path)
    return shape


def _check_images(shape: tuple[int, ...], at: Path | str) -> None:
    """Raises DataError for what is no (N, 28, 28), or more images than limits.IMAGES."""
    if shape[1:] != (28, 28):
        raise DataError(f"{at}: images have shape {shape}, expected (N, 28, 28).")
    if shape[0] > limits.IMAGES:
        raise DataError(
            f"{at} says that it holds {shape[0]:,} images, expected at most {limits.IMAGES:,}. Take a part of them."
        )


def _fill(file: Any, array: np.ndarray) -> int:
    """Read into a contiguous array until it is full or the file ends; returns how many bytes were read."""
    left, done = memoryview(array.reshape(-1).view(np.uint8)), 0
    while done < len(left):  # not at once: pages that are never written are never taken
        n = file.readinto(left[done : done + (1 << 20)])
        if not n:
            break
        done += n
    return done


def _idx_digest(array: np.ndarray) -> bytes:
    """SHA-256 of the array as an IDX file, so that the embedded files' known digests serve as well."""
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    digest = hashlib.sha256(header)
    digest.update(np.ascontiguousarray(array))
    return digest.digest()


# --- CSV ---------------------------------------------------------------------------------------------------------


def _only(folder: Path, tables: list[Path], part: str) -> Path:
    matching = [p for p in tables if part in p.stem.lower()]
    if len(matching) != 1:
        seen = ", ".join(p.name for p in matching or tables)
        raise DataError(f"{folder}: expected one CSV with {part!r} in its name, found {len(matching)} ({seen}).")
    return matching[0]


def _sibling(train: Path) -> Path:
    for word, other in (("train", "test"), ("Train", "Test"), ("TRAIN", "TEST")):
        if word in train.name:
            test = train.with_name(train.name.replace(word, other))
            if not test.is_file():
                raise DataError(f"{test} does not exist; expected the test images there, beside {train.name}.")
            return test
    raise DataError(f"{train}: expected 'train' in its name, so that the test CSV beside it can be found.")


def _read_csv(path: Path) -> Arrays:
    """label, then 784 pixels in 0..255 in each row, with a header or none, as in Kaggle's copies of MNIST.

    It is read a few thousand rows at a time: a table of text takes several times the memory of its numbers.
    """
    import pandas as pd

    with paths.opened(path, limits.CSV_BYTES, "CSV") as file:
        first = file.readline(limits.CSV_LINE + 1).removeprefix(b"\xef\xbb\xbf")
        header = _csv_header(first, path)
        most = os.fstat(file.fileno()).st_size // (2 * 785) + 1  # a row has 785 cells of a digit and a comma at least
        images, labels = (
            np.empty((min(most, limits.IMAGES), 784), np.uint8),
            np.empty(min(most, limits.IMAGES), np.uint8),
        )
        rows, number = 0, 1
        for lines in _blocks(file, [] if header else [first]):
            number += header and number == 1
            if long := [i for i, line in enumerate(lines) if len(line) > limits.CSV_LINE]:
                raise DataError(_csv_long(path, number + long[0]))
            try:
                table = pd.read_csv(io.BytesIO(b"".join(lines)), header=None, dtype=np.uint8).to_numpy()
            except pd.errors.EmptyDataError:
                table = np.empty((0, 785), np.uint8)
            except (ValueError, OverflowError) as error:  # pandas' ParserError and unicode's errors are ValueErrors
                raise DataError(_csv_fault(path, lines, number) or f"{path} cannot be read ({error}).") from None
            if table.shape[1] != 785:
                raise DataError(_csv_fault(path, lines, number) or f"{path} cannot be read.")
            if rows + len(table) > limits.IMAGES:
                raise DataError(f"{path} has more than {limits.IMAGES:,} rows, expected at most so many images.")
            labels[rows : rows + len(table)], images[rows : rows + len(table)] = table[:, 0], table[:, 1:]
            rows, number = rows + len(table), number + len(lines)
    if not rows:
        raise DataError(f"{path} has a header and no rows, expected at least one image.")
    return _checked(images[:rows].reshape(-1, 28, 28), labels[:rows], path)


def _csv_header(first: bytes, path: Path) -> bool:
    """True when the first line holds names, not numbers. Raises DataError when it is of another kind of table."""
    if len(first) > limits.CSV_LINE:
        raise DataError(_csv_long(path, 1))
    try:
        cells = [cell.strip().strip('"') for cell in first.decode("utf-8").split(",")]
    except UnicodeDecodeError as error:
        raise DataError(f"{path} cannot be read as text ({error}); expected a CSV in UTF-8.") from None
    header = not _is_number(cells[0])
    if len(cells) != 785:
        hint = " The test file of Kaggle's competition has no labels: it cannot be used." if len(cells) == 784 else ""
        raise DataError(f"{path} has {len(cells)} columns, expected 785: the label, then 784 pixels.{hint}")
    if header and {"label", "class"} & {name.lower() for name in cells[1:]}:
        raise DataError(f"{path}: the first column is {paths.shown(cells[0])!r}, expected the label before the pixels.")
    return header


def _blocks(file: BinaryIO, first: list[bytes], each: int = 8_000_000) -> Iterator[list[bytes]]:
    """The lines of a file, some megabytes at a time. A line that is too long ends the reading, and is the last."""
    lines, held = first, sum(map(len, first))
    while line := file.readline(limits.CSV_LINE + 1):
        lines.append(line)
        held += len(line)
        if held >= each or len(line) > limits.CSV_LINE:
            yield lines
            lines, held = [], 0
    if lines:
        yield lines


def _csv_long(path: Path, number: int) -> str:
    return (
        f"{path}, line {number}: more than {limits.CSV_LINE:,} bytes, expected 785 cells, of at most three digits each."
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv_fault(path: Path, lines: list[bytes], number: int) -> str | None:
    """Where the first bad cell is, of lines that begin with line `number`: pandas says only that there is one."""

    for at, line in enumerate(lines, start=number):
        row = next(csv.reader([line.decode("utf-8", errors="replace")]), [])
        if not row:
            continue
        if len(row) != 785:
            return f"{path}, line {at}: {len(row)} cells, expected 785."
        for column, cell in enumerate(row, start=1):
            if not (_is_number(cell) and float(cell) in range(256)):
                seen = cell if len(cell) <= 40 else f"{cell[:40]}…"
                return f"{path}, line {at}, column {column}: {seen!r}, expected a whole number in 0..255."
    return None


# --- NPZ ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _npz(path: Path) -> Iterator[tuple[dict[str, str], Callable[[str], np.ndarray]]]:
    """What arrays an .npz has, lower case -> as they are written, and how one of them is read by that name."""
    with (
        paths.opened(path, limits.ARCHIVE_BYTES, ".npz file") as file,
        file_errors(f"{path} cannot be read as .npz file", "Expected plain arrays, without objects.", DataError),
    ):
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            names = {name.lower(): name for name in members}
            yield names, lambda name: _unpack(archive, members[name], f"{path}: {name}")


def _read_originals(path: Path, n: int) -> Originals | None:
    """Which of the n training images of an .npz are variants of one original, and which are held out; None where it does not say.

    Raises DataError where variants of one original would be learned from and held out.
    """
    with _npz(path) as (names, read):
        if not {"original_train", "held_out_train"} <= set(names):
            return None
        number, held_out = (read(names[name]) for name in ("original_train", "held_out_train"))
    if number.shape != (n,) or number.dtype.kind not in "iu" or held_out.shape != (n,) or held_out.dtype.kind != "b":
        raise DataError(
            f"{path}: original_train and held_out_train are {number.shape} {number.dtype} and {held_out.shape} {held_out.dtype}, expected "
            f"a whole number and a boolean for each of the {n} training images."
        )
    if both := np.intersect1d(number[held_out & (number >= 0)], number[~held_out & (number >= 0)]).tolist():
        raise DataError(
            f"{path}: variants of original {both[0]} are held out and learned from. Hold out all of an original, or none."
        )
    return Originals(number.astype(np.int64), held_out)


def _read_npz(path: Path, part: str) -> Arrays:
    with _npz(path) as (names, read):
        images, labels = (read(_named(path, names, wanted)) for wanted in _NPZ[part])
    images = images.reshape((*images.shape[:1], 28, 28)) if images.shape[1:] in ((784,), (28, 28, 1)) else images
    if labels.dtype.kind not in "iu" and not (labels.dtype.kind == "f" and np.array_equal(labels, np.rint(labels))):
        raise DataError(f"{path}: the {part} labels are of type {labels.dtype}, expected whole numbers.")
    labels = labels.reshape(-1) if labels.shape[1:] == (1,) else labels
    return _checked(_to_uint8(images, f"{path}: the {part} images"), labels, path)


def _check_directory(file: BinaryIO) -> None:
    """Raises ValueError when the list of files at the end of an archive is large: zipfile takes it in whole."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - 65_557))  # the end record: 22 bytes, a comment of 65,535 at most
    tail = file.read()
    file.seek(0)
    at = len(tail) - 22 if tail[-22:-18] == b"PK\5\6" and tail[-2:] == b"\0\0" else tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 22:
        return  # zipfile says what is wrong with it
    listed = struct.unpack_from("<I", tail, at + 12)[0]
    if tail[max(0, at - 20) :][:4] == b"PK\6\7" or listed > limits.ARCHIVE_DIRECTORY:  # the first: of 64 bits
        raise ValueError(f"its list of files has more than {paths.size(limits.ARCHIVE_DIRECTORY)}")


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str) -> np.ndarray:
    """One array of an .npz, its header read before anything else. Raises ValueError or DataError naming `what`."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{info.filename} is packed in a way that numpy does not use")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0) and struct.unpack("<I", file.read(4))[0] <= 10_000:
            file.seek(8)
            shape, by_column, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"the header of {info.filename} is of another kind")
        if dtype.hasobject:
            raise ValueError(f"{info.filename} holds objects")
        promised, there = math.prod(shape) * dtype.itemsize, info.file_size - file.tell()
        if shape and shape[0] > limits.IMAGES:
            _check_images((shape[0], 28, 28), what)
        if promised > limits.ARRAY_BYTES:
            raise DataError(
                f"{what} is an array of {shape} {dtype}, {paths.size(promised)}, expected {paths.size(limits.ARRAY_BYTES)} "
                "at most. Store images as uint8, or take a part of them."
            )
        if promised != there:
            raise ValueError(f"the header of {info.filename} promises {promised:,} bytes and {there:,} follow")
        array = np.empty(math.prod(shape), dtype)
        if promised and _fill(file, array) != promised:
            raise EOFError(f"{info.filename} ends early")
        file.read(1)  # at its end the checksum is compared
    return array.reshape(shape[::-1]).T if by_column else array.reshape(shape)


def _named(path: Path, names: dict[str, str], wanted: tuple[str, ...]) -> str:
    for name in wanted:
        if name in names:
            return names[name]
    raise DataError(f"{path} has no array {' or '.join(wanted)}; found {', '.join(names.values()) or 'none'}.")


def _to_uint8(images: np.ndarray, what: str) -> np.ndarray:
    """Images in 0..255; floats in [0, 1] and booleans are scaled."""
    if images.dtype.kind not in "iufb":
        raise DataError(f"{what} are of type {images.dtype}, expected numbers.")
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    if not images.size:
        return images.astype(np.uint8)
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 255):  # written so that NaN fails
        raise DataError(f"{what} lie in {low:g}..{high:g}, expected 0..255, or floats in 0..1.")
    is_float, scale = images.dtype.kind == "f", 1
    if is_float and high <= 1:
        scale = 255
    elif is_float and not all(np.array_equal(some, np.rint(some)) for _, some in _some(images)):
        raise DataError(f"{what} are fractions up to {high:g}, expected floats in 0..1 or whole numbers in 0..255.")
    elif not is_float and high == 1:
        raise DataError(f"{what} hold only the whole numbers 0 and 1, expected 0..255, booleans or floats in 0..1.")
    grey = np.empty(images.shape, np.uint8)
    for at, some in _some(images):
        grey[at : at + len(some)] = np.rint(some * scale) if is_float else some
    return grey


def _some(images: np.ndarray, each: int = 4096) -> Iterator[tuple[int, np.ndarray]]:
    """A few images at a time, with the place of the first: what is made of them on the way takes little memory."""
    return ((at, images[at : at + each]) for at in range(0, len(images), each))


# --- folders of pictures -----------------------------------------------------------------------------------------


def _open_folders(path: Path) -> _Source:
    inside = paths.entries(path)
    below = {e.name.lower(): path / e.name for e in inside if e.is_dir() and not e.name.startswith(".")}
    parts = {part: next((below[n] for n in names if n in below), None) for part, names in PART_FOLDERS.items()}
    apart = all(parts.values())
    roots = list(parts.values()) if apart else [path]
    names = sorted({p.name for root in roots for p in _subfolders(root)})
    if not names:
        names = ", ".join(paths.shown(e.name) for e in inside[:5]) or "nothing"
        raise DataError(f"{path} holds {names}; {_ACCEPTED}.")
    if len(names) > class_names.MOST:
        some = ", ".join(names[:12])
        raise DataError(f"{path} has {len(names)} class folders ({some}, ...), expected {class_names.MOST} at most.")
    are_digits = set(names) <= set(_DIGITS)
    classes = _DIGITS if are_digits else class_names.checked(names, 2, f"{path}, a folder a class,")

    def read(part: str) -> Arrays:
        root = parts[part] if apart else path
        rows = []
        for folder in _subfolders(root):
            files = pictures_in(folder, "Class folder ")
            if not apart:
                files = files[4::5] if part == "test" else [f for i, f in enumerate(files) if i % 5 != 4]
            rows += [(place, classes.index(folder.name), file) for place, file in enumerate(files)]
        # One of each class in turn, so that "the first so many" of them are of every class.
        rows.sort(key=lambda row: row[:2])
        if not rows:
            few = (
                "five in a class, so that every fifth can be a test image" if not apart else "one in each class folder"
            )
            raise DataError(f"{root} gives no {part} images, expected at least {few}.")
        _check_images((len(rows), 28, 28), root)
        if (total := sum(file.stat().st_size for _, _, file in rows)) > limits.FOLDER_BYTES:
            raise DataError(
                f"The {part} pictures of {root} have {paths.size(total)}, expected {paths.size(limits.FOLDER_BYTES)} at most."
            )
        images = np.empty((len(rows), 28, 28), np.uint8)
        for at, (_, _, file) in enumerate(rows):
            images[at] = _read_picture(file, "digit" if are_digits else "picture")
        return _checked(images, np.array([number for _, number, _ in rows]), root)

    return _Source(classes, read)


def _subfolders(root: Path) -> list[Path]:
    return [root / e.name for e in paths.entries(root) if e.is_dir() and not e.name.startswith((".", "__"))]


def pictures_in(folder: Path, what: str = "") -> list[Path]:
    """The pictures of a folder, by their endings. Raises DataError where there are none. what: stands before it in the message."""
    inside = [folder / e.name for e in paths.entries(folder) if e.is_file() and not e.name.startswith(".")]
    files = [p for p in inside if p.suffix.lower().removeprefix(".") in PICTURE_TYPES]
    if not files:
        expected = ", ".join(f".{kind}" for kind in PICTURE_TYPES)
        raise DataError(f"{what}{folder} holds no pictures ({len(inside)} other files), expected {expected}.")
    return files


def _read_picture(path: Path, kind: str) -> np.ndarray:
    grey = read_image(paths.contents(path, limits.PICTURE_BYTES, "picture"), str(path))
    if grey.shape == (28, 28):
        return grey
    try:
        return preparation.prepared(grey, kind).digit
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
