"""Largest distances between lattice points, from the corners of plane convex hulls.

The points of a plane are given by the two ends of each of its lines. Orientation is decided
in integers (a convex hull stays one when axes are scaled); distances are in mm.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from centrum.kernels.mesh import FAR

CELLS = 8
"""Cells along each axis in which points are gathered when far pairs are sought."""


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _corners(ends: NDArray, start: int, step: int, lines: int, points: NDArray) -> int:
    """Write the corners of a plane's hull, first those of the low ends; how many."""
    low = _chain(ends[0], start, step, lines, 1, points, 0)
    return _chain(ends[1], start, step, lines, -1, points, low)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _largest_in_planes(
    ends: NDArray, planes: int, plane_step: int, lines: int, line_step: int, su: float, sv: float
) -> float:
    reach = np.empty(planes)
    for p in range(planes):
        reach[p] = _reach(ends, p * plane_step, line_step, lines, su, sv)
    points = np.empty((2 * lines, 2), dtype=np.int64)
    best = 0.0
    for _ in range(planes):
        p = int(np.argmax(reach))
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
    if axis == 0:
        return float(_largest_in_planes(flat, n, m, m, 1, unit_along, unit_across))
    return float(_largest_in_planes(flat, m, 1, n, m, unit_along, unit_across))


@njit(cache=True, nogil=True)
def _plane_corners(ends: NDArray, planes: int, lines: int, found: NDArray) -> int:
    points = np.empty((2 * lines, 2), dtype=np.int64)
    top = 0
    for p in range(planes):
        n = _corners(ends, p * lines, 1, lines, points)
        for i in range(n):
            found[top, 0] = points[i, 0]
            found[top, 1] = points[i, 1]
            found[top, 2] = p
            top += 1
    return top


def plane_corners(ends: NDArray[np.int32]) -> NDArray[np.int32]:
    """Corners of the convex hulls of all planes, (n, 3) as (along the line, line, plane).

    Among them are all corners of the hull in space. A corner may come twice.

    >>> row = np.array([[[0, 0, 0]], [[3, 3, 3]]], dtype=np.int32)  # one plane, three lines
    >>> plane_corners(row).tolist()
    [[0, 0, 0], [0, 2, 0], [3, 0, 0], [3, 2, 0]]
    """
    planes, lines = ends.shape[1:]
    found = np.empty((2 * planes * lines, 3), dtype=np.int32)
    return found[: _plane_corners(ends.reshape(2, planes * lines), planes, lines, found)]


@njit(cache=True, nogil=True)
def _middle(points: NDArray) -> NDArray:
    middle = np.empty(3)
    for axis in range(3):
        middle[axis] = 0.5 * (points[:, axis].min() + points[:, axis].max())
    return middle


@njit(cache=True, nogil=True)
def _square(p: NDArray, q: NDArray) -> float:
    return (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2 + (p[2] - q[2]) ** 2


@njit(cache=True, nogil=True)
def _farthest_from(points: NDArray, place: NDArray) -> tuple[int, float]:
    """The point farthest from a place, and its squared distance."""
    index, best = 0, -1.0
    for i in range(len(points)):
        d = _square(points[i], place)
        if d > best:
            index, best = i, d
    return index, best


@njit(cache=True, nogil=True)
def _in_cells(points: NDArray, middle: NDArray, reach: float) -> tuple[NDArray, NDArray]:
    """The points relative to the middle, sorted by cell, and where each cell begins."""
    starts = np.zeros(CELLS**3 + 1, dtype=np.int64)
    owner = np.empty(len(points), dtype=np.int64)
    for i in range(len(points)):
        cell = 0
        for axis in range(3):
            part = (points[i, axis] - middle[axis] + reach) / (2 * reach)
            cell = CELLS * cell + min(int(CELLS * part), CELLS - 1)
        owner[i] = cell
        starts[cell + 1] += 1
    for cell in range(CELLS**3):
        starts[cell + 1] += starts[cell]
    end = starts.copy()
    ordered = np.empty_like(points)
    for i in range(len(points)):
        ordered[end[owner[i]]] = points[i] - middle
        end[owner[i]] += 1
    return ordered, starts


@njit(cache=True, nogil=True)
def _caps(points: NDArray, starts: NDArray) -> tuple[NDArray, int]:
    """Begin, end, unit direction and largest angle from it of the points in each cell."""
    caps = np.empty((len(starts) - 1, 6))
    n = 0
    for cell in range(len(starts) - 1):
        first, last = starts[cell], starts[cell + 1]
        if first == last:
            continue
        axis = np.zeros(3)
        for i in range(first, last):
            axis += points[i]
        axis /= np.sqrt(np.sum(axis**2))
        chord = 0.0
        for i in range(first, last):
            chord = max(chord, _square(points[i] / np.sqrt(np.sum(points[i] ** 2)), axis))
        caps[n, 0], caps[n, 1], caps[n, 2:5] = first, last, axis
        caps[n, 5] = 2 * np.arcsin(min(np.sqrt(chord) / 2, 1.0))
        n += 1
    return caps[:n], n


@njit(cache=True, nogil=True)
def _largest_square(points: NDArray, best: float) -> float:
    """Among points and `best`: first by chance, then between opposite caps alone."""
    middle = _middle(points)
    i, square = _farthest_from(points, middle)
    if square == 0:
        return best
    reach = np.sqrt(square)
    for _ in range(2):
        i, d = _farthest_from(points, points[i])
        best = max(best, d)
    # A point of a farther pair lies at least this far from the middle ...
    nearest = np.sqrt(best) - reach
    kept = np.empty(len(points), dtype=np.bool_)
    for k in range(len(points)):
        kept[k] = _square(points[k], middle) >= nearest**2
    points, starts = _in_cells(points[kept], middle, reach)
    caps, n = _caps(points, starts)
    for a in range(n):
        # ... and the two lie on opposite sides of it, up to this angle.
        turned = caps[a, 5] + np.arccos(min(max(best / (2 * square) - 1, -1.0), 1.0))
        for b in range(a + 1):
            if _square(caps[a, 2:5], -caps[b, 2:5]) > (turned + caps[b, 5]) ** 2:
                continue
            for i in range(int(caps[a, 0]), int(caps[a, 1])):
                for j in range(int(caps[b, 0]), int(caps[b, 1])):
                    best = max(best, _square(points[i], points[j]))
    return best


def largest_distance(points: NDArray[np.float64], at_least: float = 0.0) -> float:
    """Largest distance between two of the points (n, 3), known to be `at_least` this.

    >>> largest_distance(np.array([[0.0, 0, 0], [3, 0, 4], [1, 1, 1]]))
    5.0
    """
    points = np.ascontiguousarray(points, dtype=np.float64)
    return float(_largest_square(points, at_least**2) ** 0.5)
