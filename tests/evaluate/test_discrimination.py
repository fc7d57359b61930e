"""ROC, AUC, DeLong and bootstrap against R's pROC 1.18.0 and against brute force."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy.stats import binomtest, mannwhitneyu

from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import case_weights, percentile_interval
from centrum.evaluate.discrimination import (
    auc,
    auc_interval,
    auc_p_value,
    delong_interval,
    delong_variance,
    left_out_auc,
    resampled_auc,
    roc_curve,
)
from centrum.evaluate.thresholds import left_out_measures, resampled_measures


@pytest.fixture(scope="module")
def proc(reference):
    """Pairs of scored cases and what pROC says of them, by name."""
    folder = reference / "modelling" / "r"
    table = pd.read_csv(folder / "inputs" / "roc_sets.csv")
    wanted = json.loads((folder / "proc.json").read_text())
    pairs = {
        f"{name} {column}": (Scored.of(rows[column], rows["y"]), wanted[name][column])
        for name, rows in table.groupby("set")
        for column in ("s1", "s2")
    }
    assert len(pairs) == 2 * len(wanted)
    return pairs


def test_auc_and_delong_equal_proc(proc):
    for name, (scored, wanted) in proc.items():
        found = auc(scored), delong_variance(scored)
        expected = wanted["auc"], wanted["var_delong"]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15, err_msg=name)
        interval = delong_interval(scored)
        lower, middle, upper = wanted["ci_delong"]
        np.testing.assert_allclose(
            (interval.lower, found[0], interval.upper), (lower, middle, upper), rtol=1e-12
        )


def test_interval_is_procs_variance_on_the_logit_scale(proc):
    """Pepe 2003, section 5.2.5, from pROC's AUC and variance; 1.959964 of the normal table."""
    for name, (scored, wanted) in proc.items():
        a, se = wanted["auc"], wanted["var_delong"] ** 0.5
        if not 0 < a < 1:
            continue
        odds = [a / (1 - a) * math.exp(k * 1.959964 * se / (a * (1 - a))) for k in (-1, 1)]
        found = auc_interval(scored)
        assert (found.lower, found.upper) == pytest.approx([o / (1 + o) for o in odds], abs=1e-6)
        assert 0 < found.lower < a < found.upper < 1, name


class TestIntervalOfScoresThatPartAllCases:
    def test_is_the_one_sided_exact_limit_of_none_misplaced(self):
        """15 of 15: Clopper and Pearson's one-sided 95 % limit is .819; 20 of 20: .861."""
        for n, limit in ((15, 0.819), (20, 0.861)):
            found = auc_interval(Scored.of(range(n + 30), np.arange(n + 30) >= 30))
            assert found.lower == pytest.approx(limit, abs=5e-4)
            exact = binomtest(n, n, alternative="greater").proportion_ci(0.95)
            assert found.lower == pytest.approx(exact.low)
            assert found.upper == 1

    def test_turned_round_is_its_mirror_image(self):
        scores, y = np.arange(40), np.arange(40) >= 12
        found, turned = (auc_interval(Scored.of(s, y), 0.9) for s in (scores, -scores))
        assert (turned.lower, turned.upper) == pytest.approx((1 - found.upper, 1 - found.lower))

    def test_counts_patients_and_not_their_cases(self):
        scores, y = np.arange(40), np.arange(40) >= 10
        found = auc_interval(Scored.of(scores, y, np.arange(40) // 5))
        assert found.lower == pytest.approx(0.05 ** (1 / 2))

    def test_is_given_where_an_outcome_is_in_a_single_patient(self):
        assert auc_interval(Scored.of([1, 2, 3], [0, 0, 1])).lower == pytest.approx(0.05)
        assert np.isnan(auc_interval(Scored.of([1, 3, 2], [0, 0, 1])).lower)


def test_patients_with_several_cases_widen_the_interval_by_t():
    """Obuchowski's variance, and 3.182446 of the table of t for three degrees of freedom."""
    scores, y = np.array([1, 4, 2, 3, 9, 5, 8, 3, 7, 9, 6, 4]), np.arange(12) > 6
    scored = Scored.of(scores, y, [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10])
    assert (scored.patient_strata() >= 2).sum() == 4
    a, se = auc(scored), delong_variance(scored) ** 0.5
    odds = [a / (1 - a) * math.exp(k * 3.182446 * se / (a * (1 - a))) for k in (-1, 1)]
    found = auc_interval(scored)
    assert (found.lower, found.upper) == pytest.approx([o / (1 + o) for o in odds], abs=1e-6)


def test_curve_equals_proc(proc):
    for name, (scored, wanted) in proc.items():
        curve = roc_curve(scored)
        thresholds = [float(v) for v in wanted["thresholds"]]
        np.testing.assert_allclose(curve.thresholds, thresholds, rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(curve.sensitivity, wanted["sens"], rtol=0, atol=1e-14)
        np.testing.assert_allclose(curve.specificity, wanted["spec"], rtol=0, atol=1e-14)


def test_bootstrap_interval_equals_proc(proc):
    for name, (scored, wanted) in proc.items():
        n_resamples = 20_000 if len(scored.scores) < 200 else 4_000
        resampled = resampled_auc(scored, case_weights(scored, n_resamples, seed=1))
        interval = percentile_interval(resampled, 0.95)
        lower, _, upper = wanted["ci_boot_strat_20000"]
        np.testing.assert_allclose(
            (interval.lower, interval.upper), (lower, upper), rtol=0, atol=0.005, err_msg=name
        )


scored_cases = st.lists(
    st.tuples(st.integers(-4, 4), st.booleans(), st.integers(0, 5)), min_size=4, max_size=25
).filter(lambda rows: len({positive for _, positive, _ in rows}) == 2)


def scored_of(rows, grouped=False):
    scores, outcome, patients = zip(*rows, strict=True)
    return Scored.of(scores, outcome, patients if grouped else None)


def brute_auc(scores, positive):
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[positive] for b in scores[~positive]]
    return np.mean(pairs)


@given(scored_cases)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    scored = scored_of(rows)
    assert auc(scored) == pytest.approx(brute_auc(scored.scores, scored.positive))


@given(scored_cases)
def test_auc_is_the_area_under_the_curve(rows):
    scored = scored_of(rows)
    curve = roc_curve(scored)
    area = np.trapezoid(curve.sensitivity[::-1], 1 - curve.specificity[::-1])
    assert auc(scored) == pytest.approx(area)


@given(scored_cases)
def test_turning_the_scores_round_mirrors_the_auc(rows):
    scored = scored_of(rows)
    turned = Scored.of(-scored.scores, scored.positive)
    assert auc(turned) == pytest.approx(1 - auc(scored))
    assert auc_p_value(turned) == pytest.approx(auc_p_value(scored))
    np.testing.assert_allclose(delong_variance(turned), delong_variance(scored), atol=1e-15)


@given(scored_cases, st.integers(0, 99))
def test_a_resample_is_worth_the_cases_it_repeats(rows, seed):
    scored = scored_of(rows, grouped=True)
    weights = case_weights(scored, 3, seed)
    for found, counts in zip(resampled_auc(scored, weights), weights.astype(int), strict=True):
        repeated = scored.scores.repeat(counts), scored.positive.repeat(counts)
        assert found == pytest.approx(brute_auc(*repeated))


@given(scored_cases, st.booleans())
def test_leaving_a_patient_out_is_exactly_the_auc_of_the_others(rows, grouped):
    """To the last bit: the same counts are divided."""
    scored = scored_of(rows, grouped=grouped)
    others = (np.arange(scored.n_patients)[:, None] != scored.patients).astype(float)
    np.testing.assert_array_equal(left_out_auc(scored), resampled_auc(scored, others))
    found, wanted = left_out_measures(scored, 0.5), resampled_measures(scored, 0.5, others)
    np.testing.assert_equal(found, wanted)


def delong_by_hand(scored):
    """Obuchowski 1997, equations 3 to 5, written out patient by patient."""
    x, y, area = scored.scores, scored.positive, auc(scored)
    m, n = y.sum(), (~y).sum()
    patients = np.unique(scored.patients)
    v10, v01 = [], []
    for p in patients:
        own = scored.patients == p
        v10.append(sum(np.mean((v > x[~y]) + 0.5 * (v == x[~y])) - area for v in x[own & y]))
        v01.append(sum(np.mean((x[y] > v) + 0.5 * (x[y] == v)) - area for v in x[own & ~y]))
    i10 = sum((y & (scored.patients == p)).any() for p in patients)
    i01 = sum((~y & (scored.patients == p)).any() for p in patients)
    if min(i10, i01) < 2:
        return np.nan
    s10 = i10 / ((i10 - 1) * m) * np.square(v10).sum()
    s01 = i01 / ((i01 - 1) * n) * np.square(v01).sum()
    s11 = len(patients) / (len(patients) - 1) * np.multiply(v10, v01).sum()
    return s10 / m + s01 / n + 2 * s11 / (m * n)


@given(scored_cases)
def test_variance_with_several_cases_per_patient_is_obuchowskis(rows):
    scored = scored_of(rows, grouped=True)
    np.testing.assert_allclose(delong_variance(scored), delong_by_hand(scored), atol=1e-12)


@given(scored_cases)
def test_p_with_one_case_per_patient_is_mann_whitneys(rows):
    scored = scored_of(rows)
    positive, negative = scored.scores[scored.positive], scored.scores[~scored.positive]
    wanted = mannwhitneyu(positive, negative, use_continuity=False, method="asymptotic").pvalue
    assert auc_p_value(scored) == pytest.approx(1.0 if np.isnan(wanted) else wanted)


@pytest.mark.parametrize("patients", [[0, 1, 2, 3], [0, 0, 1, 1]])
def test_equal_scores_are_no_evidence(patients):
    assert auc_p_value(Scored.of([2.0] * 4, [0, 1, 0, 1], patients)) == 1


def test_a_case_copied_within_its_patient_is_no_new_evidence():
    rng = np.random.default_rng(5)
    scores, outcome = rng.normal(size=40) + np.arange(40) % 2, np.arange(40) % 2
    once = Scored.of(scores, outcome)
    twice = Scored.of(scores.repeat(2), outcome.repeat(2), np.arange(40).repeat(2))
    assert delong_variance(twice) == pytest.approx(delong_variance(once))
    assert auc_p_value(twice) == pytest.approx(auc_p_value(once))


@pytest.mark.parametrize("mixed", [False, True])
def test_p_is_uniform_when_scores_of_patients_mean_nothing(mixed):
    rng = np.random.default_rng(6)
    patients = np.arange(40).repeat(3)
    outcome = np.tile([0, 1, 1], 40) if mixed else np.arange(2).repeat(60)
    p = [
        auc_p_value(
            Scored.of(rng.normal(size=40).repeat(3) + rng.normal(size=120), outcome, patients)
        )
        for _ in range(400)
    ]
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09


def test_one_patient_of_an_outcome_leaves_the_variance_undefined():
    scored = Scored.of([1, 2, 3], [0, 0, 1])
    assert np.isnan(delong_variance(scored))
    assert np.isnan(delong_interval(scored).lower)


def test_touching_floats_are_still_parted():
    low = 1.0
    high = np.nextafter(low, 2)
    curve = roc_curve(Scored.of([low, high], [0, 1]))
    assert curve.thresholds[1] == high
    assert (curve.sensitivity[1], curve.specificity[1]) == (1, 1)


@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans(), st.integers(0, 5)), min_size=4,
                max_size=25).filter(lambda rows: len({y for _, y, _ in rows}) == 2),
       st.booleans())  # fmt: skip
def test_no_interval_leaves_0_to_1_or_the_estimate(rows, grouped):
    scored = scored_of(rows, grouped)
    found = auc_interval(scored)
    if not np.isnan(found.lower):
        assert 0 <= found.lower <= auc(scored) + 1e-12
        assert auc(scored) - 1e-12 <= found.upper <= 1
