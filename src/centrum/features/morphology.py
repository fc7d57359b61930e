"""Morphological features (IBSI 3.1, HCUG).

>>> shape = Shape(np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0))  # one voxel: an octahedron
>>> values = morphology.compute(shape, "pyradiomics")
>>> float(values["maximum_3d_diameter"]), round(float(values["mesh_volume"]), 4)
(1.0, 0.1667)
"""

from dataclasses import dataclass
from functools import cached_property
from math import dist, nan, pi, prod, sqrt

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Flags
from centrum.features.distribution import unless_cancelled
from centrum.features.registry import Family, Reads
from centrum.kernels import enclosing, hull
from centrum.kernels.convex_hull import Hull, convex_hull
from centrum.kernels.mesh import Surface, scan, weighted_moments

Lengths = tuple[float, float, float]

AREA_TERMS = 20
"""Last term of the series for an ellipsoid's area, as the IBSI has it."""

ROUNDING = 1e-13
"""Share of the largest variance below which another is rounding error: the region is flat."""

SHAPE = Reads("the shape of the region")

morphology = Family("morphology", SHAPE)

enclosing_solids = Family("enclosing", SHAPE)
"""Features of the smallest box and ellipsoid, which have no consensus value (decision 7)."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A region and the mesh around it, measured once and shared by all features.

    Attributes
    ----------
    inside : (z, y, x) the region, cropped to its bounding box
    spacing : mm along x, y, z
    ddof : subtracted from the number of voxels in the covariance of their centres: 1 in the
        consensus of the IBSI, 0 in PyRadiomics
    kept : (z, y, x) the voxels whose intensities count; `inside` when None
    x : (n,) the intensities of `kept` in C order; when None, what needs them is NaN
    watertight : whether the mesh has no gaps, as in the consensus of the IBSI; PyRadiomics
        leaves some where voxels meet only along an edge

    >>> box = Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))
    >>> box.n_voxels, box.box_sides, [round(v, 4) for v in box.axis_variances]
    (24, (4.0, 3.0, 2.0), [1.3043, 0.6957, 0.2609])
    """

    inside: Flags
    spacing: Lengths
    ddof: int = 1
    kept: Flags | None = None
    x: Array | None = None
    watertight: bool = True

    @cached_property
    def surface(self) -> Surface:
        """Counts of the one pass over the region."""
        return scan(self.inside)

    @cached_property
    def area(self) -> float:
        """Surface area of the mesh, mm2."""
        return self.surface.area(self.spacing, watertight=self.watertight)

    @cached_property
    def volume(self) -> float:
        """Volume enclosed by the mesh, mm3."""
        return self.surface.volume(self.spacing, watertight=self.watertight)

    @property
    def n_voxels(self) -> int:
        """Number of voxels in the region."""
        return int(self.surface.moments[0])

    @property
    def box_sides(self) -> Lengths:
        """Sides of the box around the region along x, y, z, mm."""
        z, y, x = self.inside.shape
        return x * self.spacing[0], y * self.spacing[1], z * self.spacing[2]

    @property
    def centre(self) -> Lengths:
        """Centre of mass (x, y, z) of the voxels, mm from the first voxel of the box."""
        n, x, y, z = self.surface.moments[:4].tolist()
        a, b, c = self.spacing
        return (x / n - 1) * a, (y / n - 1) * b, (z / n - 1) * c

    @cached_property
    def axis_variances(self) -> Lengths:
        """Variances along the principal axes of the voxel centres, mm2, largest first.

        All 0 for one voxel, two for a line of voxels, one for a flat region.
        """
        n, x, y, z, xx, yy, zz, xy, xz, yz = self.surface.moments.tolist()
        if n < 2:
            return 0.0, 0.0, 0.0
        a, b, c = self.spacing
        # Integers of any size: nothing is rounded before the division.
        scatter = [
            [(n * xx - x * x) * a * a, (n * xy - x * y) * a * b, (n * xz - x * z) * a * c],
            [0.0, (n * yy - y * y) * b * b, (n * yz - y * z) * b * c],
            [0.0, 0.0, (n * zz - z * z) * c * c],
        ]
        least, minor, major = np.linalg.eigvalsh(scatter, UPLO="U").tolist()
        size, noise = n * (n - self.ddof), ROUNDING * major
        return (
            major / size,
            minor / size if minor > noise else 0.0,
            least / size if least > noise else 0.0,
        )

    @cached_property
    def slice_diameter(self) -> float:
        """Largest distance in mm between two vertices of equal z."""
        x, y, _ = self.spacing
        return hull.largest_in_planes(self.surface.along_x, 0, x / 2, y / 2)

    @cached_property
    def column_diameter(self) -> float:
        """Largest distance in mm between two vertices of equal y."""
        x, _, z = self.spacing
        return hull.largest_in_planes(self.surface.along_x, 1, x / 2, z / 2)

    @cached_property
    def row_diameter(self) -> float:
        """Largest distance in mm between two vertices of equal x."""
        _, y, z = self.spacing
        return hull.largest_in_planes(self.surface.along_y, 1, y / 2, z / 2)

    @cached_property
    def corners(self) -> NDArray[np.int32]:
        """Vertices of the mesh in half voxels, (n, 3); corners of the convex hull among them."""
        return hull.plane_corners(self.surface.along_x)

    @cached_property
    def diameter(self) -> float:
        """Largest distance in mm between two vertices."""
        in_planes = max(self.slice_diameter, self.column_diameter, self.row_diameter)
        return hull.largest_distance(self.corners * np.array(self._half), in_planes)

    @property
    def _half(self) -> Lengths:
        x, y, z = self.spacing
        return x / 2, y / 2, z / 2

    @cached_property
    def convex_hull(self) -> Hull:
        """Convex hull of the mesh."""
        return convex_hull(self.corners, self._half)

    @cached_property
    def smallest_box(self) -> Lengths:
        """Sides of the oriented minimum bounding box of the mesh, mm.

        With one side on a face of the convex hull or perpendicular to an image axis.
        """
        return enclosing.smallest_box(self.convex_hull, also=np.eye(3))

    @cached_property
    def enclosing_axes(self) -> Lengths:
        """Semi-axes of the minimum volume enclosing ellipsoid of the mesh, mm."""
        return enclosing.smallest_ellipsoid(self.convex_hull.points)

    @cached_property
    def principal_axes(self) -> Lengths:
        """Semi-axes of the approximate enclosing ellipsoid, mm: of equal axis variances."""
        major, minor, least = self.axis_variances
        return 2 * sqrt(major), 2 * sqrt(minor), 2 * sqrt(least)

    @cached_property
    def intensity_moments(self) -> tuple[Lengths, float]:
        """As `centre`, weighted by intensity, and the mean intensity.

        NaN without intensities, the centre also where they add up to 0.
        """
        if self.x is None or self.x.size == 0:
            return (nan, nan, nan), nan
        kept = self.inside if self.kept is None else self.kept
        total, x, y, z = weighted_moments(kept, self.x).tolist()
        weight = float(unless_cancelled(total, np.abs(self.x).sum())) or nan
        a, b, c = self.spacing
        return (x / weight * a, y / weight * b, z / weight * c), total / self.x.size


def box_volume(sides: Lengths) -> float:
    """Volume of a box.

    >>> box_volume((1.0, 2.0, 3.0))
    6.0
    """
    return prod(sides)


def box_area(sides: Lengths) -> float:
    """Surface area of a box.

    >>> box_area((1.0, 2.0, 3.0))
    22.0
    """
    a, b, c = sides
    return 2 * (a * b + b * c + c * a)


def ellipsoid_volume(axes: Lengths) -> float:
    """Volume of an ellipsoid with these semi-axes.

    >>> round(ellipsoid_volume((1.0, 1.0, 1.0)), 4)
    4.1888
    """
    return 4 / 3 * pi * prod(axes)


def ellipsoid_area(axes: Lengths) -> float:
    """Area of an ellipsoid with semi-axes a >= b >= c, as the IBSI approximates it (3.1.22).

    4 pi a b times the sum over n of (pq)^n / (1 - 4 n^2) P_n((p^2 + q^2) / (2 pq)), with
    p^2 = 1 - b^2 / a^2, q^2 = 1 - c^2 / a^2 and Legendre polynomials P. Their recursion runs
    on (pq)^n P_n, which stays finite where p or q is 0. The consensus values follow this
    formula; the true area differs (48.88 for the second example).

    >>> round(ellipsoid_area((1.0, 1.0, 1.0)), 4), round(ellipsoid_area((3.0, 2.0, 1.0)), 2)
    (12.5664, 52.81)
    """
    a, b, c = axes
    if a == 0:
        return 0.0
    p, q = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    before, term, total = 0.0, 1.0, 1.0
    for n in range(AREA_TERMS):
        before, term = term, ((2 * n + 1) * (p + q) / 2 * term - n * p * q * before) / (n + 1)
        total += term / (1 - 4 * (n + 1) ** 2)
    return 4 * pi * a * b * total


def _ratio(a: float, b: float) -> float:
    """Quotient; NaN when there is nothing to compare with."""
    return a / b if b else nan


@morphology.feature("RNU0", "Volume (mesh)")
def mesh_volume(s: Shape) -> float:
    """Volume enclosed by the mesh; a lone voxel becomes an octahedron.

    >>> round(mesh_volume(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    1.3333
    """
    return s.volume


@morphology.feature("YEKZ", "Volume (voxel counting)")
def voxel_volume(s: Shape) -> float:
    """Number of voxels times the volume of one.

    >>> round(voxel_volume(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    8.0
    """
    return s.n_voxels * prod(s.spacing)


@morphology.feature("C0JK", "Surface area (mesh)")
def surface_area(s: Shape) -> float:
    """Summed area of the triangles of the mesh.

    >>> round(surface_area(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    6.9282
    """
    return s.area


@morphology.feature("2PR5", "Surface to volume ratio")
def surface_to_volume_ratio(s: Shape) -> float:
    """Small for compact regions.

    >>> round(surface_to_volume_ratio(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    5.1962
    """
    return s.area / s.volume


@morphology.feature("SKGS", "Compactness 1")
def compactness_1(s: Shape) -> float:
    """1 / (6 pi) = 0.053 for a sphere, less for all else.

    >>> round(compactness_1(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    0.0413
    """
    return s.volume / (sqrt(pi) * s.area**1.5)


@morphology.feature("BQWJ", "Compactness 2")
def compactness_2(s: Shape) -> float:
    """1 for a sphere: the cube of sphericity.

    >>> round(compactness_2(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    0.6046
    """
    return 36 * pi * s.volume**2 / s.area**3


@morphology.feature("KRCK", "Spherical disproportion")
def spherical_disproportion(s: Shape) -> float:
    """Area over that of a sphere of the same volume; the inverse of sphericity.

    >>> round(spherical_disproportion(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    1.1826
    """
    return s.area / (36 * pi * s.volume**2) ** (1 / 3)


@morphology.feature("QCFX", "Sphericity")
def sphericity(s: Shape) -> float:
    """1 for a sphere, less for all else.

    >>> round(sphericity(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    0.8456
    """
    return (36 * pi * s.volume**2) ** (1 / 3) / s.area


@morphology.feature("25C7", "Asphericity")
def asphericity(s: Shape) -> float:
    """0 for a sphere: spherical disproportion less 1.

    >>> round(asphericity(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    0.1826
    """
    return (s.area**3 / (36 * pi * s.volume**2)) ** (1 / 3) - 1


@morphology.feature("KLMA", "Centre of mass shift")
def centre_of_mass_shift(s: Shape) -> float:
    """From the centre of the voxels to that of the intensities.

    NaN without intensities, or if they add up to 0.

    >>> pair = Shape(np.ones((1, 1, 2), bool), (1.0, 1.0, 1.0), x=np.array([1.0, 3.0]))
    >>> round(centre_of_mass_shift(pair), 4)
    0.25
    """
    return dist(s.centre, s.intensity_moments[0])


@morphology.feature("L0JK", "Maximum 3D diameter")
def maximum_3d_diameter(s: Shape) -> float:
    """Between vertices of the mesh, which lie half a voxel outside of voxel centres.

    >>> round(maximum_3d_diameter(Shape(np.ones((1, 1, 1), bool), (2.0, 2.0, 2.0))), 4)
    2.0
    """
    return s.diameter


@morphology.feature("", "Maximum 2D diameter (slice)")
def maximum_2d_diameter_slice(s: Shape) -> float:
    """Between vertices of equal z.

    >>> round(maximum_2d_diameter_slice(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    4.4721
    """
    return s.slice_diameter


@morphology.feature("", "Maximum 2D diameter (column)")
def maximum_2d_diameter_column(s: Shape) -> float:
    """Between vertices of equal y.

    >>> round(maximum_2d_diameter_column(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    4.1231
    """
    return s.column_diameter


@morphology.feature("", "Maximum 2D diameter (row)")
def maximum_2d_diameter_row(s: Shape) -> float:
    """Between vertices of equal x.

    >>> round(maximum_2d_diameter_row(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    3.1623
    """
    return s.row_diameter


@morphology.feature("TDIC", "Major axis length")
def major_axis_length(s: Shape) -> float:
    """Longest axis of the ellipsoid with the variances of the voxel centres.

    >>> round(major_axis_length(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    4.5683
    """
    return 4 * sqrt(s.axis_variances[0])


@morphology.feature("P9VJ", "Minor axis length")
def minor_axis_length(s: Shape) -> float:
    """Second axis of that ellipsoid; 0 for a line of voxels.

    >>> round(minor_axis_length(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    3.3362
    """
    return 4 * sqrt(s.axis_variances[1])


@morphology.feature("7J51", "Least axis length")
def least_axis_length(s: Shape) -> float:
    """Shortest axis of that ellipsoid; 0 for a flat region.

    >>> round(least_axis_length(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    2.043
    """
    return 4 * sqrt(s.axis_variances[2])


@morphology.feature("Q3CK", "Elongation")
def elongation(s: Shape) -> float:
    """1 for a region as broad as long; NaN for one voxel.

    >>> round(elongation(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.7303
    """
    return sqrt(_ratio(s.axis_variances[1], s.axis_variances[0]))


@morphology.feature("N17B", "Flatness")
def flatness(s: Shape) -> float:
    """1 for a region as thick as long, 0 for a flat one; NaN for one voxel.

    >>> round(flatness(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.4472
    """
    return sqrt(_ratio(s.axis_variances[2], s.axis_variances[0]))


@morphology.feature("PBX1", "Volume density (axis-aligned bounding box)")
def volume_density_aabb(s: Shape) -> float:
    """Share of the box around the region that the mesh fills.

    >>> round(volume_density_aabb(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.8403
    """
    return s.volume / box_volume(s.box_sides)


@morphology.feature("R59B", "Area density (axis-aligned bounding box)")
def area_density_aabb(s: Shape) -> float:
    """Area of the mesh over that of the box around it.

    >>> round(area_density_aabb(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.7827
    """
    return s.area / box_area(s.box_sides)


@enclosing_solids.feature("ZH1A", "Volume density (oriented minimum bounding box)")
def volume_density_ombb(s: Shape) -> float:
    """As PBX1, with the box turned so that it is smallest.

    >>> round(volume_density_ombb(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.8403
    """
    return s.volume / box_volume(s.smallest_box)


@enclosing_solids.feature("IQYR", "Area density (oriented minimum bounding box)")
def area_density_ombb(s: Shape) -> float:
    """As R59B, with the box turned so that its volume is smallest.

    >>> round(area_density_ombb(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.7827
    """
    return s.area / box_area(s.smallest_box)


@morphology.feature("6BDE", "Volume density (approximate enclosing ellipsoid)")
def volume_density_aee(s: Shape) -> float:
    """Mesh volume over that of the ellipsoid of its axis lengths; NaN for a flat region.

    >>> round(volume_density_aee(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    1.2369
    """
    return _ratio(s.volume, ellipsoid_volume(s.principal_axes))


@morphology.feature("RDD2", "Area density (approximate enclosing ellipsoid)")
def area_density_aee(s: Shape) -> float:
    """Mesh area over that of the ellipsoid of its axis lengths; NaN for one line of voxels.

    >>> round(area_density_aee(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    1.1378
    """
    return _ratio(s.area, ellipsoid_area(s.principal_axes))


@enclosing_solids.feature("SWZ1", "Volume density (minimum volume enclosing ellipsoid)")
def volume_density_mvee(s: Shape) -> float:
    """Share of the smallest ellipsoid around the mesh that it fills.

    >>> round(volume_density_mvee(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.5981
    """
    return s.volume / ellipsoid_volume(s.enclosing_axes)


@enclosing_solids.feature("BRI8", "Area density (minimum volume enclosing ellipsoid)")
def area_density_mvee(s: Shape) -> float:
    """Area of the mesh over that of the smallest ellipsoid around it.

    >>> round(area_density_mvee(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    0.7801
    """
    return s.area / ellipsoid_area(s.enclosing_axes)


@morphology.feature("R3ER", "Volume density (convex hull)")
def volume_density_convex_hull(s: Shape) -> float:
    """1 for a convex mesh.

    >>> round(volume_density_convex_hull(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    1.0
    """
    return s.volume / s.convex_hull.volume


@morphology.feature("7T7F", "Area density (convex hull)")
def area_density_convex_hull(s: Shape) -> float:
    """1 for a convex mesh, more with hollows.

    >>> round(area_density_convex_hull(Shape(np.ones((2, 3, 4), bool), (1.0, 1.0, 1.0))), 4)
    1.0
    """
    return s.area / s.convex_hull.area


@morphology.feature("99N0", "Integrated intensity")
def integrated_intensity(s: Shape) -> float:
    """Mesh volume times mean intensity; NaN without intensities.

    >>> pair = Shape(np.ones((1, 1, 2), bool), (1.0, 1.0, 1.0), x=np.array([1.0, 3.0]))
    >>> round(integrated_intensity(pair), 4)
    1.3333
    """
    return s.volume * s.intensity_moments[1]
