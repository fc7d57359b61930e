"""Bodies of known shape, on any grid."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from centrum.geometry import Geometry
from centrum.volume import Mask

Line = Callable[[NDArray], NDArray]

SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Columns from front to back, rows from head to foot, slices from right to left."""

DEPTH, HEIGHT, WIDTH = 34.0, 27.0, 45.0


def flat(at: float) -> Line:
    return lambda x: np.full_like(x, at)


UPPER, LOWER, BEHIND = flat(HEIGHT / 2), flat(-HEIGHT / 2), flat(-DEPTH / 2)


def vertebral_body(
    top: Line = UPPER,
    bottom: Line = LOWER,
    back: Line = BEHIND,
    *,
    name: str = "L1",
    lean: float = 0.0,
    spacing: tuple[float, float, float] = (0.6, 0.6, 4.4),
    centre: tuple[float, float, float] = (3.0, -12.0, 40.0),
) -> Mask:
    """Between two end plates (mm up, along mm front) and a posterior wall (mm front, along up).

    `lean` in degrees forwards, `centre` in LPS.
    """
    field = np.array((90.0, 90.0, 62.0))
    size = np.ceil(field / spacing).astype(int)
    axes = np.array(SAGITTAL).reshape(3, 3)
    corner = np.array(centre) - axes @ ((size - 1) / 2 * spacing) + 0.07
    grid = Geometry(tuple(size), spacing, tuple(corner), SAGITTAL)
    index = np.indices(grid.shape)[::-1].reshape(3, -1).T
    left, back_wards, up_wards = (grid.position(index) - centre).T
    angle = np.radians(lean)
    front = -back_wards * np.cos(angle) - up_wards * np.sin(angle)
    up = up_wards * np.cos(angle) - back_wards * np.sin(angle)
    inside = (up <= top(front)) & (up >= bottom(front)) & (front >= back(up))
    inside &= (front <= DEPTH / 2) & (np.abs(left) <= WIDTH / 2)
    return Mask(inside.reshape(grid.shape), grid, name)
