"""Mask agreement against brute force, hand-made cases and the algebra of the measures."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.agreement import overlap
from centrum.agreement.overlap import slice_overlap
from centrum.errors import DataError, GeometryError

SPACING = (4.4, 0.6, 0.7)
masks = arrays(bool, (3, 4, 5))
spacings = st.tuples(*[st.floats(0.2, 5)] * 3)


def surface_points(mask, spacing):
    padded = np.pad(mask, 1)
    points = []
    for z, y, x in np.argwhere(padded):
        around = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
        if not all(padded[z + i, y + j, x + k] for i, j, k in around):
            points.append((z, y, x))
    return np.array(points) * spacing


@given(masks, masks, spacings)
def test_equals_brute_force(a, b, spacing):
    assume(a.any() and b.any())
    found = overlap(a, b, spacing)
    p, q = surface_points(a, spacing), surface_points(b, spacing)
    between = np.linalg.norm(p[:, None] - q[None], axis=2)
    there, back = between.min(axis=1), between.min(axis=0)
    assert found.dice == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert found.jaccard == pytest.approx((a & b).sum() / (a | b).sum())
    assert found.hausdorff_mm == pytest.approx(max(there.max(), back.max()))
    assert found.hausdorff95_mm == pytest.approx(
        max(np.percentile(there, 95), np.percentile(back, 95))
    )
    assert found.mean_surface_distance_mm == pytest.approx(np.mean([*there, *back]))


@given(masks, masks)
def test_is_symmetric_but_for_the_sign_of_the_volume(a, b):
    assume(a.any() and b.any())
    forth, back = overlap(a, b, SPACING), overlap(b, a, SPACING)
    assert forth.volume_difference_mm3 == -back.volume_difference_mm3
    for name in ("dice", "jaccard", "hausdorff_mm", "hausdorff95_mm"):
        assert getattr(forth, name) == getattr(back, name)
    assert forth.mean_surface_distance_mm == pytest.approx(back.mean_surface_distance_mm)


@given(masks)
def test_a_mask_agrees_fully_with_itself(a):
    assume(a.any())
    assert astuple(overlap(a, a, SPACING)) == (1, 1, 0, 0, 0, 0)


@given(masks, masks, st.tuples(*[st.integers(0, 3)] * 3))
def test_the_place_in_the_image_does_not_matter(a, b, shift):
    assume(a.any() and b.any())
    pad = [(n, 2) for n in shift]
    assert overlap(np.pad(a, pad), np.pad(b, pad), SPACING) == overlap(a, b, SPACING)


@given(masks, masks)
def test_dice_and_jaccard_are_one_fact(a, b):
    assume(a.any() and b.any())
    found = overlap(a, b, SPACING)
    assert found.dice == pytest.approx(2 * found.jaccard / (1 + found.jaccard))


def test_distances_are_in_millimetres_along_each_axis():
    a = np.zeros((9, 9, 9), bool)
    a[4, 4, 4] = True
    for axis, millimetres in enumerate(SPACING):
        b = np.roll(a, 3, axis=axis)
        found = overlap(a, b, SPACING)
        assert found.dice == 0
        assert found.hausdorff_mm == pytest.approx(3 * millimetres)


def test_a_dropped_end_slice_costs_one_slice_step():
    a = np.zeros((5, 12, 12), bool)
    a[1:4, 2:10, 2:10] = True
    b = a.copy()
    b[3] = False
    found = overlap(a, b, SPACING)
    assert found.hausdorff_mm == pytest.approx(4.4)
    assert found.volume_difference_mm3 == pytest.approx(-64 * 4.4 * 0.6 * 0.7)


def test_an_empty_mask_is_an_error_that_says_which():
    a = np.ones((2, 2, 2), bool)
    with pytest.raises(DataError, match="second mask is empty"):
        overlap(a, ~a, SPACING)


def test_masks_on_different_grids_are_refused():
    with pytest.raises(GeometryError, match="one grid"):
        overlap(np.ones((2, 2, 2), bool), np.ones((2, 2, 3), bool), SPACING)


planes = arrays(bool, (4, 5))


@given(planes, planes, st.tuples(*[st.floats(0.2, 5)] * 2))
def test_a_slice_equals_brute_force_with_its_own_neighbours(a, b, spacing):
    assume(a.any() and b.any())
    found = slice_overlap(a, b, spacing)
    p, q = (edge_points(plane) * spacing for plane in (a, b))
    between = np.linalg.norm(p[:, None] - q[None], axis=2)
    there, back = between.min(axis=1), between.min(axis=0)
    assert found.dice == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert found.volume_difference_mm3 == pytest.approx((b.sum() - a.sum()) * np.prod(spacing))
    assert found.hausdorff_mm == pytest.approx(max(there.max(), back.max()))
    assert found.mean_surface_distance_mm == pytest.approx(np.mean([*there, *back]))


def edge_points(plane):
    padded = np.pad(plane, 1)
    around = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    inside = [(y, x) for y, x in np.argwhere(padded)]
    return np.array(
        [(y, x) for y, x in inside if not all(padded[y + i, x + j] for i, j in around)], float
    )


def test_a_slice_of_one_reader_alone_has_no_distance():
    a, b = np.zeros((3, 3), bool), np.zeros((3, 3), bool)
    a[1, 1] = True
    found = slice_overlap(a, b, (2, 3))
    assert (found.dice, found.jaccard, found.volume_difference_mm3) == (0, 0, -6)
    assert np.isnan(
        [found.hausdorff_mm, found.hausdorff95_mm, found.mean_surface_distance_mm]
    ).all()
    with pytest.raises(DataError, match="nothing to compare"):
        slice_overlap(b, b, (2, 3))
    with pytest.raises(GeometryError):
        slice_overlap(a, b[:2], (2, 3))
