"""Largest distances between lattice points, from the corners of plane convex hulls.

The points of a plane are given by the two ends of each of its lines. Orientation is decided
in integers (a convex hull stays one when axes are scaled); distances are in mm.
"""

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.kernels.cache import kernel, part
from centrum.kernels.mesh import FAR

CELLS = 8
"""Cells along each axis in which points are gathered when far pairs are sought."""


@part
def _chain(
    ends: NDArray, start: int, step: int, lines: int, side: int, points: NDArray, first: int
) -> int:
    """Write the corners (u, line) of one side of a plane's hull from `first` on; their end."""
    top = first
    for line in range(lines):
        u = np.int64(ends[start + line * step])
        if u < 0 or u == FAR:
            continue
        while top - first >= 2:
            ax, ay = points[top - 2, 0], points[top - 2, 1]
            turn = (points[top - 1, 0] - ax) * (line - ay) - (points[top - 1, 1] - ay) * (u - ax)
            if turn * side < 0:
                break
            top -= 1
        points[top, 0] = u
        points[top, 1] = line
        top += 1
    return top


@part
def _corners(ends: NDArray, start: int, step: int, lines: int, points: NDArray) -> int:
    """Write the corners of a plane's hull, first those of the low ends; how many."""
    top = np.int64(0)  # a plain 0 is a type of its own, for which `_chain` would be compiled again
    for end in range(2):
        top = _chain(ends[end], start, step, lines, 1 - 2 * end, points, top)
    return int(top)


@part
def _reach(ends: NDArray, start: int, step: int, lines: int, su: float, sv: float) -> float:
    """Squared radius of a circle around all points of a plane; -1 without a point."""
    u0, u1, v0, v1 = int(FAR), -1, -1, -1
    for line in range(lines):
        if ends[1, start + line * step] >= 0:
            u0 = min(u0, int(ends[0, start + line * step]))
            u1 = max(u1, int(ends[1, start + line * step]))
            v0 = line if v0 < 0 else v0
            v1 = line
    if u1 < 0:
        return -1.0
    u, v = 0.5 * (u0 + u1), 0.5 * (v0 + v1)
    largest = 0.0
    for line in range(v0, v1 + 1):
        if ends[1, start + line * step] >= 0:
            du = max(u - ends[0, start + line * step], ends[1, start + line * step] - u)
            largest = max(largest, (du * su) ** 2 + ((line - v) * sv) ** 2)
    return largest


@kernel
def _largest_in_planes(
    ends: NDArray, plane_step: int, line_step: int, su: float, sv: float,
    reach: NDArray, points: NDArray,
) -> float:  # fmt: skip
    """`reach` holds a number for each plane, `points` two for each of its lines."""
    planes, lines = reach.size, len(points) // 2
    for p in range(planes):
        reach[p] = _reach(ends, p * plane_step, line_step, lines, su, sv)
    best = 0.0
    for _ in range(planes):
        p = 0
        for k in range(planes):
            p = k if reach[k] > reach[p] else p
        # No pair of this plane, nor of those that reach less far, can be farther apart.
        if 4 * reach[p] <= best:
            break
        reach[p] = -1.0
        n = _corners(ends, p * plane_step, line_step, lines, points)
        for i in range(n):
            for j in range(i):
                du, dv = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1]
                best = max(best, (du * su) ** 2 + (dv * sv) ** 2)
    return float(np.sqrt(best))


def largest_in_planes(
    ends: NDArray[np.int32], axis: int, unit_along: float, unit_across: float
) -> float:
    """Largest distance in mm between two points of one plane, over all planes.

    Parameters
    ----------
    ends : (2, n, m) first and last point on every line, counted along the line; an empty
        line ends at -1
    axis : what counts the planes, 0 (n planes of m lines) or 1 (m planes of n lines)
    unit_along, unit_across : mm of a step along a line and from line to line

    >>> square = np.array([[[0, 0]], [[3, 3]]], dtype=np.int32)  # one plane, two lines
    >>> largest_in_planes(square, 0, 1.0, 4.0), largest_in_planes(square, 1, 1.0, 4.0)
    (5.0, 3.0)
    """
    n, m = ends.shape[1:]
    flat = ends.reshape(2, n * m)
    planes, lines, steps = (n, m, (m, 1)) if axis == 0 else (m, n, (1, m))
    reach, points = np.empty(planes), np.empty((2 * lines, 2), dtype=np.int64)
    return float(_largest_in_planes(flat, *steps, unit_along, unit_across, reach, points))


@kernel
def _plane_corners(
    ends: NDArray, planes: int, lines: int, points: NDArray, kept: NDArray, found: NDArray
) -> int:
    """`points` has room for the corners of a plane, `kept` for all ends."""
    kept[:] = -1
    top, step = np.int64(0), np.int64(1)  # as in `_corners`
    for plane in range(planes):
        for end in range(2):
            n = _chain(ends[end], plane * lines, step, lines, 1 - 2 * end, points, top)
            for i in range(n):
                kept[end, plane * lines + points[i, 1]] = points[i, 0]
    for line in range(lines):
        n = _corners(kept, line, lines, planes, points)
        for i in range(n):
            found[top, 0], found[top, 1], found[top, 2] = points[i, 0], line, points[i, 1]
            top += 1
    return int(top)


def plane_corners(ends: NDArray[np.int32]) -> NDArray[np.int32]:
    """Points that are corners of the convex hulls of two planes, (n, 3).

    They are (along the line, line, plane), in the order of the lines; the planes are those of
    `ends` and those across them along the lines. Among them are all corners of the hull in space.
    A corner may come twice.

    >>> row = np.array([[[0, 0, 0]], [[3, 3, 3]]], dtype=np.int32)  # one plane, three lines
    >>> plane_corners(row).tolist()
    [[0, 0, 0], [3, 0, 0], [0, 2, 0], [3, 2, 0]]
    """
    planes, lines = ends.shape[1:]
    flat, points = ends.reshape(2, -1), np.empty((2 * max(planes, lines), 2), dtype=np.int64)
    found = np.empty((flat.size, 3), dtype=np.int32)
    return found[: _plane_corners(flat, planes, lines, points, np.empty_like(flat), found)]


@part
def _square(p: NDArray, i: int, x: float, y: float, z: float) -> float:
    """Squared distance of point i from a place."""
    dx, dy, dz = p[i, 0] - x, p[i, 1] - y, p[i, 2] - z
    return dx * dx + dy * dy + dz * dz


@part
def _farthest_from(points: NDArray, x: float, y: float, z: float) -> int:
    index, best = 0, -1.0
    for i in range(len(points)):
        d = _square(points, i, x, y, z)
        if d > best:
            index, best = i, d
    return index


@part
def _centred(points: NDArray, nearest: float, middle: NDArray, kept: NDArray) -> int:
    """Write the points at least `nearest` to the middle relative to it; how many."""
    n = 0
    for i in range(len(points)):
        if _square(points, i, middle[0], middle[1], middle[2]) >= nearest * nearest:
            for axis in range(3):
                kept[n, axis] = points[i, axis] - middle[axis]
            n += 1
    return n


@part
def _sort_into_cells(
    points: NDArray, n: int, reach: float, owner: NDArray, cells: NDArray, ends: NDArray
) -> None:
    """Write the first n points cell by cell, the cell of each, and where each cell ends."""
    for i in range(n):
        cell = 0
        for axis in range(3):
            part = int(CELLS * (points[i, axis] + reach) / (2 * reach))
            cell = CELLS * cell + min(part, CELLS - 1)
        owner[i] = cell
        ends[cell] += 1
    for cell in range(1, len(ends)):
        ends[cell] += ends[cell - 1]
    for i in range(n - 1, -1, -1):
        ends[owner[i]] -= 1
        for axis in range(3):
            cells[ends[owner[i]], axis] = points[i, axis]
    for cell in range(len(ends) - 1):
        ends[cell] = ends[cell + 1]
    ends[len(ends) - 1] = n


@part
def _caps(points: NDArray, ends: NDArray, caps: NDArray) -> int:
    """Write begin, end, unit direction of the points in each cell and their largest angle to it.

    Returns how many cells have points.
    """
    n = first = 0
    for cell in range(len(ends)):
        last = ends[cell]
        if first == last:
            continue
        x = y = z = 0.0
        for i in range(first, last):
            x, y, z = x + points[i, 0], y + points[i, 1], z + points[i, 2]
        length = np.sqrt(x * x + y * y + z * z)
        x, y, z = x / length, y / length, z / length
        chord = 0.0
        for i in range(first, last):
            r = np.sqrt(_square(points, i, 0.0, 0.0, 0.0))
            chord = max(chord, _square(points, i, r * x, r * y, r * z) / (r * r))
        caps[n, 0], caps[n, 1] = first, last
        caps[n, 2], caps[n, 3], caps[n, 4] = x, y, z
        caps[n, 5] = 2 * np.arcsin(min(np.sqrt(chord) / 2, 1.0))
        n += 1
        first = last
    return n


@kernel
def _largest_square(
    points: NDArray, middle: NDArray, best: float, kept: NDArray, cells: NDArray, owner: NDArray,
    ends: NDArray, caps: NDArray,
) -> float:  # fmt: skip
    """Among points and `best`: first by chance, then between opposite caps alone.

    `kept`, `cells` and `owner` have room for all points, `ends` (zeros) and `caps` for all cells.
    """
    i = _farthest_from(points, middle[0], middle[1], middle[2])
    square = _square(points, i, middle[0], middle[1], middle[2])
    if square == 0:
        return best
    for _ in range(2):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        i = _farthest_from(points, x, y, z)
        best = max(best, _square(points, i, x, y, z))
    # A point of a farther pair lies at least this far from the middle ...
    nearest = np.sqrt(best) - np.sqrt(square)
    n = _centred(points, nearest, middle, kept)
    _sort_into_cells(kept, n, np.sqrt(square), owner, cells, ends)
    n = _caps(cells, ends, caps)
    for a in range(n):
        # ... and the two lie on opposite sides of it, up to this angle.
        turned = caps[a, 5] + np.arccos(min(max(best / (2 * square) - 1, -1.0), 1.0))
        for b in range(a + 1):
            x, y, z = caps[a, 2] + caps[b, 2], caps[a, 3] + caps[b, 3], caps[a, 4] + caps[b, 4]
            angle = turned + caps[b, 5]
            if x * x + y * y + z * z > angle * angle:
                continue
            for i in range(int(caps[a, 0]), int(caps[a, 1])):
                for j in range(int(caps[b, 0]), int(caps[b, 1])):
                    d = _square(cells, i, cells[j, 0], cells[j, 1], cells[j, 2])
                    best = max(best, d)
    return best


def largest_distance(points: Floats, at_least: float = 0.0) -> float:
    """Largest distance between two of the points (n, 3), known to be `at_least` this.

    >>> largest_distance(np.array([[0.0, 0, 0], [3, 0, 4], [1, 1, 1]]))
    5.0
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    kept, cells = np.empty((2, *points.shape))
    owner, ends = np.empty(len(points), dtype=np.int64), np.zeros(CELLS**3, dtype=np.int64)
    caps = np.empty((CELLS**3, 6))
    square = _largest_square(points, middle, at_least**2, kept, cells, owner, ends, caps)
    return float(square**0.5)
