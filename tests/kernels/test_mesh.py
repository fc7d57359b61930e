"""The one pass: known solids, brute force, and a mesh without gaps."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.kernels.mesh import FAR, cell_tables, scan, weighted_moments

CUBE = (1.0, 1.0, 1.0)

regions = arrays(
    np.bool_, st.tuples(*[st.integers(1, 6)] * 2, st.integers(1, 20)), elements=st.booleans()
).filter(lambda a: bool(a.any()))


def ball(radius: float) -> np.ndarray:
    half = int(radius) + 1
    z, y, x = np.ogrid[tuple(slice(-half, half + 1) for _ in range(3))]
    return x**2 + y**2 + z**2 <= radius**2


def cut_edges(inside: np.ndarray) -> np.ndarray:
    """Middles (x, y, z) of all grid edges between inside and outside, in half voxels."""
    padded = np.pad(inside, 1)
    found = []
    for axis in range(3):
        middles = 2 * np.argwhere(np.diff(padded, axis=axis))
        middles[:, axis] += 1
        found.append(middles[:, ::-1])
    return np.concatenate(found)


def test_a_ball_has_its_volume() -> None:
    surface = scan(ball(40))
    assert surface.volume(CUBE) == pytest.approx(4 / 3 * np.pi * 40**3, rel=0.002)
    # Facets of a voxel mesh lie askew to the sphere: its area comes out about 9 % large.
    assert surface.area(CUBE) == pytest.approx(4 * np.pi * 40**2, rel=0.1)


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 3, 4), (5, 1, 1), (3, 2, 17)])
def test_a_box_is_its_voxels_less_the_bevelled_edges(size: tuple[int, int, int]) -> None:
    """Moved in by half a voxel at each face; an edge loses a prism of 1/8, a corner the rest."""
    a, b, c = size
    inner = (a - 1) * (b - 1) * (c - 1)
    faces = (a - 1) * (b - 1) + (b - 1) * (c - 1) + (a - 1) * (c - 1)
    edges = (a - 1) + (b - 1) + (c - 1)
    assert scan(np.ones(size, bool)).volume(CUBE) == pytest.approx(
        inner + faces + edges / 2 + 1 / 6
    )


@given(regions)
def test_moments_are_those_of_the_voxels(inside: np.ndarray) -> None:
    z, y, x = (np.argwhere(inside) + 1).T
    sums = [np.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z]
    assert scan(inside).moments.tolist() == [int(s.sum()) for s in sums]


@given(regions)
def test_ends_of_lines_are_the_outermost_vertices(inside: np.ndarray) -> None:
    surface, vertices = scan(inside), cut_edges(inside)
    for ends, along, line in ((surface.along_x, 0, 1), (surface.along_y, 1, 0)):
        expected = np.full_like(ends, FAR)
        expected[1] = -1
        np.minimum.at(expected[0], (vertices[:, 2], vertices[:, line]), vertices[:, along])
        np.maximum.at(expected[1], (vertices[:, 2], vertices[:, line]), vertices[:, along])
        np.testing.assert_array_equal(ends, expected)


@given(regions)
def test_a_watertight_mesh_closes(inside: np.ndarray) -> None:
    """The vector area of a closed surface is zero: its volume looks the same from everywhere."""
    counts = scan(inside).cells[:, 0]
    assert (counts @ cell_tables(watertight=True).vector).tolist() == [0, 0, 0]


@given(regions, st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_turning_and_mirroring_change_nothing(
    inside: np.ndarray, order: list[int], flips: tuple[bool, bool, bool]
) -> None:
    spacing = np.array([4.4, 0.7, 0.55])
    moved = inside.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flips)]
    a, b = scan(inside), scan(moved)
    here, there = tuple(spacing[::-1]), tuple(spacing[order][::-1])
    assert a.area(here) == pytest.approx(b.area(there), rel=1e-12)
    assert a.volume(here) == pytest.approx(b.volume(there), rel=1e-12)


@given(regions, st.floats(0.2, 5))
def test_scaling(inside: np.ndarray, scale: float) -> None:
    surface = scan(inside)
    for watertight in (True, False):
        area, volume = (
            f((1.0, 2.0, 3.0), watertight=watertight) for f in (surface.area, surface.volume)
        )
        larger = (scale, 2 * scale, 3 * scale)
        assert surface.area(larger, watertight=watertight) == pytest.approx(area * scale**2)
        assert surface.volume(larger, watertight=watertight) == pytest.approx(volume * scale**3)


def test_gaps_open_where_voxels_meet_along_an_edge() -> None:
    """The two meshes differ there and nowhere else."""
    solid = scan(ball(9))
    assert solid.volume(CUBE) == solid.volume(CUBE, watertight=False)
    stairs = np.array([[[1, 0], [0, 0]], [[0, 0], [1, 0]]], dtype=bool)
    parted = scan(stairs)
    assert parted.volume(CUBE) == pytest.approx(2 / 6)  # two octahedra that touch
    assert parted.volume(CUBE, watertight=False) == pytest.approx(4 / 6)


@given(regions, st.integers(0, 2**32 - 1))
def test_weighted_moments(inside: np.ndarray, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=int(inside.sum()))
    z, y, x = np.argwhere(inside).T
    expected = [(weights * k).sum() for k in (1, x, y, z)]
    np.testing.assert_allclose(weighted_moments(inside, weights), expected, atol=1e-9)
    np.testing.assert_allclose(
        weighted_moments(np.asfortranarray(inside), weights), expected, atol=1e-9
    )
