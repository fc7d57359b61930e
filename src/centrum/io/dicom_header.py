"""A few entries of the headers of thousands of DICOM files, of which any may be broken or no DICOM.

The beginning of a file is read, and more of it only where the entries are not all in it; never its
pixels. What reads a file for good looks at it again (`dicom_files`, `dicom_object`).

Source: DICOM PS3.10, 7 (file format) and PS3.5, 7.1 (entries in the order of their tags).
"""

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centrum.errors import ImageError
from centrum.io.dicom_object import DEFLATED, most_made, reading, uid_name
from centrum.io.gzipped import damaged
from centrum.provenance import digest

if TYPE_CHECKING:
    import pydicom

FIRST_BYTES, MOST_BYTES = 1 << 15, 1 << 22
"""What is read of a file, and of one whose entries go on behind that."""

MOST_ITEMS = 1 << 17
"""Items of sequences in the bytes that are read, of which pydicom reads some 30 000 in a second."""

SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
DIRECTORY = "1.2.840.10008.1.3.10"
"""UIDs of what a file holds: Segmentation and Label Map Segmentation Storage, RT Structure Set
Storage, and Media Storage Directory, which is a DICOMDIR."""

_STARTS, _MARK = 132, b"DICM"

_KEYWORDS = {
    0x00280030: """
        SpecificCharacterSet ImageType SOPInstanceUID StudyDate Modality SeriesDescription
        OperatorsName PatientName PatientID IssuerOfPatientID PatientBirthDate ContrastBolusAgent
        ScanningSequence ScanOptions MRAcquisitionType RepetitionTime EchoTime InversionTime
        ProtocolName StudyInstanceUID SeriesInstanceUID SeriesNumber ImagePositionPatient
        ImageOrientationPatient FrameOfReferenceUID NumberOfFrames PixelSpacing
    """,
    0x00700084: "ReferencedSeriesSequence SegmentationType ContentLabel ContentCreatorName",
    0x30060010: "StructureSetLabel ReferencedFrameOfReferenceSequence",
    0x52009230: "SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence",
}
"""The entries that are read, below the tag with which they end: those of all files, and further
ones of segmentations, structure sets and multi-frame images."""

_IMAGES = next(iter(_KEYWORDS))
_SERIES = 0x0020000E
_LAST = {**dict.fromkeys(SEGMENTATIONS, 0x00700084), STRUCTURE_SET: 0x30060010}


@dataclass(frozen=True, eq=False)
class FileHeader:
    """The entries of one file that are used, and the UID of what kind of object it holds."""

    path: Path
    storage: str
    entries: "pydicom.Dataset"

    @property
    def is_image(self) -> bool:
        """Whether it is an image, and not a segmentation, a report or what a program keeps."""
        return "Image Storage" in uid_name(self.storage)


def read_header(path: Path, *, series_alone: bool = False) -> FileHeader | None:
    """The header of a file, or its series alone; None where it is no DICOM.

    Raises
    ------
    ImageError
        It should be DICOM, and is damaged or has a header beyond the limits ("damaged-file").
    """
    with path.open("rb") as stream:
        data = stream.read(FIRST_BYTES)
        if data[_STARTS - len(_MARK) : _STARTS] != _MARK:
            if path.suffix.lower() == ".dcm":
                raise damaged(path, "it has no preamble")
            return None
        with reading(path):
            found = _read(path, data, series_alone, whole=len(data) < FIRST_BYTES)
            if found is None:
                data += stream.read(MOST_BYTES - FIRST_BYTES)
                found = _read(path, data, series_alone, whole=len(data) < MOST_BYTES)
    if found is None:
        raise damaged(path, f"its header has more than {MOST_BYTES} bytes")
    return found


def _read(path: Path, data: bytes, series_alone: bool, whole: bool) -> FileHeader | None:
    """The header, None where it goes on behind these bytes."""
    stream = BytesIO(data)
    stream.seek(_STARTS)
    meta = _entries(stream, False, True, stop_when=lambda tag, *_: tag >> 16 != 2)
    syntax, storage = meta.TransferSyntaxUID, str(meta.get("MediaStorageSOPClassUID", ""))
    little = syntax.is_little_endian
    if syntax == DEFLATED:
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream.read(), MOST_BYTES)
        stream = BytesIO(data)
    if most_made(data, little=little) > MOST_ITEMS:
        raise damaged(path, f"the sequences of its header have more than {MOST_ITEMS} items")
    last = _SERIES if series_alone else _last(storage)
    ended: list[int] = []

    def behind(tag: int, *_: object) -> bool:
        ended.extend([tag] if tag > last else [])
        return bool(ended)

    found = _entries(stream, syntax.is_implicit_VR, little, stop_when=behind,
                     specific_tags=_tags(last))  # fmt: skip
    list(found)  # each is converted, so that a damaged one is found now
    header = FileHeader(path, storage, found)
    if whole and not ended and (header.is_image or storage in _LAST):
        raise damaged(path, "it ends within its header")
    return header if ended or whole else None


def _last(storage: str) -> int:
    """The tag behind which nothing of a file is read."""
    several_frames = ("Enhanced", "Multi-frame", "Legacy Converted")
    if any(word in uid_name(storage) for word in several_frames):
        return 0x52009230
    return _LAST.get(storage, _IMAGES)


@cache
def _tags(last: int) -> tuple[int, ...]:
    from pydicom.datadict import tag_for_keyword

    if last == _SERIES:
        return (last,)
    words = (_KEYWORDS[tag].split() for tag in {_IMAGES, last})
    return tuple(filter(None, (tag_for_keyword(word) for each in words for word in each)))


def _entries(stream: BytesIO, implicit: bool, little: bool, **options: Any) -> "pydicom.Dataset":
    from pydicom.filereader import read_dataset

    if "specific_tags" in options:
        options["specific_tags"] = list(options["specific_tags"])
    return read_dataset(stream, implicit, little, **options)


def series_code(uid: str) -> str:
    """What a series is called in a table: nothing leads from it back to the exam.

    >>> series_code("1.2.840.113619.2.5.1762583153.215519.978957063.78")
    'd2bdfdf940a8'
    """
    return digest(uid)[:12]


def series_in(folder: Path, names: Iterable[str]) -> dict[str, str | None]:
    """The UID of the series of each file of a folder; as `series_of`."""
    return {name: series_of(os.path.join(folder, name)) for name in names}


def series_of(path: Path | str) -> str | None:
    """The UID of the series of a file, "" of one that is no DICOM; None where it cannot be read.

    What was read of a file once is kept while the file is as it was.
    """
    try:
        state = os.stat(path)
        return _series_of(str(path), state.st_mtime_ns, state.st_size)
    except OSError:
        return None


@lru_cache(maxsize=1 << 17)
def _series_of(path: str, modified: int, size: int) -> str | None:
    try:
        header = read_header(Path(path), series_alone=True)
    except ImageError:
        return None
    if header is None or header.storage == DIRECTORY:
        return ""
    return str(header.entries.get("SeriesInstanceUID") or "") or None
