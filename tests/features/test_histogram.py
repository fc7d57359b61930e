"""Intensity histogram features against the IBSI, PyRadiomics and their definitions."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from centrum.features.histogram import Histogram, entropy, histogram, mode, uniformity
from centrum.features.sample import SHARED, Sample
from centrum.prepare import discretise
from centrum.prepare.intensity import within_limits
from tests.features.regions import (
    ct_phantom,
    ibsi_values,
    pyradiomics_case,
    pyradiomics_values,
)
from tests.reference import digital_phantom

AGREEMENT = 2e-6
"""To this the teams agree whose values the reference gives, some of them with few digits."""

levels = arrays(np.uint16, st.integers(1, 200), elements=st.integers(1, 40))


def by_code(h: Histogram) -> dict[str, float]:
    values = histogram.compute(h, "ibsi")
    return {f.entry.code: float(values[f.key]) for f in histogram}


def test_digital_phantom() -> None:
    inside = digital_phantom.mask().array
    found = by_code(Histogram.from_levels(np.where(inside, digital_phantom.IMAGE, 0)))
    rows = {row["ibsi_code"]: row for row in digital_phantom.consensus()}
    assert len(found) == 23
    for code, value in found.items():
        assert value == pytest.approx(float(rows[code]["team_value"]), rel=1e-6), code


def test_ct_phantom_configuration_a(reference: Path) -> None:
    x = ct_phantom(reference).x
    x = x[within_limits(x, lower=-500, upper=400)]
    found = by_code(Histogram.from_levels(discretise.fixed_bin_size(x, 25, lower=-500)))
    rows = {row["ibsi_code"]: row for row in ibsi_values(reference, "config_A").values()}
    for code, value in found.items():
        assert value == pytest.approx(float(rows[code]["team_value"]), rel=AGREEMENT), code


@pytest.mark.parametrize("case", ["brain1", "brain2", "breast1", "lung1", "lung2"])
def test_pyradiomics_baseline(reference: Path, case: str) -> None:
    levels = discretise.pyradiomics_bin_width(pyradiomics_case(reference, case).x, 25)
    h, expected = Histogram.from_levels(levels), pyradiomics_values(reference, case, "default")
    assert entropy(h) == pytest.approx(expected["Entropy"], rel=1e-9)
    assert uniformity(h) == pytest.approx(expected["Uniformity"], rel=1e-9)


@given(levels)
def test_the_counts_stand_for_the_levels(x: np.ndarray) -> None:
    h, plain = Histogram.from_levels(x), Sample.of(x)
    np.testing.assert_array_equal(h.counts, np.bincount(x)[1:])
    for compute in SHARED:
        np.testing.assert_allclose(compute(h), compute(plain), rtol=1e-9, atol=1e-9)


@given(levels)
def test_the_gradient_is_that_of_numpy(x: np.ndarray) -> None:
    h = Histogram.from_levels(x)
    if h.counts.size > 1:
        np.testing.assert_array_equal(h.gradient, np.gradient(np.bincount(x)[1:].astype(float)))
    else:
        assert h.gradient.tolist() == [0.0]


def test_of_several_modes_the_one_nearest_to_the_mean_then_the_lower() -> None:
    assert mode(Histogram.from_counts(np.array([4, 0, 4, 1, 1]))) == 3
    assert mode(Histogram.from_counts(np.array([4, 0, 4]))) == 1


def test_empty_levels_below_the_first_count_in_the_gradient() -> None:
    h = Histogram.from_counts(np.array([0, 0, 6, 1]))
    assert h.counts.tolist() == [0, 0, 6, 1]
    assert h.gradient.tolist() == [0, 3, 0.5, -5]
