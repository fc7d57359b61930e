"""The largest eigenvalue against LAPACK."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.kernels.eigen import LARGE, largest_eigenvalue


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0, 1))
def test_equals_lapack(seed: int, n: int, share_of_zeros: float) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(3, n, n)) * (rng.random((3, n, n)) >= share_of_zeros)
    symmetric = a + np.swapaxes(a, 1, 2)
    expected = np.abs(np.linalg.eigvalsh(symmetric)).max(axis=1)
    np.testing.assert_allclose(largest_eigenvalue(symmetric), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7, LARGE + 1])
def test_zero_and_identity(n: int) -> None:
    found = largest_eigenvalue(np.stack([np.zeros((n, n)), np.eye(n), -2 * np.eye(n)]))
    np.testing.assert_allclose(found, [0, 1, 2], atol=1e-290, rtol=1e-12)


@pytest.mark.parametrize("share_of_zeros", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("n", [LARGE + 1, 234])
def test_large_matrices_equal_lapack(n: int, share_of_zeros: float) -> None:
    rng = np.random.default_rng(n)
    a = rng.normal(size=(3, n, n)) * (rng.random((3, n, n)) >= share_of_zeros)
    symmetric = a + np.swapaxes(a, 1, 2)
    symmetric[2] *= 1e-6
    expected = np.abs(np.linalg.eigvalsh(symmetric)).max(axis=1)
    np.testing.assert_allclose(largest_eigenvalue(symmetric), expected, rtol=1e-10)
