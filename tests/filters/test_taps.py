"""Kernels along one axis: flipped, split, one after the other."""

import numpy as np
from hypothesis import given, strategies as st

from centrum.filters.taps import HERE, Taps

KERNELS = st.lists(st.floats(-3, 3).filter(lambda w: abs(w) > 1e-3 or w == 0), min_size=1).map(
    Taps.of
)


def dense(taps: Taps, reach: int = 200) -> np.ndarray:
    out = np.zeros(2 * reach + 1)
    out[np.array(taps.places, int) + reach] = taps.weights
    return out


def test_convolution_runs_backwards_over_its_weights() -> None:
    assert Taps.of([1, 2, 3]) == Taps((-1, 0, 1), (3.0, 2.0, 1.0))


def test_an_even_kernel_gets_a_zero_behind_it() -> None:
    assert Taps.of([1, 2, 3, 4]) == Taps.of([1, 2, 3, 4, 0])


def test_zeros_are_no_taps() -> None:
    assert Taps.of([0, -1, 0, 1, 0], dilation=4).places == (-4, 4)
    assert (Taps.at({}).before, Taps.at({}).after, Taps.at({}).total) == (0, 0, 0)
    assert (Taps((2, 3), (1.0, 1.0)).before, Taps((-3, -2), (1.0, 1.0)).after) == (0, 0)


@given(KERNELS)
def test_parts_add_up(taps: Taps) -> None:
    even, odd = taps.parts
    assert np.allclose(dense(even) + dense(odd), dense(taps))
    assert np.allclose(dense(even) - dense(odd), dense(taps.flipped))


@given(KERNELS)
def test_sign_and_kernel_make_the_kernel(taps: Taps) -> None:
    sign, kernel = taps.signed
    assert kernel.times(sign) == taps
    assert taps.times(-1).signed[1] == kernel


@given(KERNELS, KERNELS)
def test_one_after_the_other(first: Taps, second: Taps) -> None:
    both = np.convolve(dense(first), dense(second), mode="same")
    assert np.allclose(dense(first.then(second)), both, atol=1e-12)
    assert first.then(HERE) == first
