"""Faults of files become one sentence for the user, whatever raised them."""

import errno
import zipfile
import zlib

import pytest

from ganad.errors import DataError, GanadError, RunError, cause, file_errors


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full (ENOSPC)"),
        (OSError(errno.EROFS, "Read-only file system"), "the disk is read-only (EROFS)"),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), "there is a directory in its place (EISDIR)"),
        (zlib.error("Error -3"), "Error -3"),
        (EOFError(), "EOFError"),
        (MemoryError(), "more memory than there is"),
        (zipfile.BadZipFile("not a zip"), "not a zip"),
        (ValueError("odd\nlines"), "odd lines"),
        (TypeError("wrong kind"), "wrong kind"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_a_fault_of_a_file_names_what_was_tried_its_cause_and_what_to_do(fault, said):
    with pytest.raises(RunError) as caught, file_errors("a.npz cannot be read", "Resume the run.", RunError):
        raise fault
    assert str(caught.value).startswith("a.npz cannot be read: ")
    assert said in str(caught.value)
    assert str(caught.value).endswith("Resume the run.")
    assert said in cause(fault)


def test_an_error_that_is_for_users_already_passes_as_it_is():
    with pytest.raises(DataError, match=r"^as it is$"), file_errors("x", kind=RunError):
        raise DataError("as it is")


def test_what_is_no_fault_of_a_file_is_not_hidden():
    with pytest.raises(ZeroDivisionError), file_errors("x", kind=GanadError):
        raise ZeroDivisionError
