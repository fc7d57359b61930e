"""The exceptions that `centrum` raises for bad input.

Each message names the thing, what was wanted, what was found and what to do. Callers
that know more (which case, which reader) add it with `add_note` and let the error rise.
"""


class CentrumError(Exception):
    """Base of every error that bad input or bad settings can cause.

    >>> error = CentrumError("lambda must be positive, found -1")
    >>> error.add_note("while reading study.yaml")
    >>> describe(error)
    'lambda must be positive, found -1 (while reading study.yaml)'
    """


class ImageError(CentrumError):
    """A file cannot be read as the image or mask that was asked for."""


class GeometryError(CentrumError):
    """Two grids that must agree do not."""


class ManifestError(CentrumError):
    """The table of cases is incomplete or contradicts itself."""


class ProtocolError(CentrumError):
    """The protocol file asks for something unknown or impossible."""


class SignatureError(CentrumError):
    """A published signature's file or names cannot be understood."""


class DataError(CentrumError):
    """Numbers that a statistic or a model cannot be computed from."""


def describe(error: BaseException) -> str:
    """One line: the message of `error` and its notes in brackets."""
    notes = getattr(error, "__notes__", [])
    return f"{error} ({'; '.join(notes)})" if notes else str(error)
