"""Decisions of patients with several cases: intervals that hold, within the scale."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import t

from centrum.evaluate import MEASURES, Confusion, Scored
from centrum.evaluate.bootstrap import case_weights
from centrum.evaluate.clustered import clustered_interval, decision_intervals, effective_size
from centrum.evaluate.thresholds import proportion_interval, resampled_measures


class TestClusteredInterval:
    def test_variance_is_the_ratio_estimators(self):
        """Genders et al., Radiology 2012;265:910, and Rao and Scott's design effect, by hand."""
        hits, numbers = np.array([3, 1, 2, 0, 1]), np.array([3, 2, 2, 2, 1])
        # 7 of 10: residuals .9, -.4, .6, -1.4, .3, whose squares sum to 3.38; with 5 / 4 / 10**2
        # the variance is .04225, twice and more that of ten patients, .021.
        n = 10 / (0.04225 / 0.021)
        z = t.ppf(0.975, 4)
        found = clustered_interval(hits, numbers)
        # The score interval ends where (p - .7)**2 = z**2 p (1 - p) / n.
        for p in (found.lower, found.upper):
            assert (p - 0.7) ** 2 == pytest.approx(z**2 * p * (1 - p) / n)
        assert found.lower < 0.7 < found.upper

    def test_patients_all_of_whose_cases_are_alike_count_once(self):
        """Doubling every patient's case adds nothing."""
        hits = np.array([1, 1, 1, 0, 1, 0, 1, 1] * 4)
        n, z = len(hits) - 1, t.ppf(0.975, len(hits) - 1)
        found = clustered_interval(2 * hits, np.full(len(hits), 2))
        for p in (found.lower, found.upper):
            assert (p - hits.mean()) ** 2 == pytest.approx(z**2 * p * (1 - p) / n)

    def test_all_right_is_as_sure_as_there_are_patients(self):
        found, plain = clustered_interval([2, 3, 1], [2, 3, 1]), proportion_interval(3, 3)
        assert (found.lower, found.upper) == pytest.approx((plain.lower, plain.upper))

    def test_is_never_surer_than_that_of_independent_cases(self):
        hits, numbers = [1, 1, 1, 1], [2, 2, 2, 2]
        found, plain = clustered_interval(hits, numbers), proportion_interval(4, 8)
        assert found.lower < plain.lower
        assert found.upper > plain.upper

    def test_one_case_each_is_wilsons(self):
        assert clustered_interval([1, 0, 1, 1], [1, 1, 1, 1]) == proportion_interval(3, 4)

    def test_of_a_single_patient_nothing_is_known(self):
        assert np.isnan(clustered_interval([2, 0], [3, 0]).lower)
        assert np.isnan(clustered_interval([], []).lower)

    def test_holds_the_share_as_often_as_it_says(self):
        """Of 25 patients with 1 to 4 cases, right together with a correlation of 0.5: the plain
        interval holds 0.85 in far fewer of 4000 samples than 95 %."""
        rng, share, correlation = np.random.default_rng(0), 0.85, 0.5
        total = 1 / correlation - 1
        held = {"clustered": 0, "plain": 0}
        for _ in range(4000):
            numbers = rng.integers(1, 5, 25)
            p = rng.beta(share * total, (1 - share) * total, 25)
            hits = rng.binomial(numbers, p)
            found = {
                "clustered": clustered_interval(hits, numbers),
                "plain": proportion_interval(int(hits.sum()), int(numbers.sum())),
            }
            for name, interval in found.items():
                held[name] += interval.lower <= share <= interval.upper
        assert held["clustered"] / 4000 == pytest.approx(0.95, abs=0.015)
        assert held["plain"] / 4000 < 0.86


def test_the_effective_size_of_pairs_that_correlate():
    """1 + (m - 1) r is the design effect of m cases each (Kish): 2 cases, r 0.5, is 1.5."""
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 0.5, 40_000)
    hits = rng.binomial(2, p)
    assert 80_000 / effective_size(hits, np.full(40_000, 2), 0.95) == pytest.approx(1.5, abs=0.02)


SCORES = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 6)), min_size=4)


@given(SCORES)
def test_every_interval_lies_on_the_scale_and_holds_the_value(cases):
    called, truth, patients = (np.array(each) for each in zip(*cases, strict=True))
    if truth.all() or not truth.any():
        return
    decided = Scored.of(called.astype(float), truth, patients)
    values = Confusion.of(decided, 0.5).measures()
    scales = {"youden": (-1, 1), "mcc": (-1, 1), "lr_positive": (0, np.inf),
              "lr_negative": (0, np.inf)}  # fmt: skip
    found = decision_intervals(decided, 0.5, 0.95, "wilson")
    assert list(found) == list(MEASURES)
    for name, interval in found.items():
        if np.isnan(values[name]) or np.isnan(interval.lower):
            continue
        low, high = scales.get(name, (0, 1))
        assert low - 1e-9 <= interval.lower <= interval.upper <= high + 1e-9, name
        # A ratio of 0.5 added to all counts need not hold the ratio as it is.
        if not name.startswith("lr"):
            assert interval.lower - 1e-9 <= values[name] <= interval.upper + 1e-9, name
        if name not in ("mcc", "lr_positive", "lr_negative"):
            assert interval.lower < interval.upper, name


def test_with_one_case_each_nothing_changes():
    rng = np.random.default_rng(2)
    decided = Scored.of(rng.normal(size=40) + np.arange(40) % 2, np.arange(40) % 2)
    for method in ("wilson", "exact"):
        found = decision_intervals(decided, 0.5, 0.9, method)
        assert found == Confusion.of(decided, 0.5).intervals(0.9, method)


def test_cases_that_are_copies_say_no_more_than_their_patients():
    """Every patient's case twice: as if there were one patient less, at every measure."""
    rng = np.random.default_rng(3)
    scores, truth = rng.normal(size=60) + np.arange(60) % 2, np.arange(60) % 2
    one = Scored.of(scores, truth)
    two = Scored.of(np.tile(scores, 2), np.tile(truth, 2), np.tile(np.arange(60), 2))
    alone, copied = (decision_intervals(each, 0.5, 0.95, "wilson") for each in (one, two))
    for name in MEASURES:
        widths = [i.upper - i.lower for i in (alone[name], copied[name])]
        assert widths[1] == pytest.approx(widths[0], rel=0.08), name


def test_likelihood_ratios_and_mcc_are_as_wide_as_the_bootstrap_says():
    """In a large sample both are normal on their scales: log, and Fisher's."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(300), 3)
    truth = np.arange(300) % 2
    shared = rng.normal(size=300) + 1.5 * truth
    decided = Scored.of(shared[patients] + 0.5 * rng.normal(size=900), truth[patients], patients)
    found = decision_intervals(decided, 0.75, 0.95, "wilson")
    resampled = resampled_measures(decided, 0.75, case_weights(decided, 2000, seed=0))
    scales = {"lr_positive": np.log, "lr_negative": np.log, "mcc": np.arctanh}
    for name, scale in scales.items():
        width = scale(found[name].upper) - scale(found[name].lower)
        assert width == pytest.approx(2 * 1.96 * scale(resampled[name]).std(), rel=0.1), name


def test_all_right_has_a_width_by_patients():
    decided = Scored.of([1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0], [0, 0, 1, 2, 3, 3, 4])
    found = decision_intervals(decided, 0.5, 0.95, "wilson")
    for name, patients in (("sensitivity", 3), ("specificity", 2)):
        assert found[name].lower == pytest.approx(proportion_interval(patients, patients).lower)
        assert found[name].upper == 1
    assert found["lr_negative"].lower == 0
    assert found["lr_negative"].upper > 0


def test_a_perfect_coefficient_has_no_width_whatever_the_rounding():
    for pairs in range(3, 12):
        truth = np.arange(2 * pairs) % 2
        decided = Scored.of(truth.astype(float), truth, np.arange(2 * pairs) // 4 * 2 + truth)
        found = decision_intervals(decided, 0.5, 0.95, "wilson")["mcc"]
        assert found.lower == found.upper
