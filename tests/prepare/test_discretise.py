"""Grey levels from intensities."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.errors import DataError
from centrum.prepare import discretise

intensities = arrays(float, st.integers(1, 40), elements=st.floats(-1000, 1000, width=32))
widths = st.floats(0.5, 100) | st.sampled_from([0.1, 0.3, 0.7, 1.0, 25.0])


@st.composite
def near_edges(draw: st.DrawFn) -> tuple[np.ndarray, float, float]:
    """Values on the edges of bins of a width from a start, and one rounding next to them."""
    width, start = draw(widths), draw(st.floats(-500, 500))
    steps = draw(arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 30)))
    edges = start + steps * width
    return np.concatenate((edges, np.nextafter(edges, np.inf))), width, start


@given(intensities, st.integers(2, 64))
def test_fixed_bin_number_spans_the_range(x: np.ndarray, bins: int) -> None:
    levels = discretise.fixed_bin_number(x, bins)
    assert levels.min() == 1
    assert levels.max() == (bins if x.max() > x.min() else 1)
    assert np.all(np.diff(levels[np.argsort(x, kind="stable")].astype(int)) >= 0)


@given(near_edges(), st.integers(1, 1000))
def test_fixed_bin_number_is_its_formula(
    values: tuple[np.ndarray, float, float], bins: int
) -> None:
    x = values[0]
    low, high = x.min(), x.max()
    expected = np.minimum(np.floor(bins * ((x - low) / (high - low))) + 1, bins)
    np.testing.assert_array_equal(discretise.fixed_bin_number(x, bins), expected)


@given(near_edges())
def test_fixed_bin_size_is_its_formula(values: tuple[np.ndarray, float, float]) -> None:
    x, width, start = values
    expected = np.floor((x - start) / width) + 1
    np.testing.assert_array_equal(discretise.fixed_bin_size(x, width, start), expected)


@given(intensities, st.floats(0.5, 100))
def test_bins_of_fixed_size_hold_what_lies_in_them(x: np.ndarray, width: float) -> None:
    levels = discretise.fixed_bin_size(x, width, lower=-1000)
    start = -1000 + (levels.astype(int) - 1) * width
    assert np.all((x >= start - 1e-9 * 1000) & (x < start + width + 1e-9 * 1000))


def peer_bin_number(x: np.ndarray, bins: int) -> np.ndarray:
    """PyRadiomics' `binCount`, in its own terms."""
    edges = np.histogram(x, bins)[1]
    edges[-1] += 1
    return np.digitize(x, edges)


def peer_bin_width(x: np.ndarray, width: float) -> np.ndarray:
    """PyRadiomics' `binWidth`, in its own terms."""
    low = x.min() - x.min() % width
    return np.digitize(x, np.arange(low, x.max() + 2 * width, width))


@given(near_edges(), st.integers(1, 1000), st.sampled_from([np.float64, np.float32, np.int16]))
def test_pyradiomics_bin_number(
    values: tuple[np.ndarray, float, float], bins: int, kind: type
) -> None:
    x = values[0].astype(kind)
    try:
        expected = peer_bin_number(x, bins)
    except ValueError:  # numpy refuses more bins than there are numbers in the range
        return
    np.testing.assert_array_equal(discretise.pyradiomics_bin_number(x, bins), expected)


@given(near_edges())
def test_pyradiomics_bin_width(values: tuple[np.ndarray, float, float]) -> None:
    x, width, _ = values
    np.testing.assert_array_equal(
        discretise.pyradiomics_bin_width(x, width), peer_bin_width(x, width)
    )


@given(near_edges(), st.floats(1e9, 1e15))
def test_pyradiomics_bin_width_far_from_zero(
    values: tuple[np.ndarray, float, float], offset: float
) -> None:
    """There the rounding of the edges is no longer small beside their distance."""
    x, width, _ = values
    np.testing.assert_array_equal(
        discretise.pyradiomics_bin_width(x + offset, width), peer_bin_width(x + offset, width)
    )


@given(intensities, st.sampled_from([0.5, 1.0, 5.0, 25.0]))
def test_pyradiomics_edges_are_multiples_of_the_width(x: np.ndarray, width: float) -> None:
    levels = discretise.pyradiomics_bin_width(x, width)
    np.testing.assert_array_equal(
        levels, (np.floor(x / width) - np.floor(x.min() / width) + 1).astype(int)
    )


@given(arrays(np.int32, st.integers(1, 30), elements=st.integers(1, discretise.MAX_LEVELS)))
def test_undiscretised_levels_are_the_intensities(x: np.ndarray) -> None:
    np.testing.assert_array_equal(discretise.undiscretised(x.astype(float)), x)


@pytest.mark.parametrize(
    "settings",
    [
        lambda x: discretise.fixed_bin_number(x, 8),
        lambda x: discretise.fixed_bin_size(x, 2),
        lambda x: discretise.pyradiomics_bin_number(x, 8),
        lambda x: discretise.pyradiomics_bin_width(x, 2),
        discretise.undiscretised,
    ],
)
def test_levels_are_small_whole_numbers_of_any_intensities(
    settings: Callable[[np.ndarray], np.ndarray],
) -> None:
    x = np.arange(1, 40)
    expected = settings(x.astype(float))
    assert expected.dtype == np.uint16
    for kind in (np.uint8, np.int16, ">i2", np.float32, ">f4", np.int64):
        np.testing.assert_array_equal(settings(x.astype(kind)), expected)
    np.testing.assert_array_equal(settings(np.repeat(x, 2)[::2]), expected)
    assert len(set(settings(np.full(5, 1.0)).tolist())) == 1


def test_a_width_in_the_wrong_unit_is_refused() -> None:
    x = np.linspace(0, 1e6, 50)
    for settings in (discretise.fixed_bin_size, discretise.pyradiomics_bin_width):
        with pytest.raises(DataError, match="choose wider bins"):
            settings(x, 0.01)


@pytest.mark.parametrize(
    "number",
    [
        lambda x: discretise.fixed_bin_size(x, 1),
        lambda x: discretise.pyradiomics_bin_width(x, 1),
        discretise.undiscretised,
    ],
)
def test_4096_grey_levels_are_the_most(number: Callable[[np.ndarray], np.ndarray]) -> None:
    assert number(np.array([1.0, 4096.0])).tolist() == [1, 4096]
    with pytest.raises(DataError, match=r"gives 4097 grey levels .* more than 4096"):
        number(np.array([1.0, 4097.0]))


def test_an_intensity_below_the_first_bin_is_refused() -> None:
    with pytest.raises(DataError, match="begin at 0 cannot hold the intensity -1"):
        discretise.fixed_bin_size(np.array([-1.0, 5.0]), 2, lower=0)


@pytest.mark.parametrize("x", [[0.0, 1.0], [1.0, 2.5]])
def test_only_counting_numbers_can_go_undiscretised(x: list[float]) -> None:
    with pytest.raises(DataError, match="integers from 1"):
        discretise.undiscretised(np.array(x))


def test_too_many_undiscretised_levels_are_refused() -> None:
    with pytest.raises(DataError, match="gives 5000 grey levels"):
        discretise.undiscretised(np.array([1.0, 5000.0]))


@pytest.mark.parametrize("kind", ["f4", "f8", "i2"])
def test_edges_have_the_precision_of_the_image(kind: str) -> None:
    """As numpy.histogram has them, on which PyRadiomics relies; whole numbers have doubles."""
    precision = "f4" if kind == "f4" else "f8"
    wanted = np.linspace(0, 1, 4, dtype=precision)
    wanted[-1] += 1
    found = discretise.pyradiomics_number_edges(np.array([0, 1], kind), 3)
    assert found.tolist() == wanted.tolist()


def test_levels_are_of_16_bits() -> None:
    for x in (np.zeros(3), np.arange(3.0)):
        assert discretise.fixed_bin_number(x, 4).dtype == np.uint16
