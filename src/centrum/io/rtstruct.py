"""RT Structure Sets: regions (ROIs) that were drawn as contours, in the coordinates of the patient.

A structure set has no voxels: its contours are filled on the grid of the image that they were drawn
on, region by region, when one is asked for. pydicom reads the file; the points are decimal numbers
in text, of which there can be millions, and are taken from the bytes.

Source: DICOM PS3.3, C.8.8.5 (Structure Set Module) and C.8.8.6 (ROI Contour Module).
"""

import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from centrum.arrays import Floats
from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io.contours import Contours, mask_of_contours
from centrum.io.dicom_object import is_whole, items, read_object, reading
from centrum.io.frame_of_reference import REFERENCED_SERIES, frame_note
from centrum.io.gzipped import FARTHEST_MM, damaged
from centrum.io.segments import Segment
from centrum.provenance import digest
from centrum.text import one_line
from centrum.volume import Mask

if TYPE_CHECKING:
    import pydicom

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
"""RT Structure Set Storage."""

FORMAT = "RTSTRUCT"

EXCLUSIVE = "CLOSEDPLANAR_XOR"
CLOSED = ("CLOSED_PLANAR", EXCLUSIVE)
"""Kinds of contours that have an inside."""

LARGEST_BYTES = 1 << 29
"""A hundred organs of a whole body, their points with all digits, have 200 million bytes."""

MOST_POINTS = 1 << 23
"""Points of a region. The outline of a body in 300 slices of 512 x 512 has half a million."""

_KEYWORDS = [
    "SpecificCharacterSet",
    "ReferencedFrameOfReferenceSequence",
    "StructureSetROISequence",
    "ROIContourSequence",
]
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")
_SHOWN = 30


@dataclass(frozen=True)
class Roi(Segment):
    """A region of a structure set; its label is the ROI Number.

    Attributes
    ----------
    contours : how many of each geometric type there are, by its name
    frame : UID of its frame of reference, "" if unsaid
    """

    contours: tuple[tuple[str, int], ...]
    frame: str

    @property
    def drawn(self) -> bool:
        """Whether there are contours that have an inside."""
        return any(kind in CLOSED for kind, _ in self.contours)

    def describe(self) -> str:
        """The region in one line, to print in messages."""
        closed = sum(count for kind, count in self.contours if kind in CLOSED)
        others = [f"{count} {kind}" for kind, count in self.contours if kind not in CLOSED]
        found = [f"{closed or 'no'} {'contour' if closed == 1 else 'contours'}", *others]
        return f"'{self.name}' (ROI number {self.label}, {', '.join(found)})"


@dataclass(frozen=True, eq=False)
class _StoredContour:
    """One contour as it stands in the file: its kind, and its points in number and text.

    `offset` is by how much the region lies aside of the points.
    """

    kind: str
    stated: str
    text: bytes
    offset: bytes


@dataclass(frozen=True, eq=False)
class StructureSet:
    """The regions of a file, to be filled on the grid of an image; see `Segmentation`.

    Attributes
    ----------
    path : of the file
    segments : its regions, in the order of the file
    contours : of each region, by ROI Number
    grid : of the image, None where there is none
    table : empty; each region has its own name
    doubt : none; the grid is that of the image
    """

    path: Path
    segments: tuple[Roi, ...]
    contours: Mapping[int, Sequence[_StoredContour]]
    grid: Geometry | None = None
    oriented: bool = True
    without_voxels: bool = False
    table: Mapping[int, str] = field(default_factory=dict)
    doubt: str = ""

    @property
    def geometry(self) -> Geometry:
        """The grid of the image; a structure set has none of its own.

        Raises
        ------
        ImageError
            There is no image ("needs-image").
        """
        if self.grid is None:
            raise ImageError(
                f"{self.path.name} holds contours and no voxels: they are filled on the grid of "
                "the image that they were drawn on.",
                remedy="Give the image.",
                code="needs-image",
                file=self.path,
            )
        return self.grid

    def mask(self, segment: Segment) -> Mask:
        """The voxels of a region; errors also as of `mask_of_contours`.

        Raises
        ------
        ImageError
            It has no contours ("empty-mask"), or others than closed ones ("contour-type"); their
            points are no numbers, or not as many as stated ("damaged-file").
        """
        grid, found = self.geometry, self.contours.get(segment.label, ())
        _check_kinds(self.path, segment, found)
        _check_size(self.path, segment, found)
        points = [_points(self.path, segment, k, each) for k, each in enumerate(found, 1)]
        contours = Contours(
            segment.name,
            np.concatenate(points),
            np.cumsum([len(each) for each in points]),
            exclusive=all(each.kind == EXCLUSIVE for each in found),
        )
        try:
            return mask_of_contours(contours, grid)
        except CentrumError as error:
            error.file = self.path.name
            error.add_note(f"while reading {self.path.name}")
            raise


def read(path: Path, grid: Geometry | None = None) -> tuple[StructureSet, dict[str, Any]]:
    """The regions of a file, with notes for the history; `grid` is that of the image.

    Raises
    ------
    ImageError
        The file is damaged, too large, or contradicts itself; it holds no regions ("no-regions"),
        or regions in several frames of reference, of which an image has one
        ("several-frames-of-reference").
    """
    with reading(path):
        found = read_object(path, _KEYWORDS, without_pixels=LARGEST_BYTES)
        return _read(path, found.header, grid, found.sha256)


def _read(
    path: Path, header: "pydicom.Dataset", grid: Geometry | None, sha256: str
) -> tuple[StructureSet, dict[str, Any]]:
    contours = _contours(path, header)
    regions = _regions(path, header, contours)
    frames = {region.frame for region in regions if region.frame} or _frames(path, header)
    if grid is not None and len(frames) > 1:
        raise _several_frames(path, len(frames))
    series = sorted(digest(uid) for uid in _series(path, header, frames))
    notes = {"format": FORMAT, "sha256": sha256, **frame_note(frames)}
    return StructureSet(path, regions, contours, grid), notes | {REFERENCED_SERIES: series}


# Entries


def _items(path: Path, within: "pydicom.Dataset", keyword: str) -> "Sequence[pydicom.Dataset]":
    """The items of a sequence, none where it is not there."""
    whole, found = is_whole(within), items(within, keyword)
    if not whole or (keyword in within and found is not within[keyword].value):
        raise damaged(path, f"its {keyword} is no whole sequence")
    return found


def _text(item: "pydicom.Dataset", keyword: str) -> str:
    """A text in the characters of the file, "" where it is not there."""
    value = item.get(keyword)
    values = value if isinstance(value, MutableSequence) else [value]
    return "" if value is None else one_line("\\".join(map(str, values)))


def _number(path: Path, item: "pydicom.Dataset", keyword: str) -> int:
    return _whole(path, _word(item, keyword), f"a {keyword}")


def _whole(path: Path, word: str, what: str) -> int:
    if not _INTEGER.fullmatch(word):
        raise damaged(path, f"{what} is no whole number")
    return int(word)


def _word(item: "pydicom.Dataset", keyword: str) -> str:
    """A code or a number as it stands in the file, "" where it is not there."""
    return one_line(_plain(item, keyword).decode("ascii", "replace")).strip(" \0")


def _plain(item: "pydicom.Dataset", keyword: str) -> bytes:
    """The bytes of a value as they stand in the file, empty where it is not there."""
    found = getattr(item.get_item(keyword), "value", None)
    if isinstance(found, bytes):
        return found
    return b"" if found is None else str(found).encode("ascii", "replace")


# Regions


def _regions(
    path: Path, header: "pydicom.Dataset", contours: Mapping[int, Sequence[_StoredContour]]
) -> tuple[Roi, ...]:
    """The regions that the file names, each with what is drawn of it."""
    items = list(_items(path, header, "StructureSetROISequence"))
    numbers = [_number(path, item, "ROINumber") for item in items]
    if not items:
        raise ImageError(
            f"{path.name} is a structure set without regions.",
            remedy="Export it again with the regions that were drawn.",
            code="no-regions",
            file=path,
        )
    _check_numbers(path, numbers, contours)
    return tuple(
        _region(path, item, number, layer, contours.get(number, ()))
        for layer, (item, number) in enumerate(zip(items, numbers, strict=True))
    )


def _region(
    path: Path, item: "pydicom.Dataset", number: int, layer: int, found: Sequence[_StoredContour]
) -> Roi:
    name = _text(item, "ROIName").strip() or str(number)
    frame = _text(item, "ReferencedFrameOfReferenceUID")
    kinds = tuple(sorted(Counter(each.kind[:_SHOWN] for each in found).items()))
    return Roi(name, number, layer, None, kinds, frame)


def _check_numbers(path: Path, numbers: Sequence[int], drawn: Iterable[int]) -> None:
    """Each region has a number of its own, and contours are of a region."""
    twice = [number for number, count in Counter(numbers).items() if count > 1]
    if twice:
        raise damaged(path, f"several of its regions have the ROI number {twice[0]}")
    if nobodys := sorted({*drawn} - {*numbers}):
        raise damaged(path, f"it has contours of the ROI number {nobodys[0]} and no such region")


def _contours(path: Path, header: "pydicom.Dataset") -> dict[int, tuple[_StoredContour, ...]]:
    """The contours by ROI Number."""
    found: dict[int, tuple[_StoredContour, ...]] = {}
    for item in _items(path, header, "ROIContourSequence"):
        number = _number(path, item, "ReferencedROINumber")
        if number in found:
            raise damaged(path, f"it has two lists of contours of the ROI number {number}")
        found[number] = tuple(
            _contour(path, each) for each in _items(path, item, "ContourSequence")
        )
    return found


def _contour(path: Path, item: "pydicom.Dataset") -> _StoredContour:
    if not is_whole(item):
        raise damaged(path, "a contour goes on behind its end")
    kind, stated = (_word(item, word) for word in ("ContourGeometricType", "NumberOfContourPoints"))
    text, offset = (
        _plain(item, word).rstrip(b" \0") for word in ("ContourData", "ContourOffsetVector")
    )
    return _StoredContour(kind, stated, text, offset)


def _frames(path: Path, header: "pydicom.Dataset") -> set[str]:
    """UIDs of the frames of reference that the file names, for regions that name none."""
    items = _items(path, header, "ReferencedFrameOfReferenceSequence")
    return {uid for item in items if (uid := _text(item, "FrameOfReferenceUID"))}


def _series(path: Path, header: "pydicom.Dataset", frames: Collection[str]) -> set[str]:
    """UIDs of the series on which the contours are said to be drawn: those of their frames."""
    return {
        uid
        for frame in _items(path, header, "ReferencedFrameOfReferenceSequence")
        if not frames or _text(frame, "FrameOfReferenceUID") in {"", *frames}
        for study in _items(path, frame, "RTReferencedStudySequence")
        for series in _items(path, study, "RTReferencedSeriesSequence")
        if (uid := _text(series, "SeriesInstanceUID"))
    }


def _several_frames(path: Path, number: int) -> ImageError:
    return ImageError(
        f"{path.name} has regions in {number} frames of reference: expected one, that of the "
        "image.",
        remedy="Export the regions that were drawn on this image alone.",
        code="several-frames-of-reference",
        file=path,
    )


# Contours


def _check_kinds(path: Path, region: Segment, found: Sequence[_StoredContour]) -> None:
    """Refuses a region that has no inside, or is not described by its closed contours alone."""
    if not found:
        raise ImageError(
            f"{path.name}: the region '{region.name}' has no contours.",
            remedy="Draw the region, or leave the cell of this reader in the manifest blank.",
            code="empty-mask",
            file=path,
        )
    others = sorted(
        {each.kind[:_SHOWN] or "of no kind" for each in found if each.kind not in CLOSED}
    )
    if others:
        raise ImageError(
            f"{path.name}: the region '{region.name}' is drawn as {', '.join(others)}: expected "
            f"closed contours ({' or '.join(CLOSED)}), which have an inside.",
            remedy="Draw it as closed contours, or choose another region.",
            code="contour-type",
            file=path,
        )


def _check_size(path: Path, region: Segment, found: Sequence[_StoredContour]) -> None:
    """Refuses more points than a structure has, before they become numbers."""
    points = sum(each.text.count(b"\\") + 1 for each in found) // 3
    if points > MOST_POINTS:
        raise ImageError(
            f"{path.name}: the region '{region.name}' has {points} points; more than "
            f"{MOST_POINTS} are not read.",
            remedy="Export it again from the program that holds the original.",
            code="too-large",
            file=path,
        )


def _points(path: Path, region: Segment, number: int, contour: _StoredContour) -> Floats:
    """LPS positions in mm, (n, 3)."""
    which = f"contour {number} of the region '{region.name}'"
    if _numbers(path, which, contour.offset).any():
        raise ImageError(
            f"{path.name}: {which} is of a slab that lies aside of its points "
            "(ContourOffsetVector).",
            remedy="Export the contours in the planes of the slices.",
            code="contour-offset",
            file=path,
        )
    numbers = _numbers(path, which, contour.text)
    if numbers.size % 3 or not numbers.size:
        raise damaged(path, f"{which} has {numbers.size} numbers, which are no points in space")
    found, stated = numbers.size // 3, contour.stated
    if stated and _whole(path, stated, f"the number of points of {which}") != found:
        raise damaged(path, f"{which} announces {stated} points, found {found}")
    # Whatever is not a number is not below the limit either.
    if not (np.abs(numbers) <= FARTHEST_MM).all():
        raise damaged(path, f"{which} has points that are not finite, or lie nowhere in a patient")
    return numbers.reshape(-1, 3)


def _numbers(path: Path, which: str, text: bytes) -> Floats:
    """Decimal numbers between backslashes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy would give what stands before a word
            found = np.fromstring(text, sep="\\")
        if text and len(found) != text.count(b"\\") + 1:
            raise ValueError("nothing stands behind the last backslash")
    except (ValueError, DeprecationWarning) as error:
        raise damaged(path, f"{which} has points that are no decimal numbers") from error
    return found
