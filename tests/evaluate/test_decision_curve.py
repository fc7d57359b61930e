"""Decision curves: intervals by patient, other prevalences, what they have to be."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.decision_curve import decision_curve

PROBABILITIES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({y for _, y in rows}) == 2
)


@pytest.fixture(scope="module")
def cases(reference):
    table = pd.read_csv(reference / "modelling" / "r" / "inputs" / "calib.csv")
    return Scored.of(table["p"], table["y"])


def test_avoided_interventions_from_the_counts(cases):
    """Vickers, BMC Med Inform Decis Mak 2008;8:53: per 100, false alarms less missed cases."""
    found = decision_curve(cases, thresholds=[0.1, 0.25, 0.5])
    for t, avoided in zip((0.1, 0.25, 0.5), found.avoided, strict=True):
        spared = cases.scores < t
        right, missed = np.sum(spared & ~cases.positive), np.sum(spared & cases.positive)
        assert avoided == pytest.approx((right - missed * (1 - t) / t) / 2, abs=1e-10)


@given(PROBABILITIES)
def test_no_net_benefit_beats_the_prevalence_and_below_all_probabilities_all_are_acted_on(rows):
    scored = Scored.of(*zip(*rows, strict=True))
    found = decision_curve(scored)
    assert (found.model <= found.prevalence + 1e-12).all()
    low, high = (found.thresholds <= scored.scores.min()), (found.thresholds > scored.scores.max())
    np.testing.assert_allclose(found.over_all[low], 0, atol=1e-12)
    np.testing.assert_array_equal(found.model[high], 0)


def test_acting_on_everybody_is_a_model_that_always_says_1():
    scored = Scored.of([1.0] * 8, [0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 2, 3, 4, 4, 5])
    found = decision_curve(scored, case_weights(scored, 50, seed=1))
    np.testing.assert_allclose(found.over_all, 0, atol=1e-12)
    np.testing.assert_allclose(found.over_all_lower, 0, atol=1e-12)
    np.testing.assert_allclose(found.over_all_upper, 0, atol=1e-12)
    np.testing.assert_allclose(found.avoided, 0, atol=1e-9)


def test_acting_on_nobody_has_no_net_benefit():
    found = decision_curve(Scored.of([0.0] * 4, [0, 1, 0, 1]))
    np.testing.assert_array_equal(found.model, 0)


def test_a_probability_at_the_threshold_is_acted_on():
    found = decision_curve(Scored.of([0.3, 0.3], [0, 1]), thresholds=[0.3, 0.300001])
    assert found.model[0] == pytest.approx(found.treat_all[0])
    assert found.model[1] == 0


def test_the_own_prevalence_changes_nothing(cases):
    as_is, given_ = decision_curve(cases), decision_curve(cases, prevalence=0.45)
    np.testing.assert_allclose(given_.model, as_is.model, atol=1e-13)
    np.testing.assert_allclose(given_.treat_all, as_is.treat_all, rtol=1e-12, atol=1e-13)


def test_another_prevalence_is_that_many_more_cases():
    p, y = [0.1, 0.6, 0.3, 0.8], [0, 0, 1, 1]
    rarer = Scored.of(p[:2] * 9 + p[2:], y[:2] * 9 + y[2:])
    wanted = decision_curve(rarer)
    found = decision_curve(Scored.of(p, y), prevalence=0.1)
    np.testing.assert_allclose(found.model, wanted.model, atol=1e-12)
    np.testing.assert_allclose(found.treat_all, wanted.treat_all, rtol=1e-12, atol=1e-12)
    assert found.prevalence == 0.1


@pytest.mark.parametrize("prevalence", [None, 0.2])
def test_intervals_are_percentiles_of_the_curves_of_resampled_patients(cases, prevalence):
    patients = np.arange(200) // 2
    scored = Scored.of(cases.scores, cases.positive, patients)
    weights = case_weights(scored, 40, seed=3)
    found = decision_curve(scored, weights, [0.2, 0.6], prevalence, confidence=0.8)
    each = []
    for row in weights.astype(int):
        rows = np.repeat(np.arange(200), row)
        again = Scored.of(scored.scores[rows], scored.positive[rows])
        curve = decision_curve(again, thresholds=[0.2, 0.6], prevalence=prevalence)
        each.append((curve.model, curve.difference, curve.over_all))
    lower, upper = np.quantile(each, [0.1, 0.9], axis=0)
    got_lower = found.lower, found.difference_lower, found.over_all_lower
    got_upper = found.upper, found.difference_upper, found.over_all_upper
    np.testing.assert_allclose(got_lower, lower, atol=1e-12)
    np.testing.assert_allclose(got_upper, upper, atol=1e-12)


def test_without_resamples_there_are_no_intervals(cases):
    found = decision_curve(cases)
    assert np.isnan([found.lower, found.over_all_upper, found.difference_lower]).all()


@pytest.mark.parametrize(
    ("thresholds", "prevalence"),
    [([0.0, 0.5], None), ([1.0], None), ([np.nan], None), ([0.5], 0.0), ([0.5], 1.0)],
)
def test_thresholds_and_prevalence_lie_between_0_and_1(thresholds, prevalence):
    scored = Scored.of([0.2, 0.8], [0, 1])
    with pytest.raises(DataError, match="between 0 and 1"):
        decision_curve(scored, thresholds=thresholds, prevalence=prevalence)
