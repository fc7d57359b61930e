"""First-order features against the IBSI, PyRadiomics and their definitions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.features.statistics import Intensities, statistics
from centrum.prepare.intensity import within_limits, within_range
from tests.features.regions import (
    ct_phantom,
    ibsi_values,
    pyradiomics_case,
    pyradiomics_values,
)
from tests.reference import digital_phantom

CASES = ("brain1", "brain2", "breast1", "lung1", "lung2")

numbers = arrays(float, st.integers(3, 300), elements=st.floats(-1000, 1000, width=32))
whole = arrays(np.int16, st.integers(3, 300), elements=st.integers(-100, 100))


def by_code(s: Intensities) -> dict[str, float]:
    values = statistics.compute(s, "ibsi")
    return {f.entry.code: float(values[f.key]) for f in statistics if f.entry.code}


def by_pyradiomics_name(s: Intensities) -> dict[str, float]:
    """Features by names such as "Mean"; the deprecated one too."""
    return {
        f.entry.pyradiomics.removeprefix("firstorder_"): f.compute(s)
        for f in statistics
        if f.entry.pyradiomics
    }


def test_digital_phantom() -> None:
    found = by_code(Intensities.of(digital_phantom.IMAGE[digital_phantom.mask().array]))
    rows = {row["ibsi_code"]: row for row in digital_phantom.consensus()}
    assert len(found) == 18
    for code, value in found.items():
        assert value == pytest.approx(float(rows[code]["team_value"]), rel=1e-6), code


def test_ct_phantom_configuration_a(reference: Path) -> None:
    x = ct_phantom(reference).x
    found = by_code(Intensities.of(x[within_limits(x, lower=-500, upper=400)]))
    rows = {row["ibsi_code"]: row for row in ibsi_values(reference, "config_A").values()}
    for code, value in found.items():
        assert value == pytest.approx(float(rows[code]["team_value"]), rel=1e-6), code


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("configuration", ["default", "normalization", "resegmentation"])
def test_pyradiomics_baseline(reference: Path, configuration: str, case: str) -> None:
    region = pyradiomics_case(reference, case)
    x, image = region.x, region.image
    if configuration == "normalization":
        x = (x - image.mean()) / image.std(ddof=1) * 100
    if configuration == "resegmentation":
        x = x[within_range(x, [-3, 3], "sigma")]
    shift = 2000 if configuration == "default" else 0
    found = by_pyradiomics_name(Intensities.of(x, float(np.prod(region.spacing)), shift))
    expected = pyradiomics_values(reference, case, configuration)
    compared = found.keys() & expected.keys()
    assert len(compared) >= 16
    for name in compared:
        assert found[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-12), name


@given(numbers | whole)
def test_each_is_its_definition(x: np.ndarray) -> None:
    found = by_pyradiomics_name(Intensities.of(x, 2.0, 100.0))
    x = x.astype(float)
    d = x - x.mean()
    p10, p25, p50, p75, p90 = np.percentile(x, (10, 25, 50, 75, 90))
    inner = x[(x >= p10) & (x <= p90)]
    expected = {
        "10Percentile": p10,
        "90Percentile": p90,
        "Median": p50,
        "InterquartileRange": p75 - p25,
        "Minimum": x.min(),
        "Maximum": x.max(),
        "Range": np.ptp(x),
        "Mean": x.mean(),
        "MeanAbsoluteDeviation": np.abs(d).mean(),
        "RobustMeanAbsoluteDeviation": np.abs(inner - inner.mean()).mean(),
        "StandardDeviation": x.std(),
        "Energy": np.sum((x + 100) ** 2),
        "TotalEnergy": 2 * np.sum((x + 100) ** 2),
        "RootMeanSquared": np.sqrt(np.mean((x + 100) ** 2)),
        "Variance": x.var(),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-10, abs=1e-9), name
    if x.std() > 1e-3:
        assert found["Skewness"] == pytest.approx(np.mean(d**3) / x.std() ** 3, rel=1e-6, abs=1e-6)
        assert found["Kurtosis"] == pytest.approx(np.mean(d**4) / x.std() ** 4, rel=1e-6)


@given(whole, st.integers(-1000, 1000))
def test_shift_of_intensities(x: np.ndarray, offset: int) -> None:
    before, after = Intensities.of(x), Intensities.of(x + float(offset))
    assert after.mean == pytest.approx(before.mean + offset)
    np.testing.assert_allclose(after.tally.moments, before.tally.moments, rtol=1e-9, atol=1e-9)


def test_a_constant_region_and_a_single_voxel() -> None:
    for x in (np.full(99, 0.1), np.array([0.1])):
        found = by_code(Intensities.of(x))
        assert (found["ECT3"], found["KE2A"], found["IPH6"], found["2OJQ"]) == (0, 0, 0, 0)
        assert found["Q4LE"] == found["Y12H"] == 0.1
        assert found["1128"] == pytest.approx(0, abs=1e-16)
        assert found["N72L"] == 0
        assert found["N8CA"] == pytest.approx(x.size * 0.01)


def test_the_standard_deviation_is_given_on_request_only() -> None:
    names = statistics.compute(Intensities.of([1, 2, 3]), "pyradiomics")
    assert "standard_deviation" not in names
    assert len(names) == 16


@pytest.mark.parametrize("seed", range(5))
def test_no_variation_relative_to_a_mean_that_cancels(seed: int) -> None:
    x = np.random.default_rng(seed).normal(500, 60, 3000)
    z = (x - x.mean()) / x.std()
    assert not np.isfinite(by_code(Intensities.of(z))["7TET"])
    assert by_code(Intensities.of(z + 1e-6))["7TET"] == pytest.approx(1e6, rel=1e-6)
