"""Bodies of known shape, on any grid."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from centrum.geometry import Geometry
from centrum.volume import Mask

Line = Callable[[NDArray], NDArray]

Surface = Callable[[NDArray, NDArray], NDArray]
"""mm by which an end plate fell, of the share of the depth from the front and mm to the left."""

SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Columns from front to back, rows from head to foot, slices from right to left."""

DEPTH, HEIGHT, WIDTH = 34.0, 27.0, 45.0


def flat(at: float) -> Line:
    return lambda x: np.full_like(x, at)


UPPER, LOWER, BEHIND = flat(HEIGHT / 2), flat(-HEIGHT / 2), flat(-DEPTH / 2)


def whole(share: NDArray, left: NDArray) -> NDArray:
    return np.zeros_like(share)


def vertebral_body(
    top: Line = UPPER,
    bottom: Line = LOWER,
    back: Line = BEHIND,
    *,
    above: Surface = whole,
    below: Surface = whole,
    name: str = "L1",
    lean: float = 0.0,
    spacing: tuple[float, float, float] = (0.6, 0.6, 4.4),
    centre: tuple[float, float, float] = (3.0, -12.0, 40.0),
) -> Mask:
    """Between two end plates (mm up, along mm front) and a posterior wall (mm front, along up).

    The upper end plate fell by `above`, and the lower one rose by `below`.
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
    share = 0.5 - front / DEPTH
    inside = (up <= top(front) - above(share, left)) & (up >= bottom(front) + below(share, left))
    inside &= front >= back(up)
    inside &= (front <= DEPTH / 2) & (np.abs(left) <= WIDTH / 2)
    return Mask(inside.reshape(grid.shape), grid, name)


CORNER = 3.0
"""Radius of rounded corners, mm."""


def hollow(sign: float) -> Line:
    """An end plate of a healthy body: hollow by 1.5 mm and round at its corners."""

    def line(front: NDArray) -> NDArray:
        into = np.clip(CORNER - (DEPTH / 2 - np.abs(front)), 0, CORNER)
        corner = CORNER - np.sqrt(CORNER**2 - into**2)
        return sign * (HEIGHT / 2 - 1.5 * (1 - (2 * front / DEPTH) ** 2) - corner)

    return line


HOLLOW = {"top": hollow(1), "bottom": hollow(-1)}


def trough(loss: float, at: float, width: float, slant: float = 0.0) -> Surface:
    """A dent through the whole end plate: `width` at half its depth, a share of the depth.

    It lies `slant` of the depth further back for each mm to the left.
    """

    def drop(share: NDArray, left: NDArray) -> NDArray:
        return loss * HEIGHT * 0.5 ** ((2 * (share - at - slant * left) / width) ** 2)

    return drop


def pit(deep: float, at: float, wide: float, left: float = 0.0) -> Surface:
    """A round dent: mm deep, mm wide at half of that, mm to the left of the middle."""

    def drop(share: NDArray, aside: NDArray) -> NDArray:
        away = np.hypot((share - at) * DEPTH, aside - left)
        return deep * 0.5 ** ((2 * away / wide) ** 2)

    return drop


def wedge(loss: float) -> Surface:
    """From a loss at 12 % of the depth to none at 88 %."""
    return lambda share, left: loss * HEIGHT * np.clip((0.88 - share) / 0.76, 0, None)


def sunk(loss: float) -> Surface:
    """As a parabola from rim to rim."""
    return lambda share, left: loss * HEIGHT * np.clip(4 * share * (1 - share), 0, None)


def crush(loss: float) -> Surface:
    """All of the end plate."""
    return lambda share, left: np.full_like(share, loss * HEIGHT)


def rearranged(mask: Mask, order: tuple[int, ...], flips: tuple[int, ...]) -> Mask:
    """The same voxels in space, stored with other array axes."""
    array = mask.array.transpose(order)
    old = mask.geometry
    axes = old.axes[:, ::-1][:, list(order)] * flips
    spacing = np.array(old.array_spacing)[list(order)]
    ends = [0 if flip > 0 else n - 1 for flip, n in zip(flips, array.shape, strict=True)]
    first = np.empty(3)
    first[list(order)] = ends
    grid = Geometry(
        array.shape[::-1],
        tuple(spacing[::-1]),
        tuple(old.position(first[::-1])),
        tuple(axes[:, ::-1].ravel()),
    )
    return Mask(array[tuple(slice(None, None, flip) for flip in flips)], grid, mask.name)
