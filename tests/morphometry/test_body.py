"""Six-point morphometry of one body."""

import json
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError
from centrum.geometry import Geometry, slice_axis
from centrum.morphometry import measure_body
from centrum.records import as_json
from centrum.volume import Mask, bounding_box
from tests.morphometry.shapes import DEPTH, HEIGHT, Line, rearranged, vertebral_body

FRONT = DEPTH * (0.5 - 0.12)
"""Of the anterior points; the posterior ones lie as far behind the centre."""


@settings(max_examples=40)
@given(
    st.floats(-40, 40),
    st.sampled_from(((0.6, 0.6, 4.4), (1.0, 1.0, 1.0), (0.55, 0.55, 3.3), (0.6, 0.9, 4.4))),
)
def test_a_block_has_its_sizes_at_any_lean(
    lean: float, spacing: tuple[float, float, float]
) -> None:
    """Voxels tell a length to within one of them.

    A line fitted to heights that are wrong by half a pixel at most is turned by 1.5 pixels over
    its length at most: where one half of it is too high, and the other too low.
    """
    found, pixel = measure_body(vertebral_body(lean=lean, spacing=spacing)), max(spacing[:2])
    turn = np.degrees(1.5 * pixel / (2 * FRONT))
    np.testing.assert_allclose(found.heights, HEIGHT, atol=pixel)
    assert found.depth == pytest.approx(DEPTH, abs=pixel)
    assert found.lean == pytest.approx(lean, abs=turn)
    assert found.wedge_angle == pytest.approx(0, abs=2 * turn)


def test_a_wedge() -> None:
    slope = np.tan(np.radians(14))
    found = measure_body(vertebral_body(top=lambda x: 8 - slope * x, spacing=(0.4, 0.4, 4.4)))
    heights = 8 + HEIGHT / 2 - slope * FRONT * np.array([1, 0, -1])
    np.testing.assert_allclose(found.heights, heights * np.cos(np.radians(7)), atol=0.8)
    assert found.wedge_angle == pytest.approx(14, abs=0.9)
    assert found.lean == pytest.approx(7, abs=0.5)


def test_a_wedge_that_is_open_at_the_back_has_a_negative_angle() -> None:
    found = measure_body(vertebral_body(top=lambda x: 12 + 0.15 * x, spacing=(0.4, 0.4, 4.4)))
    assert found.wedge_angle == pytest.approx(-np.degrees(np.arctan(0.15)), abs=0.9)
    assert found.anterior_to_posterior > 1


def test_concave_end_plates() -> None:
    def cup(depth: float) -> Line:
        return lambda x: 14 - depth * (1 - (2 * x / DEPTH) ** 2)

    found = measure_body(vertebral_body(cup(4), lambda x: -cup(2)(x), spacing=(0.4, 0.4, 4.4)))
    share = (2 * FRONT / DEPTH) ** 2
    assert found.superior_concavity == pytest.approx(4 * share, abs=0.25)
    assert found.inferior_concavity == pytest.approx(2 * share, abs=0.25)
    assert found.middle == pytest.approx(28 - 6, abs=0.25)
    assert found.biconcavity == pytest.approx(6 * share / (22 + 6 * share), abs=0.01)


@pytest.mark.parametrize("bulge", [-2.0, 0.0, 4.0])
def test_the_posterior_wall_is_convex_when_positive(bulge: float) -> None:
    def wall(up: np.ndarray) -> np.ndarray:
        return -DEPTH / 2 - bulge * (1 - (2 * up / HEIGHT) ** 2)

    found = measure_body(vertebral_body(back=wall, spacing=(0.4, 0.4, 4.4)))
    level = np.linspace(0, 1, 401)
    ends, middle = (level >= 0.75) & (level <= 0.85), level <= 0.25
    expected = bulge * ((level[ends] ** 2).mean() - (level[middle] ** 2).mean())
    assert found.wall_convexity == pytest.approx(expected, abs=0.15)


def test_points_lie_on_the_end_plates_in_the_patient() -> None:
    centre = (3.0, -12.0, 40.0)
    found = measure_body(vertebral_body(centre=centre))
    offset = found.points - centre
    np.testing.assert_allclose(offset[0, :, 2], HEIGHT / 2, atol=0.35)
    np.testing.assert_allclose(offset[1, :, 2], -HEIGHT / 2, atol=0.35)
    np.testing.assert_allclose(offset[:, 0, 1], -FRONT, atol=0.35)
    np.testing.assert_allclose(offset[:, :, 0], found.points[0, 0, 0] - centre[0])


def test_the_order_of_voxels_does_not_matter() -> None:
    mask = vertebral_body(
        top=lambda x: 13 - 0.2 * x, back=lambda v: -17 - 0.01 * v**2, lean=12, spacing=(0.9, 0.9, 3)
    )
    expected = measure_body(mask)
    assert expected.wedge_angle > 5
    for order in permutations(range(3)):
        for flips in product((1, -1), repeat=3):
            found = measure_body(rearranged(mask, order, flips))
            np.testing.assert_allclose(found.points, expected.points, atol=1e-6)
            assert found.depth == pytest.approx(expected.depth)
            assert found.wall_convexity == pytest.approx(expected.wall_convexity, abs=1e-6)


def test_neighbours_find_the_axis_of_a_body_that_leans_far() -> None:
    mask = vertebral_body(lean=60)
    angle = np.radians(50)
    found = measure_body(mask, np.array([0, -np.sin(angle), np.cos(angle)]))
    assert found.lean == pytest.approx(60, abs=1)
    np.testing.assert_allclose(found.heights, HEIGHT, atol=0.5)


def test_thick_slices_beside_the_middle_share_the_slab() -> None:
    assert measure_body(vertebral_body(spacing=(1, 1, 1))).slices in (3, 4)
    assert measure_body(vertebral_body(spacing=(1, 1, 4.4))).slices in (1, 2)


def test_a_body_at_the_edge_of_the_image_is_cut() -> None:
    mask = vertebral_body()
    assert not measure_body(mask).cut
    rows = np.flatnonzero(mask.array.any(axis=(0, 2)))
    part = mask.array[:, rows[8] :]
    x, y, z = mask.geometry.size
    grid = mask.geometry.crop((0, int(rows[8]), 0), (x, y - int(rows[8]), z))
    assert measure_body(Mask(part, grid)).cut


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("within", [False, True])
def test_cut_is_within_a_sagittal_slice_however_slices_are_stored(
    order: tuple[int, int, int], within: bool
) -> None:
    """The first and the last sagittal slice are where a body ends, not where the image cuts it."""
    mask = vertebral_body()
    across = slice_axis(mask.geometry, "sagittal")
    axis = (across + 1) % 3 if within else across
    span = bounding_box(mask.array)[axis]
    box, start, size = [slice(None)] * 3, [0, 0, 0], list(mask.geometry.size)
    box[axis], start[2 - axis], size[2 - axis] = span, span.start, span.stop - span.start
    part = Mask(mask.array[tuple(box)], mask.geometry.crop(tuple(start), tuple(size)))
    assert measure_body(rearranged(part, order, (1, -1, 1))).cut == within


def test_the_result_is_json_with_its_level() -> None:
    found = measure_body(vertebral_body(name="Th 12"))
    text = json.loads(json.dumps(as_json(found)))
    assert (text["name"], text["level"]) == ("Th 12", "T12")
    assert text["anterior"] == found.anterior
    assert np.shape(text["points_lps_mm"]) == (2, 3, 3)
    assert measure_body(vertebral_body(name="lesion")).level is None


def test_what_is_no_body_is_refused() -> None:
    grid = Geometry((20, 20, 9), (1, 1, 4), direction=vertebral_body().geometry.direction)
    nothing = np.zeros(grid.shape, dtype=bool)
    with pytest.raises(DataError, match="is empty"):
        measure_body(Mask(nothing, grid))
    small = nothing.copy()
    small[3:6, 5:8, 5:8] = True
    with pytest.raises(DataError, match="expected a vertebral body of at least 5 mm"):
        measure_body(Mask(small, grid))
    apart = nothing.copy()
    apart[0, 4:16, 4:16] = apart[8, 4:16, 4:16] = True
    with pytest.raises(DataError, match="no voxel in the slices at its middle"):
        measure_body(Mask(apart, grid))


def test_gaps_where_heights_are_taken_are_refused() -> None:
    mask = vertebral_body(top=lambda x: np.where(np.abs(x) < 2, -50, HEIGHT / 2))
    with pytest.raises(DataError, match="has gaps in its middle slices"):
        measure_body(mask)
