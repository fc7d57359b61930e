"""Contours as programs draw them around masks, and structure sets that hold them."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

from centrum.geometry import Geometry

FRAME, SERIES = "1.2.3.4", "1.2.3"
"""UIDs of the frame of reference and of the series on which contours are drawn."""

Drawn = tuple[int, str, Sequence[NDArray]]
"""A region: its number, its name, and its contours as LPS positions in mm."""

# The sides of a pixel, with the pixel to the right of who walks there: where to, and what is left.
_SIDES = {
    (1, 0): (0, -1),
    (0, 1): (1, 0),
    (-1, 0): (0, 1),
    (0, -1): (-1, 0),
}
_STARTS = {(1, 0): (0, 0), (0, 1): (1, 0), (-1, 0): (1, 1), (0, -1): (0, 1)}


def traced(mask: NDArray) -> list[NDArray]:
    """Closed contours (n, 2), column and row, through the centres of a mask's boundary pixels.

    Between what belongs to the mask and what does not runs a border, whose pixels inside the mask
    are joined: around each piece (pieces that touch at corners are one), and around each hole.
    """
    cells = np.pad(np.asarray(mask, dtype=bool), 1)
    sides = {
        (x + _STARTS[way][0], y + _STARTS[way][1], way): (x, y)
        for y, x in np.argwhere(cells).tolist()
        for way, (dx, dy) in _SIDES.items()
        if not cells[y + dy, x + dx]
    }
    found = []
    while sides:
        key, pixels = next(iter(sides)), []
        while key in sides:
            pixels.append(sides.pop(key))
            x, y, (dx, dy) = key
            turns = ((dy, -dx), (dx, dy), (-dy, dx))  # left, straight on, right
            key = next(
                ((x + dx, y + dy, way) for way in turns if (x + dx, y + dy, way) in sides), key
            )
        once = [p for k, p in enumerate(pixels) if p != pixels[k - 1] or len(pixels) == 1]
        found.append(np.array(once or pixels[:1], dtype=float) - 1)
    return found


def corners_only(contour: NDArray) -> NDArray:
    """The contour without points on straight lines between others."""
    before, after = np.roll(contour, 1, axis=0), np.roll(contour, -1, axis=0)
    straight = (contour - before == after - contour).all(axis=1)
    return contour if straight.all() else contour[~straight]


def drawn(mask: NDArray, grid: Geometry) -> list[NDArray]:
    """Contours in mm around a mask [z, y, x], in its slices."""
    return [
        grid.position(np.column_stack([contour, np.full(len(contour), k)]))
        for k, pixels in enumerate(mask)
        for contour in traced(pixels)
    ]


def structure_set(
    regions: Iterable[Drawn],
    *,
    frame: str = FRAME,
    series: str = SERIES,
    kind: str = "CLOSED_PLANAR",
    decimals: int = 6,
) -> Dataset:
    """A structure set as planning systems write it; no more than `decimals` in the points."""
    found = _object()
    found.ReferencedFrameOfReferenceSequence = [_referenced(frame, series)]
    regions = list(regions)
    found.StructureSetROISequence = [
        _item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=frame)
        for n, name, _ in regions
    ]
    found.ROIContourSequence = [
        _item(
            ReferencedROINumber=n,
            ContourSequence=[
                _item(
                    ContourGeometricType=kind,
                    NumberOfContourPoints=len(points),
                    ContourData=[f"{mm:.{decimals}f}" for mm in np.ravel(points)],
                )
                for points in contours
            ],
        )
        for n, _, contours in regions
    ]
    return found


def written(found: Dataset, **changes: Any) -> bytes:
    """The bytes of a structure set with some entries changed."""
    for keyword, value in changes.items():
        setattr(found, keyword, value)
    stream = BytesIO()
    with pydicom.config.disable_value_validation():
        found.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _object() -> Dataset:
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID = RTStructureSetStorage
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID = "1.2.3.9"
    found.SpecificCharacterSet = "ISO_IR 192"
    found.PatientName, found.PatientID = "DOE^JANE", "4711"
    found.Modality, found.SeriesInstanceUID = "RTSTRUCT", "1.2.3.8"
    return found


def _referenced(frame: str, series: str) -> Dataset:
    named = [_item(SeriesInstanceUID=series)] if series else []
    return _item(
        FrameOfReferenceUID=frame,
        RTReferencedStudySequence=[_item(RTReferencedSeriesSequence=named)],
    )


def _item(**entries: Any) -> Dataset:
    found = Dataset()
    with pydicom.config.disable_value_validation():
        for keyword, value in entries.items():
            setattr(found, keyword, value)
    return found


def squares(*corners: tuple[float, float, float, float], z: float = 0.0) -> list[NDArray]:
    """Squares (left, top, right, bottom) at one height, in mm."""
    return [
        np.array([(a, b, z), (c, b, z), (c, d, z), (a, d, z)], dtype=float)
        for a, b, c, d in corners
    ]
