"""The smallest solids around a set of points: oriented box and ellipsoid."""

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.kernels.cache import kernel, part
from centrum.kernels.convex_hull import Hull

Points = Floats

DIRECTIONS_ALIKE = 1e-9
"""Faces whose unit normals differ by less are one face of the hull."""

TIE = 1e-9
"""Boxes whose volumes differ by less (relatively) are alike: the one of least area counts."""


def _directions(normals: Points) -> Points:
    """Unit normals that differ by more than their sign."""
    units = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    leading = np.take_along_axis(units, np.abs(units).argmax(axis=1)[:, None], axis=1)
    units *= np.sign(leading)
    _, first = np.unique(np.rint(units / DIRECTIONS_ALIKE), axis=0, return_index=True)
    return np.ascontiguousarray(units[np.sort(first)])


@part
def _dot(a: NDArray, b: NDArray) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@part
def _rectangle(flat: NDArray, n: int) -> tuple[float, float]:
    """Sides of the smallest rectangle around a polygon of n edges (u, v, to u, to v)."""
    best, width, height = np.inf, 0.0, 0.0
    for e in range(n):
        du, dv = flat[e, 2] - flat[e, 0], flat[e, 3] - flat[e, 1]
        length = np.sqrt(du * du + dv * dv)
        if length == 0:
            continue
        du, dv = du / length, dv / length
        a0, a1, b0, b1 = np.inf, -np.inf, np.inf, -np.inf
        for k in range(n):
            along = du * flat[k, 0] + dv * flat[k, 1]
            across = du * flat[k, 1] - dv * flat[k, 0]
            a0, a1 = min(a0, along), max(a1, along)
            b0, b1 = min(b0, across), max(b1, across)
        a, b = a1 - a0, b1 - b0
        if a * b < best * (1 - TIE) or (a * b <= best * (1 + TIE) and a + b < width + height):
            best, width, height = min(best, a * b), a, b
    return width, height


@part
def _outline(
    u: NDArray, v: NDArray, points: NDArray, triangles: NDArray, neighbours: NDArray,
    facing: NDArray, flat: NDArray,
) -> int:  # fmt: skip
    """Write the edges between triangles that face the viewer and others, along u and v."""
    n = 0
    for t in range(len(triangles)):
        if facing[t] <= 0:
            continue
        for k in range(3):
            if facing[neighbours[t, k]] <= 0:
                p, q = points[triangles[t, (k + 1) % 3]], points[triangles[t, (k + 2) % 3]]
                flat[n, 0], flat[n, 1] = _dot(p, u), _dot(p, v)
                flat[n, 2], flat[n, 3] = _dot(q, u), _dot(q, v)
                n += 1
    return n


@part
def _bounds(
    directions: NDArray, points: NDArray, normals: NDArray, widths: NDArray, bounds: NDArray
) -> None:
    """Write per direction the hull's width along it, and width times projected area."""
    for d in range(len(directions)):
        low, high, area = np.inf, -np.inf, 0.0
        for p in range(len(points)):
            h = _dot(directions[d], points[p])
            low, high = min(low, h), max(high, h)
        for t in range(len(normals)):
            area += abs(_dot(directions[d], normals[t]))
        widths[d], bounds[d] = high - low, (high - low) * area / 2


@kernel
def _smallest_box(
    frames: NDArray, points: NDArray, triangles: NDArray, neighbours: NDArray, normals: NDArray,
    sides: NDArray,
) -> None:  # fmt: skip
    widths, bounds = np.empty(frames.shape[1]), np.empty(frames.shape[1])
    _bounds(frames[0], points, normals, widths, bounds)
    facing = np.empty(len(normals))
    flat = np.empty((3 * len(triangles), 4))
    best = least = np.inf
    for _ in range(len(bounds)):
        d = 0
        for k in range(len(bounds)):
            d = k if bounds[k] < bounds[d] else d
        # The box holds the hull's shadow: no other direction can give a smaller one.
        if bounds[d] > best * (1 + TIE):
            break
        bounds[d] = np.inf
        for t in range(len(normals)):
            facing[t] = _dot(frames[0, d], normals[t])
        n = _outline(frames[1, d], frames[2, d], points, triangles, neighbours, facing, flat)
        a, b = _rectangle(flat, n)
        c = widths[d]
        volume, area = a * b * c, a * b + b * c + c * a
        if volume < best * (1 - TIE) or (volume <= best * (1 + TIE) and area < least):
            best, least = min(best, volume), area
            sides[0], sides[1], sides[2] = a, b, c


def smallest_box(hull: Hull, also: Points | None = None) -> tuple[float, float, float]:
    """Sides in mm of the smallest box with one side on a face of the hull.

    Its other sides touch an edge of the outline that the hull has when seen along that face's
    normal. The very smallest box may instead rest on edges alone (O'Rourke 1985); sides
    perpendicular to the unit vectors `also` (n, 3) are tried as well.

    >>> from centrum.kernels.convex_hull import convex_hull
    >>> corners = np.array(np.meshgrid([0, 1], [0, 2], [0, 3])).reshape(3, -1).T
    >>> turn = np.array([[3, -4, 0], [4, 3, 0], [0, 0, 5]])
    >>> hull = convex_hull(corners @ turn, (0.2, 0.2, 0.2))
    >>> [round(side, 9) for side in sorted(smallest_box(hull))]
    [1.0, 2.0, 3.0]
    """
    normals = hull.normals
    frames = _frames(_directions(normals if also is None else np.concatenate([normals, also])))
    sides = np.zeros(3)
    _smallest_box(frames, hull.points, hull.triangles, hull.neighbours, normals, sides)
    a, b, c = sides.tolist()
    return a, b, c


def _frames(directions: Points) -> Points:
    """The unit vectors (n, 3) and two perpendicular to each, (3, n, 3)."""
    least = np.eye(3)[np.abs(directions).argmin(axis=1)]
    u = np.cross(directions, least)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    return np.stack([directions, u, np.cross(directions, u)])


def _symmetric_basis() -> Floats:
    """An orthonormal basis of the symmetric 4 x 4 matrices, (10, 4, 4)."""
    basis = []
    for i, j in zip(*np.triu_indices(4), strict=True):
        unit = np.zeros((4, 4))
        unit[i, j] = unit[j, i] = 1.0 if i == j else 0.5**0.5
        basis.append(unit)
    return np.array(basis)


BASIS = _symmetric_basis()

CENTRING = 0.1
"""Share of the remaining gap that a step of the interior-point method aims for."""

SHORT_OF_THE_EDGE = 0.98
"""Share of the way to the edge of what is allowed that a step may go."""


def _support(points: Points, tolerance: float) -> Floats:
    """Weights of the points on which the smallest ellipsoid rests; nearly 0 for the others.

    With q = (p, 1): maximise log det Y so that q' Y q <= 4 for all points, by a primal-dual
    interior-point method in the ten entries of Y; the multipliers are the weights.
    """
    lifted = np.column_stack([points, np.ones(len(points))])
    constraints = np.einsum("pi,kij,pj->pk", lifted, BASIS, lifted)
    y = np.linalg.inv(lifted.T @ lifted)
    y *= 3.6 / (constraints @ _entries(y)).max()
    slack = 4 - constraints @ _entries(y)
    weights = 1 / slack / (1 / slack).sum()
    while (gap := weights @ slack) > tolerance:
        target = CENTRING * gap / len(points)
        inverse = np.linalg.inv(y)
        turned = BASIS @ inverse
        curvature = np.einsum("kij,lji->kl", turned, turned)
        curvature += (constraints.T * (weights / slack)) @ constraints
        step = np.linalg.solve(curvature, _entries(inverse) - constraints.T @ (target / slack))
        less = constraints @ step
        more = target / slack - weights + weights / slack * less
        dy = np.tensordot(step, BASIS, 1)
        towards = np.linalg.eigvals(inverse @ dy).real
        forward = _share(np.concatenate([-less / slack, towards]))
        y, slack = y + forward * dy, slack - forward * less
        weights = weights + _share(more / weights) * more
    return np.asarray(weights / weights.sum())


def _entries(matrix: Floats) -> Floats:
    return np.asarray((BASIS * matrix).sum(axis=(1, 2)))


def _share(relative: Floats) -> float:
    """How much of a step can be taken when it changes positive numbers by these shares."""
    return min(1.0, SHORT_OF_THE_EDGE / max(-float(relative.min()), 1e-300))


def smallest_ellipsoid(points: Points, tolerance: float = 1e-9) -> tuple[float, float, float]:
    """Semi-axes in mm, longest first, of the smallest ellipsoid around points (n, 3).

    Its volume is within about `tolerance` of the smallest; it holds every point.

    >>> corners = np.array(np.meshgrid([-1, 1], [-2, 2], [-3, 3])).reshape(3, -1).T
    >>> [round(axis / 3**0.5, 6) for axis in smallest_ellipsoid(corners)]
    [3.0, 2.0, 1.0]
    """
    offset = points - np.mean(points, axis=0)
    scale, axes = np.linalg.eigh(offset.T @ offset / len(offset))
    weights = _support(offset @ axes / np.sqrt(scale), tolerance)
    offset = offset - weights @ offset
    spread = (offset.T * weights) @ offset
    farthest = float((offset @ np.linalg.inv(spread) * offset).sum(axis=1).max())
    a, b, c = np.sqrt(farthest * np.linalg.eigvalsh(spread)[::-1])
    return float(a), float(b), float(c)
