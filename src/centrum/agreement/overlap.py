"""How well two masks of the same structure agree: volumes in common and surfaces apart.

Definitions as in Taha and Hanbury, BMC Medical Imaging 2015;15:29.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.errors import DataError, GeometryError
from centrum.volume import bounding_box

LOW_DICE = 0.7
"""Dice coefficients below it are no good agreement (Zijdenbos et al., IEEE Trans Med Imaging
1994;13:716)."""


@dataclass(frozen=True)
class Overlap:
    """Agreement of two masks on one grid.

    Attributes
    ----------
    dice : 2 |A and B| / (|A| + |B|), 0 to 1
    jaccard : |A and B| / |A or B|, 0 to 1
    volume_difference_mm3 : volume of B minus volume of A; within one slice area, in mm²
    hausdorff_mm : largest distance from a surface voxel of one to the surface of the other
    hausdorff95_mm : larger of the two directed 95th percentiles of those distances
    mean_surface_distance_mm : mean of those distances over the surface voxels of both
    """

    dice: float
    jaccard: float
    volume_difference_mm3: float
    hausdorff_mm: float
    hausdorff95_mm: float
    mean_surface_distance_mm: float


def overlap(a: Flags, b: Flags, spacing: Sequence[float]) -> Overlap:
    """Compare two masks of the shape (z, y, x) on one grid.

    `spacing` is in mm in the order (z, y, x), as `Geometry.array_spacing`. A surface voxel
    is a voxel of the mask with one of its six neighbours outside the mask or the image;
    distances are between voxel centres.

    Raises
    ------
    GeometryError
        The arrays differ in shape.
    DataError
        A mask is empty.

    >>> a, b = np.zeros((2, 1, 4, 6), bool)
    >>> a[0, 1:3, 1:3] = b[0, 1:3, 1:4] = True
    >>> found = overlap(a, b, (4.4, 0.5, 0.5))
    >>> found.dice, found.hausdorff_mm
    (0.8, 0.5)
    """
    if a.shape != b.shape:
        raise GeometryError(
            f"Masks to compare lie on one grid, found the shapes {a.shape} and {b.shape}."
        )
    for position, mask in (("first", a), ("second", b)):
        if not mask.any():
            raise DataError(
                f"The overlap of two masks needs voxels in both; the {position} mask is empty. "
                "Draw it or leave the reader out for this case."
            )
    box = bounding_box(a | b)
    return _overlap(a[box], b[box], spacing)


def slice_overlap(a: Flags, b: Flags, spacing: Sequence[float]) -> Overlap:
    """Compare two outlines of one slice, masks of the shape (rows, columns).

    As `overlap`, with the four neighbours within the slice and areas, in mm², in the place of
    volumes. Distances are nan where only one of the two has an outline.

    Raises
    ------
    GeometryError
        The arrays differ in shape.
    DataError
        Both are empty.

    >>> a, b = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
    >>> a[1:3, 1:3] = b[1:3, 1:4] = True
    >>> found = slice_overlap(a, b, (0.5, 0.5))
    >>> found.dice, found.volume_difference_mm3, found.hausdorff_mm
    (0.8, 0.5, 0.5)
    """
    if a.shape != b.shape:
        raise GeometryError(
            f"Outlines to compare lie on one slice, found the shapes {a.shape} and {b.shape}."
        )
    if a.any() and b.any():
        _, rows, columns = bounding_box((a | b)[None])
        return _overlap(a[rows, columns], b[rows, columns], spacing)
    sizes = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    if not any(sizes):
        raise DataError("Nobody has an outline on this slice: there is nothing to compare.")
    nan = float("nan")
    return Overlap(0.0, 0.0, (sizes[1] - sizes[0]) * float(np.prod(spacing)), nan, nan, nan)


def dice(a: Flags, b: Flags) -> float:
    """The Dice coefficient of two masks on one grid, 0 where both are empty.

    >>> dice(np.array([1, 1, 0], bool), np.array([0, 1, 1], bool))
    0.5
    """
    size = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2 * int(np.count_nonzero(a & b)) / size if size else 0.0


def _overlap(a: Flags, b: Flags, spacing: Sequence[float]) -> Overlap:
    size_a, size_b = int(np.count_nonzero(a)), int(np.count_nonzero(b))
    common = int(np.count_nonzero(a & b))
    surface_a, surface_b = _surface(a), _surface(b)
    there = _distances(surface_a, surface_b, spacing)
    back = _distances(surface_b, surface_a, spacing)
    return Overlap(
        dice=dice(a, b),
        jaccard=common / (size_a + size_b - common),
        volume_difference_mm3=(size_b - size_a) * float(np.prod(spacing)),
        hausdorff_mm=float(max(there.max(), back.max())),
        hausdorff95_mm=float(max(np.percentile(there, 95), np.percentile(back, 95))),
        mean_surface_distance_mm=float(np.concatenate([there, back]).mean()),
    )


def _surface(mask: Flags) -> Flags:
    from scipy.ndimage import binary_erosion

    return mask & ~binary_erosion(mask)


def _distances(start: Flags, goal: Flags, spacing: Sequence[float]) -> Floats:
    """Distance in mm from each voxel of `start` to the nearest voxel of `goal`."""
    from scipy.ndimage import distance_transform_edt

    distance: Floats = distance_transform_edt(~goal, sampling=spacing)
    return distance[start]
