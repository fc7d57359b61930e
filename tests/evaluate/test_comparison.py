"""Tests of two AUCs against R's pROC 1.18.0, and what must hold of them."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import (
    Interval,
    bca_interval,
    case_weights,
    percentile_interval,
)
from centrum.evaluate.comparison import (
    delong_test,
    difference_interval,
)
from centrum.evaluate.discrimination import (
    auc,
    delong_variance,
    deviation_variance,
    deviations,
    left_out_auc,
    partial_auc,
    precision_recall,
    resampled_auc,
    roc_band,
    roc_curve,
)
from centrum.evaluate.thresholds import (
    Confusion,
    cost_cutoff,
    proportion_interval,
    sensitivity_cutoff,
    specificity_cutoff,
    topleft_cutoff,
    youden_cutoff,
)


@pytest.fixture(scope="module")
def sets(reference):
    """Name -> (rows, what pROC says)."""
    folder = reference / "modelling" / "r"
    table = pd.read_csv(folder / "inputs" / "roc_sets.csv")
    wanted = json.loads((folder / "proc.json").read_text())
    return {name: (rows, wanted[name]) for name, rows in table.groupby("set")}


def scored(rows, column):
    return Scored.of(rows[column], rows["y"])


def test_paired_test_equals_proc(sets):
    for name, (rows, wanted) in sets.items():
        found = delong_test(scored(rows, "s1"), scored(rows, "s2"))
        expected = wanted["delong_paired"]
        values = (found.statistic, found.p, found.interval.lower, found.interval.upper)
        known = (expected["Z"], expected["p"], *expected["ci_diff"])
        np.testing.assert_allclose(values, known, rtol=1e-12, atol=1e-15, err_msg=name)
        parts = [scored(rows, "s1"), scored(rows, "s2")]
        apart, together = sum(map(delong_variance, parts)), variance_of_difference(*parts)
        assert (apart - together) / 2 == pytest.approx(wanted["cov_delong"], abs=1e-12)


def test_closest_to_the_top_left_equals_proc(sets):
    for rows, wanted in sets.values():
        found = topleft_cutoff(scored(rows, "s1"), "here")
        known = sorted(float(point["threshold"]) for point in wanted["s1"]["closest_topleft"])
        np.testing.assert_allclose(sorted(found.ties), known, rtol=1e-12)


def test_a_score_does_not_differ_from_itself():
    a = Scored.of([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1])
    found = delong_test(a, a)
    assert (found.difference, found.statistic, found.p) == (0, 0, 1)


def test_variance_of_a_difference_is_that_of_its_jackknife_also_with_clusters():
    """To first order: each patient's share in the difference, by leaving it out."""
    rng = np.random.default_rng(0)
    patients = np.arange(600) // 2
    y = rng.integers(0, 2, 600)
    a, b = (Scored.of(rng.normal(size=600) + y, y, patients) for _ in range(2))
    left_out = left_out_auc(a) - left_out_auc(b)
    n = len(left_out)
    jackknife = (n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)
    assert variance_of_difference(a, b) == pytest.approx(jackknife, rel=0.01)
    assert variance_of_difference(a, a) == 0


def variance_of_difference(a, b):
    return deviation_variance(a, deviations(a) - deviations(b))


def test_other_cases_are_refused():
    a, b = Scored.of([1, 2, 3], [0, 1, 1]), Scored.of([1, 2, 3], [0, 0, 1])
    with pytest.raises(DataError, match="unpaired"):
        delong_test(a, b)


def test_constant_scores_have_no_difference():
    y = [0, 0, 1, 1]
    found = delong_test(Scored.of([1, 1, 1, 1], y), Scored.of([2, 2, 2, 2], y))
    assert (found.first, found.p) == (0.5, 1.0)


class TestBand:
    def test_holds_the_curve_and_its_interval_the_percentiles(self):
        rng = np.random.default_rng(1)
        y = np.arange(120) % 2
        s = Scored.of(rng.normal(size=120) + y, y)
        band = roc_band(s, case_weights(s, 500, seed=1))
        assert (band.lower <= band.sensitivity + 1e-12).all()
        assert (band.upper >= band.sensitivity - 1e-12).all()
        curve = roc_curve(s)
        for specificity, sensitivity in zip(band.specificity, band.sensitivity, strict=True):
            reached = curve.sensitivity[curve.specificity >= specificity - 1e-9].max()
            assert sensitivity >= reached - 1e-9

    def test_equals_drawing_rows(self):
        s = Scored.of([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1])
        weights = case_weights(s, 100, seed=3)
        drawn = []
        for row in weights.astype(int):
            rows = np.repeat(np.arange(6), row)
            part = Scored.of(s.scores[rows], s.positive[rows])
            curve = roc_curve(part)
            drawn.append(curve.sensitivity[curve.specificity >= 1 - 1e-12].max())
        band = roc_band(s, weights)
        lower, upper = np.quantile(drawn, [0.025, 0.975])
        assert (band.lower[-1], band.upper[-1]) == pytest.approx((lower, upper))


class TestPartialAuc:
    def test_of_the_whole_range_is_the_auc(self, sets):
        for rows, _ in sets.values():
            s = scored(rows, "s1")
            assert partial_auc(s, 0.0, corrected=False) == pytest.approx(auc(s), abs=1e-12)

    def test_by_integration(self):
        rng = np.random.default_rng(2)
        y = np.arange(80) % 2
        s = Scored.of(np.round(rng.normal(size=80) + y, 1), y)
        curve = roc_curve(s)
        order = np.lexsort((curve.sensitivity, 1 - curve.specificity))
        x, t = (1 - curve.specificity)[order], curve.sensitivity[order]
        grid = np.linspace(0, 0.3, 300001)
        area = np.trapezoid(np.interp(grid, x, t), grid)
        assert partial_auc(s, 0.7, corrected=False) == pytest.approx(area, abs=1e-4)

    def test_chance_and_perfection(self):
        y = np.arange(4000) % 2
        rng = np.random.default_rng(3)
        assert partial_auc(Scored.of(rng.normal(size=4000), y)) == pytest.approx(0.5, abs=0.03)
        assert partial_auc(Scored.of(y.astype(float), y)) == 1.0

    def test_bounds_are_checked(self):
        with pytest.raises(DataError, match="from 0 to below 1"):
            partial_auc(Scored.of([1, 2], [0, 1]), 1.0)


def test_average_precision_by_hand():
    found = precision_recall(Scored.of([4, 3, 2, 1], [1, 0, 1, 0]))
    assert found.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found.prevalence == 0.5


class TestCutOffs:
    rng = np.random.default_rng(4)
    y = np.arange(101) % 2
    s = Scored.of(np.round(rng.normal(size=101) + y, 1), y)

    @pytest.mark.parametrize("target", [0.5, 0.9, 1.0])
    def test_targets_are_kept_at_the_best_price(self, target):
        curve = roc_curve(self.s)
        found = Confusion.of(self.s, sensitivity_cutoff(self.s, target, "x").value).measures()
        assert found["sensitivity"] >= target
        assert found["specificity"] == curve.specificity[curve.sensitivity >= target].max()
        found = Confusion.of(self.s, specificity_cutoff(self.s, target, "x").value).measures()
        assert found["specificity"] >= target
        assert found["sensitivity"] == curve.sensitivity[curve.specificity >= target].max()

    def test_ties(self):
        s = Scored.of([1, 2, 3, 4], [0, 1, 0, 1])
        assert youden_cutoff(s, "x").value == 1.5
        assert youden_cutoff(s, "x", "most_specific").value == 3.5
        assert youden_cutoff(s, "x", "most_specific").ties == (1.5, 3.5)

    def test_equal_costs_at_half_are_youden(self):
        cost, youden = cost_cutoff(self.s, "x", 1.0, 0.5), youden_cutoff(self.s, "x")
        assert cost.ties == youden.ties

    @given(st.floats(0.05, 20), st.floats(0.02, 0.98))
    def test_no_threshold_costs_less(self, ratio, share):
        def cost(threshold):
            found = Confusion.of(self.s, threshold).measures()
            missed, alarms = 1 - found["sensitivity"], 1 - found["specificity"]
            return ratio * share * missed + (1 - share) * alarms

        chosen = cost_cutoff(self.s, "x", ratio, share)
        assert cost(chosen.value) == pytest.approx(min(map(cost, roc_curve(self.s).thresholds)))

    def test_all_scores_equal(self):
        s = Scored.of([1, 1, 1, 1], [0, 1, 0, 1])
        assert youden_cutoff(s, "x").value == -np.inf
        assert specificity_cutoff(s, 0.9, "x").value == np.inf


class TestBca:
    def test_is_the_percentile_interval_without_bias_and_skew(self):
        samples = np.random.default_rng(5).normal(size=20001)
        samples -= np.median(samples)
        found = bca_interval(0.0, samples, np.linspace(-1, 1, 51))
        plain = percentile_interval(samples, 0.95)
        assert (found.lower, found.upper) == pytest.approx((plain.lower, plain.upper), abs=0.01)

    def test_covers_a_skewed_mean_better(self):
        """The textbook case: the mean of exponential variables, n = 20 (Efron, Tibshirani)."""
        rng = np.random.default_rng(6)
        hits = np.zeros(2)
        for _ in range(300):
            x = rng.exponential(size=20)
            boot = rng.choice(x, (600, 20)).mean(axis=1)
            left_out = (x.sum() - x) / 19
            for k, i in enumerate(
                (percentile_interval(boot, 0.9), bca_interval(x.mean(), boot, left_out, 0.9))
            ):
                hits[k] += i.lower <= 1 <= i.upper
        assert hits[1] > hits[0]

    def test_perfect_scores(self):
        s = Scored.of([1, 2, 3, 4], [0, 0, 1, 1])
        boot = resampled_auc(s, case_weights(s, 100, seed=0))
        found = bca_interval(1.0, boot, left_out_auc(s))
        assert (found.lower, found.upper) == (1.0, 1.0)

    def test_undefined(self):
        assert np.isnan(bca_interval(np.nan, np.ones(3), np.ones(3)).lower)


# Different patients


@pytest.mark.parametrize(
    ("first", "second", "lower", "upper"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_an_interval_of_intervals_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], lower: float, upper: float
) -> None:
    """Table II of Newcombe, Stat Med 1998;17:873-890, method 10: of Wilson's intervals."""
    (a, own), (b, other) = ((k / n, proportion_interval(k, n)) for k, n in (first, second))
    found = difference_interval(a, own, b, other)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5.1e-5)


@pytest.mark.parametrize("none", [Interval(0.8, 0.8), Interval(np.nan, np.nan)])
def test_of_an_estimate_without_interval_there_is_none(none: Interval) -> None:
    one = (0.7, Interval(0.6, 0.8))
    for pair in ((0.8, none, *one), (*one, 0.8, none)):
        assert np.isnan(difference_interval(*pair).lower)
