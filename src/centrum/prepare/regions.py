"""Operations on a region of interest: smaller, larger, the shell around it, without holes.

All lengths are mm between the centres of voxels, on anisotropic voxels: a voxel is within 2 mm
of the outside when the centre of a voxel outside is. These are erosion and dilation by a ball
(in 2D a disc), so that dilating what was eroded stays within the region. The edge of the image
is no border: what lies beyond is not known.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from centrum.arrays import Flags
from centrum.errors import DataError, GeometryError
from centrum.geometry import slice_axis
from centrum.provenance import Step
from centrum.settings import Millimetres, Settings
from centrum.volume import Mask, Turn, bounding_box, filled

TIE_MM = 1e-6
"""A voxel that is this much further than asked for still counts: three times 0.6 is not 1.8 in
binary."""

Dimension = Literal["2D", "3D"]
Distance = Annotated[float, Field(ge=-1000, le=1000)]
Region = Flags

_DIMENSION = "2D: within each slice of the plane, end slices stay; 3D: across slices too"


class Erode(Settings):
    """Take away what is within some mm of the outside, such as the cortical rim."""

    operation: Literal["erode"] = "erode"
    mm: Millimetres = Field(description="from the border inwards")
    dimension: Dimension = Field("2D", description=_DIMENSION)


class Dilate(Settings):
    """Add what is within some mm of the region."""

    operation: Literal["dilate"] = "dilate"
    mm: Millimetres = Field(description="from the border outwards")
    dimension: Dimension = Field("2D", description=_DIMENSION)


class Shell(Settings):
    """Take the voxels between two distances from the region instead of the region.

    -2 to 0 is the rim of the region, 0 to 5 the tissue around it, 2 to 5 that without the
    nearest 2 mm.
    """

    operation: Literal["shell"] = "shell"
    from_mm: Distance = Field(description="inner limit, negative inside the region")
    to_mm: Distance = Field(description="outer limit, negative inside the region")
    dimension: Dimension = Field("2D", description=_DIMENSION)

    @model_validator(mode="after")
    def _from_inside_out(self) -> "Shell":
        if not self.from_mm < self.to_mm:
            raise ValueError(
                f"a shell goes from inside out: from_mm {self.from_mm:g} must be less than "
                f"to_mm {self.to_mm:g}; distances inside the region are negative"
            )
        return self


class FillHoles(Settings):
    """Add the holes that the region encloses."""

    operation: Literal["fill_holes"] = "fill_holes"
    dimension: Dimension = Field(
        "2D", description="2D: holes within a slice of the plane; 3D: closed on all sides"
    )


class LargestPiece(Settings):
    """Keep the piece of most voxels."""

    operation: Literal["largest_piece"] = "largest_piece"
    connectivity: Literal[6, 18, 26] = Field(
        26, description="voxels of a piece share 6: faces; 18: edges too; 26: corners too"
    )


RegionOperation = Annotated[
    Erode | Dilate | Shell | FillHoles | LargestPiece, Field(discriminator="operation")
]
"""One operation of a protocol, told by its key `operation`."""


def apply_operations(mask: Mask, operations: Sequence[RegionOperation], plane: str) -> Mask:
    """The region after the operations, in their order; each is a step of its history.

    Parameters
    ----------
    plane : "sagittal", "coronal" or "axial", the plane of the slices of `dimension: 2D`

    Raises
    ------
    DataError
        Nothing is left of the region.

    >>> from centrum.geometry import Geometry
    >>> region = Mask(np.zeros((3, 9, 9), bool), Geometry((9, 9, 3), (0.6, 0.6, 4.4)))
    >>> region.array[:, 2:7, 2:7] = True
    >>> smaller = apply_operations(region, [Erode(mm=0.6)], "axial")
    >>> region.n_voxels, smaller.n_voxels, dict(smaller.history[-1].parameters)
    (75, 27, {'mm': 0.6, 'slice_axis': 0, 'voxels': 27})
    """
    for number, operation in enumerate(operations, 1):
        try:
            mask = _applied(mask, operation, plane)
        except DataError as error:
            error.add_note(f"in ROI operation {number} of {len(operations)}")
            raise
    return mask


def _applied(mask: Mask, settings: RegionOperation, plane: str) -> Mask:
    if isinstance(settings, LargestPiece):
        return largest_piece(mask, settings.connectivity)
    axis = slice_axis(mask.geometry, plane) if settings.dimension == "2D" else None
    match settings:
        case Erode():
            return erode(mask, settings.mm, axis)
        case Dilate():
            return dilate(mask, settings.mm, axis)
        case Shell():
            return shell(mask, settings.from_mm, settings.to_mm, axis)
        case FillHoles():
            return fill_holes(mask, axis)


def erode(mask: Mask, mm: float, axis: int | None = None) -> Mask:
    """The region without the voxels within `mm` of the outside.

    Parameters
    ----------
    axis : array axis (z, y, x) across the slices, which do not see each other; None: in 3D

    Raises
    ------
    DataError
        The region is empty, nothing is left of it, or voxels are too far apart for `mm`.
    """
    _check(mask, mm)
    return _changed(mask, _DistanceToBorder(mask, axis).within(-mm), "erode", mm=mm, axis=axis)


def dilate(mask: Mask, mm: float, axis: int | None = None) -> Mask:
    """The region and the voxels of the image within `mm` of it; see `erode`."""
    _check(mask, mm)
    return _changed(mask, _DistanceToBorder(mask, axis).within(mm), "dilate", mm=mm, axis=axis)


def shell(
    mask: Mask, from_mm: float, to_mm: float, axis: int | None = None, within: Mask | None = None
) -> Mask:
    """The voxels between two distances from the region, negative inside it.

    Parameters
    ----------
    from_mm, to_mm : mm; a shell without its inner limit, with its outer one
    axis : as for `erode`
    within : what the shell cannot leave, such as the body of the patient

    Raises
    ------
    DataError
        The region is empty, the limits are not in order, the shell has no voxel, or voxels are
        too far apart for a limit.

    >>> from centrum.geometry import Geometry
    >>> row = Mask(np.zeros((1, 1, 9), bool), Geometry((9, 1, 1), (1, 1, 1)))
    >>> row.array[..., 3:6] = True
    >>> shell(row, 1, 2).array.astype(int)[0, 0]
    array([0, 1, 0, 0, 0, 0, 0, 1, 0])
    >>> shell(row, -1, 1).array.astype(int)[0, 0]
    array([0, 0, 1, 1, 0, 1, 1, 0, 0])
    """
    _check(mask, to_mm - from_mm)
    level = _DistanceToBorder(mask, axis)
    ring = level.within(to_mm) & ~level.within(from_mm)
    if within is not None:
        _check_grid(mask, within)
        ring &= within.array
    limits = {"from_mm": from_mm, "to_mm": to_mm, "within": within.name if within else None}
    return _changed(mask, ring, "shell", axis=axis, **limits)


def fill_holes(mask: Mask, axis: int | None = None) -> Mask:
    """The region and the holes in it: background that no path over faces leads out of.

    Parameters
    ----------
    axis : array axis (z, y, x) across the slices that are filled one by one; None: in 3D

    >>> from centrum.geometry import Geometry
    >>> ring = Mask(np.ones((1, 3, 3), bool), Geometry((3, 3, 1), (1, 1, 1)))
    >>> ring.array[0, 1, 1] = False
    >>> fill_holes(ring).n_voxels, fill_holes(ring, axis=0).n_voxels
    (8, 9)
    """
    _check_not_empty(mask)
    box = bounding_box(mask.array)
    whole = np.zeros_like(mask.array)
    whole[box] = filled(mask.array[box], axis)
    return _changed(mask, whole, "fill_holes", axis=axis)


def largest_piece(mask: Mask, connectivity: int = 26) -> Mask:
    """The piece of the region with most voxels; of equal ones the one that begins nearest to the
    feet, then to the front, then to the right.

    Parameters
    ----------
    connectivity : how many neighbours of a voxel belong to its piece: 6, 18 or 26

    >>> from centrum.geometry import Geometry
    >>> row = Mask(np.array([[[1, 0, 1, 1, 0, 1]]], bool), Geometry((6, 1, 1), (1, 1, 1)))
    >>> largest_piece(row).array.astype(int)[0, 0]
    array([0, 0, 1, 1, 0, 0])
    """
    from scipy.ndimage import generate_binary_structure, label

    _check_not_empty(mask)
    steps = {6: 1, 18: 2, 26: 3}[connectivity]
    turn, kept = Turn.between(mask.geometry, "LPS"), np.zeros_like(mask.array)
    upright, wanted = turn.of(mask.array), turn.of(kept)
    box = bounding_box(np.ascontiguousarray(upright))
    pieces, n_pieces = label(upright[box], generate_binary_structure(3, steps))
    wanted[box] = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    return _changed(mask, kept, "largest_piece", connectivity=connectivity, pieces=n_pieces)


class _DistanceToBorder:
    """The voxels within some signed distance of the border of a region."""

    def __init__(self, mask: Mask, axis: int | None) -> None:
        self.region = mask.array
        self.spacing = mask.geometry.array_spacing
        self.axis = axis

    def within(self, mm: float) -> Region:
        """Voxels up to `mm` outside the region, or more than `-mm` inside it."""
        if mm == 0:
            return self.region
        self._check_reach(abs(mm))
        out = np.zeros_like(self.region)
        box = self._box(max(mm, 0))
        part = self.region[box]
        out[box] = self._near(part, mm) if mm > 0 else ~self._near(~part, -mm)
        return out

    def _check_reach(self, mm: float) -> None:
        nearest = min(step for k, step in enumerate(self.spacing) if k != self.axis)
        if mm + TIE_MM < nearest:
            raise DataError(
                f"A distance of {mm:g} mm changes nothing where voxels are {nearest:g} mm apart; "
                "choose a greater one, or interpolate to smaller voxels first."
            )

    def _box(self, mm: float) -> tuple[slice, ...]:
        """The box of the region with `mm` and a voxel around, as far as the image goes."""
        tight = bounding_box(self.region)
        return tuple(
            slice(max(s.start - n, 0), s.stop + n)
            for s, n in zip(tight, (int(mm / step) + 1 for step in self.spacing), strict=True)
        )

    def _near(self, target: Region, mm: float) -> Region:
        """The voxels within `mm` of the target, in space or slice by slice."""
        if self.axis is None:
            return _near(target, self.spacing, mm)
        in_plane = np.delete(self.spacing, self.axis)
        slices = [_near(part, in_plane, mm) for part in np.moveaxis(target, self.axis, 0)]
        return np.stack(slices, self.axis)


def _near(target: Region, spacing: Sequence[float] | NDArray, mm: float) -> Region:
    """The voxels within `mm` of a voxel of `target`, by exact Euclidean distance."""
    from scipy.ndimage import distance_transform_edt

    if not target.any():
        return np.zeros_like(target)
    return np.asarray(distance_transform_edt(~target, sampling=spacing) <= mm + TIE_MM)


def _changed(mask: Mask, array: Region, name: str, axis: int | None = None, **how: Any) -> Mask:
    """The new region, with a step of how it was made, or an error if nothing is left."""
    left = int(np.count_nonzero(array))
    if left == 0:
        said = ", ".join(f"{key} {value:g}" for key, value in how.items() if "mm" in key)
        raise DataError(
            f"The ROI operation {name} ({said}) leaves no voxel of {mask.name!r}, which had "
            f"{mask.n_voxels}; choose a smaller distance, or exclude regions as thin as this."
        )
    return mask.with_array(array, Step(name, how | {"slice_axis": axis, "voxels": left}))


def _check(mask: Mask, mm: float) -> None:
    _check_not_empty(mask)
    if not (np.isfinite(mm) and mm > 0):
        raise DataError(f"A ROI operation needs a positive distance in mm, found {mm:g}.")


def _check_not_empty(mask: Mask) -> None:
    if not mask.array.any():
        raise DataError(f"The mask {mask.name!r} is empty: there is nothing to work on.")


def _check_grid(mask: Mask, within: Mask) -> None:
    if not mask.geometry.same_grid(within.geometry):
        raise GeometryError(
            "The region and what it must stay within are not on the same grid.\n"
            f"region:\n{mask.geometry.describe()}\nwithin:\n{within.geometry.describe()}"
        )
