"""The one kind of error that is meant to be read by a user: what was wrong, what was seen, what to do."""

from __future__ import annotations

import contextlib
import errno
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator


class GanadError(Exception):
    """Something the user can mend. Its text is shown as it is, without a traceback."""


class ConfigError(GanadError):
    """A setting out of its range, or settings that do not fit together."""


class DataError(GanadError):
    """Images or labels that cannot be used: the text names the file, what was found and what was expected."""


class RunError(GanadError):
    """A run that does not exist, is not finished, or cannot do what was asked of it."""


FILE_FAULTS: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    ValueError,  # json's, numpy's and unicode's errors are ValueErrors
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
)
"""What reading or writing a file can raise: the disk's own errors, and whatever a parser makes of damaged content."""

_CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "there is a directory in its place",
    errno.ENOENT: "it does not exist",
    errno.ENAMETOOLONG: "the path is too long",
}


def cause(error: BaseException) -> str:
    """Why a file could not be read or written, in a few words without a path."""
    if isinstance(error, OSError) and error.errno in _CAUSES:
        return f"{_CAUSES[error.errno]} ({errno.errorcode[error.errno]})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__


@contextlib.contextmanager
def file_errors(
    what: str,
    advice: str = "",
    kind: type[GanadError] = GanadError,
    faults: tuple[type[Exception], ...] = FILE_FAULTS,
) -> Iterator[None]:
    """Turn whatever a file can raise in this block into one GanadError: "{what}: {cause}. {advice}".

    This is the one place that does so. A GanadError that is raised inside passes through as it is.

    what     names the file and what was tried, as in "scores.npz of 0007-egbad-n8-s0 cannot be read"
    advice   what the user can do, one sentence
    kind     the class of the error that is raised
    faults   what is turned; OSError alone where other errors would be mistakes of the program
    """
    try:
        yield
    except faults as error:
        raise kind(f"{what}: {cause(error)}. {advice}".rstrip()) from error


class Stopped(BaseException):
    """Somebody asked the work to stop. Not an error: it is caught where the work was started.

    Like KeyboardInterrupt it may come anywhere, so no `except Exception` on its way, in a library either, holds it up.
    """
