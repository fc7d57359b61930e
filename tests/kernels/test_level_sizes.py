"""Sums over cells: against the elements one by one."""

from math import fsum, log2

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.kernels.level_sizes import sum_cells

CELLS = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(1, 9), st.integers(1, 5000)),
    st.integers(1, 1000),
    max_size=60,
)


@given(CELLS)
def test_sums_of_each_matrix_are_those_of_its_cells(cells: dict) -> None:
    matrix, i, j = np.array(sorted(cells), dtype=np.int64).reshape(-1, 3).T.copy()
    n = np.array([cells[cell] for cell in sorted(cells)], dtype=float)
    found = sum_cells(matrix, i.astype(float), j.astype(float), n, matrices=3)
    for m in range(3):
        own = {cell[1:]: n for cell, n in cells.items() if cell[0] == m}
        elements = sum(own.values())
        levels = [sum(n for (i, _), n in own.items() if i == level) for level in range(10)]
        sizes = {j: sum(n for (_, k), n in own.items() if k == j) for _, j in own}
        assert found.elements[m] == elements
        assert found.level_squares[m] == sum(n * n for n in levels)
        assert found.size_squares[m] == sum(n * n for n in sizes.values())
        energy = fsum((n / elements) ** 2 for n in own.values())
        assert found.energy[m] == pytest.approx(energy, rel=1e-14)
        entropy = -fsum(n / elements * log2(n / elements) for n in own.values())
        expected = (
            pytest.approx(entropy, rel=1e-14, abs=1e-15)
            if own
            else pytest.approx(np.nan, nan_ok=True)
        )
        assert found.entropy[m] == expected
        assert np.isnan(found[1:11]).all(axis=0)[m] == (not own)


def test_an_entropy_of_many_cells_is_rounded_little() -> None:
    n = np.random.default_rng(0).integers(1, 4, 20_000).astype(float)
    ones = np.ones(n.size)
    found = sum_cells(np.zeros(n.size, np.int64), ones, np.arange(1.0, n.size + 1), n, matrices=1)
    share = n / n.sum()
    exact = -fsum((share * np.log2(share)).tolist())
    assert found.entropy[0] == pytest.approx(exact, rel=3e-15)
