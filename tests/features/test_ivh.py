"""Intensity-volume histogram against the consensus of the IBSI and against its definition."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.errors import DataError
from centrum.features.ivh import VolumeHistogram, ivh
from centrum.features.settings import ExtractionSettings
from centrum.geometry import Geometry
from centrum.kernels.tally import Tally
from centrum.measure.extract import extract
from centrum.volume import Mask, Volume
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


def test_ct_phantom_configuration_a_has_no_say(reference: Path) -> None:
    """Both readings of the range lie within the tolerances; most teams took the intensities."""
    x = ct_phantom(reference).x
    tally = Tally.of(x[(x >= -500) & (x <= 400)])
    of_intensities = by_code(VolumeHistogram.by_unit(tally))
    of_bounds = by_code(VolumeHistogram.by_unit(tally, -500, 400))
    rows = ibsi_values(reference, "config_A")
    for code, tag in TAGS.items():
        consensus, tolerance = float(rows[tag]["value"]), float(rows[tag]["tolerance"])
        assert of_intensities[code] == pytest.approx(float(rows[tag]["team_value"]), rel=1e-6)
        assert float(f"{of_bounds[code]:.3g}") == pytest.approx(consensus, abs=tolerance)
    assert of_bounds["NK6P"] != of_intensities["NK6P"]


FIVE = np.array([20.0, 40, 60, 80, 95])
"""A phantom that tells what the total range is. The area below a staircase of steps w, by trapezia,
is (mean - low + w / 2) / (high - low), less w / 2 of what reaches `high`."""

NO = None
BY_HAND = [
    # lower, upper, width: V10, V90, area
    (0, 100, NO, 1.0, 0.2, 59.5 / 100),
    (0, NO, NO, 1.0, 0.2, (59.5 - 0.1) / 95),
    (NO, 100, NO, 0.8, 0.2, 39.5 / 80),
    (NO, NO, NO, 0.8, 0.2, (39.5 - 0.1) / 75),
    (0, 1000, NO, 0.0, 0.0, 59.5 / 1000),
    (-900, 100, NO, 1.0, 1.0, 959.5 / 1000),
    # Bins of 10 have the centres 25, 45, 65, 85, 95, whether they begin at 0 or at 20.
    (0, 100, 10, 1.0, 0.2, (58 + 5 - 1) / 90),
    (0, NO, 10, 1.0, 0.2, (58 + 5 - 1) / 90),
    (NO, 110, 10, 0.8, 0.0, (38 + 5) / 80),
    (NO, NO, 10, 0.8, 0.2, (38 + 5 - 1) / 70),
    (0, 215, 10, 0.8, 0.0, (58 + 5) / 205),
]


@pytest.mark.parametrize(("lower", "upper", "width", "v10", "v90", "area"), BY_HAND)
def test_the_total_range_is_that_of_the_resegmentation(
    lower: float | None,
    upper: float | None,
    width: float | None,
    v10: float,
    v90: float,
    area: float,
) -> None:
    """Section 3.5 of arXiv:1612.07003, worked out by hand, and measured as a study does."""
    grid = Geometry((5, 1, 1), (1, 1, 1))
    chosen = {"method": "fixed_bin_size", "width": width} if width else {"method": "none"}
    settings = ExtractionSettings.model_validate(
        {"families": ["ivh"], "ivh": chosen, "resegmentation": {"lower": lower, "upper": upper}}
    )
    image = Volume(FIVE.reshape(1, 1, 5), grid)
    values = extract(image, Mask(np.ones(grid.shape, bool), grid), settings)
    found = dict(zip([feature.entry.code for feature in ivh], values, strict=True))
    assert (found["NK6P"], found["4279"]) == pytest.approx((v10, v90))
    assert found["WITY"] == pytest.approx(v10 - v90)
    assert found["9CMM"] == pytest.approx(area)


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


def test_a_single_intensity_has_no_fractions() -> None:
    for h in (
        VolumeHistogram.by_unit(Tally.of(np.full(3, 7))),
        VolumeHistogram.by_number(Tally.of(np.full(3, 0.7)), 1000),
        VolumeHistogram.by_size(Tally.of(np.full(3, 0.7)), 0.1),
        VolumeHistogram.by_size(Tally.of(np.full(3, 0.7)), 0.1, 0.7, 0.8),
        VolumeHistogram.by_unit(Tally.of(np.full(3, 7)), 7, 7),
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
