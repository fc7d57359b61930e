"""DICOMDIR: the table of contents that is written onto disks beside DICOM files.

It may be older than the files, or have been copied without them: it opens no file, and is held
against those that are there.

Source: DICOM PS3.3, F.3 (Basic Directory Information Object Definition).
"""

from pathlib import Path

from centrum.io.dicom_object import entry, items, read_object, reading

LARGEST = 1 << 26
"""Bytes of a DICOMDIR; a record has some 400."""


def listed_files(path: Path) -> list[tuple[str, ...]]:
    """The file IDs of a DICOMDIR: folders and a name, as they stand there, from its own folder on.

    Raises
    ------
    ImageError
        It is damaged, or larger than `LARGEST`.
    """
    with reading(path):
        header = read_object(path, ["DirectoryRecordSequence"], without_pixels=LARGEST).header
        ids = [entry(each, "ReferencedFileID") for each in items(header, "DirectoryRecordSequence")]
    return [tuple(each) if isinstance(each, list) else (each,) for each in ids if each]
