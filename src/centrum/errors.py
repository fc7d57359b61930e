"""The exceptions that `centrum` raises for bad input.

Each message names the thing, what was wanted, what was found and what to do. Callers
that know more (which case, which reader) add it with `add_note` and let the error rise.
"""

import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar

from centrum.text import legal, one_line

TRACEBACK = "CENTRUM_TRACEBACK"
"""Environment variable that shows where each unexpected error happened; workers inherit it."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Numbers of system errors of a disk that takes no more, whoever writes to it."""

LONGEST = 160
"""Letters that are shown of the text of an error that nobody expected."""

Made = TypeVar("Made")
Instead = TypeVar("Instead")


class CentrumError(Exception):
    """Base of every error that bad input or bad settings can cause.

    Parameters
    ----------
    message : the thing, what was wanted and what was found
    remedy : what to do; it ends the text of the error. When missing, what usually helps against
        errors of the class, which does not stand in the text
    code : short name of the kind, such as "no-orientation"; that of the class when missing
    file : name of the file that it is about, as far as one is

    >>> error = CentrumError("lambda must be positive, found -1.", remedy="Choose another.")
    >>> error.add_note("while reading study.yaml")
    >>> describe(error)
    'lambda must be positive, found -1. Choose another. (while reading study.yaml)'
    >>> error.remedy, error.code
    ('Choose another.', 'bad-input')
    """

    code = "bad-input"
    usual_remedy = "Correct what the message names, and run the same command again."

    def __init__(
        self, message: str, *, remedy: str = "", code: str = "", file: PurePath | str = ""
    ) -> None:
        super().__init__(legal(f"{message} {remedy}".rstrip()))
        self.message = legal(message)
        self.remedy = remedy or type(self).usual_remedy
        self.code = code or type(self).code
        self.file = legal(file.name if isinstance(file, PurePath) else file)


class ImageError(CentrumError):
    """A file cannot be read as the image or mask that was asked for."""

    code = "unreadable-image"
    usual_remedy = "Export the file again, or leave the case out."


class GeometryError(CentrumError):
    """Two grids that must agree do not."""

    code = "geometry"
    usual_remedy = "Draw or export image and mask on one grid, or see `images` in the protocol."


class ManifestError(CentrumError):
    """The table of cases is incomplete or contradicts itself."""

    code = "manifest"
    usual_remedy = "Correct the table of cases."


class ProtocolError(CentrumError):
    """The protocol file asks for something unknown or impossible."""

    code = "protocol"
    usual_remedy = "Correct study.yaml."


class SignatureError(CentrumError):
    """A published signature's file or names cannot be understood."""

    code = "signature"
    usual_remedy = "Correct the signature's file."


class DataError(CentrumError, ValueError):
    """Numbers that a statistic or a model cannot be computed from.

    A ValueError too, which is what callers of scikit-learn's estimators expect.
    """

    code = "data"
    usual_remedy = "Look at the cases that the message names, or change the choice that it names."


class StorageError(CentrumError):
    """An object cannot be fetched from object storage, or kept there."""

    code = "storage"
    usual_remedy = "Run the same command again, or ask those who run the storage."


class StorageDown(StorageError):
    """Object storage, or the folder that its objects are staged in, serves no case any more."""


class ArchiveError(CentrumError):
    """The archive cannot be reached, refuses, or answers what was not asked for."""

    code = "archive"
    usual_remedy = "Ask those who run the archive, or correct the profile."


def of_case(error: Exception) -> CentrumError:
    """Whatever went wrong with one case, as an error of this case: the others go on.

    An error that nobody expected is named by its kind. Its text, which can come out of a file,
    stands in quotation marks, so that it is shown and never written; see `centrum.cohort.withheld`.

    Raises
    ------
    OSError
        The disk is full or read-only, which is nobody's case.
    StorageDown
        Nor is storage that cannot be reached.

    >>> print(of_case(ValueError("invalid literal for int(): 'Anna'")).message)
    An error that centrum does not know: ValueError "invalid literal for int(): 'Anna'".
    """
    if isinstance(error, StorageDown):
        raise error
    if isinstance(error, CentrumError):
        if error.__cause__ is not None:
            show_traceback(error)
        return error
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        raise error
    show_traceback(error)
    remedy = "Export its files again, or leave it out; --traceback shows where it happened."
    if isinstance(error, MemoryError):
        remedy = "Run again with fewer --workers, or leave it out."
    message = f"An error that centrum does not know: {kind_of(error)}."
    found = CentrumError(message, remedy=remedy, code="unexpected", file=_file_of(error))
    for note in getattr(error, "__notes__", ()):
        found.add_note(note)
    return found


def kind_of(error: BaseException) -> str:
    """Class and text of an error, on one short line and without the folders of its file."""
    told = isinstance(error, OSError) and error.strerror
    text = one_line(told or str(error)).replace('"', "'")
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return f'{type(error).__name__} "{short}"' if short else type(error).__name__


def _file_of(error: Exception) -> str:
    name = error.filename if isinstance(error, OSError) else None
    return PurePath(name).name if isinstance(name, str) else ""


def show_traceback(error: BaseException) -> None:
    """Print where an error happened to the screen, if asked for; see `TRACEBACK`."""
    if os.environ.get(TRACEBACK, "0") not in ("", "0"):
        traceback.print_exception(error, file=sys.stderr)


def describe(error: BaseException) -> str:
    """One line: the message of `error` and its notes in brackets."""
    notes = getattr(error, "__notes__", [])
    return f"{error} ({'; '.join(notes)})" if notes else str(error)


def attempt(make: Callable[[], Made], otherwise: Callable[[str], Instead]) -> Made | Instead:
    """What `make` gives; where it cannot, what `otherwise` makes of the reason.

    For what stands beside a result and must not take it away. Reasons as of `reason`.

    >>> attempt(lambda: 1 / 0, lambda why: why)
    'an error that centrum does not know: ZeroDivisionError'
    """
    try:
        return make()
    except Exception as error:
        return otherwise(reason(error))


def reason(error: Exception) -> str:
    """Why something could not be computed, as it may be written down.

    The text of a `CentrumError`; of another error, which nobody expected, the kind alone, and
    `TRACEBACK` shows where it happened.

    Raises
    ------
    OSError
        The error is one: a disk that fails is not what could not be computed.
    """
    if isinstance(error, OSError):
        raise error
    if isinstance(error, CentrumError):
        return describe(error)
    show_traceback(error)
    return f"an error that centrum does not know: {type(error).__name__}"
