"""Whatever a library raises while a source is read is the source's error."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from centrum.errors import CentrumError, ImageError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Reads = Callable[Concatenate[str | Path, _P], _T]


class WrongCall(ValueError):
    """An argument that no function of this package could have passed, whatever the source."""


def guarded(read: _Reads[_P, _T]) -> _Reads[_P, _T]:
    """A reading function that raises nothing but the project's own errors.

    What no check foresaw, a lack of memory included, becomes an `ImageError` that names the file
    and the kind of the exception, which stays its cause.

    >>> @guarded
    ... def read(source):
    ...     return source[7]
    >>> read("a.nii")
    Traceback (most recent call last):
    centrum.errors.ImageError: a.nii cannot be read: IndexError ('string index out of range'). ...
    """

    @wraps(read)
    def named(source: str | Path, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return read(source, *args, **kwargs)
        except (CentrumError, WrongCall):
            raise
        except Exception as error:
            raise _unread(Path(str(source).partition("#")[0]).name, error) from error

    return named


def _unread(name: str, error: Exception) -> ImageError:
    # What a library says may hold a text of the header, which quotation marks keep out of files.
    said = error.strerror if isinstance(error, OSError) else str(error)
    remedy = (
        "Close other programs, or read it on a computer with more memory."
        if isinstance(error, MemoryError)
        else "Copy or export it again; the file may be damaged."
    )
    return ImageError(
        f"{name} cannot be read: {type(error).__name__}{f' ({said!r})' if said else ''}.",
        remedy=remedy,
        file=name,
    )
