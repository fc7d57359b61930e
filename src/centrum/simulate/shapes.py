"""Signed distances (mm, negative inside) and how they are painted on a block of signal."""

import numpy as np
from numpy.typing import NDArray

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
