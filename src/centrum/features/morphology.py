"""Morphological features (IBSI 3.1, HCUG)."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from centrum.features.registry import Family
from centrum.kernels.marching_cubes import mesh_area_volume, mesh_vertices
from centrum.volume import bounding_box

Array = NDArray[Any]

morphology = Family("morphology")


@dataclass(frozen=True, eq=False)
class Shape:
    """A region `inside` (z, y, x) on a grid of `spacing` mm along x, y, z.

    Its voxels and the mesh around it are measured once and shared by all features.
    `ddof` is subtracted from the number of voxels in the covariance of their centres: 1 in
    the consensus of the IBSI, 0 in PyRadiomics.
    """

    inside: NDArray[np.bool_]
    spacing: tuple[float, float, float]
    ddof: int = 1

    @cached_property
    def _area_volume(self) -> tuple[float, float]:
        return mesh_area_volume(self.inside, self.spacing)

    @property
    def area(self) -> float:
        """Surface area of the mesh, mm2."""
        return self._area_volume[0]

    @property
    def volume(self) -> float:
        """Volume enclosed by the mesh, mm3."""
        return self._area_volume[1]

    @cached_property
    def vertices(self) -> Array:
        """Vertices of the mesh, (n, 3), in half voxels along x, y, z."""
        cropped = self.inside[bounding_box(self.inside)]
        return np.rint(2 * mesh_vertices(cropped, (1.0, 1.0, 1.0))).astype(int)

    @cached_property
    def axis_variances(self) -> Array:
        """Variances along the principal axes of the voxel centres, mm2, largest first."""
        points = np.argwhere(self.inside)[:, ::-1] * self.spacing
        if len(points) < 2:
            return np.zeros(3)
        covariance = np.atleast_2d(np.cov(points.T, ddof=self.ddof))
        return np.maximum(np.linalg.eigvalsh(covariance)[::-1], 0)

    def diameter(self, within: int | None = None) -> float:
        """Largest distance in mm between two vertices.

        With `within`, both vertices lie in one plane perpendicular to that image axis
        (0 = x, 1 = y, 2 = z).
        """
        points = self.vertices * np.array(self.spacing) / 2
        if within is None:
            return _largest_distance(points)
        planes = self.vertices[:, within]
        order = np.argsort(planes, kind="stable")
        cuts = np.flatnonzero(np.diff(planes[order])) + 1
        others = [axis for axis in range(3) if axis != within]
        return max(_largest_distance(points[g][:, others]) for g in np.split(order, cuts))


def _largest_distance(points: Array) -> float:
    """Between the corners of the convex hull; of all points where there is no hull."""
    if len(points) < 2:
        return 0.0
    if len(points) > points.shape[1] + 1:
        with suppress(QhullError):  # all points lie on one line or plane
            points = points[ConvexHull(points).vertices]
    return float(pdist(points).max())


@morphology.feature("RNU0", "Volume (mesh)")
def mesh_volume(s: Shape) -> float:
    return s.volume


@morphology.feature("YEKZ", "Volume (voxel counting)")
def voxel_volume(s: Shape) -> float:
    return float(np.count_nonzero(s.inside) * np.prod(s.spacing))


@morphology.feature("C0JK", "Surface area (mesh)")
def surface_area(s: Shape) -> float:
    return s.area


@morphology.feature("2PR5", "Surface to volume ratio")
def surface_to_volume_ratio(s: Shape) -> float:
    return s.area / s.volume


@morphology.feature("SKGS", "Compactness 1")
def compactness_1(s: Shape) -> float:
    return s.volume / (pi**0.5 * s.area**1.5)


@morphology.feature("BQWJ", "Compactness 2")
def compactness_2(s: Shape) -> float:
    return 36 * pi * s.volume**2 / s.area**3


@morphology.feature("KRCK", "Spherical disproportion")
def spherical_disproportion(s: Shape) -> float:
    return s.area / (36 * pi * s.volume**2) ** (1 / 3)


@morphology.feature("QCFX", "Sphericity")
def sphericity(s: Shape) -> float:
    return (36 * pi * s.volume**2) ** (1 / 3) / s.area


@morphology.feature("25C7", "Asphericity")
def asphericity(s: Shape) -> float:
    return (s.area**3 / (36 * pi * s.volume**2)) ** (1 / 3) - 1


@morphology.feature("L0JK", "Maximum 3D diameter")
def maximum_3d_diameter(s: Shape) -> float:
    return s.diameter()


@morphology.feature("", "Maximum 2D diameter (slice)")
def maximum_2d_diameter_slice(s: Shape) -> float:
    return s.diameter(within=2)


@morphology.feature("", "Maximum 2D diameter (column)")
def maximum_2d_diameter_column(s: Shape) -> float:
    return s.diameter(within=1)


@morphology.feature("", "Maximum 2D diameter (row)")
def maximum_2d_diameter_row(s: Shape) -> float:
    return s.diameter(within=0)


@morphology.feature("TDIC", "Major axis length")
def major_axis_length(s: Shape) -> float:
    return float(4 * np.sqrt(s.axis_variances[0]))


@morphology.feature("P9VJ", "Minor axis length")
def minor_axis_length(s: Shape) -> float:
    return float(4 * np.sqrt(s.axis_variances[1]))


@morphology.feature("7J51", "Least axis length")
def least_axis_length(s: Shape) -> float:
    return float(4 * np.sqrt(s.axis_variances[2]))


@morphology.feature("Q3CK", "Elongation")
def elongation(s: Shape) -> float:
    return float(np.sqrt(s.axis_variances[1] / s.axis_variances[0]))


@morphology.feature("N17B", "Flatness")
def flatness(s: Shape) -> float:
    return float(np.sqrt(s.axis_variances[2] / s.axis_variances[0]))
