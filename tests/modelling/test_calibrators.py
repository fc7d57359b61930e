"""Probabilities and sets from scores."""

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from centrum.errors import DataError
from centrum.modelling.calibrators import (
    CALIBRATORS,
    IsotonicCalibrator,
    PlattCalibrator,
    VennAbersCalibrator,
    calibrator_from,
)
from centrum.modelling.conformal import ConformalSets, learn_sets, summarise_sets
from centrum.records import as_json, from_json


def drawn(seed, n=80):
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=n), 2)
    y = (rng.random(n) < expit(1.5 * scores)).astype(int)
    y[:2] = [0, 1]
    return scores, y


@given(st.integers(0, 10**6), st.sampled_from(sorted(CALIBRATORS)))
def test_never_reverses_two_cases(seed, method):
    scores, y = drawn(seed)
    p = CALIBRATORS[method]().fit(scores, y).predict_proba(np.sort(scores))
    assert (np.diff(p) >= -1e-12).all()
    assert (p >= 0).all()
    assert (p <= 1).all()


@pytest.mark.parametrize("method", sorted(CALIBRATORS))
def test_survives_json(method):
    scores, y = drawn(1)
    step = CALIBRATORS[method]().fit(scores, y)
    again = calibrator_from(json.loads(json.dumps(as_json(step))))
    at = np.linspace(-3, 3, 31)
    np.testing.assert_array_equal(step.predict_proba(at), again.predict_proba(at))


def test_platt_is_the_maximum_of_its_likelihood():
    scores, y = drawn(2)
    n1, n0 = y.sum(), (1 - y).sum()
    target = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))

    def cost(ab):
        p = expit(ab[0] + ab[1] * scores)
        return -np.sum(target * np.log(p) + (1 - target) * np.log(1 - p))

    best = minimize(cost, [0, 1], method="BFGS", options={"gtol": 1e-8}).x
    step = PlattCalibrator().fit(scores, y)
    assert (step.intercept_, step.slope_) == pytest.approx(tuple(best), abs=1e-5)


def test_platt_is_finite_where_scores_part_the_classes():
    step = PlattCalibrator().fit([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1])
    p = step.predict_proba([1.0, 4.0])
    assert 0.05 < p[0] < 0.5 < p[1] < 0.95


def test_scores_the_wrong_way_round_are_not_turned():
    step = PlattCalibrator().fit([4.0, 3.0, 2.0, 1.0], [0, 0, 1, 1])
    assert step.predict_proba([1.0, 4.0]) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0, 1.0], [4.0, 3.0, 2.0, 1.0]])
def test_where_scores_tell_nothing_weights_count(scores):
    """(n1 + 1) / (n1 + 2) and 1 / (n0 + 2), averaged over 6 negative and 2 positive cases."""
    step = PlattCalibrator().fit(scores, [0, 0, 1, 1], [3, 3, 1, 1])
    wanted = (2 * 3 / 4 + 6 * 1 / 8) / 8
    assert step.slope_ == 0
    assert step.predict_proba([2.0]) == pytest.approx(wanted)


def test_isotonic_inside_is_scikit_learns():
    scores, y = drawn(3)
    known = IsotonicRegression(out_of_bounds="clip").fit(scores, y).predict(scores)
    found = IsotonicCalibrator().fit(scores, y).predict_proba(scores)
    np.testing.assert_allclose(found, np.clip(known, 1 / 82, 81 / 82), atol=1e-12)


def test_venn_abers_is_its_definition():
    scores, y = drawn(4, 40)
    new = np.r_[np.linspace(-3, 3, 13), scores[:3]]
    p0, p1 = VennAbersCalibrator().fit(scores, y).interval(new)
    for k, s in enumerate(new):
        for label, found in ((0, p0[k]), (1, p1[k])):
            fit = IsotonicRegression().fit(np.r_[scores, s], np.r_[y, label])
            assert found == pytest.approx(fit.predict([s])[0], abs=1e-12)
    assert (p0 <= p1).all()


@pytest.mark.parametrize("method", sorted(CALIBRATORS))
def test_degenerate(method):
    step = CALIBRATORS[method]()
    constant = step.fit([1.0] * 6, [0, 1, 0, 1, 0, 1]).predict_proba([0.0, 1.0, 2.0])
    assert constant[1] == pytest.approx(0.5, abs=0.1)
    assert np.isfinite(constant).all()
    with pytest.raises(DataError, match="both outcomes"):
        step.fit([1.0, 2.0], [1, 1])
    with pytest.raises(DataError, match="one finite score per outcome"):
        step.fit([1.0, np.nan], [0, 1])


@given(st.integers(0, 10**6), st.sampled_from(sorted(CALIBRATORS)))
def test_a_weight_of_two_is_a_case_met_twice(seed, method):
    scores, y = drawn(seed, 30)
    times = np.random.default_rng(seed).integers(1, 4, size=30)
    at = np.linspace(-3, 3, 25)
    weighted = CALIBRATORS[method]().fit(scores, y, times).predict_proba(at)
    repeated = CALIBRATORS[method]().fit(np.repeat(scores, times), np.repeat(y, times))
    np.testing.assert_allclose(weighted, repeated.predict_proba(at), atol=1e-6)


@given(st.integers(0, 10**6), st.sampled_from(sorted(CALIBRATORS)))
def test_no_probability_is_certain(seed, method):
    scores, y = drawn(seed, 20)
    p = CALIBRATORS[method]().fit(scores, y).predict_proba(np.r_[scores, -5.0, 5.0])
    assert p.min() > 0
    assert p.max() < 1


@pytest.mark.parametrize("method", sorted(CALIBRATORS))
def test_refuses_what_it_cannot_use(method):
    scores, y = drawn(6)
    step = CALIBRATORS[method]().fit(scores, y)
    with pytest.raises(DataError, match="found 1 of 2 missing"):
        step.predict_proba([0.0, np.nan])
    for weights in (np.zeros(80), np.full(80, np.nan), np.ones(79)):
        with pytest.raises(DataError, match="one positive weight"):
            step.fit(scores, y, weights)
    with pytest.raises(DataError, match="both outcomes"):
        step.fit(scores, 2 * y)


def test_a_record_of_another_method_is_refused():
    with pytest.raises(DataError, match="platt, isotonic, venn_abers"):
        calibrator_from({"method": "beta"})


class TestConformal:
    @pytest.mark.parametrize("error", [0.1, 0.3])
    def test_covers_each_outcome(self, error):
        """The mean coverage over learnt sets is at least 1 - error, for both outcomes."""
        rng = np.random.default_rng(0)
        covered = {0: [], 1: []}
        for _ in range(400):
            y = np.arange(50) % 3 == 0
            sets = learn_sets(rng.normal(size=50) + y, y, error=error)
            for label in (0, 1):
                new = sets.of(rng.normal(size=40) + label)
                own = "positive" if label else "negative"
                covered[label].append(np.mean([s in (own, "uncertain") for s in new]))
        for label in (0, 1):
            assert np.mean(covered[label]) >= 1 - error - 0.01
            assert np.mean(covered[label]) <= 1 - error + 0.06

    def test_covers_patients_with_several_cases(self):
        rng = np.random.default_rng(1)
        whole = []
        for _ in range(300):
            patients = np.repeat(np.arange(40), 3)
            y = patients % 2
            own = rng.normal(size=40)[patients]
            scores = own + 0.5 * rng.normal(size=120) + y
            sets = learn_sets(scores, y, patients, error=0.2)
            new = rng.normal() + 0.5 * rng.normal(size=3) + 1
            whole.append(all(s in ("positive", "uncertain") for s in sets.of(new)))
        assert np.mean(whole) >= 0.8 - 0.05

    def test_p_values_by_counting(self):
        sets = learn_sets([1.0, 2.0, 3.0, 2.0, 3.0, 4.0], [0, 0, 0, 1, 1, 1], error=0.25)
        negative, positive = sets.p_values([2.0])
        assert negative[0] == (2 + 1) / 4
        assert positive[0] == (1 + 1) / 4
        assert sets.of([2.0, -9.0, 9.0]) == ("uncertain", "negative", "positive")

    def test_json(self):
        scores, y = drawn(5)
        sets = learn_sets(scores, y)
        again = from_json(ConformalSets, json.loads(json.dumps(as_json(sets))))
        assert again.of(scores) == sets.of(scores)

    def test_summary(self):
        found = summarise_sets(["positive", "negative", "uncertain", "neither"], [1, 1, 0, 0])
        assert (found.coverage, found.decided, found.right) == (0.5, 0.5, 0.5)
        assert np.isnan(summarise_sets(["uncertain"], [1]).right)

    def test_refusals(self):
        with pytest.raises(DataError, match="both outcomes"):
            learn_sets([1.0, 2.0], [1, 1])
        with pytest.raises(DataError, match="between 0 and 1"):
            learn_sets([1.0, 2.0], [0, 1], error=1.0)
