"""Slices, and the grid that their positions make: evenly spaced, stacked along their normal.

A slice is a file of a series, or a frame of a multi-frame file. What is checked is the same.

Source: DICOM PS3.3, C.7.6.2 (Image Plane Module).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from centrum.arrays import Floats
from centrum.errors import ImageError
from centrum.geometry import Geometry

SLICE_TOLERANCE_MM = 0.05
"""Largest accepted distance of a slice from its place on an evenly spaced stack.

Positions rounded to two decimals stay far below it; on a 4.4 mm step it is 1 %.
"""

DIRECTION_TOLERANCE = 1e-4
"""Largest accepted difference of a direction cosine between slices: 0.03 mm over 300 mm."""

SPACING_TOLERANCE = 1e-4
"""Largest accepted relative difference of the pixel spacing between slices."""

MISSING_SLICE_RATIO = 1.5
"""A step between slices that is this many times the median step lacks a slice."""

IMAGE_PLANE = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
"""The entries that place a slice, and how many numbers each has."""

DISTINGUISHING = (
    "EchoTime",
    "RepetitionTime",
    "InversionTime",
    "TemporalPositionIdentifier",
    "AcquisitionNumber",
    "DiffusionBValue",
    "ImageType",
)
"""Header entries that tell images at one position apart."""

_PLANES = ("sagittal", "coronal", "axial")

_MOST_GROUPS = 16
"""So many kinds of slices are told apart; a broken file may have thousands."""


def places(keyword: str, value: Any) -> bool:
    """Whether the value of an entry of the image plane has as many numbers as it must have."""
    wanted = IMAGE_PLANE[keyword]
    return isinstance(value, list) and [type(v) for v in value] == [float] * wanted


class ImageSlice(ABC):
    """One slice of an image: what its header says, and where that places it.

    Attributes
    ----------
    path : the file that it is in
    name : what messages call it
    apart : what to do with slices that are not of one stack
    """

    path: Path
    apart: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def value(self, keyword: str) -> Any:
        """An entry as plain Python numbers or text, None if absent or empty."""

    @property
    def size(self) -> tuple[int, int]:
        """Pixels along a row and along a column."""
        return self.value("Columns"), self.value("Rows")

    def places(self, keyword: str) -> bool:
        """Whether an entry of the image plane is there, with as many numbers as it must have."""
        return places(keyword, self.value(keyword))

    def vector(self, keyword: str) -> Floats:
        """An entry of the image plane as an array."""
        return np.array(self.value(keyword), dtype=float)

    @property
    def normal(self) -> Floats:
        """Unit vector across the slice, so that row, column and normal are right-handed."""
        cosines = self.vector("ImageOrientationPatient")
        return np.cross(cosines[:3], cosines[3:])

    @property
    def along_normal(self) -> float:
        """Position along the normal in mm."""
        return float(self.normal @ self.vector("ImagePositionPatient"))

    @property
    def plane(self) -> str:
        """The anatomical plane nearest to the slice, "" if the header has no orientation."""
        if not self.places("ImageOrientationPatient"):
            return ""
        return _PLANES[int(np.abs(self.normal).argmax())]


def check_placed(found: ImageSlice, *others: str) -> None:
    """Refuses a slice without a place, or without one of the `others`, which are whole numbers."""
    missing = [k for k in IMAGE_PLANE if not found.places(k)]
    missing += [k for k in others if type(found.value(k)) is not int]
    if missing:
        raise ImageError(
            f"{found.name} lacks a readable {', '.join(missing)}: its place in the patient "
            "is unknown.",
            remedy="Export the original series again, or remove the file from the folder.",
            code="no-position",
            file=found.path,
        )


def check_grey(found: ImageSlice) -> None:
    """Refuses what does not have one number per pixel, high for bright."""
    if found.value("PhotometricInterpretation") != "MONOCHROME2":
        raise ImageError(
            f"{found.name} has the photometric interpretation "
            f"{found.value('PhotometricInterpretation')}: expected MONOCHROME2 (one number "
            "per pixel, high is bright).",
            remedy="Remove screenshots and inverted images from the series.",
            code="photometric-interpretation",
            file=found.path,
        )


def check_one_stack(slices: Sequence[ImageSlice]) -> None:
    """Refuses slices of several orientations, sizes or pixel spacings.

    Raises
    ------
    ImageError
        "several-orientations", "several-sizes": which slices have which.
    """
    _check_one_orientation(slices)
    _check_constant(slices)


def _check_one_orientation(slices: Sequence[ImageSlice]) -> None:
    def near(a: ImageSlice, b: ImageSlice) -> bool:
        gap = a.vector("ImageOrientationPatient") - b.vector("ImageOrientationPatient")
        return bool(np.abs(gap).max() <= DIRECTION_TOLERANCE)

    groups = _groups(slices, near)
    if len(groups) > 1:
        listed = "\n  ".join(f"{g[0].plane}: {_names(g)}" for g in groups)
        raise ImageError(
            f"Expected one orientation, found {len(groups)} under one series UID:\n  {listed}\n",
            remedy=slices[0].apart,
            code="several-orientations",
        )


def _check_constant(slices: Sequence[ImageSlice]) -> None:
    def near(a: ImageSlice, b: ImageSlice) -> bool:
        spacings = a.vector("PixelSpacing"), b.vector("PixelSpacing")
        same_size = a.size == b.size
        return same_size and bool(np.allclose(*spacings, rtol=SPACING_TOLERANCE, atol=0))

    groups = _groups(slices, near)
    if len(groups) > 1:
        listed = "\n  ".join(
            f"{g[0].size} at {g[0].value('PixelSpacing')} mm: {_names(g)}" for g in groups
        )
        raise ImageError(
            f"Expected one size and pixel spacing, found {len(groups)} in the series:\n"
            f"  {listed}\n",
            remedy=slices[0].apart,
            code="several-sizes",
        )


def _groups(
    slices: Sequence[ImageSlice], near: Callable[[ImageSlice, ImageSlice], bool]
) -> list[list[ImageSlice]]:
    groups: list[list[ImageSlice]] = []
    for each in slices:
        group = next((g for g in groups if near(g[0], each)), None)
        if group is not None:
            group.append(each)
        elif len(groups) < _MOST_GROUPS:
            groups.append([each])
    return groups


def _names(slices: Sequence[ImageSlice], most: int = 4) -> str:
    shown = ", ".join(f.name for f in slices[:most])
    return shown if len(slices) <= most else f"{shown} and {len(slices) - most} more"


# Positions


def stack_geometry(slices: Sequence[ImageSlice]) -> tuple[Geometry, Mapping[str, Any]]:
    """The grid of slices in order of position, and where the slice step comes from."""
    first = slices[0]
    step, source = _slice_step(slices)
    columns = first.vector("ImageOrientationPatient").reshape(2, 3)
    axes = np.column_stack([*columns, first.normal])
    width, height = first.size
    row_step, column_step = first.value("PixelSpacing")
    x, y, z = first.vector("ImagePositionPatient")
    geometry = Geometry(
        (width, height, len(slices)), (column_step, row_step, step), (x, y, z), tuple(axes.flat)
    )
    _check_even(slices, geometry)
    return geometry, {"slice_step_from": source}


def _slice_step(slices: Sequence[ImageSlice]) -> tuple[float, str]:
    """Step between slices in mm: the mean of the positions; stated only for a single slice."""
    if len(slices) > 1:
        positions = np.array([f.along_normal for f in slices])
        steps = np.diff(positions)
        _check_no_duplicates(slices, steps)
        _check_no_gap(slices, steps)
        return float((positions[-1] - positions[0]) / steps.size), "positions"
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        if slices[0].value(keyword):
            return float(slices[0].value(keyword)), keyword
    raise ImageError(
        f"{slices[0].name} is the only slice and states neither SpacingBetweenSlices nor "
        "SliceThickness: the size of its voxels is unknown.",
        remedy="Give the whole series.",
        code="no-spacing",
        file=slices[0].path,
    )


def _check_no_duplicates(slices: Sequence[ImageSlice], steps: Floats) -> None:
    same = np.flatnonzero(steps <= SLICE_TOLERANCE_MM)
    if same.size == 0:
        return
    a, b = slices[same[0]], slices[same[0] + 1]
    differing = [k for k in DISTINGUISHING if a.value(k) != b.value(k)]
    values = "; ".join(f"{k} {a.value(k)} and {b.value(k)}" for k in differing)
    raise ImageError(
        f"Expected one image per position, found {a.name} and {b.name} both at "
        f"{a.along_normal:.2f} mm ({same.size} such pairs). They differ in: "
        f"{values or 'no entry that tells echoes or time points apart'}.",
        remedy="Put each echo or time point in a folder of its own, or remove the copies.",
        code="repeated-position",
        file=a.path,
    )


def _check_no_gap(slices: Sequence[ImageSlice], steps: Floats) -> None:
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > MISSING_SLICE_RATIO * usual)
    if gaps.size == 0:
        return
    places = "; ".join(
        f"between {slices[k].along_normal:.2f} and {slices[k + 1].along_normal:.2f} mm "
        f"({slices[k].name}, {slices[k + 1].name})"
        for k in gaps[:4]
    )
    raise ImageError(
        f"Slices are missing: the usual step is {usual:.3f} mm, but there are "
        f"{gaps.size} larger ones, {places}.",
        remedy="Export the whole series again.",
        code="missing-slices",
        file=slices[gaps[0]].path,
    )


def _check_even(slices: Sequence[ImageSlice], geometry: Geometry) -> None:
    """Every slice must lie where the grid puts it: evenly spaced, and not sheared (tilted)."""
    found = np.array([f.vector("ImagePositionPatient") for f in slices])
    index = np.zeros((len(slices), 3))
    index[:, 2] = np.arange(len(slices))
    away = np.linalg.norm(found - geometry.position(index), axis=1)
    worst = int(away.argmax())
    if away[worst] > SLICE_TOLERANCE_MM:
        raise ImageError(
            f"Expected evenly spaced slices, stacked along their normal "
            f"(within {SLICE_TOLERANCE_MM} mm); {slices[worst].name} lies "
            f"{away[worst]:.3f} mm from its place.",
            remedy="Resample tilted or uneven stacks to a regular grid first.",
            code="uneven-slices",
            file=slices[worst].path,
        )
