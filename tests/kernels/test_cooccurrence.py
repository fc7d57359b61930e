"""Pair counts against counting one by one."""

import numpy as np
from hypothesis import given, strategies as st

from centrum.kernels.cooccurrence import TWO_TABLES_UP_TO, count_pairs, summarise
from centrum.kernels.layout import RegionLayout
from centrum.kernels.neighbours import DIRECTIONS
from tests.kernels.regions import LEVELS, neighbour, voxels


@given(LEVELS, st.integers(1, 3))
def test_pairs_are_those_found_one_by_one(levels: np.ndarray, distance: int) -> None:
    layout = RegionLayout.of(levels > 0, pad=distance)
    offsets = DIRECTIONS * distance
    expected = np.zeros((levels.shape[0], len(offsets), 3, 3))
    for index in voxels(levels):
        for d, step in enumerate(offsets):
            if other := neighbour(levels, index, step):
                expected[index[0], d, levels[index] - 1, other - 1] += 1
    flat = layout.flat(levels[levels > 0])
    np.testing.assert_array_equal(count_pairs(flat, layout, layout.steps(offsets), 3), expected)


def test_many_levels_go_to_one_table() -> None:
    levels = np.arange(1, TWO_TABLES_UP_TO + 3, dtype=np.uint16).reshape(1, 1, 1, -1)
    layout = RegionLayout.of(levels > 0, pad=1)
    steps = layout.steps([(0, 0, 1)])
    counts = count_pairs(layout.flat(levels.ravel()), layout, steps, levels.size)
    np.testing.assert_array_equal(counts[0, 0], np.eye(levels.size, k=1))


def test_summary_of_joint_probabilities() -> None:
    p = np.random.default_rng(0).random((3, 5, 5))
    p /= p.sum(axis=(1, 2), keepdims=True)
    found = summarise(p)
    i, j = np.indices((5, 5))
    for k in range(5):
        np.testing.assert_allclose(found.difference[:, k], p[:, abs(i - j) == k].sum(axis=1))
    for k in range(2, 11):
        np.testing.assert_allclose(found.total[:, k], p[:, i + j + 2 == k].sum(axis=1))
    np.testing.assert_allclose(found.entropy, -(p * np.log2(p)).sum(axis=(1, 2)))
    np.testing.assert_allclose(found.energy, (p**2).sum(axis=(1, 2)))
    np.testing.assert_array_equal(found.maximum, p.max(axis=(1, 2)))
