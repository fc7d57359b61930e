"""Tests of added value against statsmodels 0.15, and what must hold of it."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.evaluate.added_value import added_test, fit_logistic
from centrum.evaluate.firth import firth
from centrum.evaluate.logistic import covariance_of
from centrum.evaluate.scored import Scored


@pytest.fixture(scope="module")
def known():
    """Age and sex, a score that goes with age, the outcome."""
    rng = np.random.default_rng(12)
    age = rng.normal(size=60).round(3)
    sex = rng.integers(0, 2, 60).astype(float)
    score = (rng.normal(size=60) + 0.6 * age).round(3)
    y = rng.random(60) < 1 / (1 + np.exp(-(0.9 * score - 0.5 * sex + 0.2)))
    return np.column_stack([age, sex]), score, y


def both(known):
    clinical, score, _ = known
    return np.column_stack([clinical, score])


def test_coefficients_equal_statsmodels(known):
    """Logit(y, add_constant([age, sex, score])).fit(): params, bse, conf_int."""
    found = fit_logistic(both(known), Scored.of(known[1], known[2]))
    values = [found.intercept, *(c.value for c in found.coefficients)]
    wanted = [-0.185552888363728, -0.7961701684121185, 0.8449593722087183, 1.1524766100685042]
    np.testing.assert_allclose(values, wanted, rtol=1e-7)
    errors = [c.se for c in found.coefficients]
    np.testing.assert_allclose(errors, [0.4195398391, 0.6409841056, 0.4258195759], rtol=1e-7)
    p = [c.p for c in found.coefficients]
    np.testing.assert_allclose(p, [0.0577326545, 0.1874293312, 0.0067998541], rtol=1e-6)
    last = found.coefficients[-1].interval
    np.testing.assert_allclose([last.lower, last.upper], [0.3178855775, 1.9870676427], rtol=1e-7)
    assert found.deviance == pytest.approx(64.89802744831626)


def test_likelihood_ratio_equals_statsmodels(known):
    """2 (llf of both - llf of age and sex), and its chi-square with 1 degree of freedom."""
    scored = Scored.of(known[1], known[2])
    found = added_test(fit_logistic(known[0], scored), fit_logistic(both(known), scored), scored)
    assert found.statistic == pytest.approx(9.871717961886588)
    assert found.p == pytest.approx(0.0016783871915277294)
    assert (found.df, found.by_patient) == (1, False)


def test_wald_by_patient_equals_statsmodels(known):
    """cov_type="cluster" without correction, times G / (G - 1) of 30 patients."""
    scored = Scored.of(known[1], known[2], np.arange(60) // 2)
    whole = fit_logistic(both(known), scored)
    errors = np.array([c.se for c in whole.coefficients]) / np.sqrt(30 / 29)
    np.testing.assert_allclose(errors, [0.3704206276, 0.7726182903, 0.4705371874], rtol=1e-7)
    found = added_test(fit_logistic(known[0], scored), whole, scored)
    assert found.by_patient
    assert found.statistic == pytest.approx(2.44927848612196**2 * 29 / 30)


def test_cases_counted_twice_are_no_surer_by_patient(known):
    clinical, score, y = (np.concatenate([x, x]) for x in known)
    once = Scored.of(score[:60], y[:60])
    twice = Scored.of(score, y, np.tile(np.arange(60), 2))
    tests = []
    for scored, rows in ((once, slice(60)), (twice, slice(None))):
        x = np.column_stack([clinical, score])[rows]
        tests.append(added_test(fit_logistic(clinical[rows], scored), fit_logistic(x, scored),
                                scored))  # fmt: skip
    # Wald's of the first, with the variance of the residuals, is near the likelihood ratio's.
    assert tests[1].statistic < 1.5 * tests[0].statistic


def test_a_constant_adds_nothing_and_noise_seldom():
    rng = np.random.default_rng(5)
    small = 0
    for _ in range(300):
        x, score = rng.normal(size=(2, 80))
        y = rng.random(80) < 1 / (1 + np.exp(-x))
        scored = Scored.of(score, y)
        without = fit_logistic(x[:, None], scored)
        whole = fit_logistic(np.column_stack([x, score]), scored)
        small += added_test(without, whole, scored).p < 0.05
    assert small / 300 == pytest.approx(0.05, abs=0.03)


def test_outcomes_that_are_parted_have_firths_penalty():
    """Its estimates, and the profile's test, which does not leave the coefficient out."""
    x = np.column_stack([np.arange(10.0), np.arange(10) % 2])
    y = np.arange(10) > 4
    scored = Scored.of(x[:, 0], y)
    found, wanted = fit_logistic(x, scored), firth(np.column_stack([np.ones(10), x]), 1.0 * y)
    assert found.penalised is not None
    np.testing.assert_array_equal([found.intercept, *(c.value for c in found.coefficients)],
                                  wanted.beta)  # fmt: skip
    np.testing.assert_allclose([c.se for c in found.coefficients],
                               np.sqrt(np.diag(wanted.covariance)[1:]))  # fmt: skip
    turned = x[:, ::-1]
    test = added_test(fit_logistic(turned[:, :1], scored), fit_logistic(turned, scored), scored)
    assert (test.by_patient, test.penalised) == (False, True)
    assert test.p == pytest.approx(wanted.p(1))
    assert test.p < 0.05
    assert fit_logistic(x[:, 1:], scored).penalised is None


def test_of_parted_outcomes_the_larger_variance_is_taken_by_patient():
    x = np.repeat(np.arange(10.0), 2)[:, None]
    y = np.repeat(np.arange(10) > 4, 2)
    scored = Scored.of(x[:, 0], y, np.repeat(np.arange(10), 2))
    whole = fit_logistic(x, scored)
    fit = firth(np.column_stack([np.ones(20), x]), 1.0 * y)
    by_patient = covariance_of(fit.design, 0.0, fit.beta, scored)[1, 1]
    assert whole.coefficients[0].se ** 2 == pytest.approx(max(by_patient, fit.covariance[1, 1]))
    plain = fit_logistic(np.zeros((20, 0)), scored)
    test = added_test(plain, whole, scored)
    assert (test.by_patient, test.penalised) == (True, True)
    (only,) = whole.coefficients
    assert test.statistic == pytest.approx((only.value / only.se) ** 2)


def test_what_follows_from_the_others_is_refused():
    x = np.arange(10.0)
    with pytest.raises(DataError, match="some follow from the others"):
        fit_logistic(np.column_stack([x, 2 * x]), Scored.of(x, np.arange(10) % 2))
