"""Signed distances (mm, negative inside) and how they are painted on a block of signal.

First of arrays, then the same at one place, for compiled loops.
"""

import numpy as np
from numpy.typing import NDArray

from centrum.kernels.cache import kernel, use_cache

use_cache()
compiled = kernel(error_model="numpy")
"""Of functions of one voxel or of a whole array, which work in double precision in between."""

EDGE_MM = 0.5
"""Width of a painted edge, about a voxel of the build: no staircase survives the blur."""


def smooth_max(a: NDArray, b: NDArray, radius_mm: float) -> NDArray:
    """Maximum of two distances with the corner rounded over `radius_mm`."""
    overlap = a - b
    np.abs(overlap, out=overlap)
    np.subtract(radius_mm, overlap, out=overlap)
    np.maximum(overlap, 0, out=overlap)
    overlap *= overlap
    overlap *= 0.25 / radius_mm
    overlap += np.maximum(a, b)
    return overlap


def rounded_box(x: NDArray, y: NDArray, half: tuple[float, float], radius_mm: float) -> NDArray:
    """Distance to a rectangle of half sizes `half` whose corners have a radius."""
    qx, qy = np.abs(x) - (half[0] - radius_mm), np.abs(y) - (half[1] - radius_mm)
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2)
    return outside + np.minimum(np.maximum(qx, qy), 0) - radius_mm


def ellipse(x: NDArray, y: NDArray, half: tuple[float, float]) -> NDArray:
    """Approximate distance to an ellipse of half axes `half`."""
    return (np.sqrt((x / half[0]) ** 2 + (y / half[1]) ** 2) - 1) * min(half)


def cover(distance: NDArray, edge_mm: float = EDGE_MM) -> NDArray:
    """Share of a voxel that is inside: 1 inside, 0 outside, linear across the edge."""
    share = distance * (-1 / edge_mm)
    share += 0.5
    return np.clip(share, 0, 1, out=share)


def paint(block: NDArray, share: NDArray, signal: NDArray | float) -> None:
    """Replace `share` of what is in the block, in place, by tissue of the given signal."""
    change = signal - block
    change *= share
    block += change


@compiled
def limited(value: float) -> float:
    """The value, but from 0 to 1."""
    return min(max(value, 0.0), 1.0)


@compiled
def covered(distance: float, edge_mm: float) -> float:
    """`cover` of one voxel."""
    return limited(0.5 - distance / edge_mm)


@compiled
def mixed(old: float, share: float, new: float) -> float:
    """What `paint` makes of one voxel."""
    return old + share * (new - old)


@compiled
def elliptic(x: float, y: float, deep: float, wide: float) -> float:
    """`ellipse` at one place."""
    a, b = x / deep, y / wide
    return (np.sqrt(a * a + b * b) - 1.0) * min(deep, wide)


@compiled
def rounded_maximum(a: float, b: float, radius_mm: float) -> float:
    """`smooth_max` at one place."""
    overlap = max(radius_mm - abs(a - b), 0.0)
    return max(a, b) + overlap * overlap * 0.25 / radius_mm


Place = tuple[NDArray, int, int]
"""Planes of an array, and the first row and the first column of them."""


def paint_rimmed(
    tissue: NDArray,
    place: Place,
    distance: NDArray,
    rim: tuple[float, float, float],
    core: tuple[float, float],
    signal: NDArray,
) -> None:
    """Paint a shape with a rim of one signal round a core of another, in place.

    Parameters
    ----------
    tissue : (planes, rows, columns), contiguous
    place : where of it the shape is painted
    distance : to its outline, mm (planes, rows, columns)
    rim : how far outwards it reaches, the width of its edge, mm, and its signal
    core : how far outwards it reaches and the width of its edge, mm
    signal : of the core, at each place

    >>> tissue = np.ones((1, 1, 4), np.float32)
    >>> distance = np.array([[[3.0, 0.0, -3.0]]], np.float32)
    >>> place, core = (np.array([0]), 0, 1), np.full_like(distance, 5)
    >>> paint_rimmed(tissue, place, distance, (1.0, 0.5, 0.0), (-1.0, 0.5), core)
    >>> tissue
    array([[[1., 1., 0., 5.]]], dtype=float32)
    """
    _paint_rimmed(tissue, *place, distance, *rim, *core, signal)


@compiled
def _paint_rimmed(
    tissue: NDArray,
    planes: NDArray,
    first_row: int,
    first_column: int,
    distance: NDArray,
    rim: float,
    rim_edge: float,
    rim_signal: float,
    core: float,
    core_edge: float,
    signal: NDArray,
) -> None:
    for z in range(len(planes)):
        for y in range(distance.shape[1]):
            shape, bright = distance[z, y], signal[z, y]
            row = tissue[planes[z], first_row + y, first_column : first_column + shape.size]
            for k in range(row.size):
                ringed = mixed(row[k], covered(shape[k] - rim, rim_edge), rim_signal)
                row[k] = mixed(ringed, covered(shape[k] - core, core_edge), bright[k])
