"""The bootstrap draws patients, whole and within strata, and repeats itself by seed."""

import numpy as np
from hypothesis import given, strategies as st

from centrum.evaluate import Scored, bootstrap
from centrum.evaluate.bootstrap import (
    Interval,
    bca_interval,
    case_weights,
    normal_interval,
    percentile_interval,
)
from centrum.evaluate.decision_curve import decision_curve
from centrum.evaluate.discrimination import resampled_auc, roc_band
from centrum.evaluate.thresholds import resampled_measures

PATIENTS = np.array([0, 0, 1, 2, 3, 3, 4, 5, 5, 6])
OUTCOME = np.array([1, 1, 1, 0, 0, 0, 0, 0, 1, 1])
SCORED = Scored.of(np.arange(10.0), OUTCOME, PATIENTS)


@given(st.integers(0, 2**32))
def test_all_cases_of_a_patient_are_drawn_together_and_strata_keep_their_size(seed):
    weights = case_weights(SCORED, 5, seed)
    first = np.unique(PATIENTS, return_index=True)[1]
    by_patient = weights[:, first]
    np.testing.assert_array_equal(weights, by_patient[:, PATIENTS])
    only_positive, only_negative, both = [0, 1, 6], [2, 3, 4], [5]
    for stratum in (only_positive, only_negative, both):
        assert (by_patient[:, stratum].sum(axis=1) == len(stratum)).all()


def test_the_same_seed_gives_the_same_draws():
    np.testing.assert_array_equal(case_weights(SCORED, 50, 3), case_weights(SCORED, 50, 3))
    assert (case_weights(SCORED, 50, 3) != case_weights(SCORED, 50, 4)).any()


def test_each_patient_is_drawn_once_on_average():
    mean = case_weights(SCORED, 20_000, 7).mean(axis=0)
    np.testing.assert_allclose(mean, 1, atol=0.03)


def test_undefined_resamples_are_left_out():
    assert percentile_interval(np.array([np.nan, 1.0, 1.0]), 0.95).lower == 1
    assert np.isnan(percentile_interval(np.array([np.nan]), 0.95).upper)
    ratios = np.append(np.arange(90.0), np.full(10, np.inf))
    assert percentile_interval(ratios, 0.95) == Interval(2.0, np.inf)


def test_bca_without_a_value_or_skew() -> None:
    """Equal values without each patient: no acceleration, so that it is the percentile interval
    of a median estimate."""
    samples = np.arange(1001.0)
    same = np.full(9, 3.0)
    found, plain = bca_interval(500.0, samples, same), percentile_interval(samples, 0.95)
    np.testing.assert_allclose([found.lower, found.upper], [plain.lower, plain.upper], atol=1e-6)
    assert np.isnan(bca_interval(np.nan, samples, same).lower)
    assert np.isnan(bca_interval(1.0, np.full(9, np.nan), same).upper)
    some = np.append(samples, [np.nan, np.nan])
    assert bca_interval(500.0, some, np.append(same, np.nan)) == found
    assert bca_interval(-1.0, samples, same) == Interval(0, 0)
    assert bca_interval(2000.0, samples, same) == Interval(1000, 1000)


def test_normal_interval_is_symmetric_until_the_scale_ends():
    inside = normal_interval(0.5, 0.1, 0.95)
    assert round(inside.upper - 0.5, 6) == round(0.5 - inside.lower, 6) == 0.195996
    assert normal_interval(0.99, 0.1, 0.95).upper == 1


def test_few_resamples_at_a_time_are_the_same_resamples(monkeypatch):
    whole = evaluated()
    monkeypatch.setattr(bootstrap, "NUMBERS_AT_ONCE", 30)
    np.testing.assert_equal(evaluated(), whole)


def evaluated():
    """Everything that is resampled, of some scores."""
    weights = case_weights(SCORED, 100, 5)
    likely = Scored.of((SCORED.scores + 1) / 12, OUTCOME, PATIENTS)
    return {
        "weights": weights,
        "auc": resampled_auc(SCORED, weights),
        "band": vars(roc_band(SCORED, weights)),
        "measures": resampled_measures(SCORED, 4.5, weights),
        "curve": vars(decision_curve(likely, weights)),
    }


def test_counts_of_many_cases_do_not_run_over():
    """Weights are of 16 bits; 70 000 cases that are called make sums of more."""
    many = Scored.of(np.ones(70_010), np.arange(70_010) >= 10)
    found = resampled_measures(many, 0.5, case_weights(many, 2, 1))
    assert found["ppv"].tolist() == [70_000 / 70_010] * 2
