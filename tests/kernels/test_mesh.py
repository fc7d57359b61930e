"""The mesh: known solids, scaling, and its place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from centrum.kernels.mesh import scan


def ball(radius: float, spacing: tuple[float, float, float]) -> np.ndarray:
    half = [int(radius / s) + 2 for s in spacing[::-1]]
    z, y, x = np.ogrid[tuple(slice(-h, h + 1) for h in half)]
    return (x * spacing[0]) ** 2 + (y * spacing[1]) ** 2 + (z * spacing[2]) ** 2 <= radius**2


def test_a_ball_has_its_volume() -> None:
    area, volume = mesh_area_volume(ball(20, (0.5, 0.5, 0.5)), (0.5, 0.5, 0.5))
    assert volume == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.003)
    # Facets of a voxel mesh lie askew to the sphere: its area comes out about 9 % large.
    assert area == pytest.approx(4 * np.pi * 20**2, rel=0.1)


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 3, 4), (5, 1, 1)])
def test_a_box_is_its_voxels_less_the_bevelled_edges(size: tuple[int, int, int]) -> None:
    """Moved in by half a voxel at each face; an edge loses a prism of 1/8, a corner the rest."""
    a, b, c = size
    _, volume = mesh_area_volume(np.ones(size, bool), (1.0, 1.0, 1.0))
    inner = (a - 1) * (b - 1) * (c - 1)
    faces = (a - 1) * (b - 1) + (b - 1) * (c - 1) + (a - 1) * (c - 1)
    edges = (a - 1) + (b - 1) + (c - 1)
    assert volume == pytest.approx(inner + faces + edges / 2 + 1 / 6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 5))
def test_scaling_and_surroundings(seed: int, scale: float) -> None:
    inside = np.random.default_rng(seed).random((4, 5, 6)) < 0.6
    inside[2, 2, 2] = True
    area, volume = mesh_area_volume(inside, (1.0, 2.0, 3.0))
    larger = mesh_area_volume(np.pad(inside, 2), (scale, 2 * scale, 3 * scale))
    assert larger[0] == pytest.approx(area * scale**2)
    assert larger[1] == pytest.approx(volume * scale**3)


def test_vertices_lie_half_a_voxel_outside() -> None:
    inside = np.zeros((3, 3, 3), dtype=bool)
    inside[1, 1, 1] = True
    found = mesh_vertices(inside, (2.0, 2.0, 2.0))
    assert sorted(map(tuple, found)) == sorted(
        [(1, 2, 2), (3, 2, 2), (2, 1, 2), (2, 3, 2), (2, 2, 1), (2, 2, 3)]
    )
