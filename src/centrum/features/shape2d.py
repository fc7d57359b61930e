"""Shape of a region in one slice, as PyRadiomics has it (its class shape2D).

>>> shape = Shape2D(np.ones((1, 1), bool), (2.0, 2.0))  # one pixel: a square on its corner
>>> {name: round(float(v), 4) for name, v in shape2d.compute(shape, "pyradiomics").items()}
{'mesh_surface': 2.0, 'pixel_surface': 4.0, 'perimeter': 5.6569, ...}
"""

from dataclasses import dataclass
from functools import cached_property
from math import hypot, pi, prod, sqrt

import numpy as np

from centrum.arrays import Flags, Ints
from centrum.features.registry import Family, Reads
from centrum.kernels.hull import largest_in_planes
from centrum.kernels.mesh import Surface, scan

SHAPE_IN_SLICE = Reads("the shape of a region in one slice")

shape2d = Family("shape2D", SHAPE_IN_SLICE)

EIGHTHS = np.array([0, 1, 1, 4, 1, 4, 2, 7, 1, 2, 4, 7, 4, 7, 7, 8])
"""Area inside, in eighths of a pixel, of a cell of four pixels by its case.

Bit column + 2 row of a case is the corner (row, column); pixels that meet only at a corner are
parted.
"""

SLANTED = np.array([0, 1, 1, 0, 1, 0, 2, 1, 1, 2, 0, 1, 0, 1, 1, 0])
"""Line segments of a case from the middle of one side to the middle of the next."""

ALONG_ROW = np.array([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
"""Line segments of a case across the whole cell along a row."""

ALONG_COLUMN = np.array([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
"""Line segments of a case across the whole cell along a column."""


@dataclass(frozen=True, eq=False)
class Shape2D:
    """A region in a slice and the outline around it, through the middles of pixel sides.

    Attributes
    ----------
    inside : (rows, columns) the region, cropped to its bounding box
    spacing : mm from row to row and from column to column

    >>> bar = Shape2D(np.ones((1, 3), bool), (1.0, 1.0))
    >>> bar.surface, round(bar.perimeter, 4), bar.diameter
    (2.5, 6.8284, 3.0)
    """

    inside: Flags
    spacing: tuple[float, float]

    @cached_property
    def slab(self) -> Surface:
        """Counts of the slice as a region one voxel thick."""
        return scan(self.inside[None])

    @property
    def cells(self) -> Ints:
        """How many cells of four pixels there are of each case, (16,)."""
        return self.slab.cells[:16, 0]

    @property
    def n_pixels(self) -> int:
        """Number of pixels in the region."""
        return int(self.slab.moments[0])

    @property
    def surface(self) -> float:
        """Area within the outline, mm2."""
        return float(self.cells @ EIGHTHS) / 8 * prod(self.spacing)

    @property
    def perimeter(self) -> float:
        """Length of the outline, mm."""
        row, column = self.spacing
        slanted = float(self.cells @ SLANTED) * hypot(row, column) / 2
        return (
            slanted
            + float(self.cells @ ALONG_ROW) * column
            + (float(self.cells @ ALONG_COLUMN) * row)
        )

    @cached_property
    def diameter(self) -> float:
        """Largest distance in mm between two vertices of the outline."""
        row, column = self.spacing
        return largest_in_planes(self.slab.along_x, 0, column / 2, row / 2)

    @cached_property
    def axis_variances(self) -> tuple[float, float]:
        """Variances along the principal axes of the pixel centres, mm2, largest first."""
        row, column = self.spacing
        n, x, y, _, xx, yy, _, xy, _, _ = self.slab.moments.tolist()
        across = (n * xx - x * x) * column * column / n**2
        along = (n * yy - y * y) * row * row / n**2
        mixed = (n * xy - x * y) * row * column / n**2
        middle, half = (across + along) / 2, hypot((across - along) / 2, mixed)
        return middle + half, max(middle - half, 0.0)


@shape2d.feature("", "Mesh surface")
def mesh_surface(s: Shape2D) -> float:
    """Area within the outline.

    >>> mesh_surface(Shape2D(np.ones((1, 1), bool), (2.0, 2.0)))
    2.0
    """
    return s.surface


@shape2d.feature("", "Pixel surface")
def pixel_surface(s: Shape2D) -> float:
    """Number of pixels times the area of one.

    >>> pixel_surface(Shape2D(np.ones((1, 1), bool), (2.0, 2.0)))
    4.0
    """
    return s.n_pixels * prod(s.spacing)


@shape2d.feature("", "Perimeter")
def perimeter(s: Shape2D) -> float:
    """Length of the outline, holes included.

    >>> round(perimeter(Shape2D(np.ones((1, 1), bool), (2.0, 2.0))), 4)
    5.6569
    """
    return s.perimeter


@shape2d.feature("", "Perimeter to surface ratio")
def perimeter_to_surface_ratio(s: Shape2D) -> float:
    """Small for compact regions.

    >>> round(perimeter_to_surface_ratio(Shape2D(np.ones((1, 1), bool), (2.0, 2.0))), 4)
    2.8284
    """
    return s.perimeter / s.surface


@shape2d.feature("", "Circularity")
def circularity(s: Shape2D) -> float:
    """1 for a circle, less for all else; PyRadiomics calls it sphericity.

    >>> round(circularity(Shape2D(np.ones((1, 1), bool), (2.0, 2.0))), 4)
    0.8862
    """
    return 2 * sqrt(pi * s.surface) / s.perimeter


@shape2d.feature("", "Circular disproportion")
def circular_disproportion(s: Shape2D) -> float:
    """Perimeter over that of a circle of the same area; the inverse of circularity.

    >>> round(circular_disproportion(Shape2D(np.ones((1, 1), bool), (2.0, 2.0))), 4)
    1.1284
    """
    return s.perimeter / (2 * sqrt(pi * s.surface))


@shape2d.feature("", "Maximum diameter")
def maximum_diameter(s: Shape2D) -> float:
    """Between vertices of the outline, which lie half a pixel outside of pixel centres.

    >>> maximum_diameter(Shape2D(np.ones((1, 3), bool), (1.0, 1.0)))
    3.0
    """
    return s.diameter


@shape2d.feature("", "Major axis length")
def major_axis_length(s: Shape2D) -> float:
    """Longer axis of the ellipse with the variances of the pixel centres.

    >>> round(major_axis_length(Shape2D(np.ones((1, 3), bool), (1.0, 1.0))), 4)
    3.266
    """
    return 4 * sqrt(s.axis_variances[0])


@shape2d.feature("", "Minor axis length")
def minor_axis_length(s: Shape2D) -> float:
    """Shorter axis of that ellipse; 0 for a line of pixels.

    >>> minor_axis_length(Shape2D(np.ones((1, 3), bool), (1.0, 1.0)))
    0.0
    """
    return 4 * sqrt(s.axis_variances[1])


@shape2d.feature("", "Elongation")
def elongation(s: Shape2D) -> float:
    """1 for a region as broad as long; NaN for one pixel.

    >>> elongation(Shape2D(np.ones((2, 2), bool), (1.0, 1.0)))
    1.0
    """
    major, minor = s.axis_variances
    return sqrt(minor / major) if major else float("nan")
