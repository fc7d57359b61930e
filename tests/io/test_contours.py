"""Contours of a region in the slices of an image: planes, holes, edges and limits."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from centrum.errors import GeometryError, ImageError
from centrum.geometry import Geometry, direction_of
from centrum.io import contours as module, inspect_case, place_mask
from centrum.io.contours import PLANE_TOLERANCE_MM, Contours, mask_of_contours
from centrum.volume import Mask, Volume
from tests.io.drawing import drawn, squares, traced

GRID = Geometry((11, 9, 6), (0.5, 0.5, 3))
TILT = np.deg2rad(20)
OBLIQUE = Geometry(
    (11, 9, 6),
    (0.49, 0.51, 3.3),
    (-31.2, 55.5, -700.1),
    (np.cos(TILT), -np.sin(TILT), 0, np.sin(TILT), np.cos(TILT), 0, 0, 0, 1),
)


def region(found: list[NDArray], exclusive: bool = False) -> Contours:
    return Contours("L1", np.concatenate(found), np.cumsum([len(f) for f in found]), exclusive)


def slice_of(*found: NDArray, exclusive: bool = False) -> NDArray:
    """The first slice, on a grid of 12 x 12 pixels of 1 mm, as rows of text."""
    mask = mask_of_contours(region(list(found), exclusive), Geometry((12, 12, 2), (1, 1, 5)))
    assert not mask.array[1].any()
    return mask.array[0]


def closed(*points: tuple[float, float]) -> NDArray:
    """A contour in the first slice, in mm."""
    return np.array([(x, y, 0) for x, y in points], dtype=float)


def rows(text: str) -> NDArray:
    return np.array([[letter == "#" for letter in row] for row in text.split()])


masks = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).random(GRID.shape) < (seed % 7 + 1) / 8
)


@given(mask=masks, grid=st.sampled_from([GRID, OBLIQUE]), decimals=st.integers(2, 6))
def test_a_mask_comes_back_from_contours_in_mm(
    mask: NDArray, grid: Geometry, decimals: int
) -> None:
    if not mask.any():
        return
    found = [np.round(each, decimals) for each in drawn(mask, grid)]
    filled = mask_of_contours(region(found), grid)
    np.testing.assert_array_equal(filled.array, mask)
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    skipped = used[-1] - used[0] + 1 - len(used)
    assert filled.history[0].parameters["slices_without_contour"] == skipped


@given(
    mask=masks, order=st.permutations([0, 1, 2]), signs=st.tuples(*[st.sampled_from([1, -1])] * 3)
)
def test_the_order_in_which_an_image_stores_its_axes_decides_nothing(
    mask: NDArray, order: list[int], signs: tuple[int, ...]
) -> None:
    """Contours of slices that lie across another axis, as after a conversion to NIfTI."""
    if not mask.any():
        return
    first = np.zeros(3)
    first[order] = [OBLIQUE.size[k] - 1 if s < 0 else 0 for k, s in zip(order, signs, strict=True)]
    turned = Geometry(
        tuple(OBLIQUE.size[k] for k in order),
        tuple(OBLIQUE.spacing[k] for k in order),
        tuple(OBLIQUE.position(first)),
        tuple((OBLIQUE.axes[:, order] * signs).flat),
    )
    filled = mask_of_contours(region(drawn(mask, OBLIQUE)), turned)
    np.testing.assert_array_equal(place_mask(filled, OBLIQUE).array, mask)


# Which axis the slices lie across


def square_across(axis: int, grid: Geometry, at: float = 2.0) -> Contours:
    """A square in a plane across an axis of the grid, in voxels from 1 to 4."""
    corners = np.insert(np.array([(1, 1), (4, 1), (4, 4), (1, 4)], dtype=float), axis, at, axis=1)
    return region([grid.position(corners)])


def test_sagittal_contours_on_an_axial_image_are_refused() -> None:
    """Though each lies in a plane of columns: between them the drawing has none."""
    with pytest.raises(
        GeometryError, match=r"reaches 9\.00 mm across them, which are 3 mm"
    ) as caught:
        mask_of_contours(square_across(0, GRID), GRID)
    assert caught.value.code == "across-slices"


def test_where_voxels_are_as_long_any_plane_of_them_is_a_slice() -> None:
    even = Geometry((8, 8, 8), (1, 1.1, 1))
    for axis in range(3):
        found = mask_of_contours(square_across(axis, even), even)
        assert found.array.sum() == 16
        assert np.moveaxis(found.array, 2 - axis, 0)[2].sum() == 16


def test_slices_of_a_series_lie_across_its_third_axis_however_thin() -> None:
    thin = Geometry((8, 8, 8), (1, 1, 0.4))
    assert mask_of_contours(square_across(2, thin), thin).array[2].sum() == 16


@pytest.mark.parametrize("spacing", [3.0, 0.2])
def test_contours_between_slices_are_refused_with_their_distance(spacing: float) -> None:
    grid = Geometry((11, 9, 6), (0.5, 0.5, spacing))
    tolerance = min(PLANE_TOLERANCE_MM, spacing / 4) / spacing
    for off in (-0.99, 0.99):
        assert mask_of_contours(square_across(2, grid, 2 + off * tolerance), grid).array[2].any()
        with pytest.raises(GeometryError, match="from the nearest slice") as caught:
            mask_of_contours(square_across(2, grid, 2 + 1.05 * np.sign(off) * tolerance), grid)
        assert caught.value.code == "between-slices"
    with pytest.raises(GeometryError, match=rf"contour 1 of 1 lies {0.4 * spacing:.2f} mm from"):
        mask_of_contours(square_across(2, grid, 2.4), grid)


def test_one_point_off_the_plane_is_found() -> None:
    tilted = GRID.position([(1.0, 1, 2), (4, 1, 2), (4, 4, 2.2), (1, 4, 2)])
    good = GRID.position([(1.0, 1, 1), (4, 1, 1), (4, 4, 1)])
    with pytest.raises(GeometryError, match=r"contour 2 of 2 lies in another plane .* 0\.60 mm"):
        mask_of_contours(region([good, tilted]), GRID)


# The edge of the image


@pytest.mark.parametrize(("axis", "end"), [*product((0, 1), (0, 1))])
def test_up_to_half_a_voxel_beyond_the_outermost_centres(axis: int, end: int) -> None:
    corners = np.array([(1, 1, 2), (4, 1, 2), (4, 4, 2), (1, 4, 2)], dtype=float)
    most = corners[:, axis].max() if end else corners[:, axis].min()
    moved = corners[:, axis] == most
    corners[moved, axis] = GRID.size[axis] - 0.5 if end else -0.5
    found = mask_of_contours(region([GRID.position(corners)]), GRID).array[2]
    inner = {0: slice(0, 5), 1: slice(1, GRID.size[axis])}[end]
    assert found.any(axis=axis)[inner].all()
    assert found.sum() == 4 * len(range(*inner.indices(GRID.size[axis])))
    rounded = corners.copy()
    rounded[moved, axis] += 0.015 if end else -0.015
    again = mask_of_contours(region([GRID.position(rounded)]), GRID).array[2]
    np.testing.assert_array_equal(again, found)
    corners[moved, axis] += 0.1 if end else -0.1
    with pytest.raises(GeometryError, match=r"2 of the 4 points .* outside .* 0\.05 mm") as caught:
        mask_of_contours(region([GRID.position(corners)]), GRID)
    assert caught.value.code == "mask-outside"


@pytest.mark.parametrize("at", [-1.0, 6.0])
def test_contours_above_and_below_the_slices_are_outside(at: float) -> None:
    with pytest.raises(GeometryError, match=r"4 of the 4 points .* outside .* 1\.50 mm"):
        mask_of_contours(square_across(2, GRID, at), GRID)


# What a slice holds (docs/decisions/0020)

RING = rows(
    """
    ............
    ............
    ..#######...
    ..#######...
    ..##...##...
    ..##...##...
    ..##...##...
    ..#######...
    ..#######...
    ............
    ............
    ............
    """
)


def test_a_hole_keeps_its_boundary() -> None:
    """What its contour meets is of the region, as what that of the region meets."""
    hole = squares((2, 2, 8, 8), (3, 3, 7, 7))
    np.testing.assert_array_equal(slice_of(*hole), RING)


def test_a_keyhole_is_a_hole() -> None:
    """Its channel, which is run along twice, is within the region and cuts nothing."""
    outer, inner = [(2, 2), (8, 2), (8, 8), (2, 8)], [(3, 3), (7, 3), (7, 7), (3, 7)]
    points = [*outer, (2, 5), (3, 5), *inner, (3, 5), (2, 5)]
    np.testing.assert_array_equal(slice_of(closed(*points)), RING)


def test_a_channel_of_some_width_that_meets_no_centre_cuts_nothing_either() -> None:
    outer, inner = [(2, 2), (8, 2), (8, 8), (2, 8)], [(3, 7), (7, 7), (7, 3), (3, 3)]
    points = [*outer, (2, 5.4), (3, 5.4), *inner, (3, 5.3), (2, 5.3)]
    np.testing.assert_array_equal(slice_of(closed(*points)), RING)


def test_contours_that_share_a_side_are_one_region() -> None:
    np.testing.assert_array_equal(
        slice_of(*squares((1, 1, 4, 4), (4, 1, 8, 4))), slice_of(*squares((1, 1, 8, 4)))
    )


def test_contours_that_touch_in_a_point_are_both_there() -> None:
    both = slice_of(*squares((1, 1, 4, 4), (4, 4, 6, 6)))
    apart = [slice_of(*squares(each)) for each in ((1, 1, 4, 4), (4, 4, 6, 6))]
    np.testing.assert_array_equal(both, apart[0] | apart[1])


def test_an_island_in_a_hole_is_of_the_region() -> None:
    found = slice_of(*squares((0, 0, 10, 10), (2, 2, 8, 8), (4, 4, 6, 6)))
    assert (found[5, 5], found[3, 3], found[4, 4], found[2, 2]) == (True, False, True, True)


def test_a_line_there_and_back_is_of_the_region_where_it_meets_centres() -> None:
    """One pixel wide, a part has no inside; two islands that a line joins are joined by it."""
    thread = closed((1, 1), (5, 1))
    assert np.argwhere(slice_of(thread)).tolist() == [[1, x] for x in range(1, 6)]
    assert np.argwhere(slice_of(closed((3, 2)))).tolist() == [[2, 3]]
    assert not slice_of(closed((1, 1.4), (5, 1.4))).any()


def test_one_contour_twice_is_refused() -> None:
    (square,) = squares((1, 1, 4, 4))
    with pytest.raises(ImageError, match="there twice") as caught:
        slice_of(square, square)
    assert caught.value.code == "repeated-contour"
    assert "region 'L1', slice 1 of 2" in caught.value.__notes__
    assert slice_of(square, *squares((1, 7, 4, 10))).sum() == 32


def test_a_ring_of_one_pixel_is_no_contour_twice() -> None:
    """Both its contours run through the same centres, the one around the hole the other way."""
    ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)
    outer, hole = traced(ring)
    assert {*map(tuple, outer)} == {*map(tuple, hole)}
    assert (
        np.argwhere(slice_of(closed(*outer), closed(*hole))).tolist() == np.argwhere(ring).tolist()
    )


def test_contours_that_overlap_in_part_are_refused_unless_they_exclude_each_other() -> None:
    cross = squares((1, 3, 9, 6), (3, 1, 6, 9))
    with pytest.raises(ImageError, match="overlap in part") as caught:
        slice_of(*cross)
    assert caught.value.code == "overlapping-contours"
    found = slice_of(*cross, exclusive=True)
    assert (found[4, 4], found[4, 3], found[4, 2], found[2, 4]) == (False, True, True, True)
    (square,) = squares((1, 1, 4, 4))
    assert slice_of(square, square, exclusive=True).sum() == 12  # the outline alone


@given(mask=masks, seed=st.integers(0, 2**32 - 1))
def test_contours_of_one_mask_never_overlap_in_part(mask: NDArray, seed: int) -> None:
    """Not even when their points are rounded and come in any order."""
    rng = np.random.default_rng(seed)
    found = [each + rng.uniform(-0.004, 0.004, each.shape) for each in drawn(mask, GRID)]
    if found:
        shuffled = [found[k] for k in rng.permutation(len(found))]
        np.testing.assert_array_equal(mask_of_contours(region(shuffled), GRID).array, mask)


# What is told, and what is too much


def test_slices_that_were_left_out_are_told_and_not_filled() -> None:
    body = [each for z in (0, 3, 15) for each in squares((1, 1, 4, 4), z=z)]
    mask = mask_of_contours(region(body), GRID)
    assert [plane.any() for plane in mask.array] == [True, True, False, False, False, True]
    image = Volume(np.random.default_rng(0).normal(size=GRID.shape), GRID)
    found = {each.code: each.message for each in inspect_case(image, mask)}
    assert "no contour on 3 slices between others" in found["skipped-slices"]
    whole = mask_of_contours(region(body[:2]), GRID)
    assert "skipped-slices" not in {each.code for each in inspect_case(image, whole)}


def test_too_many_contours_and_too_long_ones_are_refused_before_they_are_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "fill", None)
    many = squares(*[(1.0, 1.0, 4.0, 4.0)] * 20)
    monkeypatch.setattr(module, "MOST_CONTOURS", 19)
    with pytest.raises(ImageError, match="20 contours") as caught:
        mask_of_contours(region(many), GRID)
    assert caught.value.code == "too-large"
    monkeypatch.setattr(module, "MOST_STEPS", 100)
    with pytest.raises(ImageError, match=r"run through .* rows and columns"):
        mask_of_contours(region(many[:9]), GRID)


def test_as_many_steps_as_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A square of 6 x 6 voxels: 24 rows and columns, 4 for each edge, a sixteenth of its box."""
    square = region(squares((1.0, 1.0, 4.0, 4.0)))
    monkeypatch.setattr(module, "MOST_STEPS", 24 + 16 + 36 / 16)
    assert mask_of_contours(square, GRID).array.any()
    monkeypatch.setattr(module, "MOST_STEPS", 24 + 16 + 35 / 16)
    with pytest.raises(ImageError, match="run through"):
        mask_of_contours(square, GRID)


@pytest.mark.parametrize(("across", "code"), [(2.1, "across-slices"), (1.9, "between-slices")])
def test_what_reaches_further_across_than_slices_allow_is_in_another_plane(
    across: float, code: str
) -> None:
    """Twice the tolerance is the way from one side of a slice to the other."""
    off = across * min(PLANE_TOLERANCE_MM, GRID.spacing[2] / 4) / GRID.spacing[2]
    first, last = 2 - 0.2 * off, 2 + 0.8 * off
    tilted = GRID.position([(1.0, 1, first), (4, 1, first), (4, 4, last), (1, 4, last)])
    with pytest.raises(GeometryError) as caught:
        mask_of_contours(region([tilted]), GRID)
    assert caught.value.code == code


def test_the_rounding_that_is_allowed_beyond_the_edge_is_in_voxels() -> None:
    """0.015 of a voxel of 4 mm are 0.06 mm."""
    grid = Geometry((6, 6, 3), (4.0, 4.0, 5.0))
    corners = np.array([(-0.515, 1, 1), (4, 1, 1), (4, 4, 1), (-0.515, 4, 1)])
    assert mask_of_contours(region([grid.position(corners)]), grid).array.any()


def test_a_turned_sagittal_stack_is_filled_where_it_lies() -> None:
    """By patient coordinates: the same contours on the six orders of axes of one sagittal image."""
    voxels = {"R": 4.4, "L": 4.4, "A": 0.7, "P": 0.7, "I": 0.6, "S": 0.6}
    sizes = {"R": 5, "L": 5, "A": 8, "P": 8, "I": 9, "S": 9}
    found = []
    for axes in permutations("LPS"):
        grid = Geometry(
            tuple(sizes[a] for a in axes),
            tuple(voxels[a] for a in axes),
            direction=direction_of("".join(axes)),
        )
        body = np.array([(8.8, 0.7, 0.6), (8.8, 3.5, 0.6), (8.8, 3.5, 3.0)])
        mask = mask_of_contours(region([body]), grid)
        reference = Geometry((5, 8, 9), (4.4, 0.7, 0.6))
        found.append(place_mask(Mask(mask.array, grid), reference).array)
    assert found[0].sum() == 15
    assert all((each == found[0]).all() for each in found)
