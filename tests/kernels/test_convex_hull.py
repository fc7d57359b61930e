"""The hull of lattice points: against Qhull, and that it is closed and convex."""

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy.spatial import ConvexHull

from centrum.errors import DataError
from centrum.kernels.convex_hull import FARTHEST, Hull, convex_hull

seeds = st.integers(0, 2**32 - 1)

EDGES = ((1, 2), (2, 0), (0, 1))
"""Corners of the edge opposite each corner of a triangle."""


@st.composite
def lattices(draw: st.DrawFn) -> np.ndarray:
    """Points of grids of 2 to 200 places a side: on small ones most share a plane, some a place."""
    rng = np.random.default_rng(draw(seeds))
    sides = rng.choice([2, 3, 5, 20, 200], 3)
    points = rng.integers(0, sides, (int(rng.integers(4, 80)), 3)) - sides // 2
    assume(np.linalg.matrix_rank(points - points[0]) == 3)
    return points


def check_closed(hull: Hull) -> None:
    assert len(hull.triangles) == 2 * len(hull.points) - 4
    assert np.unique(hull.triangles).size == len(hull.points)
    for side, edge in enumerate(EDGES):
        there = hull.triangles[hull.neighbours[:, side]]
        back = hull.triangles[:, edge[::-1]]
        beyond = np.stack([(there[:, other] == back).all(axis=1) for other in EDGES], axis=1)
        assert (beyond.sum(axis=1) == 1).all()
        again = hull.neighbours[hull.neighbours[:, side]][beyond]
        assert np.array_equal(again, np.arange(len(hull.triangles)))


@given(lattices())
def test_hull_is_that_of_qhull(points: np.ndarray) -> None:
    hull, expected = convex_hull(points, (0.5, 2.0, 3.0)), ConvexHull(points * (0.5, 2.0, 3.0))
    assert hull.volume == pytest.approx(expected.volume, rel=1e-12)
    assert hull.area == pytest.approx(expected.area, rel=1e-12)


@given(lattices())
def test_hull_is_closed_and_holds_all_points(points: np.ndarray) -> None:
    hull = convex_hull(points)
    check_closed(hull)
    assert set(map(tuple, hull.points.astype(int))) <= set(map(tuple, points))
    a, b, c = np.moveaxis(hull.points[hull.triangles], 1, 0)
    assert np.array_equal(hull.normals, np.cross(b - a, c - a) / 2)
    outside = points @ hull.normals.T - (a * hull.normals).sum(axis=1)
    assert outside.max() == 0


def test_the_order_of_points_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    points = rng.integers(-9, 10, (300, 3))
    by_plane = points[np.lexsort(points.T)]
    expected = ConvexHull(points)
    for ordered in (points, by_plane, by_plane[::-1]):
        hull = convex_hull(ordered)
        assert hull.volume == pytest.approx(expected.volume, rel=1e-13)
        assert hull.area == pytest.approx(expected.area, rel=1e-13)


def test_hull_of_the_largest_coordinates_is_exact() -> None:
    octahedron = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)]) * FARTHEST
    cube = FARTHEST * np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    assert convex_hull(octahedron).volume == FARTHEST**3 * 4 / 3
    assert convex_hull(np.concatenate([octahedron, cube])).volume == (2 * FARTHEST) ** 3


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3), int),
        np.full((5, 3), 7),
        np.outer(np.arange(6), (1, 2, 3)),
        np.array([(0, 0, 0), (1, 0, 2), (0, 1, 3), (1, 1, 5), (3, 2, 12)]),
    ],
    ids=["no point", "one place", "a line", "a plane"],
)
def test_flat_points_have_no_hull(points: np.ndarray) -> None:
    with pytest.raises(DataError, match="do not all lie in one plane"):
        convex_hull(points)


def test_points_too_far_out_are_refused() -> None:
    with pytest.raises(DataError, match=str(FARTHEST)):
        convex_hull(np.eye(4, 3, dtype=int) * -(FARTHEST + 1))
