"""Grey levels from intensities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from centrum.errors import DataError
from centrum.prepare import discretise

intensities = arrays(float, st.integers(1, 40), elements=st.floats(-1000, 1000, width=32))


@given(intensities, st.integers(2, 64))
def test_fixed_bin_number_spans_the_range(x: np.ndarray, bins: int) -> None:
    levels = discretise.fixed_bin_number(x, bins)
    assert levels.min() == 1
    assert levels.max() == (bins if x.max() > x.min() else 1)
    assert np.all(np.diff(levels[np.argsort(x, kind="stable")]) >= 0)


@given(intensities, st.floats(0.5, 100))
def test_bins_of_fixed_size_hold_what_lies_in_them(x: np.ndarray, width: float) -> None:
    levels = discretise.fixed_bin_size(x, width, lower=-1000)
    start = -1000 + (levels - 1) * width
    assert np.all((x >= start - 1e-9 * 1000) & (x < start + width + 1e-9 * 1000))


@given(intensities, st.sampled_from([0.5, 1.0, 5.0, 25.0]))
def test_pyradiomics_edges_are_multiples_of_the_width(x: np.ndarray, width: float) -> None:
    levels = discretise.pyradiomics_bin_width(x, width)
    np.testing.assert_array_equal(
        levels, (np.floor(x / width) - np.floor(x.min() / width) + 1).astype(int)
    )


def test_a_width_in_the_wrong_unit_is_refused() -> None:
    x = np.linspace(0, 1e6, 50)
    for how in (discretise.fixed_bin_size, discretise.pyradiomics_bin_width):
        with pytest.raises(DataError, match="choose wider bins"):
            how(x, 0.01)


@pytest.mark.parametrize("x", [[0.0, 1.0], [1.0, 2.5]])
def test_only_counting_numbers_can_go_undiscretised(x: list[float]) -> None:
    with pytest.raises(DataError, match="integers from 1"):
        discretise.undiscretised(np.array(x))
