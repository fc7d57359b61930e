"""Banded products against full ones."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.kernels.banded import CHUNK, banded_product


@st.composite
def bands(draw: st.DrawFn) -> np.ndarray:
    """Weights whose rows are 0 but for a stretch that may lie anywhere, at the ends too."""
    rows, columns = draw(st.integers(1, 7)), draw(st.integers(1, 9))
    weights = np.zeros((rows, columns))
    for row in weights:
        start = draw(st.integers(0, columns - 1))
        row[start : draw(st.integers(start + 1, columns))] = draw(st.floats(0.1, 3))
    return weights


@given(weights=bands(), planes=st.integers(1, 3), columns=st.integers(1, 5))
def test_equals_the_full_product(weights: np.ndarray, planes: int, columns: int) -> None:
    stack = np.random.default_rng(1).normal(size=(planes, weights.shape[1], columns))
    np.testing.assert_allclose(banded_product(weights, stack), weights @ stack, atol=1e-12)


@pytest.mark.parametrize("columns", [CHUNK - 1, CHUNK, CHUNK + 1])
def test_rows_longer_than_a_chunk(columns: int) -> None:
    weights = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 2.0]], np.float32)
    matrix = np.random.default_rng(2).normal(size=(3, columns)).astype(np.float32)
    product = banded_product(weights, matrix)
    assert product.dtype == np.float32
    np.testing.assert_allclose(product, weights @ matrix, rtol=1e-6)
