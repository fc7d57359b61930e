"""Sample sizes of validations equal published ones, and intervals of simulated validations."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.special import expit
from scipy.stats import beta, norm

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.calibration import calibration
from centrum.evaluate.decision_curve import decision_curve
from centrum.evaluate.discrimination import auc
from centrum.evaluate.validation_size import (
    BENEFIT,
    OE,
    SLOPE,
    WIDTHS,
    C,
    ExpectedModel,
    validation_size,
)

SHARES = (np.arange(20_000) + 0.5) / 20_000


def needed(expected: ExpectedModel, **widths: float) -> dict[str, int]:
    names = {"oe": OE, "slope": SLOPE, "c": C, "benefit": BENEFIT}
    asked = {**WIDTHS, **{names[name]: width for name, width in widths.items()}}
    return {k.measure: k.n for k in validation_size(expected, asked).criteria}


def test_the_examples_of_pmvalsampsize():
    """R's pmvalsampsize 0.1.0, tests/testthat/test_bin.R: a prevalence of 0.018, a C statistic of
    0.8, an interval of O/E 1 wide. It takes the first of standard errors 0.0001 apart that is
    wide enough, hence one case less for O/E, and simulates 1000 log-odds for the slope, or 10000
    (of which the third example's have another prevalence within its tolerance)."""
    normal = ExpectedModel.of(0.018, 0.8, expit(norm.ppf(SHARES, -5, 2.5)))
    found = needed(normal, oe=1)
    assert found[OE] in (905, 906)
    assert found[C] == 4252
    assert found[SLOPE] == pytest.approx(4501, rel=0.03)
    arcsine = ExpectedModel.of(0.018, 0.8, beta.ppf(SHARES, 0.5, 0.5))
    assert needed(arcsine)[SLOPE] == pytest.approx(1641, rel=0.01)
    assert needed(ExpectedModel.binormal(0.018, 0.8))[SLOPE] == pytest.approx(16175, rel=0.1)


def test_the_example_of_the_bmj():
    """Riley et al., BMJ 2024;384:e074821: 949 cases, 408 of them with the outcome."""
    expected = ExpectedModel.of(0.43, 0.77, beta.ppf(SHARES, 1.33, 1.75))
    asked = {**WIDTHS, OE: 0.22, SLOPE: 0.3}
    found = validation_size(expected, asked)
    assert {k.measure: k.n for k in found.criteria} == {OE: 423, SLOPE: 949, C: 347}
    assert (found.n, round(found.events)) == (949, 408)


def test_intervals_are_as_wide_as_estimates_of_simulated_validations_spread():
    """Each measure is estimated on 600 samples by the functions that the report uses."""
    prevalence, area, n, threshold = 0.3, 0.8, 400, 0.4
    expected = ExpectedModel.binormal(prevalence, area, threshold)
    rng = np.random.default_rng(1)
    estimates = []
    for _ in range(600):
        log_odds = rng.choice(expected.log_odds, n, p=expected.weights)
        p = expit(log_odds)
        scored = Scored.of(p, rng.random(n) < p)
        benefit = decision_curve(scored, thresholds=[threshold]).standardised[0]
        observed = np.log(scored.n_positive / (n * prevalence))
        estimates.append((observed, calibration(scored).slope.value, auc(scored), benefit))
    spread = 2 * 1.96 * np.std(estimates, axis=0)
    assert 2 * np.sinh(spread[0] / 2) == pytest.approx(expected.width(OE, n), rel=0.1)
    for measure, found in zip((SLOPE, C, BENEFIT), spread[1:], strict=True):
        assert found == pytest.approx(expected.width(measure, n), rel=0.1), measure
    means = np.mean(estimates, axis=0)
    assert means[2] == pytest.approx(area, abs=0.005)
    assert means[3] == pytest.approx(expected.measures[BENEFIT], abs=0.01)


@pytest.mark.parametrize(("prevalence", "threshold"), [(0.3, 0.4), (0.5, 0.2)])
def test_the_interval_of_the_net_benefit_is_that_of_drawn_tables(prevalence, threshold):
    """Standardised net benefit of tables of test and outcome, drawn with the expected shares."""
    expected, n = ExpectedModel.binormal(prevalence, 0.8, threshold), 400
    sensitivity, specificity = expected.decisions
    with_it, without = prevalence, 1 - prevalence
    shares = [with_it * sensitivity, with_it * (1 - sensitivity),
              without * (1 - specificity), without * specificity]  # fmt: skip
    tp, fn, fp, _ = np.random.default_rng(3).multinomial(n, shares, 20_000).T
    benefit = (tp - fp * threshold / (1 - threshold)) / (tp + fn)
    assert 2 * 1.96 * benefit.std() == pytest.approx(expected.width(BENEFIT, n), rel=0.05)
    assert benefit.mean() == pytest.approx(expected.measures[BENEFIT], abs=0.01)


def test_a_model_is_expected_to_be_calibrated():
    plain = ExpectedModel.binormal(0.3, 0.8)
    assert plain.measures == {OE: 1, SLOPE: 1, C: 0.8}
    at = ExpectedModel.binormal(0.3, 0.8, 0.4)
    assert list(at.measures) == [OE, SLOPE, C, BENEFIT]


def test_sensitivity_and_specificity_are_those_of_the_binormal_model():
    expected = ExpectedModel.binormal(0.5, 0.85, threshold=0.5)
    distance = np.sqrt(2) * norm.ppf(0.85)
    assert expected.decisions == pytest.approx((norm.cdf(distance / 2),) * 2, abs=2e-3)


@given(st.floats(0.02, 0.98), st.floats(0.55, 0.97), st.floats(0.05, 0.6))
def test_one_case_less_is_too_few(prevalence, area, width):
    expected = ExpectedModel.binormal(prevalence, area, threshold=0.3)
    found = validation_size(expected, dict.fromkeys(WIDTHS, width))
    for k in found.criteria:
        assert expected.width(k.measure, k.n) <= width
        assert k.n == 2 or expected.width(k.measure, k.n - 1) > width
    assert found.n == max(k.n for k in found.criteria)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.8), "prevalence must lie between 0 and 1, found 0"),
        ((0.3, 0.5), r"C statistic must lie between 0\.5 and 1, found 0\.5"),
        ((0.3, 0.8, 1.0), "threshold must lie between 0 and 1, found 1"),
        ((float("nan"), 0.8), "found nan"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        ExpectedModel.binormal(*arguments)
    with pytest.raises(DataError, match=message):
        ExpectedModel.of(arguments[0], arguments[1], [0.2, 0.8], *arguments[2:])


def test_an_interval_without_width_and_equal_probabilities_are_refused():
    with pytest.raises(DataError, match="O/E that is 0 wide"):
        needed(ExpectedModel.binormal(0.3, 0.8), oe=0)
    with pytest.raises(DataError, match="calibration slope"):
        needed(ExpectedModel.of(0.5, 0.8, [0.5, 0.5]))
