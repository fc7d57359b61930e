"""The library that makes segmentations and reports, which is installed with the extra `dicom`."""

from types import ModuleType
from typing import Any

from centrum.errors import DataError
from centrum.pacs.codes import CodedTerm


def highdicom() -> ModuleType:
    """highdicom, which takes a second and a half to import.

    Raises
    ------
    DataError
        It is not installed ("missing-extra").
    """
    try:
        import highdicom
    except ImportError as error:
        raise DataError(
            "DICOM objects are made by highdicom, which is not installed.",
            remedy="Install it: pip install 'centrum[dicom]'.",
            code="missing-extra",
        ) from error
    return highdicom


def coded(term: CodedTerm) -> Any:
    """A term as highdicom takes it."""
    return highdicom().sr.CodedConcept(term.value, term.scheme, term.meaning)
