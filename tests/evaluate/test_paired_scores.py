"""Tests of two scores of the same cases against published data, statsmodels and resampling."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.paired_scores import bland_altman, changed_calls, cohen_kappa
from centrum.evaluate.scored import Scored

# Peak flow of 17 people by two meters, Bland and Altman, Lancet 1986;327:307, table 1.
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]

CALLS = (
    np.array([1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1]),
    np.array([1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1]),
)


def test_peak_flow_as_published():
    """Mean difference -2.1 l/min with -22.0 to 17.8, SD 38.8; limits -78 to 74."""
    found = bland_altman(MINI, WRIGHT)
    assert round(found.bias, 1) == -2.1
    assert round(found.sd, 1) == 38.8
    assert (round(found.lower), round(found.upper)) == (-78, 74)
    assert found.bias_interval.lower == pytest.approx(-22.05, abs=0.05)
    assert found.bias_interval.upper == pytest.approx(17.8, abs=0.05)


def test_limits_have_the_standard_error_of_1999():
    """SE^2 = (1 / n + 1.96^2 / (2 (n - 1))) s^2, with t of 16 degrees of freedom, by hand."""
    found = bland_altman(MINI, WRIGHT)
    half = 2.119905 * 38.76513 * np.sqrt(1 / 17 + 1.959964**2 / 32)
    for limit, interval in (
        (found.lower, found.lower_interval),
        (found.upper, found.upper_interval),
    ):
        assert interval.lower == pytest.approx(limit - half, rel=1e-6)
        assert interval.upper == pytest.approx(limit + half, rel=1e-6)


def test_limits_by_patient_are_those_of_resamples():
    """Against drawing the cases one by one."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(12), 2)
    first = rng.normal(size=24)
    second = first + rng.normal(size=12)[patients] + 0.2
    weights = case_weights(Scored.of(first, patients % 2, patients), 300, seed=1)
    found = bland_altman(first, second, weights=weights)
    drawn = [np.repeat(second - first, row.astype(int)) for row in weights]
    for interval, side in (
        (found.bias_interval, 0),
        (found.lower_interval, -1.959964),
        (found.upper_interval, 1.959964),
    ):
        values = [d.mean() + side * d.std(ddof=1) for d in drawn]
        ends = np.quantile(values, [0.025, 0.975])
        np.testing.assert_allclose((interval.lower, interval.upper), ends, rtol=1e-6)


def test_patients_who_differ_as_a_whole_widen_the_limits():
    patients = np.repeat(np.arange(12), 4)
    first = np.zeros(48)
    second = np.random.default_rng(0).normal(size=12)[patients]
    weights = case_weights(Scored.of(first, patients % 2, patients), 500, seed=1)
    alone, by_patient = bland_altman(first, second), bland_altman(first, second, weights=weights)
    widths = [f.bias_interval.upper - f.bias_interval.lower for f in (alone, by_patient)]
    assert widths[1] > 1.5 * widths[0]


def test_kappa_equals_statsmodels():
    """statsmodels 0.15, cohens_kappa([[7, 1], [2, 5]]): kappa, kappa_low, kappa_upp uncut."""
    first, second = CALLS
    found = cohen_kappa(first, second, np.arange(15))
    assert found.value == pytest.approx(0.6017699115044248, rel=1e-12)
    assert found.interval.lower == pytest.approx(0.2021205291461335, rel=1e-12)
    assert found.interval.upper == 1.0, "a kappa is not above 1"


def test_kappa_of_a_patient_counted_twice_is_no_surer():
    first, second = CALLS
    once = cohen_kappa(first, second, np.arange(15))
    twice = cohen_kappa(np.tile(first, 2), np.tile(second, 2), np.tile(np.arange(15), 2))
    assert twice.value == pytest.approx(once.value)
    assert twice.interval.lower == pytest.approx(once.interval.lower)
    sure = cohen_kappa(np.tile(first, 2), np.tile(second, 2), np.arange(30))
    assert sure.interval.lower > once.interval.lower


def test_kappa_of_calls_that_are_all_alike_is_not_defined():
    assert np.isnan(cohen_kappa([1, 1, 1], [1, 1, 1], np.arange(3)).value)
    assert cohen_kappa([1, 0, 1], [1, 0, 1], np.arange(3)).value == 1


def test_calls_change_one_way_or_the_other():
    first, second = (np.array(calls, dtype=bool) for calls in CALLS)
    assert changed_calls(first, second) == (1, 2)


@pytest.mark.parametrize("second", [[1.0], [1.0, 2.0, 3.0]])
def test_scores_of_other_cases_are_refused(second):
    with pytest.raises(DataError, match="two scores of two or more cases"):
        bland_altman([1.0], second)
    with pytest.raises(DataError, match="same cases"):
        cohen_kappa([1, 0], second, np.arange(2))
