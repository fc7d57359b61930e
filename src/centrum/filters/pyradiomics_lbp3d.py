"""Local binary patterns in space as PyRadiomics has them: spherical harmonics of the pattern.

Source: Banerjee, Moelker, Niessen, van Walsum, 3D LBP-based rotationally invariant region
description, ACCV 2012 Workshops, LNCS 7728; as PyRadiomics reads it.
"""

from collections.abc import Iterator
from functools import cache, cached_property
from itertools import combinations
from math import ceil, factorial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from centrum.arrays import Array, Complexes, Floats, Ints
from centrum.filters.filter import Filter, register
from centrum.filters.view import Reach, View
from centrum.settings import Dialect

SPLINE_MARGIN = 32
"""Voxels on which a coefficient of the cubic spline depends: 0.268^32 is 5e-19."""

CHUNK = 4096
"""Voxels whose neighbours are interpolated at a time."""


@register
class LocalBinaryPattern3D(Filter):
    """How strong each degree of spherical harmonics is in the pattern of brighter neighbours.

    The neighbours lie on the corners of a subdivided icosahedron, in voxels whatever the spacing,
    and are interpolated by cubic splines in the number type of the image; beyond it they are 0.
    The last map is the kurtosis of the neighbours, -3 where all are equal.

    >>> LocalBinaryPattern3D(lbp3DLevels=3).names
    ('lbp-3D-m1', 'lbp-3D-m2', 'lbp-3D-m3', 'lbp-3D-k')
    >>> flat = View.whole(np.ones((5, 5, 5), np.int16), (1.0, 1.0, 1.0))
    >>> mean, *_ = LocalBinaryPattern3D(lbp3DIcosphereSubdivision=0).respond(flat)
    >>> np.isclose(mean[2, 2, 2], 12**1.5 / (4 * np.pi)).item()
    True
    """

    dialect: ClassVar[Dialect] = "pyradiomics"

    filter: Literal["LBP3D"] = "LBP3D"
    lbp3DLevels: int = Field(2, ge=1, le=32, description="degrees of spherical harmonics, from 0")
    lbp3DIcosphereRadius: float = Field(1.0, gt=0, le=100, description="voxels to the neighbours")
    lbp3DIcosphereSubdivision: int = Field(
        1, ge=0, le=5, description="how often the icosahedron of neighbours is subdivided"
    )

    @property
    def names(self) -> tuple[str, ...]:
        return (*(f"lbp-3D-m{k + 1}" for k in range(self.lbp3DLevels)), "lbp-3D-k")

    @property
    def margin(self) -> int:
        """Voxels to the neighbours and what their spline depends on."""
        return ceil(self.lbp3DIcosphereRadius) + SPLINE_MARGIN

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        return self.margin, self.margin, self.margin

    @cached_property
    def corners(self) -> Floats:
        """Unit vectors to the neighbours, (n, 3)."""
        return icosphere(self.lbp3DIcosphereSubdivision)

    @cached_property
    def harmonics(self) -> list[Complexes]:
        """Of each degree at the neighbours, (neighbours, orders)."""
        return [spherical_harmonics(n, self.corners) for n in range(self.lbp3DLevels)]

    def respond(self, view: View) -> Iterator[NDArray[np.floating]]:
        """float64; the spline is that of the whole image to 1e-12 of its range."""
        voxels = np.indices(view.shape).reshape(3, -1)
        values = np.empty((self.lbp3DLevels + 1, voxels.shape[1]))
        centres = view.array[view.box].ravel()
        interpolated = self._interpolation(view)
        for start in range(0, centres.size, CHUNK):
            part = slice(start, start + CHUNK)
            neighbours = interpolated(voxels[:, part])
            brighter = (neighbours >= centres[part, None]).astype(float)
            values[:-1, part] = [strength(brighter, y) for y in self.harmonics]
            values[-1, part] = kurtosis(neighbours.astype(float))
        yield from values.reshape(-1, *view.shape)

    def _interpolation(self, view: View) -> Any:
        """The neighbours (n, corners) of voxels (3, n) of the box."""
        from scipy.ndimage import map_coordinates, spline_filter

        support = tuple(
            slice(max(b.start - self.margin, 0), min(b.stop + self.margin, n))
            for b, n in zip(view.box, view.array.shape, strict=True)
        )
        image = view.array[support]
        spline = spline_filter(image, order=3, output=np.float64, mode="constant")
        origin = np.array([b.start - s.start for b, s in zip(view.box, support, strict=True)])
        steps = self.corners * self.lbp3DIcosphereRadius

        def interpolated(voxels: Ints) -> Array:
            places = (voxels + origin[:, None])[:, :, None] + steps.T[:, None, :]
            return map_coordinates(spline, places, output=image.dtype, order=3, prefilter=False)

        return interpolated


def strength(brighter: Floats, harmonics: Complexes) -> Floats:
    """Norm of the part of a pattern (n, neighbours) that harmonics of one degree make, (n,).

    PyRadiomics sums products without conjugation and keeps the real part.
    """
    orders = brighter @ harmonics
    squares = ((orders @ (harmonics.T @ harmonics)) * orders).sum(axis=1)
    return np.asarray(np.sqrt(squares).real)


def kurtosis(x: Floats) -> Floats:
    """Excess kurtosis of each row; -3 for equal values.

    >>> kurtosis(np.array([[1.0, 1, 1], [0, 2, 2]])).round(6).tolist()
    [-3.0, -1.5]
    """
    deviation = x - x.mean(axis=1, keepdims=True)
    second, fourth = ((deviation**k).mean(axis=1) for k in (2, 4))
    return np.divide(fourth, second**2, out=np.zeros_like(second), where=second > 0) - 3


def spherical_harmonics(degree: int, directions: Floats) -> Complexes:
    """Of all orders -n to n in some directions, (directions, 2 n + 1).

    PyRadiomics takes the angle from the axis for the longitude and the longitude for the angle
    from the axis, which therefore lies between -pi and pi.

    >>> spherical_harmonics(1, np.array([[1.0, 0.0, 0.0]])).real.round(6).tolist()
    [[0.0, 0.488603, -0.0]]
    """
    from scipy.special import lpmv

    x, y, z = directions.T
    longitude, cosine = np.arccos(np.clip(z, -1, 1)), np.cos(np.arctan2(y, x))
    found = []
    for order in range(degree + 1):
        ratio = factorial(degree - order) / factorial(degree + order)
        scale = np.sqrt((2 * degree + 1) / (4 * np.pi) * ratio)
        made = scale * lpmv(order, degree, cosine) * np.exp(1j * order * longitude)
        found.append(made)
    negative = [(-1) ** k * found[k].conj() for k in range(degree, 0, -1)]
    return np.stack([*negative, *found], axis=1)


@cache
def icosphere(subdivision: int) -> Floats:
    """Unit vectors to the corners of an icosahedron whose triangles were cut in four, (n, 3).

    >>> [len(icosphere(k)) for k in range(3)]
    [12, 42, 162]
    """
    corners, triangles = _icosahedron()
    for _ in range(subdivision):
        middles: dict[tuple[int, int], int] = {}
        for triangle in triangles:
            for a, b in combinations(triangle, 2):
                middles.setdefault((a, b), len(corners) + len(middles))
        corners = np.vstack([corners, _unit([corners[[a, b]].sum(axis=0) for a, b in middles])])
        triangles = [small for triangle in triangles for small in _quarters(triangle, middles)]
    return corners


def _icosahedron() -> tuple[Floats, list[tuple[int, ...]]]:
    """Corners, and the corners of each of its 20 triangles in ascending order."""
    golden = (1 + np.sqrt(5)) / 2
    plane = [(s, t * golden, 0.0) for s in (-1, 1) for t in (-1, 1)]
    corners = _unit([np.roll(p, k) for k in range(3) for p in plane])
    near = corners @ corners.T > 0.4
    triangles: list[tuple[int, ...]] = [
        t for t in combinations(range(12), 3) if all(near[a, b] for a, b in combinations(t, 2))
    ]
    return corners, triangles


def _quarters(
    triangle: tuple[int, ...], middles: dict[tuple[int, int], int]
) -> list[tuple[int, ...]]:
    a, b, c = triangle
    ab, ac, bc = middles[a, b], middles[a, c], middles[b, c]
    found = [(a, ab, ac), (b, ab, bc), (c, ac, bc), (ab, ac, bc)]
    return [tuple(sorted(t)) for t in found]


def _unit(vectors: Any) -> Floats:
    rows = np.asarray(vectors, dtype=float)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
