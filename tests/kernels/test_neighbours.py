"""Runs, zones, distances and neighbourhoods against plain definitions."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import ndimage

from centrum.kernels.layout import RegionLayout
from centrum.kernels.neighbours import (
    DIRECTIONS,
    IN_SLICE,
    border_distance,
    equal_neighbours,
    neighbourhoods,
    run_lengths,
    zones,
)
from tests.kernels.regions import LEVELS, neighbour, voxels

BOTH = [DIRECTIONS, DIRECTIONS[:IN_SLICE]]


def laid_out(levels: np.ndarray) -> tuple[RegionLayout, np.ndarray]:
    layout = RegionLayout.of(levels > 0, pad=1)
    return layout, layout.flat(levels[levels > 0])


def test_one_of_each_pair_of_directions() -> None:
    both = {tuple(d) for d in DIRECTIONS} | {tuple(-d) for d in DIRECTIONS}
    assert len(both) == 26
    assert (DIRECTIONS[:IN_SLICE, 0] == 0).all()
    assert (DIRECTIONS[IN_SLICE:, 0] == 1).all()


@pytest.mark.parametrize("directions", BOTH)
@given(levels=LEVELS)
def test_runs_are_those_found_one_by_one(directions: np.ndarray, levels: np.ndarray) -> None:
    layout, flat = laid_out(levels)
    steps = layout.steps(directions)
    found = run_lengths(flat, layout, steps, equal_neighbours(flat, layout, steps), 3)
    expected = np.zeros((levels.shape[0], len(directions), max(levels.shape[1:]), 4), int)
    for index in voxels(levels):
        for d, step in enumerate(directions):
            level = levels[index]
            if neighbour(levels, index, -step) != level:
                length = 1
                while neighbour(levels, index, step, length) == level:
                    length += 1
                expected[index[0], d, length - 1, level] += 1
    np.testing.assert_array_equal(found, expected[:, :, : found.shape[2]])
    assert not expected[:, :, found.shape[2] :].any()


@pytest.mark.parametrize("directions", BOTH)
@given(levels=LEVELS)
def test_zones_are_connected_components(directions: np.ndarray, levels: np.ndarray) -> None:
    layout, flat = laid_out(levels)
    steps = layout.steps(directions)
    distances = np.random.default_rng(0).integers(1, 9, layout.positions.size, np.uint16)
    found = zones(layout, steps, equal_neighbours(flat, layout, steps), distances)
    whole = np.ones((3, 3, 3)) if len(directions) == 13 else np.zeros((3, 3, 3))
    whole[1] = 1
    placed = np.zeros(levels.shape, int)
    placed[levels > 0] = distances
    expected = []
    for block, near in zip(levels, placed, strict=True):
        for level in (1, 2, 3):
            labels, n = ndimage.label(block == level, whole)
            expected += [
                (level, int((labels == k).sum()), int(near[labels == k].min()))
                for k in range(1, n + 1)
            ]
    levels_found = flat[layout.positions[found.voxel]]
    ours = zip(levels_found.tolist(), found.size.tolist(), found.distance.tolist(), strict=True)
    assert sorted(ours) == sorted(expected)


@given(LEVELS)
def test_border_distance_is_city_block(levels: np.ndarray) -> None:
    layout = RegionLayout.of(levels > 0, pad=1)
    ours = border_distance(layout, np.eye(3, dtype=int))[layout.positions]
    outside = np.pad(levels > 0, ((0, 0), (1, 1), (1, 1), (1, 1)))
    expected = [ndimage.distance_transform_cdt(block, "taxicab") for block in outside]
    np.testing.assert_array_equal(ours, np.array(expected)[outside])


@given(LEVELS, st.integers(0, 2), st.booleans())
def test_neighbourhoods_are_those_found_one_by_one(
    levels: np.ndarray, coarseness: int, in_slice: bool
) -> None:
    layout, flat = laid_out(levels)
    half = DIRECTIONS[: IN_SLICE if in_slice else None]
    offsets = np.concatenate([half, -half])
    found = neighbourhoods(flat, layout, layout.steps(offsets), 3, coarseness)
    difference, alone = np.zeros((levels.shape[0], 4)), np.zeros((levels.shape[0], 4), int)
    dependent = np.zeros((levels.shape[0], 4, len(offsets) + 1), int)
    for index in voxels(levels):
        level = int(levels[index])
        around = [n for step in offsets if (n := neighbour(levels, index, step))]
        dependent[index[0], level, sum(abs(n - level) <= coarseness for n in around)] += 1
        if around:
            difference[index[0], level] += abs(level - np.mean(around))
        alone[index[0], level] += not around
    np.testing.assert_allclose(found.difference, difference, atol=1e-12)
    np.testing.assert_array_equal(found.dependent, dependent)
    np.testing.assert_array_equal(found.voxels, dependent.sum(axis=2) - alone)
