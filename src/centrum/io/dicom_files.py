"""The DICOM files of a folder: their headers, and the series that they belong to.

pydicom reads the headers; of these only what is listed here is kept.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from centrum.errors import ImageError
from centrum.io.dicom_facts import ACQUISITION_FACTS
from centrum.io.dicom_header import series_code, series_in
from centrum.io.dicom_object import DEFLATED, check_inflated, entry, is_native
from centrum.io.guard import guarded
from centrum.io.lossy import LOSSY_KEYWORDS
from centrum.io.paths import APPLE_DOUBLE, check_content, existing, is_dangling
from centrum.io.slices import DISTINGUISHING, IMAGE_PLANE, ImageSlice

if TYPE_CHECKING:
    import pydicom

MOST_BELOW = 1 << 17
"""Files below a folder, among which a series is looked for."""

_OTHER_KEYWORDS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "RescaleSlope",
    "RescaleIntercept",
    "NumberOfFrames",
    "FrameOfReferenceUID",
    "ProtocolName",
    "PhotometricInterpretation",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
)
_KEYWORDS = [
    *ACQUISITION_FACTS.values(),
    *DISTINGUISHING,
    *IMAGE_PLANE,
    *LOSSY_KEYWORDS,
    *_OTHER_KEYWORDS,
]

_PIXEL_DATA = (0x7FE0, 0x0010)
_ITEMS, _UNDEFINED = 0xFFFE, 0xFFFFFFFF
_LONG_KINDS = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
"""Kinds of values whose length has four bytes, behind two that are reserved."""

_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True)
class Series:
    """One series of a folder, to choose from.

    Attributes
    ----------
    uid : Series Instance UID; choose the series as FOLDER#UID, or as FOLDER#CODE with its code
    number, description, modality : as in the headers, description and modality may be empty
    is_image : whether it holds images, and not segmentations, contours or reports
    n_files : files in the folder
    orientation : "sagittal", "coronal" or "axial" (nearest plane), "mixed", or "" if unknown
    repetition_time_ms, echo_time_ms : of the first file, None if not stated
    """

    uid: str
    number: int | None
    description: str
    modality: str
    is_image: bool
    n_files: int
    orientation: str
    repetition_time_ms: float | None
    echo_time_ms: float | None

    def describe(self) -> str:
        """The series in one line, to print in messages."""
        times = f"TR {self.repetition_time_ms} TE {self.echo_time_ms}"
        words = (self.modality, self.orientation, self.description)
        return f"{self.code}  {self.n_files} files  {' '.join(filter(None, words))}  {times}"

    @property
    def code(self) -> str:
        """What stands for the UID where nothing may lead back to the exam."""
        return series_code(self.uid)


@dataclass(frozen=True)
class DicomFile(ImageSlice):
    """One DICOM file: where it is, and the header entries that are used.

    `syntax` is the UID of its transfer syntax; `pixel_bytes` the length of its pixels, None where
    they are compressed or missing.
    """

    apart = "Put each in a folder of its own."

    path: Path
    header: "pydicom.Dataset"
    syntax: str
    pixel_bytes: int | None = None

    def value(self, keyword: str) -> Any:
        """As `entry`."""
        return entry(self.header, keyword)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def sop_class(self) -> str:
        """The UID of what kind of object it is, "" where the file does not say it."""
        return str(self.header.file_meta.get("MediaStorageSOPClassUID", ""))

    @property
    def is_native(self) -> bool:
        """Whether pixels lie in the file as they are, and the file as a whole."""
        return is_native(self.syntax)


@guarded
def list_series(folder: str | Path) -> tuple[Series, ...]:
    """Every series of a folder (not of its subfolders), by series number and UID.

    Raises
    ------
    ImageError
        The folder holds no DICOM file, or a damaged one.
    """
    files, _ = _scan(existing(Path(folder)))
    series = [_summary(uid, members) for uid, members in _by_series(files).items()]
    return tuple(sorted(series, key=lambda s: (s.number is None, s.number or 0, s.uid)))


def choose(folder: Path, part: str | None) -> tuple[list[DicomFile], int]:
    """The files of one series, and how many others are ignored.

    `part` is its UID or code; None is the only image series. Of other series than a chosen one
    nothing but the UID is read. One that is not in the folder itself is looked for below it.
    """
    files, ignored = _scan(folder, part)
    groups = _by_series(files)
    series = [_summary(key, members) for key, members in groups.items()]
    chosen = [s for s in series if (part in (s.uid, s.code) if part else s.is_image)]
    if len(chosen) == 1:
        return groups[chosen[0].uid], ignored
    wanted = f"the series {part}" if part else "exactly one image series"
    listed = "\n  ".join(s.describe() for s in series)
    raise ImageError(
        f"{folder.name}: expected {wanted}, found {len(chosen)}. The series in the folder:\n"
        f"  {listed}\n",
        remedy="Choose one as FOLDER#CODE, with the code before its number of files.",
        code="choose-series",
        file=folder,
    )


def unread_beside(folder: Path, part: str | None) -> int:
    """How many files of a folder may be of the chosen series, but cannot be read.

    Without a choice there are none: such a file is refused.
    """
    found = series_in(folder, _among(folder, part)) if part else {}
    return sum(uid is None for uid in found.values())


def _among(folder: Path, part: str) -> list[str]:
    """The files among which a series is: those of the folder, or with those of its subfolders.

    Programs that write media put some hundred files into a folder each.
    """
    own = _slices(_names(folder))
    if _of_series(folder, own, part):
        return own
    below = _below(folder)
    return below if _of_series(folder, below, part) else own


def _of_series(folder: Path, names: list[str], part: str) -> list[str]:
    uids = series_in(folder, names)
    wanted = {uid for uid in set(uids.values()) if uid and part in (uid, series_code(uid))}
    return [name for name in names if uids[name] in wanted]


def _below(folder: Path) -> list[str]:
    """Files of a folder and its subfolders, relative to it; none where there are too many."""
    found: list[str] = []
    for inner, _, names in os.walk(folder):
        place = Path(inner).relative_to(folder)
        found += [(place / name).as_posix() for name in _slices(names)]
        if len(found) > MOST_BELOW:
            return []
    return sorted(found)


def _names(folder: Path) -> list[str]:
    """Files of a folder, and links to what is not there."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if e.is_file() or is_dangling(Path(e.path)))


def _slices(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith(APPLE_DOUBLE)]


def _scan(folder: Path, part: str | None = None) -> tuple[list[DicomFile], int]:
    """The DICOM files of a folder, or of one series in it, and how many files lie beside them."""
    if not folder.is_dir():
        raise ImageError(
            f"There is no folder {folder.name!r} in {folder.parent.name or '.'!r}.",
            remedy="Check the path.",
            code="missing-file",
            file=folder,
        )
    there = _names(folder)
    names = _slices(there)
    if part:  # where there is none, the others are listed
        names = _of_series(folder, among := _among(folder, part), part) or names
        there = max(there, among, key=len)
    paths = [folder / name for name in names]
    for path in paths:
        check_content(path)
    files = [file for path in paths if (file := _read(path)) is not None]
    if not files:
        inner = sum(1 for p in folder.iterdir() if p.is_dir())
        raise ImageError(
            f"{folder.name} holds no DICOM file ({len(there)} other files, {inner} "
            "subfolders, which are not searched).",
            remedy="Give the folder that holds the slices.",
            code="no-dicom",
            file=folder,
        )
    return files, len(there) - len(files)


def _read(path: Path) -> DicomFile | None:
    """The file with its header, or None for one that is not DICOM or is a DICOMDIR."""
    import pydicom
    from pydicom.errors import InvalidDicomError
    from pydicom.filereader import read_file_meta_info

    try:
        with pydicom.config.disable_value_validation(), path.open("rb") as stream:
            syntax = read_file_meta_info(path).TransferSyntaxUID
            deflated = syntax == DEFLATED
            if deflated:
                check_inflated(path)
            header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_KEYWORDS)
            # Every value is converted now, so that a damaged one is found here.
            list(header), list(header.file_meta)
            at_end = stream.tell() >= path.stat().st_size
            start = stream.tell()
            pixels = None if syntax.is_compressed else _pixel_bytes(stream.read(12), syntax)
            stream.seek(start)
            if not deflated and not _is_whole(stream, path.stat().st_size, syntax):
                raise EOFError("an element would go on behind the end of the file")
    except InvalidDicomError as error:
        if path.suffix.lower() == ".dcm":
            raise _damaged(path) from error
        return None
    except ImageError:
        raise
    except Exception as error:
        # Whatever pydicom stumbles over in a damaged file: it has no error of its own for that.
        raise _damaged(path, error) from error
    if header.file_meta.get("MediaStorageSOPClassUID") == _MEDIA_STORAGE_DIRECTORY:
        return None
    # pydicom takes what there is of a truncated header: an image must go on with pixels.
    without_pixels = _is_image(header) and at_end and not deflated
    if without_pixels or not header.get("SeriesInstanceUID"):
        raise _damaged(path)
    return DicomFile(path, header, str(syntax), pixels)


def _pixel_bytes(start: bytes, syntax: "pydicom.uid.UID") -> int | None:
    """The length that the element of the pixels, of which this is the `start`, gives."""
    order: Literal["little", "big"] = "little" if syntax.is_little_endian else "big"
    group, element = (int.from_bytes(start[k : k + 2], order) for k in (0, 2))
    if (group, element) != _PIXEL_DATA:
        return None
    length = start[4:8] if syntax.is_implicit_VR else start[8:12]
    return int.from_bytes(length, order)


def _is_whole(stream: BinaryIO, size: int, syntax: "pydicom.uid.UID") -> bool:
    """Whether the pixels, and all elements behind them, end within the file.

    GDCM would make room for all that an element announces.
    """
    order: Literal["little", "big"] = "little" if syntax.is_little_endian else "big"
    while len(start := stream.read(8)) == 8:
        is_item, length = int.from_bytes(start[:2], order) == _ITEMS, start[4:8]
        if not (syntax.is_implicit_VR or is_item):
            length = stream.read(4) if start[4:6] in _LONG_KINDS else start[6:8]
        announced = int.from_bytes(length, order)
        if announced != _UNDEFINED:
            stream.seek(announced, 1)
    return stream.tell() <= size


def _is_image(header: "pydicom.Dataset") -> bool:
    storage = header.file_meta.get("MediaStorageSOPClassUID")
    return storage is not None and "Image Storage" in storage.name


def _damaged(path: Path, error: Exception | None = None) -> ImageError:
    kind = f" ({type(error).__name__})" if error else ""
    return ImageError(
        f"{path.name} should be a DICOM file, but its header is truncated, damaged or without "
        f"preamble{kind}.",
        remedy="Copy or export it again, or remove it from the folder.",
        code="damaged-file",
        file=path,
    )


def _by_series(files: Iterable[DicomFile]) -> dict[str, list[DicomFile]]:
    groups: dict[str, list[DicomFile]] = {}
    for file in files:
        groups.setdefault(str(file.header.SeriesInstanceUID), []).append(file)
    return groups


def _summary(uid: str, files: list[DicomFile]) -> Series:
    first = files[0]
    planes = {f.plane for f in files}
    return Series(
        uid=uid,
        number=number if isinstance(number := first.value("SeriesNumber"), int) else None,
        description=str(first.value("SeriesDescription") or ""),
        modality=str(first.value("Modality") or ""),
        is_image=_is_image(first.header),
        n_files=len(files),
        orientation=planes.pop() if len(planes) == 1 else "mixed",
        repetition_time_ms=first.value("RepetitionTime"),
        echo_time_ms=first.value("EchoTime"),
    )
