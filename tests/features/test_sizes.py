"""Elements by level and size: counted or sorted, alone or beside others."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.features import sizes
from centrum.features.sizes import LevelSizeCounts, glszm

ELEMENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 400)), min_size=1, max_size=80
)


@given(ELEMENTS)
def test_few_elements_and_many_are_counted_alike(elements):
    matrix, level, size = np.array(elements).T
    found = LevelSizeCounts.from_elements(matrix, level, size, np.array([9, 9, 9]))
    expected: dict[tuple[int, ...], int] = {}
    for element in sorted(elements):
        expected[element] = expected.get(element, 0) + 1
    cells = zip(found.matrix, found.i, found.j, found.n, strict=True)
    assert [(m, i, j, n) for m, i, j, n in cells] == [(*e, n) for e, n in expected.items()]


@pytest.mark.parametrize("spread", [1, 3 * sizes.BINS_PER_CELL])
def test_both_ways_of_counting_are_those_of_numpy(spread):
    cells = np.random.default_rng(0).integers(0, 100 * spread, 100)
    for found, expected in zip(
        sizes._counted(cells), np.unique(cells, return_counts=True), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@given(ELEMENTS, st.sampled_from([1, 50]))
def test_one_matrix_has_the_means_and_variances_of_its_elements(elements, stretch):
    _, level, size = np.array(elements).T
    found = LevelSizeCounts.from_elements(
        np.zeros_like(level), level, size * stretch, np.array(len(elements))
    )
    i, j = level.astype(float), size * float(stretch)
    expected = (
        i**-2,
        i**2,
        j**-2,
        j**2,
        1 / (i * j) ** 2,
        (i * j) ** 2,
        (i / j) ** 2,
        (j / i) ** 2,
    )
    np.testing.assert_allclose(found.sums[1:9], [np.mean(v) for v in expected], rtol=1e-12)
    np.testing.assert_allclose(found.sums[9:11], [i.var(), j.var()], rtol=1e-9, atol=1e-9)


def test_one_part_together_is_that_part():
    part = LevelSizeCounts.from_table(np.array([[[2, 0], [1, 1]]]), np.array([8]))
    alone, both = (LevelSizeCounts.together([part] * n) for n in (1, 2))
    values, others = glszm.compute(alone, "ibsi"), glszm.compute(both, "ibsi")
    for name, value in values.items():
        assert value.shape == (1, 1)
        assert value[0] == others[name][0]
