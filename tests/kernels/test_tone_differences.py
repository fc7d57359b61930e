"""Sums over pairs of levels: against all pairs written out."""

import numpy as np
from hypothesis import given, strategies as st

from centrum.kernels.tone_differences import sum_pairs


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_sums_are_those_of_all_pairs_that_occur(seed: int, n_levels: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((2, n_levels)) * (rng.random((2, n_levels)) < 0.7)
    s = rng.random((2, n_levels)) * 9
    found = sum_pairs(p, s)
    for m in range(2):
        (there,) = np.nonzero(p[m])
        i, j = np.meshgrid(there + 1.0, there + 1.0)
        (pi, pj), (si, sj) = (np.meshgrid(of[m, there], of[m, there]) for of in (p, s))
        changes = abs(i - j) * (pi * si + pj * sj) / (pi + pj)
        np.testing.assert_allclose(found.gaps[m], abs(i * pi - j * pj).sum(), rtol=1e-13)
        np.testing.assert_allclose(found.changes[m], changes.sum(), rtol=1e-13)
        np.testing.assert_allclose(found.distances[m], ((pi + pj) * (i - j) ** 2).sum(), rtol=1e-13)


def test_a_matrix_without_neighbours_has_no_pairs() -> None:
    found = sum_pairs(np.array([[np.nan, np.nan], [0.5, 0.5]]), np.zeros((2, 2)))
    assert [values.tolist() for values in found] == [[0.0, 1.0], [0.0, 0.0], [0.0, 2.0]]
