"""The tally against numpy, number by number."""

import numpy as np
import pytest
from hypothesis import example, given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.errors import DataError
from centrum.kernels.tally import ONCE, Tallies, Tally, count_levels


def _within(kind: type[np.integer]) -> st.SearchStrategy[int]:
    """Integers of a type, over a wide range or at either end of it."""
    ends = np.iinfo(kind)
    return (
        st.integers(ends.min, ends.max)
        | st.integers(ends.min, ends.min + 100)
        | st.integers(ends.max - 100, ends.max)
    )


measured = arrays(float, st.integers(1, 700), elements=st.floats(-1e6, 1e6, width=32))
whole = arrays(np.int16, st.integers(1, 700), elements=st.integers(-300, 300))
few = arrays(float, st.integers(1, 50), elements=st.sampled_from([-0.5, 0.0, 0.1, 1e9]))
integers = st.sampled_from([np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64]).flatmap(
    lambda kind: st.integers(1, 3).flatmap(
        lambda rows: arrays(kind, 400 * rows, elements=_within(kind), fill=_within(kind))
    )
)
wild = arrays(float, st.integers(1, 50), elements=st.floats(-1e300, 1e300))
numbers = measured | whole | few
PERCENTS = (10, 25, 50, 75, 90)


@given(numbers | wild)
def test_percentiles_are_exactly_those_of_numpy(x: np.ndarray) -> None:
    found = Tally.of(x).percentiles(PERCENTS)
    assert list(found) == list(PERCENTS)
    np.testing.assert_array_equal(list(found.values()), np.percentile(x.astype(float), PERCENTS))


@given(numbers | wild)
def test_order_statistics_are_the_sorted_numbers(x: np.ndarray) -> None:
    tally = Tally.of(x)
    np.testing.assert_array_equal(tally.order_statistics(np.arange(x.size)), np.sort(x))
    assert (tally.n, tally.low, tally.high) == (x.size, x.min(), x.max())


@given(numbers)
def test_moments(x: np.ndarray) -> None:
    tally = Tally.of(x)
    d = x - np.longdouble(x.astype(np.longdouble).mean())
    size = float(np.abs(x.astype(float)).max()) + 1e-300
    assert tally.mean == pytest.approx(float(x.astype(np.longdouble).mean()), abs=1e-15 * size)
    for order, found in zip((2, 3, 4), tally.moments[:3], strict=True):
        scale = float(np.mean(np.abs(d) ** order)) + (1e-15 * size) ** order
        assert found == pytest.approx(float(np.mean(d**order)), rel=0, abs=1e-12 * scale)
    assert tally.moments.absolute == pytest.approx(
        float(np.mean(np.abs(d))), rel=1e-12, abs=1e-15 * size
    )


@given(numbers, st.floats(-100, 0), st.floats(0, 100), st.floats(-10, 10))
def test_deviations(x: np.ndarray, below: float, above: float, centre: float) -> None:
    x = x.astype(float)
    low, high = x[0] + below, x[0] + above
    inner = x[(x >= low) & (x <= high)]
    size = 1e-13 * np.abs(x).max() + 1e-13
    found = Tally.of(x).deviations(low, high, centre)
    assert found.inner == pytest.approx(np.mean(np.abs(inner - inner.mean())), abs=size)
    assert found.all == pytest.approx(np.mean(np.abs(x - centre)), abs=size)


@given(whole)
def test_counting_changes_nothing(x: np.ndarray) -> None:
    x = x.astype(float)
    counted = Tally.of_counts(np.bincount((x - x.min()).astype(int)), int(x.min()))
    plain = Tally(x, ONCE, x.size, float(x.mean()), x.min(), x.max(), counted=False)
    np.testing.assert_allclose(counted.moments, plain.moments, rtol=1e-9, atol=1e-9)
    assert counted.percentiles(PERCENTS) == plain.percentiles(PERCENTS)
    np.testing.assert_allclose(counted.deviations(-50, 350, 3), plain.deviations(-50, 350, 3))


@given(integers)
@example(np.repeat(np.array([-128, -3, 127], np.int8), 200))
@example(np.repeat(np.array([-(2**15), 2**15 - 1], np.int16), 40_000))
def test_integers_are_counted_as_the_same_numbers_in_floats(x: np.ndarray) -> None:
    found, expected = Tally.of(x), Tally.of(x.astype(float))
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.times, expected.times)
    for name in ("n", "mean", "low", "high", "counted"):
        assert getattr(found, name) == getattr(expected, name)


@given(numbers)
def test_levels_are_recounted(x: np.ndarray) -> None:
    tally = Tally.of(x)
    width = float(tally.high - tally.low) / 7 + 1
    levels, of_values = (
        1 + ((v - tally.low) // width).astype(np.uint16) for v in (x, tally.values)
    )
    np.testing.assert_array_equal(tally.recounted(of_values), np.bincount(levels)[1:])


def test_types_orders_and_strides() -> None:
    x = np.arange(20) % 7
    expected = Tally.of(x.astype(float))
    for kind in (np.uint8, ">i2", np.float32, "<f4", np.uint64):
        assert Tally.of(x.astype(kind)).moments == expected.moments
    assert Tally.of(np.repeat(x, 3)[::3]).moments == expected.moments


@pytest.mark.parametrize("value", [0.1, 1e-310, 1e300, -7.0, 2.0**60])
def test_a_constant_has_no_spread(value: float) -> None:
    tally = Tally.of(np.full(1000, value))
    assert tally.mean == value
    assert tally.moments == (0, 0, 0, 0)
    assert tally.percentiles(PERCENTS) == dict.fromkeys(PERCENTS, value)


def test_a_far_outlier_leaves_the_others_apart() -> None:
    x = np.append(np.random.default_rng(0).normal(0, 1, 5000), 1e18)
    found = list(Tally.of(x).percentiles(PERCENTS).values())
    np.testing.assert_array_equal(found, np.percentile(x, PERCENTS))


def test_large_whole_numbers_keep_their_values() -> None:
    x = np.array([2.0**60, 2.0**60 + 256, 2.0**60])
    assert Tally.of(x).order_statistics(np.arange(3)).tolist() == np.sort(x).tolist()


def test_no_number_within_gives_nan() -> None:
    deviations = Tally.of(np.array([0.0, 10.0])).deviations(1, 9, centre=5)
    assert np.isnan(deviations.inner)
    assert deviations.all == 5


@pytest.mark.filterwarnings("ignore:invalid value")
def test_no_numbers_and_not_finite_numbers_are_refused() -> None:
    for x in ([], [np.nan, 1.0], [np.inf, 0.0], [np.inf, -np.inf]):
        with pytest.raises(DataError, match="A tally needs"):
            Tally.of(np.array(x))
    with pytest.raises(DataError, match="at least one number"):
        Tally.of_counts(np.zeros(3, dtype=np.int64))


def test_levels_of_any_shape_are_counted_without_the_outside() -> None:
    levels = np.random.default_rng(2).integers(0, 9, (4, 5, 6)).astype(np.uint16)
    np.testing.assert_array_equal(count_levels(levels), np.bincount(levels.ravel())[1:])
    np.testing.assert_array_equal(
        count_levels(levels[:, ::2]), np.bincount(levels[:, ::2].ravel())[1:]
    )


sets = st.lists(numbers, min_size=1, max_size=6)
wholes = st.lists(arrays(np.uint16, st.integers(1, 400), elements=st.integers(1, 60)), min_size=1)


def together(each: list[np.ndarray], *, levels: bool = False) -> Tallies:
    ends = np.cumsum([x.size for x in each])
    return Tallies.of(np.concatenate([x.astype(float) for x in each]), ends, levels=levels)


def assert_each_is_its_own(found: Tallies, alone: list[Tally]) -> None:
    """To the last bit."""
    for name in ("n", "mean", "low", "high", "moments"):
        own = np.array([getattr(tally, name) for tally in alone]).T
        np.testing.assert_array_equal(getattr(found, name), own, err_msg=name)
    percentiles = [tally.percentiles(PERCENTS) for tally in alone]
    for percent, values in found.percentiles(PERCENTS).items():
        np.testing.assert_array_equal(values, [own[percent] for own in percentiles])
    limits = np.array([[own[k] for own in percentiles] for k in (10, 75, 50)])
    deviations = [tally.deviations(*own) for tally, own in zip(alone, limits.T, strict=True)]
    np.testing.assert_array_equal(found.deviations(*limits), np.transpose(deviations))


@given(sets)
@example([np.array([3.0, 3.0, 5.0]), np.array([0.5]), np.arange(600) / 7, np.array([0.0, 9.0])])
def test_many_sets_at_once_are_each_to_the_last_bit(each: list[np.ndarray]) -> None:
    assert_each_is_its_own(together(each), [Tally.of(x) for x in each])


@given(wholes)
@example([np.array([1, 60], np.uint16), np.array([7], np.uint16)])
def test_many_sets_of_levels_are_each_to_the_last_bit(each: list[np.ndarray]) -> None:
    """However few voxels there are at far levels."""
    assert_each_is_its_own(
        together(each, levels=True), [Tally.of_counts(count_levels(x)) for x in each]
    )
    for x in each:
        alike = together([x, x], levels=True).from_one
        assert alike.tolist() == 2 * [count_levels(x).tolist()]
        assert Tally.of_counts(count_levels(x)).from_one.tolist() == alike[0].tolist()


def test_an_empty_set_among_many_is_refused() -> None:
    with pytest.raises(DataError, match="at least one number"):
        Tallies.of(np.array([1.0, 2.0]), np.array([2, 2]))
    with pytest.raises(DataError, match="finite"):
        Tallies.of(np.array([1.0, np.nan]), np.array([1, 2]))
