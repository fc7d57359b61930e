"""Calibration and decision curves against R: rms, ResourceSelection, dcurves."""

import json
from math import exp, factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import expit, logit

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.calibration import _spiegelhalter, calibration, hosmer_lemeshow
from centrum.evaluate.decision_curve import decision_curve
from centrum.evaluate.lowess import lowess


@pytest.fixture(scope="module")
def cases(reference):
    return pd.read_csv(reference / "modelling" / "r" / "inputs" / "calib.csv")


@pytest.fixture(scope="module")
def wanted(reference):
    return json.loads((reference / "modelling" / "r" / "calibration.json").read_text())


def test_equals_val_prob(cases, wanted):
    found, known = calibration(Scored.of(cases["p"], cases["y"])), wanted["val_prob"]
    pairs = {
        "Brier": found.brier,
        "Intercept": found.intercept.value,
        "Slope": found.slope.value,
        "Emax": found.emax,
        "E90": found.e90,
        "Eavg": found.ici,
        "R2": found.likelihood.nagelkerke,
        "D": found.likelihood.discrimination,
        "U": found.likelihood.unreliability,
        "U:Chi-sq": found.likelihood.statistic,
        "U:p": found.likelihood.p,
        "Q": found.likelihood.quality,
        "S:z": found.spiegelhalter.z,
        "S:p": found.spiegelhalter.p,
    }
    for name, value in pairs.items():
        assert value == pytest.approx(known[name], abs=1e-9), name


def test_equals_glm(cases, wanted):
    found, known = calibration(Scored.of(cases["p"], cases["y"])), wanted["logistic_recalibration"]
    assert found.slope.se == pytest.approx(known["se"][1], rel=1e-6)
    assert found.intercept.se == pytest.approx(known["se"][0], rel=1e-6)
    interval = (found.slope.interval.lower, found.slope.interval.upper)
    assert interval == pytest.approx(known["slope_ci_wald"], rel=1e-6)
    assert found.in_the_large.value == pytest.approx(known["citl_offset_intercept"], abs=1e-9)
    assert found.in_the_large.se == pytest.approx(known["citl_se"], rel=1e-6)
    assert found.brier_scaled == pytest.approx(wanted["brier_scaled"], abs=1e-12)


def test_standard_errors_equal_glm_that_converged(cases):
    """R 4.2.2 with epsilon = 1e-15; its default, in the table above, stops at 7 digits."""
    found = calibration(Scored.of(cases["p"], cases["y"]))
    errors = found.intercept.se, found.slope.se, found.in_the_large.se
    wanted = 0.1591260637922727, 0.1316543292306239, 0.1638446148727466
    assert errors == pytest.approx(wanted, rel=1e-9)


def test_clustered_standard_errors_equal_statsmodels(cases):
    """GLM(..., Binomial()).fit(cov_type="cluster", use_correction=False), by sqrt(G / (G - 1)).

    Version 0.15.0; a patient every three rows, G = 67.
    """
    found = calibration(Scored.of(cases["p"], cases["y"], np.arange(200) // 3))
    errors = found.intercept.se, found.slope.se, found.in_the_large.se
    wanted = 0.15914410770139137, 0.14448629171109553, 0.17810057136292995
    assert errors == pytest.approx(wanted, rel=1e-9)


def test_flexible_curve_equals_glm_of_a_natural_spline(cases):
    """R 4.2.2: glm(y ~ ns(logit, knots = q50, Boundary.knots = c(q10, q90)), binomial)."""
    curve = calibration(Scored.of(cases["p"], cases["y"])).curve
    found = np.array([curve.observed, curve.lower, curve.upper])[:, ::25]
    wanted = [
        [0.09329512153196774, 0.19568317382307615, 0.37355285797564936, 0.66835100820589977,
         0.88747801041180208],
        [0.01611499191095772, 0.09317147741382191, 0.28904677582053695, 0.55045659579279349,
         0.65795332720767836],
        [0.39261356703853882, 0.36552087590714582, 0.46655211287086441, 0.76833918481834229,
         0.97000537465178304],
    ]  # fmt: skip
    np.testing.assert_allclose(found, wanted, rtol=1e-7)


def test_grouped_points_are_those_of_hosmer_and_lemeshow(cases, wanted):
    found, known = calibration(Scored.of(cases["p"], cases["y"])), wanted["hoslem_g10"]
    np.testing.assert_array_equal(
        [group.observed * group.n for group in found.groups], np.array(known["observed"])[:, 1]
    )
    np.testing.assert_allclose(
        [group.predicted * group.n for group in found.groups], np.array(known["expected"])[:, 1]
    )
    first = found.groups[0]
    # Wilson's interval of 3 / 20: R 4.2.2, prop.test(3, 20, correct = FALSE).
    assert first.interval.lower == pytest.approx(0.0523687459, abs=1e-10)
    assert first.interval.upper == pytest.approx(0.3604188647, abs=1e-10)


@pytest.mark.parametrize("groups", [8, 10])
def test_hosmer_lemeshow_equals_r(cases, wanted, groups):
    found = hosmer_lemeshow(cases["p"].to_numpy(), cases["y"].to_numpy(float), groups)
    known = wanted[f"hoslem_g{groups}"]
    assert found.statistic == pytest.approx(known["X2"], rel=1e-8)
    # R's test is of the cases of the fit, with two degrees of freedom less.
    assert found.df == known["df"] + 2 == groups
    np.testing.assert_allclose(found.expected, known["expected"], rtol=1e-10)
    np.testing.assert_array_equal(found.observed, known["observed"])


@pytest.mark.parametrize("groups", [8, 10])
def test_hosmer_lemeshow_p_by_hand(cases, groups):
    found = hosmer_lemeshow(cases["p"].to_numpy(), cases["y"].to_numpy(float), groups)
    # Upper tail of chi-square with an even number of degrees of freedom (Abramowitz and Stegun
    # 26.4.21): that of a Poisson count.
    half = found.statistic / 2
    poisson = sum(half**k / factorial(k) for k in range(groups // 2))
    assert found.p == pytest.approx(exp(-half) * poisson, rel=1e-10)


def test_decision_curve_equals_dcurves(cases, reference):
    known = pd.read_csv(reference / "modelling" / "r" / "dca_dcurves.csv")
    found = decision_curve(Scored.of(cases["p"], cases["y"]))
    for variable, values in (("p", found.model), ("all", found.treat_all)):
        rows = known[known["variable"] == variable]
        np.testing.assert_allclose(found.thresholds, rows["threshold"], atol=1e-15)
        np.testing.assert_allclose(values, rows["net_benefit"], rtol=1e-12, atol=1e-12)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_recalibrated_probabilities_are_calibrated(seed):
    rng = np.random.default_rng(seed)
    eta = rng.normal(size=200)
    y = rng.random(200) < expit(0.4 + 0.5 * eta)
    found = calibration(Scored.of(expit(eta), y))
    better = expit(found.intercept.value + found.slope.value * logit(expit(eta)))
    again = calibration(Scored.of(better, y))
    assert (again.slope.value, again.intercept.value) == pytest.approx((1, 0), abs=1e-6)
    assert again.expected_observed == pytest.approx(1, abs=1e-6)
    assert again.in_the_large.value == pytest.approx(0, abs=1e-6)


def test_a_patient_twice_does_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    eta = rng.normal(size=150)
    y = (rng.random(150) < expit(eta)).astype(int)
    once = calibration(Scored.of(expit(eta), y))
    p2, y2, patients = np.tile(expit(eta), 2), np.tile(y, 2), np.tile(np.arange(150), 2)
    twice = calibration(Scored.of(p2, y2, patients))
    blind = calibration(Scored.of(p2, y2))
    assert blind.slope.se == pytest.approx(once.slope.se / np.sqrt(2), rel=1e-6)
    assert twice.slope.se == pytest.approx(once.slope.se, rel=0.15)
    assert twice.slope.value == pytest.approx(once.slope.value)


def test_the_flexible_curve_of_calibrated_probabilities_is_the_diagonal():
    rng = np.random.default_rng(1)
    eta = rng.normal(size=5000)
    y = rng.random(5000) < expit(eta)
    curve = calibration(Scored.of(expit(eta), y)).curve
    inner = (curve.predicted > 0.1) & (curve.predicted < 0.9)
    np.testing.assert_allclose(curve.observed[inner], curve.predicted[inner], atol=0.05)
    assert (curve.lower <= curve.observed).all()
    assert (curve.upper >= curve.observed).all()


class TestDegenerate:
    @pytest.mark.parametrize("outcome", [[0, 0, 1, 1], [1, 1, 0, 0]])
    def test_separation_says_so_either_way(self, outcome):
        found = calibration(Scored.of([0.1, 0.2, 0.2, 0.9], outcome))
        assert np.isnan([found.slope.value, found.intercept.value, found.likelihood.p]).all()
        assert "without error" in found.reason
        assert np.isfinite([found.in_the_large.value, found.likelihood.nagelkerke]).all()

    def test_perfect_separation_says_so(self):
        found = calibration(Scored.of([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]))
        assert np.isnan(found.slope.value)
        assert "without error" in found.reason
        assert found.curve is None
        assert found.brier == pytest.approx(0.025)

    def test_all_probabilities_equal(self):
        found = calibration(Scored.of([0.5] * 6, [0, 1, 0, 1, 0, 1]))
        assert "equal" in found.reason
        assert found.ici == 0
        assert found.hosmer_lemeshow is None
        assert [group.n for group in found.groups] == [6]

    def test_probabilities_of_0_and_1(self):
        found = calibration(Scored.of([0, 1, 0.3, 0.6, 1, 0.2], [0, 1, 1, 0, 0, 1]))
        assert np.isfinite([found.slope.value, found.log_loss]).all()
        assert found.n_clipped == 3

    def test_probabilities_near_0_of_events_that_come_true(self):
        found = calibration(Scored.of([1e-9] * 4, [0, 1, 0, 1]))
        assert found.in_the_large.value == pytest.approx(-logit(1e-6), abs=1e-9)
        assert found.n_clipped == 4

    def test_probabilities_that_differ_by_rounding_are_equal(self):
        p = 0.3 + 1e-13 * np.arange(6)
        assert "equal" in calibration(Scored.of(p, [0, 1, 0, 1, 0, 1])).reason

    def test_a_curve_that_parts_the_outcomes_where_a_line_does_not(self):
        found = calibration(Scored.of(np.arange(1, 10) / 10, [0, 0, 0, 1, 1, 1, 0, 0, 0]))
        assert found.slope.value == pytest.approx(0, abs=1e-12)
        assert found.curve is None
        assert "curve that bends parts" in found.curve_reason
        assert found.reason == ""

    def test_two_probabilities_make_no_curve(self):
        found = calibration(Scored.of([0.1] * 6 + [0.9] * 6, [0, 0, 1] * 4))
        assert np.isfinite(found.slope.value)
        assert found.curve is None
        assert "too few" in found.curve_reason

    def test_one_patient_has_no_standard_errors(self):
        found = calibration(Scored.of([0.1, 0.2, 0.3, 0.4, 0.5], [0, 1, 0, 1, 0], ["a"] * 5))
        assert np.isfinite(found.slope.value)
        assert np.isnan([found.slope.se, found.slope.interval.lower]).all()

    def test_hosmer_lemeshow_of_what_cannot_happen(self):
        p, y = np.repeat([0.0, 0.4, 0.6, 0.8], 5), np.tile([0.0, 1, 0, 1, 1], 4)
        found = hosmer_lemeshow(p, y, 4)
        assert (found.statistic, found.p) == (np.inf, 0)

    def test_hosmer_lemeshow_counts_no_empty_groups(self):
        p = np.repeat([0.1, 0.3, 0.5, 0.9], [10, 2, 2, 10])
        y = np.tile([0.0, 1, 1], 8)
        found = hosmer_lemeshow(p, y, 10)
        assert (found.observed.sum(axis=1) > 0).all()
        assert found.df == len(found.observed)

    def test_even_probabilities_say_nothing_of_the_brier_score(self):
        found = calibration(Scored.of([0.5] * 6, [0, 1, 0, 1, 0, 1]))
        assert np.isnan([found.spiegelhalter.z, found.spiegelhalter.p]).all()

    @given(
        st.lists(
            st.tuples(
                st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.3, 1.0])),
                st.integers(0, 1),
                st.integers(0, 3),
            ),
            min_size=2,
            max_size=30,
        ).filter(lambda rows: len({y for _, y, _ in rows}) == 2)
    )
    def test_whatever_comes_numbers_or_a_reason(self, rows):
        p, y, patients = zip(*rows, strict=True)
        found = calibration(Scored.of(p, y, patients))
        assert np.isfinite([found.brier, found.log_loss, found.ici, found.emax]).all()
        assert np.isfinite(found.in_the_large.value)
        assert np.isnan(found.slope.value) == (found.reason != "")
        assert (found.curve is None) == (found.curve_reason != "")
        assert sum(group.n for group in found.groups) == len(rows)

    def test_scores_are_refused(self):
        with pytest.raises(DataError, match="probabilities from 0 to 1"):
            calibration(Scored.of([-1.0, 2.0], [0, 1]))
        with pytest.raises(DataError, match="decision curve is of probabilities"):
            decision_curve(Scored.of([-1.0, 2.0], [0, 1]))

    def test_ties_in_lowess(self):
        x = np.repeat([0.1, 0.5, 0.9], 5)
        y = np.tile([0.0, 1.0, 1.0, 0.0, 1.0], 3)
        assert np.isfinite(lowess(x, y)).all()


class TestDecisionCurve:
    def test_another_prevalence(self, cases):
        s = Scored.of(cases["p"], cases["y"])
        found = decision_curve(s, thresholds=[0.2], prevalence=0.1)
        called = s.scores >= 0.2
        sensitivity, false = called[s.positive].mean(), called[~s.positive].mean()
        expected = sensitivity * 0.1 - false * 0.9 * 0.25
        assert found.model[0] == pytest.approx(expected, abs=1e-12)

    def test_the_interval_holds_the_curve(self, cases):
        s = Scored.of(cases["p"], cases["y"])
        found = decision_curve(s, case_weights(s, 500, seed=1))
        inside = (found.lower <= found.model + 1e-9) & (found.model <= found.upper + 1e-9)
        assert inside.mean() > 0.98
        gain = found.model - np.maximum(found.treat_all, 0)
        inside = (found.difference_lower <= gain + 1e-9) & (gain <= found.difference_upper + 1e-9)
        assert inside.mean() > 0.9

    def test_a_perfect_model_gains_the_prevalence(self):
        found = decision_curve(Scored.of([0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1]))
        np.testing.assert_allclose(found.standardised, 1)


@pytest.mark.parametrize("p", [np.full(4, 0.5), np.array([0.0, 1.0, 0.0, 1.0])])
def test_spiegelhalters_z_without_variance_is_not_defined(p):
    with np.errstate(all="raise"):
        found = _spiegelhalter(p, np.array([0.0, 1.0, 1.0, 0.0]))
    assert np.isnan([found.z, found.p]).all()
