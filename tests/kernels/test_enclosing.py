"""Solids around points: known bodies at any angle, and what must hold for all."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from centrum.kernels.convex_hull import convex_hull
from centrum.kernels.enclosing import smallest_box, smallest_ellipsoid

CUBE = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T

seeds = st.integers(0, 2**32 - 1)


def rotation(rng: np.random.Generator) -> np.ndarray:
    return Rotation.random(random_state=int(rng.integers(2**31))).as_matrix()


def cloud(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(int(rng.integers(5, 60)), 3)) * rng.uniform(0.5, 5, 3)


def lattice(rng: np.random.Generator) -> np.ndarray:
    return np.rint(cloud(rng) * 1000).astype(int)


def whole_rotation(rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """A rotation that takes whole numbers to such, and how much it stretches them."""
    a, b, c, d = rng.integers(1, 5, 4) * rng.choice([-1, 1], 4)
    n = a * a + b * b + c * c + d * d
    turn = Rotation.from_quat([a, b, c, d]).as_matrix() * n
    return np.rint(turn).astype(int), int(n)


@given(seeds)
def test_a_turned_box_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = 2 * rng.integers(1, 500, 3)
    inner = np.rint(rng.uniform(-1, 1, (20, 3)) * sides / 2).astype(int)
    turn, n = whole_rotation(rng)
    hull = convex_hull(np.concatenate([CUBE * sides // 2, inner]) @ turn, (1 / n, 1 / n, 1 / n))
    assert sorted(smallest_box(hull)) == pytest.approx(sorted(sides), rel=1e-9)


@given(seeds)
def test_box_against_all_directions_of_faces(seed: int) -> None:
    """For every face the smallest rectangle around all points, projected."""
    hull = convex_hull(lattice(np.random.default_rng(seed)), (1e-3, 1e-3, 1e-3))
    best = np.inf
    for normal in hull.normals / np.linalg.norm(hull.normals, axis=1, keepdims=True):
        plane = np.linalg.svd(normal[None])[2][1:]
        flat = hull.points @ plane.T
        for edge in np.diff(flat[np.append(*[ConvexHull(flat).vertices] * 2)], axis=0):
            u = edge / np.linalg.norm(edge)
            along, across = flat @ u, flat @ (-u[1], u[0])
            best = min(best, np.ptp(hull.points @ normal) * np.ptp(along) * np.ptp(across))
    assert np.prod(smallest_box(hull)) == pytest.approx(best, rel=1e-9)


@given(seeds)
def test_box_is_no_larger_than_that_along_the_axes(seed: int) -> None:
    points = lattice(np.random.default_rng(seed))
    box = smallest_box(convex_hull(points), also=np.eye(3))
    assert np.prod(box) <= np.prod(np.ptp(points, axis=0)) * (1 + 1e-12)


def test_points_of_an_ellipsoid_give_it_back() -> None:
    rng = np.random.default_rng(1)
    sphere = np.concatenate([np.eye(3), -np.eye(3), rng.normal(size=(200, 3))])
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    points = sphere * (7.0, 4.0, 2.0) @ rotation(rng) + (5.0, 6.0, 7.0)
    assert smallest_ellipsoid(points) == pytest.approx((7.0, 4.0, 2.0), rel=1e-6)


@given(seeds)
def test_ellipsoid_turns_and_stretches_with_its_points(seed: int) -> None:
    """Any affine map takes the smallest ellipsoid to the smallest ellipsoid."""
    rng = np.random.default_rng(seed)
    points = cloud(rng)
    axes = smallest_ellipsoid(points)
    assert smallest_ellipsoid(points @ rotation(rng) + 9) == pytest.approx(axes, rel=1e-6)
    stretch = np.diag(rng.uniform(0.5, 2, 3)) @ rotation(rng)
    volume = np.prod(axes) * abs(np.linalg.det(stretch))
    assert np.prod(smallest_ellipsoid(points @ stretch)) == pytest.approx(volume, rel=1e-8)


@given(seeds)
def test_ellipsoid_is_smaller_than_that_of_the_covariance(seed: int) -> None:
    points = cloud(np.random.default_rng(seed))
    offset = points - points.mean(axis=0)
    spread = np.cov(offset.T)
    farthest = (offset @ np.linalg.inv(spread) * offset).sum(axis=1).max()
    volume = np.sqrt(np.linalg.det(spread * farthest))
    assert np.prod(smallest_ellipsoid(points)) <= volume * (1 + 1e-9)
    assert np.prod(smallest_ellipsoid(points)) * 4 / 3 * np.pi >= ConvexHull(points).volume
