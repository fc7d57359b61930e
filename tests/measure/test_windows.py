"""Windows: their size in memory, and what is found in each of them alone."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.arrays import Array, Flags
from centrum.features.families import FAMILIES
from centrum.features.glcm import COOCCURRENCE
from centrum.features.sizes import RUNS, ZONES
from centrum.features.textures import Neighbourhood
from centrum.kernels.neighbours import DIRECTIONS
from centrum.measure import windows as module
from centrum.measure.windows import (
    BlockTextures,
    Samples,
    Windows,
    _has_line_with_two,
    grey_levels,
    intensities,
    of_samples,
)

RADIUS = (0, 2, 1)


def of_levels(*levels: int) -> Windows:
    return Windows(np.array([[levels]], np.uint16), RADIUS, Neighbourhood())


def test_a_region_of_one_level_may_have_holes() -> None:
    assert of_levels(0, 2, 2).one_level
    assert not of_levels(0, 1, 2).one_level


@pytest.mark.parametrize(
    ("reads", "numbers"),
    [
        (COOCCURRENCE, 13 * 10 * 10 * 3),
        (RUNS, 13 * 10 * 6 * 3),
        (ZONES, 10 * 15),
    ],
)
def test_windows_of_a_batch_fit_into_memory(reads, numbers) -> None:
    """Of 5 x 3 voxels and 9 levels: three times a matrix in 13 directions, or levels of voxels."""
    assert of_levels(1, 9).fitting(reads) == 32_000_000 // (8 * numbers)


def test_a_window_that_is_larger_than_a_batch_is_one() -> None:
    assert of_levels(1, 2000).fitting(COOCCURRENCE) == 1


@pytest.mark.parametrize("family", ["statistics", "histogram"])
@pytest.mark.parametrize(
    ("memory", "sizes"),
    [(1, [1] * 19), (8 * (4 * 15 + module.SUMS) * 7, [7, 7, 5])],
)
def test_batches_of_any_size_give_the_same(
    family: str, memory: float, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window takes its numbers four times and its sums."""
    rng = np.random.default_rng(1)
    numbers, held = rng.integers(1, 6, (2, 5, 2)), np.ones((2, 5, 2), bool)
    held[0, 0, 1] = False
    made = []

    def make(x: Array, inside: Flags) -> Samples:
        made.append(len(x))
        return grey_levels(x, inside) if family == "histogram" else intensities(x, inside, 2.0, 0)

    given = (make, [*FAMILIES[family]], numbers, held, np.argwhere(held), RADIUS)
    whole = of_samples(*given)
    monkeypatch.setattr(module, "BATCH_BYTES", memory)
    np.testing.assert_array_equal(of_samples(*given), whole)
    assert made == [19, *sizes]


@given(st.integers(0, 10_000), st.sampled_from([(1, 4, 3), (3, 2, 4)]))
def test_lines_with_two_voxels_are_those_that_are_counted(seed: int, shape: tuple) -> None:
    inside = np.random.default_rng(seed).random((3, *shape)) < 0.2
    for direction in DIRECTIONS:
        found = _has_line_with_two(inside, direction)
        for block, any_line in zip(inside, found, strict=True):
            assert any_line == (max(_on_lines(block, direction).values(), default=0) > 1)


def test_lines_are_those_of_each_block() -> None:
    """Along a row in the first, along a column in the second, of whatever level."""
    levels = np.zeros((2, 1, 3, 3), np.uint16)
    levels[0, 0, 1, :2] = 1
    levels[1, 0, 1:, 2] = 4
    blocks = BlockTextures(levels, Neighbourhood(), 4)
    found = blocks._lines_with_two_voxels
    assert found.shape == (2, len(DIRECTIONS))
    held = [[tuple(DIRECTIONS[d]) for d in np.flatnonzero(block)] for block in found]
    assert held == [[(0, 0, 1)], [(0, 1, 0)]]


def _on_lines(block: np.ndarray, direction: np.ndarray) -> Counter:
    """Voxels by line: all of a line differ by multiples of its direction."""
    axis = int(np.flatnonzero(direction)[0])
    return Counter(
        tuple(voxel - direction * voxel[axis] // direction[axis]) for voxel in np.argwhere(block)
    )
