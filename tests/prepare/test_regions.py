"""Operations on regions of interest, in mm on anisotropic voxels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter, ValidationError
from scipy.ndimage import binary_fill_holes

from centrum.errors import DataError, GeometryError
from centrum.geometry import Geometry
from centrum.prepare.regions import (
    Dilate,
    Erode,
    FillHoles,
    LargestPiece,
    RegionOperation,
    Shell,
    apply_operations,
    dilate,
    erode,
    fill_holes,
    largest_piece,
    shell,
)
from centrum.volume import Mask

SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Slices from right to left, columns from front to back, rows downwards."""

spacings = st.tuples(*[st.sampled_from((0.6, 1.0, 1.7, 2.5, 4.4))] * 3)
lengths = st.floats(0, 3)
axes = st.sampled_from((None, 0, 1, 2))


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    shape = draw(st.tuples(*[st.integers(1, 7)] * 3))
    array = draw(arrays(bool, shape).filter(np.any))
    return Mask(array, Geometry(shape[::-1], draw(spacings)))


def solid(
    size_mm: tuple[float, float, float], spacing: tuple[float, float, float], margin_mm: float = 10
) -> Mask:
    """A box of about that size (x, y, z) in the middle of an image with a margin."""
    inner = [max(round(mm / step), 1) for mm, step in zip(size_mm, spacing, strict=True)]
    edge = [int(margin_mm / step) + 2 for step in spacing]
    size = tuple(n + 2 * e for n, e in zip(inner, edge, strict=True))
    grid = Geometry(size, spacing)
    array = np.zeros(grid.shape, dtype=bool)
    array[tuple(slice(e, e + n) for e, n in zip(edge[::-1], inner[::-1], strict=True))] = True
    return Mask(array, grid)


def extent(mask: Mask) -> np.ndarray:
    """Size in mm along z, y, x."""
    counts = [len(np.unique(found)) for found in np.nonzero(mask.array)]
    return np.array(counts) * mask.geometry.array_spacing


def reach(mask: Mask, mm: float, axis: int | None) -> float:
    """`mm` more than what changes anything."""
    return mm + min(s for k, s in enumerate(mask.geometry.array_spacing) if k != axis)


def by_definition(mask: Mask, mm: float, axis: int | None) -> np.ndarray:
    """Voxels within `mm` of a voxel of the region, one pair after another."""
    spacing = np.array(mask.geometry.array_spacing)
    inside = np.argwhere(mask.array)
    near = np.zeros_like(mask.array)
    for place in product(*map(range, mask.array.shape)):
        apart = np.abs(inside - place) * spacing
        if axis is not None:
            apart[inside[:, axis] != place[axis]] = np.inf
        near[place] = np.sqrt((apart**2).sum(axis=1)).min() <= mm + 1e-6
    return near


@given(masks(), lengths, axes)
def test_dilation_follows_its_definition(mask: Mask, mm: float, axis: int | None) -> None:
    mm = reach(mask, mm, axis)
    expected = by_definition(mask, mm, axis)
    assert np.all(expected[mask.array])
    np.testing.assert_array_equal(dilate(mask, mm, axis).array, expected)


@given(masks(), lengths, axes)
def test_erosion_is_dilation_of_the_outside(mask: Mask, mm: float, axis: int | None) -> None:
    mm = reach(mask, mm, axis)
    outside = Mask(~mask.array, mask.geometry)
    expected = mask.array.copy()
    if outside.array.any():
        expected &= ~by_definition(outside, mm, axis)
    if expected.any():
        np.testing.assert_array_equal(erode(mask, mm, axis).array, expected)
    else:
        with pytest.raises(DataError, match="leaves no voxel"):
            erode(mask, mm, axis)


@given(masks(), lengths, lengths, axes)
def test_shells_and_the_eroded_region_make_the_dilated_one(
    mask: Mask, inwards: float, outwards: float, axis: int | None
) -> None:
    inwards, outwards = (reach(mask, mm, axis) for mm in (inwards, outwards))
    try:
        core = erode(mask, inwards, axis).array
        ring = shell(mask, -inwards, outwards, axis).array
    except DataError:
        return
    assert not np.any(core & ring)
    np.testing.assert_array_equal(core | ring, dilate(mask, outwards, axis).array)


@given(masks(), lengths, axes)
def test_opening_and_closing(mask: Mask, mm: float, axis: int | None) -> None:
    mm = reach(mask, mm, axis)
    try:
        opened = dilate(erode(mask, mm, axis), mm, axis).array
    except DataError:
        return
    assert np.all(mask.array[opened])
    assert np.all(erode(dilate(mask, mm, axis), mm, axis).array[mask.array])


@given(st.tuples(*[st.floats(8, 30)] * 3), spacings, st.floats(0, 2.5), axes)
def test_lengths_are_mm_at_any_resolution(
    size: tuple[float, float, float],
    spacing: tuple[float, float, float],
    mm: float,
    axis: int | None,
) -> None:
    """Each of the two faces moves by the whole voxels that `mm` holds."""
    mm += max(spacing)
    mask = solid(size, spacing)
    moved = np.array([0.0 if k == axis else 2 * mm for k in range(3)])
    before, voxel = extent(mask), np.array(mask.geometry.array_spacing)
    bound = np.where(moved > 0, 2 * voxel, 1e-9)
    grown = extent(dilate(mask, mm, axis)) - before
    assert np.all((grown <= moved + 1e-5) & (grown > moved - bound))
    if np.all(before - moved > voxel):
        shrunk = before - extent(erode(mask, mm, axis))
        assert np.all((shrunk <= moved + 1e-5) & (shrunk > moved - bound))


def test_a_ball_keeps_its_shape_on_anisotropic_voxels() -> None:
    grid = Geometry((61, 61, 31), (0.5, 0.5, 1.0))
    z, y, x = (
        (np.arange(n) - n // 2) * s for n, s in zip(grid.shape, grid.array_spacing, strict=True)
    )
    distance = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    ball = Mask(distance <= 10, grid)
    for made, radius in ((erode(ball, 2), 8), (dilate(ball, 3), 13)):
        volume = made.n_voxels * grid.voxel_volume
        assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.06)
        wrong = made.array ^ (distance <= radius)
        assert np.abs(distance[wrong] - radius).max() < 0.25


def test_thick_slices_keep_their_end_slices_in_plane_and_lose_them_in_space() -> None:
    body = solid((30, 30, 35.2), (0.6, 0.6, 4.4))
    assert len(np.unique(np.nonzero(erode(body, 1, axis=0).array)[0])) == 8
    assert len(np.unique(np.nonzero(erode(body, 4.4).array)[0])) == 6


def test_the_plane_chooses_the_slices_of_a_sagittal_image() -> None:
    array = np.zeros((5, 20, 20), dtype=bool)
    array[1:4, 5:15, 5:15] = True
    body = Mask(array, Geometry((20, 20, 5), (0.6, 0.6, 4.4), direction=SAGITTAL))
    smaller = apply_operations(body, [Erode(mm=0.6)], "sagittal")
    assert smaller.n_voxels == 3 * 8 * 8
    assert smaller.history[-1].parameters["slice_axis"] == 0


def test_the_edge_of_the_image_is_no_border() -> None:
    cut = Mask(np.ones((1, 6, 8), dtype=bool), Geometry((8, 6, 1), (1, 1, 1)))
    assert erode(cut, 2).n_voxels == cut.n_voxels
    cut.array[:, 4:] = False
    np.testing.assert_array_equal(erode(cut, 1).array.any(axis=(0, 2)), [1, 1, 1, 0, 0, 0])


def test_a_shell_stays_within_what_it_is_given() -> None:
    region = solid((6, 6, 6), (1, 1, 1), margin_mm=5)
    half = Mask(np.zeros_like(region.array), region.geometry, "body")
    half.array[:, :, :9] = True
    ring = shell(region, 0, 3, within=half)
    assert ring.history[-1].parameters["within"] == "body"
    np.testing.assert_array_equal(ring.array, shell(region, 0, 3).array & half.array)
    elsewhere = Mask(half.array, Geometry(half.geometry.size, (1, 1, 2)))
    with pytest.raises(GeometryError, match="not on the same grid"):
        shell(region, 0, 3, within=elsewhere)


def test_shells_side_by_side_share_no_voxel_and_leave_none_out() -> None:
    region = solid((9, 9, 9), (0.6, 0.6, 1.0))
    parts = [shell(region, a, b).array for a, b in ((-2, 0), (0, 2.5), (2.5, 6))]
    total = np.sum(parts, axis=0)
    assert total.max() == 1
    np.testing.assert_array_equal(total > 0, shell(region, -2, 6).array)


@given(masks())
def test_filling_holes_in_space_is_that_of_scipy(mask: Mask) -> None:
    np.testing.assert_array_equal(fill_holes(mask).array, binary_fill_holes(mask.array))


@given(masks(), st.integers(0, 2))
def test_filling_slices_is_filling_each(mask: Mask, axis: int) -> None:
    each = [binary_fill_holes(part) for part in np.moveaxis(mask.array, axis, 0)]
    np.testing.assert_array_equal(fill_holes(mask, axis).array, np.stack(each, axis))


def test_pieces_depend_on_the_connectivity() -> None:
    array = np.zeros((1, 4, 4), dtype=bool)
    array[0, 0, 0] = array[0, 1, 1] = array[0, 3, 2:] = array[0, 2, 2] = True
    mask = Mask(array, Geometry((4, 4, 1), (1, 1, 1)))
    assert largest_piece(mask, 26).n_voxels == 5
    faces = largest_piece(mask, 6)
    assert (faces.n_voxels, faces.history[-1].parameters["pieces"]) == (3, 3)


def test_operations_follow_each_other_and_are_recorded() -> None:
    region = solid((12, 12, 6), (1, 1, 2))
    z, y, x = (int(found.mean()) for found in np.nonzero(region.array))
    region.array[z, y, x] = False
    region.array[0, 0, 0] = True
    done = apply_operations(
        region,
        [LargestPiece(), FillHoles(), Erode(mm=2), Dilate(mm=1), Shell(from_mm=-1, to_mm=0)],
        "axial",
    )  # fmt: skip
    assert [step.name for step in done.history] == [
        "largest_piece", "fill_holes", "erode", "dilate", "shell",
    ]  # fmt: skip
    assert [step.parameters["voxels"] for step in done.history] == [431, 432, 192, 288, 96]
    assert done.name == region.name
    assert region.array[0, 0, 0]


def test_the_history_says_how() -> None:
    region = solid((9, 9, 9), (1.0, 1.0, 1.0))
    for operation, name in ((erode, "erode"), (dilate, "dilate")):
        (step,) = operation(region, 2, axis=1).history
        assert (step.name, step.parameters["mm"], step.parameters["slice_axis"]) == (name, 2, 1)
    (step,) = largest_piece(region).history
    assert step.parameters["connectivity"] == 26


def test_distances_below_the_voxels_are_refused() -> None:
    region = solid((12, 12, 12), (0.6, 0.6, 4.4))
    with pytest.raises(DataError, match=r"0\.5 mm changes nothing where voxels are 0\.6 mm apart"):
        erode(region, 0.5)
    with pytest.raises(DataError, match=r"0\.5 mm changes nothing"):
        shell(region, -0.5, 3, axis=0)
    assert dilate(region, 0.6, axis=0).n_voxels > region.n_voxels


def test_nothing_left_names_the_operation() -> None:
    region = solid((4, 4, 4), (1, 1, 1))
    with pytest.raises(DataError, match=r"erode \(mm 2\) leaves no voxel of 'ROI'.* 64") as caught:
        apply_operations(region, [FillHoles(), Erode(mm=2)], "axial")
    assert caught.value.__notes__ == ["in ROI operation 2 of 2"]


@pytest.mark.parametrize("operation", [FillHoles(), LargestPiece(), Erode(mm=1), Dilate(mm=1)])
def test_empty_regions_are_refused(operation: RegionOperation) -> None:
    nothing = Mask(np.zeros((2, 2, 2), dtype=bool), Geometry((2, 2, 2), (1, 1, 1)))
    with pytest.raises(DataError, match="is empty"):
        apply_operations(nothing, [operation], "axial")


@pytest.mark.parametrize("mm", [0, -1, np.inf, np.nan])
def test_distances_are_positive_numbers(mm: float) -> None:
    with pytest.raises(DataError, match="positive distance"):
        erode(solid((4, 4, 4), (1, 1, 1)), mm)


def test_the_protocol_tells_operations_by_their_name() -> None:
    adapter = TypeAdapter(tuple[RegionOperation, ...])
    read = adapter.validate_python(
        [{"operation": "erode", "mm": 1}, {"operation": "shell", "from_mm": 0, "to_mm": 5}]
    )
    assert read == (Erode(mm=1), Shell(from_mm=0, to_mm=5))
    assert read[0].dimension == "2D"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"operation": "shrink", "mm": 1}, "shrink"),
        ({"operation": "erode", "mm": -1}, "greater than"),
        ({"operation": "erode", "mm": 1, "radius": 1}, "Extra inputs"),
        ({"operation": "shell", "from_mm": 2, "to_mm": 1}, "from inside out"),
        ({"operation": "largest_piece", "connectivity": 8}, "6, 18 or 26"),
    ],
)
def test_wrong_choices_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(RegionOperation).validate_python(wrong)


def test_limits_of_a_shell_that_are_in_no_order_are_refused() -> None:
    region = solid((9, 9, 9), (1.0, 1.0, 1.0))
    for limits in ((2, 1), (2, 2)):
        with pytest.raises(DataError, match="needs a positive distance"):
            shell(region, *limits)
