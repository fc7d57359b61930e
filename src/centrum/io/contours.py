"""Contours on the grid of an image: planar ones in its slices, filled to the voxels that they hold.

A voxel belongs to the region if its centre lies within an odd number of the contours of its slice,
or is met by one of them: "points in space lying along the path defined by the contour are
considered to be part of the ROI" (DICOM PS3.3, C.8.8.6.3). docs/decisions/0020 says what follows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import CentrumError, GeometryError, ImageError
from centrum.geometry import EVEN, Geometry
from centrum.io.even_odd import TOLERANCE, FilledContour, fill, steps
from centrum.provenance import Step
from centrum.volume import Mask

PLANE_TOLERANCE_MM = 0.1
"""Largest accepted distance of a contour's points from the plane of a slice.

A slice may be 0.05 mm off its place on the grid, and the positions of slices are written with two
decimals or three. Where slices are closer than 0.4 mm it is a quarter of their distance.
"""

MOST_STEPS = 1 << 26
"""Rows and columns that the contours of a region may meet, the pixels of their boxes counted in:
ten seconds. The outline of a body of 512 x 512 x 300 voxels has five millions."""

MOST_CONTOURS = 1 << 16
"""Contours of a region; more are none of a structure, and each takes its time."""

EMPTY_SLICES = "slices_without_contour"
"""What the step of filling says of slices that a drawing leaves out between others."""

_DRAW_AGAIN = "Draw it on the slices of this image, or take the image that it was drawn on."


@dataclass(frozen=True, eq=False)
class Contours:
    """Closed contours of one region.

    Attributes
    ----------
    name : of the region
    points : LPS positions in mm of all contours, (n, 3)
    ends : how many points there are up to the last of each contour, (contours,)
    exclusive : whether they are stated to exclude each other where they overlap
    """

    name: str
    points: Floats
    ends: Ints
    exclusive: bool = False

    @cached_property
    def starts(self) -> Ints:
        """The number of the first point of each contour."""
        return np.concatenate([[0], self.ends[:-1]]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Laid:
    """Contours in indices of a grid, in slices across one of its axes.

    `index` has the points (n, 3), `slices` the slice of each contour.
    """

    contours: Contours
    index: Floats
    axis: int
    slices: Ints

    def by_slice(self) -> Iterator[tuple[int, list[Floats]]]:
        """Slices in their order, with the columns and rows of the contours in them."""
        planar = np.delete(self.index, self.axis, axis=1)
        order = np.argsort(self.slices, kind="stable")
        numbers, first = np.unique(self.slices[order], return_index=True)
        for number, own in zip(numbers.tolist(), np.split(order, first[1:]), strict=True):
            spans = zip(self.contours.starts[own], self.contours.ends[own], strict=True)
            yield number, [planar[start:end] for start, end in spans]


def mask_of_contours(contours: Contours, grid: Geometry) -> Mask:
    """The voxels of a region on the grid of an image.

    Its history is the step "fill": how many contours, and how many slices between them have none.

    Raises
    ------
    GeometryError
        A contour lies between the slices ("between-slices"), in another plane ("across-slices"),
        or further than half a voxel outside the image ("mask-outside").
    ImageError
        Contours that need not exclude each other overlap in part ("overlapping-contours"), one
        is there twice ("repeated-contour"), or there are too many ("too-large").

    >>> corners = np.array([(0, 0, 5), (2, 0, 5), (2, 2, 5), (0, 2, 5)], dtype=float)
    >>> square = Contours("L1", corners, np.array([4]))
    >>> mask_of_contours(square, Geometry((4, 3, 2), (1, 1, 5))).array.astype(int).tolist()[1]
    [[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 0]]
    """
    _check_count(contours)
    laid = _laid(contours, grid)
    _check_inside(laid, grid)
    _check_steps(laid)
    array = np.zeros(grid.shape, dtype=bool)
    planes = np.moveaxis(array, 2 - laid.axis, 0)
    for number, found in laid.by_slice():
        try:
            planes[number] = _filled_slice(found, planes.shape[1:], contours.exclusive)
        except CentrumError as error:
            error.add_note(f"region '{contours.name}', slice {number + 1} of {len(planes)}")
            raise
    between = int(np.ptp(laid.slices)) + 1 - len(np.unique(laid.slices))
    facts = {"contours": len(contours.ends), EMPTY_SLICES: between, "tolerance_pixels": TOLERANCE}
    return Mask(array, grid, contours.name, (Step("fill", facts),))


# Slices


def _laid(contours: Contours, grid: Geometry) -> _Laid:
    """The contours in the slices of the grid that they lie in."""
    index = grid.index(contours.points)
    found = []
    for axis in _slice_axes(grid):
        slices = np.rint(index[contours.starts, axis]).astype(np.int64)
        own = np.repeat(slices, np.diff(contours.ends, prepend=0))
        away = np.abs(index[:, axis] - own) * grid.spacing[axis]
        if away.max() <= _plane_tolerance(grid, axis):
            return _Laid(contours, index, axis, slices)
        found.append((float(away.max()), axis, int(away.argmax())))
    raise _not_in_slices(contours, index, grid, *min(found))


def _slice_axes(grid: Geometry) -> list[int]:
    """Axes across which slices may lie: that of a series, and others along which voxels are long.

    An image that is no DICOM series may store its axes in any order.
    """
    long = [axis for axis in (0, 1) if EVEN * grid.spacing[axis] >= max(grid.spacing)]
    return [2, *long]


def _plane_tolerance(grid: Geometry, axis: int) -> float:
    return min(PLANE_TOLERANCE_MM, grid.spacing[axis] / 4)


def _not_in_slices(
    contours: Contours, index: Floats, grid: Geometry, away: float, axis: int, point: int
) -> GeometryError:
    """The error about the point that lies furthest from the slice of its contour."""
    number = int(np.searchsorted(contours.ends, point, side="right"))
    own = index[contours.starts[number] : contours.ends[number], axis] * grid.spacing[axis]
    across, tolerance = float(np.ptp(own)), _plane_tolerance(grid, axis)
    which = f"Region '{contours.name}': contour {number + 1} of {len(contours.ends)}"
    step = f"which are {grid.spacing[axis]:.4g} mm apart (tolerance {tolerance:.3g} mm)"
    if across > 2 * tolerance:
        return GeometryError(
            f"{which} lies in another plane than the slices of the image: it reaches "
            f"{across:.2f} mm across them, {step}.",
            remedy=_DRAW_AGAIN,
            code="across-slices",
        )
    return GeometryError(
        f"{which} lies {away:.2f} mm from the nearest slice of the image, {step}.",
        remedy=_DRAW_AGAIN,
        code="between-slices",
    )


# Limits


def _check_inside(laid: _Laid, grid: Geometry) -> None:
    """Refuses what lies beyond the image: there are no voxels.

    Up to half a voxel beyond the outermost centres the voxels themselves reach, and no centre is
    left out.
    """
    at = laid.index.copy()
    at[:, laid.axis] = np.repeat(laid.slices, np.diff(laid.contours.ends, prepend=0))
    beyond = np.maximum(-0.5 - at, at - (np.array(grid.size) - 0.5)) * grid.spacing
    allowed = TOLERANCE * np.array(grid.spacing)
    outside = int(np.count_nonzero((beyond > allowed).any(axis=1)))
    if outside:
        raise GeometryError(
            f"Region '{laid.contours.name}': {outside} of the {len(at)} points of its contours lie "
            f"outside the image, up to {beyond.max():.2f} mm beyond the edge of its voxels.",
            remedy="Check that it was drawn on this image and not on a larger field of view.",
            code="mask-outside",
        )


def _check_count(contours: Contours) -> None:
    if len(contours.ends) > MOST_CONTOURS:
        raise _too_large(contours, f"{len(contours.ends)} contours, more than {MOST_CONTOURS}")


def _check_steps(laid: _Laid) -> None:
    """Refuses contours that would take minutes to fill, before any is."""
    needed = sum(steps(each) for _, found in laid.by_slice() for each in found)
    if needed > MOST_STEPS:
        raise _too_large(laid.contours, f"contours that run through {needed:.3g} rows and columns")


def _too_large(contours: Contours, found: str) -> ImageError:
    return ImageError(
        f"Region '{contours.name}' has {found}: no structure of a patient has so many.",
        remedy="Export it again from the program that holds the original.",
        code="too-large",
    )


# Contours of one slice


def _filled_slice(found: Sequence[Floats], shape: tuple[int, ...], exclusive: bool) -> Flags:
    """The pixels of the contours of a slice."""
    inside, met = (np.zeros(shape, dtype=bool) for _ in range(2))
    filled = [fill(points, (shape[0], shape[1])) for points in found]
    if len(found) > 1 and not exclusive:
        _check_repeated(found, filled)
        _check_nested(filled, shape)
    for each in filled:
        inside[each.box] ^= each.inside
        met[each.box] |= each.met
    return inside | met


def _check_repeated(found: Sequence[Floats], filled: Sequence[FilledContour]) -> None:
    """Refuses a contour that is there twice: one would take the other away.

    The same points in the opposite order are the hole of a ring that is one pixel wide.
    """
    pairs = zip(found, filled, strict=True)
    points = [each.tobytes() for each, pixels in pairs if pixels.within.any()]
    if len(set(points)) < len(points):
        raise ImageError(
            "One contour is there twice, and contours within each other are holes: nothing of it "
            "would be left.",
            remedy="Delete one of the two.",
            code="repeated-contour",
        )


def _check_nested(filled: Sequence[FilledContour], shape: tuple[int, ...]) -> None:
    """Refuses contours of which each holds pixels that the other has not, and some that it has.

    From the largest to the smallest each must lie within one of those before it, or beside them.
    """
    holder = np.zeros(shape, dtype=np.int32)
    by_size = sorted(filled, key=lambda each: -np.count_nonzero(each.within))
    for number, each in enumerate(by_size, 1):
        holders = holder[each.box][each.within]
        if holders.size and (holders != holders[0]).any():
            raise ImageError(
                "Two contours overlap in part: whether what they share belongs to the region is "
                "not said (CLOSED_PLANAR).",
                remedy="Draw them as one contour, or export them as CLOSEDPLANAR_XOR if what they "
                "share is a hole.",
                code="overlapping-contours",
            )
        holder[each.box][each.within] = number
