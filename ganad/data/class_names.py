"""What the classes of a data set are called."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganad.config import CLASS_NAME, CLASS_NAME_IN_WORDS, MOST_CLASSES
from ganad.errors import ConfigError, DataError
from ganad.system import paths

MOST = MOST_CLASSES
FILE = "classes.txt"
"""Beside the files of a data set: the name of a class a line, class 0 first."""

KNOWN = {
    "4d8e31d2057f": (
        "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
}  # fmt: skip
"""Fingerprint of a data set that comes without names -> the names of its classes: Fashion-MNIST (Xiao et al. 2017, arXiv:1708.07747)."""


def beside(path: Path, least: int) -> tuple[str, ...]:
    """The names in `classes.txt` in a folder, or beside a file; () where there is none.

    least: how many classes there are. Raises DataError for fewer names than that, too long or equal ones.
    """
    file = (path if path.is_dir() else path.parent) / FILE
    if not file.is_file():
        return ()
    try:
        text = paths.contents(file, 100_000, "list of names").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{file} is no text in UTF-8: write a class name a line.") from None
    return checked([line.strip() for line in text.splitlines() if line.strip()], least, str(file))


def checked(names: Sequence[str], least: int, where: str) -> tuple[str, ...]:
    """The names, if they can be the classes of a data set with at least so many. Raises DataError saying what is wrong with them."""
    if not least <= len(names) <= MOST:
        raise DataError(
            f"{where} has {len(names)} names, expected one for each of the {least} classes, {MOST} at most."
        )
    if bad := [n for n in names if not CLASS_NAME.fullmatch(n)]:
        raise DataError(f"{where}: {CLASS_NAME_IN_WORDS}, got {bad[0][:60]!r}.")
    if len({n.casefold() for n in names}) < len(names):
        raise DataError(f"{where} has two equal names, expected another one for each class.")
    return tuple(names)


def numbers(*labels: np.ndarray) -> tuple[str, ...]:
    """ "0", "1", ... as far as the labels go; ten for those of digits."""
    return tuple(map(str, range(max(10, *(int(own.max()) + 1 for own in labels)))))


def are_digits(names: Sequence[str]) -> bool:
    """True where the names of classes are numbers, as those of digits are, and where there are none."""
    return all(name.isdecimal() for name in names)


def number_of(text: str, classes: Sequence[str]) -> int:
    """The class that is meant by a name, whatever its case, or by a number. Raises ConfigError naming what there is."""
    for number, name in enumerate(classes):
        if text.casefold() == name.casefold():
            return number
    if text.isdecimal() and int(text) < len(classes):
        return int(text)
    near = difflib.get_close_matches(text.casefold(), [c.casefold() for c in classes], 1)
    hint = f" Did you mean {next(c for c in classes if c.casefold() == near[0])}?" if near else ""
    raise ConfigError(f"no class is called {text!r}.{hint} Classes: {', '.join(classes)}")
