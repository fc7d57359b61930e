"""The convex hull of lattice points in space, point by point and without rounding.

A point outside the hull of those before it takes away the triangles that it sees and is joined to
their outline (Kallay 1981). What it sees is decided in integers: triangles of one face need no
tolerance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Floats, Ints
from centrum.errors import DataError
from centrum.kernels.cache import kernel, part

FARTHEST = 2**18
"""Coordinates lie within this, so that no product needs more than 64 bits."""


@dataclass(frozen=True, eq=False)
class Hull:
    """A convex polyhedron of triangles.

    Attributes
    ----------
    points : (n, 3) its corners, mm
    triangles : (m, 3) indices of a triangle's corners, counter-clockwise seen from outside
    neighbours : (m, 3) the triangle on the other side of the edge that lies opposite a corner
    normals : (m, 3) outward normal of each triangle, as long as the triangle is large in mm2
    """

    points: Floats
    triangles: Ints
    neighbours: Ints
    normals: Floats

    @property
    def area(self) -> float:
        """Surface area, mm2."""
        return float(np.linalg.norm(self.normals, axis=1).sum())

    @property
    def volume(self) -> float:
        """Enclosed volume, mm3."""
        seen = self.points[self.triangles[:, 0]] - self.points.mean(axis=0)
        return float((seen * self.normals).sum() / 3)


@part
def _above(plane: NDArray, points: NDArray, p: int) -> int:
    """Positive for a point outside of a plane, 0 on it."""
    x, y, z = points[p, 0], points[p, 1], points[p, 2]
    return int(plane[0] * x + plane[1] * y + plane[2] * z - plane[3])


@part
def _write_triangle(
    points: NDArray, a: int, b: int, c: int, triangle: NDArray, plane: NDArray
) -> None:
    """Write its corners; its normal, twice as long as it is large, and where its plane lies."""
    triangle[0], triangle[1], triangle[2] = a, b, c
    ux, vx = points[b, 0] - points[a, 0], points[c, 0] - points[a, 0]
    uy, vy = points[b, 1] - points[a, 1], points[c, 1] - points[a, 1]
    uz, vz = points[b, 2] - points[a, 2], points[c, 2] - points[a, 2]
    plane[0], plane[1], plane[2] = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    plane[3] = 0
    plane[3] = _above(plane, points, a)


@part
def _start(points: NDArray, triangles: NDArray, planes: NDArray) -> int:
    """Write the first triangle there is, from both sides; the first point off its plane, or -1."""
    a = b = c = int(np.int64(0))  # a plain 0 is a type of its own
    for p in range(len(points)):
        if b == a:
            for axis in range(3):
                b = p if points[p, axis] != points[a, axis] else b
        elif c == a:
            _write_triangle(points, a, b, p, triangles[0], planes[0])
            for axis in range(3):
                c = p if planes[0, axis] != 0 else c
        elif _above(planes[0], points, p) != 0:
            _write_triangle(points, a, c, b, triangles[1], planes[1])
            return p
    return -1


@part
def _first_seen(points: NDArray, p: int, planes: NDArray, newest: NDArray, n: int) -> int:
    """A triangle that point p sees, sought among the n newest first; -1 if it sees none."""
    for k in range(n):
        if _above(planes[newest[k]], points, p) > 0:
            return int(newest[k])
    for t in range(len(planes)):
        if _above(planes[t], points, p) > 0:
            return t
    return -1


@part
def _follow(
    points: NDArray, p: int, triangles: NDArray, neighbours: NDArray, planes: NDArray,
    seen_by: NDArray, seen: NDArray, outline: NDArray,
) -> tuple[int, int]:  # fmt: skip
    """Write all triangles that point p sees, from `seen[0]` on, and their outline; lengths of both.

    An edge of the outline is two corners, the triangle beyond, and which of its neighbours is seen.
    """
    seen_by[seen[0]] = p  # never point 0, which is a corner of the first triangle
    n, k, edges = 1, 0, 0
    while k < n:
        t = seen[k]
        for e in range(3):
            beyond = neighbours[t, e]
            if seen_by[beyond] == p:
                continue
            if _above(planes[beyond], points, p) > 0:
                seen[n], seen_by[beyond] = beyond, p
                n += 1
                continue
            a, b = triangles[t, (e + 1) % 3], triangles[t, (e + 2) % 3]
            outline[edges, 0], outline[edges, 1], outline[edges, 2] = a, b, beyond
            for back in range(3):
                if triangles[beyond, back] != a and triangles[beyond, back] != b:
                    outline[edges, 3] = back
            edges += 1
        k += 1
    return n, edges


@kernel
def _build(
    points: NDArray, triangles: NDArray, neighbours: NDArray, planes: NDArray, outline: NDArray,
    free: NDArray, newest: NDArray, seen: NDArray, seen_by: NDArray, begin: NDArray,
) -> int:  # fmt: skip
    """Write the triangles; how many rows are still `free`, 0 if the points lie in one plane.

    All but `begin` have two rows a point. `planes` are 0 where there is no triangle; the numbers of
    these rows are `free`, the next one last. `neighbours` begins with those of two triangles.
    """
    first = _start(points, triangles, planes)
    if first < 0:
        return 0
    rows, fresh = len(free) - 2, int(np.int64(0))
    for turn in range(-1, len(points)):
        p = first if turn < 0 else turn
        seen[0] = _first_seen(points, p, planes, newest, fresh)
        if seen[0] < 0:
            continue
        n, fresh = _follow(points, p, triangles, neighbours, planes, seen_by, seen, outline)
        for k in range(n):
            planes[seen[k]] = 0
            free[rows + k] = seen[k]
        rows += n
        for e in range(fresh):
            rows -= 1
            t, a, b, beyond = free[rows], outline[e, 0], outline[e, 1], outline[e, 2]
            _write_triangle(points, a, b, p, triangles[t], planes[t])
            neighbours[t, 2], neighbours[beyond, outline[e, 3]] = beyond, t
            newest[e], begin[a] = t, t
        for e in range(fresh):
            t = newest[e]
            after = begin[triangles[t, 1]]
            neighbours[t, 0], neighbours[after, 1] = after, t
    return int(rows)


def convex_hull(points: Array, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Hull:
    """The convex hull of points (n, 3) of whole numbers, times `scale`.

    A hull stays one when the axes are scaled. It is found quickly of points that come plane after
    plane.

    Raises
    ------
    DataError
        All points lie in one plane, or one lies farther out than `FARTHEST`.

    >>> cube = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
    >>> hull = convex_hull(cube, (1.0, 2.0, 3.0))
    >>> hull.volume, hull.area, len(hull.points), len(hull.triangles)
    (6.0, 22.0, 8, 12)
    """
    places, rows = np.ascontiguousarray(points, dtype=np.int64), max(2 * len(points), 4)
    if np.abs(places).max(initial=0) > FARTHEST:
        raise DataError(f"A convex hull is that of whole numbers up to {FARTHEST}.")
    (triangles, neighbours), (planes, outline) = (
        np.zeros((2, rows, 3), int),
        np.zeros((2, rows, 4), int),
    )
    neighbours[0] = 1  # the two sides of the first triangle are beside each other
    free, newest, seen, seen_by = np.zeros((4, rows), np.int64)
    free[:] = np.arange(rows)[::-1]
    begin = np.zeros(len(places), np.int64)
    left = _build(
        places, triangles, neighbours, planes, outline, free, newest, seen, seen_by, begin
    )
    if left == 0:
        raise DataError("A convex hull needs points that do not all lie in one plane.")
    there, corner = np.ones(rows, bool), np.zeros(len(places), bool)
    there[free[:left]] = False
    (kept,) = there.nonzero()
    triangles = triangles.take(kept, axis=0)
    corner[triangles] = True
    x, y, z = scale
    return Hull(
        places[corner] * np.array(scale),
        (corner.cumsum() - 1).take(triangles),
        (there.cumsum() - 1).take(neighbours.take(kept, axis=0)),
        planes.take(kept, axis=0)[:, :3] * (np.array([y * z, x * z, x * y]) / 2),
    )
