"""Intensity-volume histogram against the consensus of the IBSI and against its definition."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.errors import DataError
from centrum.features.ivh import VolumeHistogram, ivh
from centrum.kernels.tally import Tally
from tests.features.regions import ct_phantom, ibsi_values
from tests.reference import digital_phantom

TAGS = {
    "NK6P": "ivh_v10",
    "4279": "ivh_v90",
    "PWN1": "ivh_i10",
    "BOHI": "ivh_i90",
    "WITY": "ivh_diff_v10_v90",
    "JXJA": "ivh_diff_i10_i90",
}
"""The area under the curve has no consensus value."""

intensities = arrays(np.int16, st.integers(2, 60), elements=st.integers(-50, 50))


def by_code(h: VolumeHistogram) -> dict[str, float]:
    values = ivh.compute(h, "ibsi")
    return {feature.entry.code: float(values[feature.key]) for feature in ivh}


def test_digital_phantom() -> None:
    """Published values of section 5.1 of the manual."""
    x = digital_phantom.IMAGE[digital_phantom.mask().array]
    found = by_code(VolumeHistogram.by_unit(Tally.of(x)))
    assert found["NK6P"] == pytest.approx(24 / 74)
    assert found["4279"] == pytest.approx(7 / 74)
    assert (found["PWN1"], found["BOHI"], found["JXJA"]) == (5, 2, 3)
    assert found["WITY"] == pytest.approx(17 / 74)


def test_ct_phantom_configuration_a(reference: Path) -> None:
    """By the unit: gamma runs over the intensities, not over the bounds of re-segmentation."""
    x = ct_phantom(reference).x
    found = by_code(VolumeHistogram.by_unit(Tally.of(x[(x >= -500) & (x <= 400)])))
    rows = ibsi_values(reference, "config_A")
    for code, tag in TAGS.items():
        assert found[code] == pytest.approx(float(rows[tag]["team_value"]), rel=1e-6)


@given(intensities, st.floats(0.01, 0.99))
def test_volume_and_intensity_fractions_are_those_of_the_definition(
    x: np.ndarray, fraction: float
) -> None:
    h = VolumeHistogram.by_unit(Tally.of(x))
    low, high = int(x.min()), int(x.max())
    if low < high:
        enough = (x - low) / (high - low) >= fraction
        assert h.volume_at(fraction) == pytest.approx(enough.mean())
    smallest = next(i for i in range(low, high + 2) if np.mean(x >= i) <= fraction)
    assert h.intensity_at(fraction) == smallest


@given(intensities)
def test_bins_of_one_unit_are_the_units(x: np.ndarray) -> None:
    tally = Tally.of(x)
    unit, size = VolumeHistogram.by_unit(tally), VolumeHistogram.by_size(tally, 1)
    np.testing.assert_array_equal(unit.counts, size.counts)
    np.testing.assert_allclose(size.intensity - unit.intensity, 0.5)
    np.testing.assert_allclose(by_code(unit)["NK6P"], by_code(size)["NK6P"])


@given(intensities, st.integers(1, 9), st.integers(-99, 99))
def test_levels_ignore_gain_and_offset(x: np.ndarray, gain: int, offset: int) -> None:
    before = VolumeHistogram.by_number(Tally.of(x), 16)
    after = VolumeHistogram.by_number(Tally.of(2**gain * x.astype(float) + offset), 16)
    np.testing.assert_array_equal(before.counts, after.counts)


def test_gamma_runs_between_the_bounds_of_resegmentation() -> None:
    h = VolumeHistogram.by_size(Tally.of(np.array([10.1, 52.0])), 2.5, lower=0, upper=100)
    assert (h.volume_at(0.11), h.volume_at(0.5), h.volume_at(0.9)) == (1.0, 0.5, 0.0)


def test_a_single_intensity_has_no_fractions() -> None:
    for h in (
        VolumeHistogram.by_unit(Tally.of(np.full(3, 7))),
        VolumeHistogram.by_number(Tally.of(np.full(3, 0.7)), 1000),
        VolumeHistogram.by_size(Tally.of(np.full(3, 0.7)), 0.1),
    ):
        found = by_code(h)
        assert all(np.isnan(found[code]) for code in ("NK6P", "4279", "WITY", "9CMM"))
        assert found["JXJA"] == 0


def test_few_whole_numbers_over_a_wide_range_are_counted() -> None:
    tally = Tally.of(np.array([-900.0, 1000.0]))
    assert not tally.counted
    assert VolumeHistogram.by_unit(tally).counts.sum() == 2


@pytest.mark.parametrize("x", [[0.5, 1.0, 2.0], [0.0, 1e7]])
def test_units_need_whole_numbers_of_limited_range(x: list[float]) -> None:
    with pytest.raises(DataError, match="needs whole numbers"):
        VolumeHistogram.by_unit(Tally.of(np.array(x)))
