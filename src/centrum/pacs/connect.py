"""From a profile to the archive, with the libraries of the extra `dicom`."""

from collections.abc import Iterator
from contextlib import contextmanager

from centrum.errors import ArchiveError
from centrum.pacs.archive import Archive
from centrum.pacs.profile import Profile


@contextmanager
def open_archive(profile: Profile) -> Iterator[Archive]:
    """The archive in the language of its profile.

    Raises
    ------
    ArchiveError
        Credentials or certificates cannot be used, or a library is missing ("no-library").
    """
    archive = _archive(profile)
    try:
        yield archive
    finally:
        archive.close()


def _archive(profile: Profile) -> Archive:
    try:
        if profile.web:
            from centrum.pacs.web import WebArchive

            return WebArchive(profile)
        from centrum.pacs.dimse import DimseArchive

        return DimseArchive(profile)
    except ModuleNotFoundError as error:
        raise missing(error) from error


def missing(error: ModuleNotFoundError) -> ArchiveError:
    """The error of a library that is not installed."""
    return ArchiveError(
        f"What speaks to archives is not installed ({error.name}).",
        remedy="Install the extra: pip install 'centrum[dicom]'.",
        code="no-library",
    )
