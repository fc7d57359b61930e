"""From a profile to the archive, with the libraries of the extra `dicom`."""

from centrum.errors import ArchiveError
from centrum.pacs.archive import Archive
from centrum.pacs.profile import Profile


def open_archive(profile: Profile) -> Archive:
    """The archive in the language of its profile; nothing is sent yet.

    Raises
    ------
    ArchiveError
        Credentials or certificates cannot be used, or a library is missing ("no-library").
    """
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
