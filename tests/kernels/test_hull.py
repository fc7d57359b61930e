"""Largest distances: against all pairs, on shapes that prune badly too."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from centrum.kernels.hull import largest_distance, largest_in_planes, plane_corners
from centrum.kernels.mesh import scan
from tests.kernels.test_mesh import cut_edges, regions

HALF = (0.275, 0.35, 2.2)


def largest(points: np.ndarray) -> float:
    return float(pdist(points).max(initial=0.0))


@given(regions)
def test_planes_against_all_pairs(inside: np.ndarray) -> None:
    surface, vertices = scan(inside), cut_edges(inside)
    points = vertices * HALF
    x, y, z = HALF
    found = (
        largest_in_planes(surface.along_y, 1, y, z),
        largest_in_planes(surface.along_x, 1, x, z),
        largest_in_planes(surface.along_x, 0, x, y),
    )
    for axis, value in enumerate(found):
        planes = vertices[:, axis]
        expected = max(largest(points[planes == plane]) for plane in np.unique(planes))
        assert value == pytest.approx(expected, rel=1e-13)


@given(regions)
def test_plane_corners_hold_all_corners_of_the_hull(inside: np.ndarray) -> None:
    vertices = cut_edges(inside)
    hull = set(map(tuple, vertices[ConvexHull(vertices).vertices]))
    corners = set(map(tuple, plane_corners(scan(inside).along_x).tolist()))
    assert hull <= corners <= set(map(tuple, vertices))


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([0.0, 0.01, 1.0]))
def test_distance_in_space_against_all_pairs(seed: int, n: int, depth: float) -> None:
    """Points on a sphere (depth 0) to points all over a ball."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 3))
    points *= ((1 - depth * rng.random(n)) / np.linalg.norm(points, axis=1))[:, None]
    points = points * 20 + rng.normal(size=3) * 50
    assert largest_distance(points) == pytest.approx(largest(points), rel=1e-12)


def test_a_known_distance_stands_when_none_is_larger() -> None:
    points = np.array([[0.0, 0, 0], [3, 0, 4]])
    assert largest_distance(points, at_least=7.0) == 7.0
    assert largest_distance(points, at_least=4.0) == 5.0


def test_a_body_of_constant_width() -> None:
    """Many pairs are nearly the farthest: a Reuleaux tetrahedron."""
    tips = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 30 / 8**0.5
    grid = np.mgrid[-18:19, -18:19, -18:19]
    inside = np.all([sum((grid[k] - t[k]) ** 2 for k in range(3)) <= 900 for t in tips], axis=0)
    corners = plane_corners(scan(inside).along_x) * 0.5
    assert largest_distance(corners) == pytest.approx(largest(corners), rel=1e-13)
