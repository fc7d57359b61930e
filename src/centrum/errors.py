"""The exceptions that `centrum` raises for bad input.

Each message names the thing, what was wanted, what was found and what to do. Callers
that know more (which case, which reader) add it with `add_note` and let the error rise.
"""

from pathlib import PurePath

from centrum.text import legal


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


class DataError(CentrumError):
    """Numbers that a statistic or a model cannot be computed from."""

    code = "data"
    usual_remedy = "Look at the cases that the message names, or change the choice that it names."


def describe(error: BaseException) -> str:
    """One line: the message of `error` and its notes in brackets."""
    notes = getattr(error, "__notes__", [])
    return f"{error} ({'; '.join(notes)})" if notes else str(error)
