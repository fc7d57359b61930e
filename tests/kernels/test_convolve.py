"""Weighted sums along one axis, against scipy."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.ndimage import correlate1d

from centrum.kernels.convolve import CHUNK, convolve

WEIGHTS = st.lists(st.floats(-2, 2), min_size=1, max_size=11)


@given(WEIGHTS, st.integers(0, 2), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_is_a_correlation(weights: list[float], axis: int, length: int, seed: int) -> None:
    shape = [3, 4, 5]
    shape[axis] = length + len(weights) - 1
    array = np.random.default_rng(seed).normal(size=shape)
    found = convolve(array, range(len(weights)), weights, axis, length)
    whole = correlate1d(array, weights, axis, mode="constant", origin=-((len(weights)) // 2))
    assert np.allclose(found, whole.take(range(length), axis), atol=1e-13)


def test_names_only_the_places_that_count() -> None:
    array = np.random.default_rng(3).normal(size=(2, 3, 40))
    apart = convolve(array, (0, 8, 16), (1.0, -2.0, 1.0), 2, 24)
    assert np.allclose(apart, array[..., :24] - 2 * array[..., 8:32] + array[..., 16:])


def test_rows_longer_than_a_chunk() -> None:
    array = np.random.default_rng(4).normal(size=(6, CHUNK, 2))
    found = convolve(array, (0, 3), (1.0, 1.0), 0, 3)
    assert np.array_equal(found, array[:3] + array[3:])


def test_no_tap_gives_zeros() -> None:
    assert not convolve(np.ones((2, 2, 2)), (), (), 1, 2).any()


def test_any_memory_order() -> None:
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 1, 0)
    assert np.array_equal(convolve(array, (1,), (1.0,), 0, 3), array[1:])


@pytest.mark.parametrize("places", [(-1, 0), (0, 2)])
def test_refuses_places_beyond_the_array(places: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="do not fit into 4 voxels"):
        convolve(np.ones((1, 1, 4)), places, (1.0, 1.0), 2, 3)
