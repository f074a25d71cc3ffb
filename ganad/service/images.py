"""The images that runs learn from and are tested on, each data set read once for all sessions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from ganad.data import sources
from ganad.runs import run_directory, uploads
from ganad.service.quota import check_space
from ganad.system import access, paths, shared_cache


def data_path(path: str) -> str:
    """The whole path of own images, as runs name it. Raises GanadError for one that this server does not read."""
    access.allow("reading own images")
    paths.typed(path)  # refuses what can be no path; a relative one begins at GANAD_DATA, so it is resolved below
    return access.data_path(path, uploads.folder())


def upload(files: Sequence[tuple[str, IO[bytes]]]) -> str:
    """Keep own images that came through the browser, (name, open file) each; returns the path that a run can name.

    Raises GanadError for what cannot be used or is too much, and then leaves nothing.
    """
    access.allow("uploading images")
    access.check_upload(sum(file.seek(0, os.SEEK_END) for _, file in files))
    check_space()
    return str(uploads.keep_upload(files, check_space))


def _typed(path: str | None) -> str | None:
    return data_path(path) if path else None


def data_of(run: Path) -> str | None:
    """Where the images of a run lie, if this server reads them: a run may come from anybody, and name any path."""
    return readable_path(run_directory.settings(run).data)


def readable_path(path: str | None) -> str | None:
    """A path, if this server reads it; raises AccessError if not."""
    return access.data_path(path, uploads.folder()) if path else None


@shared_cache.remembered
def dataset(path: str | None) -> sources.Dataset:
    """Training and test images of a path that may be read, or of MNIST."""
    return sources.load(path)


@shared_cache.remembered
def test_set(path: str | None) -> sources.Images:
    """The test images alone, which is quicker."""
    return sources.load_test(path)


def class_names(path: str | None = None) -> tuple[str, ...]:
    """Names of the classes 0, 1, ... of own data, or of MNIST's ten digits."""
    return dataset(_typed(path)).classes if path else tuple(map(str, range(10)))


def class_counts(path: str | None = None, test: bool = False) -> dict[int, int]:
    """class -> number of its images in the training (or test) file; of every class that has a name."""
    return _class_counts(_typed(path), test)


@shared_cache.remembered
def _class_counts(path: str | None, test: bool) -> dict[int, int]:
    digit = test_set(path).digit if test else dataset(path).train.digit
    return {d: int((digit == d).sum()) for d in range(len(class_names(path)))}


def examples(path: str | None = None) -> np.ndarray:
    """(K, 28, 28) uint8: one test image of each class; empty where the data have none."""
    images = test_set(_typed(path))
    first = {d: np.flatnonzero(images.digit == d)[:1] for d in range(len(class_names(path)))}
    blank = np.zeros((28, 28), dtype=np.uint8)
    return np.stack([images.images[at[0]] if len(at) else blank for at in first.values()])
