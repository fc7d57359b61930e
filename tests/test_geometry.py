"""Grids: positions, sameness, cropping."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, strategies as st
from scipy.spatial.transform import Rotation

from centrum.errors import GeometryError
from centrum.geometry import GRID_TOLERANCE_MM, Geometry

coordinates = st.floats(-500, 500)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    turn = Rotation.random(rng=draw(st.integers(0, 10**6))).as_matrix()
    return Geometry(
        size=draw(st.tuples(*[st.integers(1, 40)] * 3)),
        spacing=draw(st.tuples(*[st.floats(0.1, 8)] * 3)),
        origin=draw(st.tuples(*[coordinates] * 3)),
        direction=tuple(turn.ravel()),
    )


@given(geometries(), st.tuples(*[st.integers(-20, 60)] * 3))
def test_positions_are_those_of_simpleitk(grid: Geometry, index: tuple[int, int, int]) -> None:
    image = sitk.Image(grid.size, sitk.sitkUInt8)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    expected = image.TransformIndexToPhysicalPoint(index)
    np.testing.assert_allclose(grid.position(index), expected, atol=1e-9)
    np.testing.assert_allclose(grid.index(expected), index, atol=1e-6)


@given(geometries(), st.floats(0, 1), st.integers(0, 2))
def test_a_shift_moves_every_corner_by_its_length(grid: Geometry, by: float, axis: int) -> None:
    origin = list(grid.origin)
    origin[axis] += by
    moved = Geometry(grid.size, grid.spacing, tuple(origin), grid.direction)
    assert grid.distance(moved) == pytest.approx(by, abs=1e-9)
    assert grid.same_grid(moved) == (grid.distance(moved) <= GRID_TOLERANCE_MM)


def test_a_spacing_that_is_a_little_off_is_noticed_at_the_far_end() -> None:
    grid = Geometry((400, 400, 20), (0.6, 0.6, 4.4))
    off = Geometry((400, 400, 20), (0.6001, 0.6, 4.4))
    assert grid.distance(off) == pytest.approx(399 * 0.0001)
    assert not grid.same_grid(off)
    assert not grid.same_grid(Geometry((400, 400, 19), (0.6, 0.6, 4.4)))


@given(geometries(), st.tuples(*[st.integers(-5, 5)] * 3))
def test_a_crop_keeps_the_places_of_its_voxels(grid: Geometry, start: tuple[int, int, int]) -> None:
    part = grid.crop(start, (1, 1, 1))
    np.testing.assert_allclose(part.position((0, 0, 0)), grid.position(start), atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (0, 1, 1)}, "positive sizes"),
        ({"spacing": (1, 0, 1)}, "positive sizes"),
        ({"spacing": (1, float("nan"), 1)}, "finite"),
        ({"direction": (1, 0, 0, 0, 1, 0, 0, 0, 2)}, "orthonormal"),
        ({"direction": (1, 0, 0)}, "9 direction"),
    ],
)
def test_what_is_no_grid_is_refused(change: dict, message: str) -> None:
    with pytest.raises((GeometryError, ValueError), match=message):
        Geometry(**{"size": (2, 2, 2), "spacing": (1, 1, 1)} | change)


def test_description_names_all_four_parts() -> None:
    text = Geometry((4, 3, 2), (0.5, 0.5, 4.4), (1, 2, 3)).describe()
    for part in ("4 x 3 x 2", "0.5 x 0.5 x 4.4 mm", "1.000, 2.000, 3.000 mm (LPS)", "direction"):
        assert part in text
