"""Pair counts against counting one by one."""

from itertools import product

import numpy as np
import pytest

from centrum.extract import DIRECTIONS_2D, DIRECTIONS_3D
from centrum.kernels.cooccurrence import count_pairs


def one_by_one(levels: np.ndarray, offset: np.ndarray, n: int) -> np.ndarray:
    counts = np.zeros((n, n), dtype=int)
    for index in product(*map(range, levels.shape)):
        other = tuple(np.add(index, offset))
        inside = all(0 <= o < size for o, size in zip(other, levels.shape, strict=True))
        if inside and levels[index] and levels[other]:
            counts[levels[index] - 1, levels[other] - 1] += 1
    return counts


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 5, 6), (3, 1, 4), (1, 1, 1), (2, 7, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_counts_in_3d_and_by_slice(shape: tuple[int, int, int], seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 5, shape).astype(np.int32)
    found = count_pairs(levels, DIRECTIONS_3D, 4, by_slice=False)
    for offset, counts in zip(DIRECTIONS_3D, found[:, 0], strict=True):
        np.testing.assert_array_equal(counts, one_by_one(levels, offset, 4))
    by_slice = count_pairs(levels, DIRECTIONS_2D, 4, by_slice=True)
    for offset, slices in zip(DIRECTIONS_2D, by_slice, strict=True):
        for z, counts in enumerate(slices):
            np.testing.assert_array_equal(counts, one_by_one(levels[z : z + 1], offset, 4))


def test_one_of_each_pair_of_directions() -> None:
    both = {tuple(d) for d in DIRECTIONS_3D} | {tuple(-d) for d in DIRECTIONS_3D}
    assert len(both) == 26
    assert all(d[0] == 0 for d in DIRECTIONS_2D)
