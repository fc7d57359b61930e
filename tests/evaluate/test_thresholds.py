"""Cut-offs and confusion measures against the published study, pROC, R and algebra."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, strategies as st
from sklearn.metrics import balanced_accuracy_score, matthews_corrcoef

from centrum.evaluate import MEASURES, Confusion, CutOff, Scored, youden_cutoff
from centrum.evaluate.bootstrap import case_weights, percentile_interval
from centrum.evaluate.discrimination import auc, delong_interval, roc_curve
from centrum.evaluate.thresholds import (
    predictive_values,
    proportion_interval,
    resampled_measures,
)

# Table 2 of Int. J. Radiat. Res. 22(4):927 (2024), doi 10.61186/ijrr.22.4.927.
TRAIN = Confusion(tp=31, fn=5, fp=1, tn=33)
TEST = Confusion(tp=12, fn=3, fp=2, tn=13)

# Outcomes in rising order of the score, made so that AUC, interval and counts are published.
TRAIN_ORDER = "0000000000000001000000001000110010000011111011111111111111111111111111"
TEST_ORDER = "001001000001000011101011111111"


def scored_in_order(outcomes):
    return Scored.of(np.arange(len(outcomes)), [int(c) for c in outcomes])


@pytest.mark.parametrize(
    ("confusion", "acc", "npv", "ppv", "sen", "spe"),
    [
        (TRAIN, 0.9143, 0.8684, 0.9688, 0.8611, 0.9706),
        (TEST, 0.8333, 0.8125, 0.8571, 0.8000, 0.8667),
    ],
)
def test_published_table_2(confusion, acc, npv, ppv, sen, spe):
    found = {name: round(value, 4) for name, value in confusion.measures().items()}
    names = ("accuracy", "npv", "ppv", "sensitivity", "specificity")
    assert [found[name] for name in names] == [acc, npv, ppv, sen, spe]


@pytest.mark.parametrize(
    ("order", "pairs", "published", "confusion"),
    [
        (TRAIN_ORDER, 1167 / 1224, (0.9534, 0.9092, 0.9977), TRAIN),
        (TEST_ORDER, 188 / 225, (0.8356, 0.6795, 0.9916), TEST),
    ],
)
def test_published_auc_and_interval_are_delongs(order, pairs, published, confusion):
    scored = scored_in_order(order)
    interval = delong_interval(scored)
    assert auc(scored) == pytest.approx(pairs, rel=1e-14)
    assert (round(auc(scored), 4), round(interval.lower, 4), round(interval.upper, 4)) == published
    assert Confusion.of(scored, youden_cutoff(scored, "itself").value) == confusion


@pytest.fixture(scope="module")
def proc(reference):
    folder = reference / "modelling" / "r"
    table = pd.read_csv(folder / "inputs" / "roc_sets.csv")
    wanted = json.loads((folder / "proc.json").read_text())
    return [
        (Scored.of(rows[column], rows["y"]), wanted[name], column)
        for name, rows in table.groupby("set")
        for column in ("s1", "s2")
    ]


def test_youden_equals_proc_with_all_ties(proc):
    for scored, wanted, column in proc:
        best = wanted[column]["youden_best"]
        cutoff = youden_cutoff(scored, "itself")
        np.testing.assert_allclose(
            cutoff.ties, [float(row["threshold"]) for row in best], rtol=1e-12
        )
        assert cutoff.value == cutoff.ties[0]
        for threshold, row in zip(cutoff.ties, best, strict=True):
            found = Confusion.of(scored, threshold)
            assert (found.tp, found.fp, found.tn, found.fn) == tuple(
                row[key] for key in ("tp", "fp", "tn", "fn")
            )
            for ours in ("accuracy", "sensitivity", "specificity", "ppv", "npv"):
                np.testing.assert_allclose(found.measures()[ours], float(row[ours]), rtol=1e-12)


def test_bootstrap_of_measures_equals_proc(proc):
    compared = 0
    for scored, wanted, column in proc:
        intervals = wanted.get("ci_coords_fixed_youden_threshold_s1")
        if column != "s1" or not intervals:
            continue
        threshold = wanted["s1"]["youden_best"][0]["threshold"]
        weights = case_weights(scored, 20_000, seed=2)
        samples = resampled_measures(scored, float(threshold), weights)
        for ours, expected in intervals.items():
            if "NA" in expected:
                continue
            found = percentile_interval(samples[ours], 0.95)
            # A share of n cases moves in steps of 1 / n, and a quantile may lie on a step.
            one_case = 1.001 / min(scored.n_positive, scored.n_negative)
            np.testing.assert_allclose(
                (found.lower, found.upper), (expected[0], expected[2]), rtol=0, atol=one_case
            )
            compared += 1
    assert compared == 24


def test_wilson_and_clopper_pearson_equal_r(reference):
    wanted = json.loads((reference / "modelling" / "r" / "tests.json").read_text())
    for method, key in (("exact", "clopper_41_49"), ("wilson", "wilson_41_49")):
        found = proportion_interval(41, 49, 0.95, method)
        np.testing.assert_allclose((found.lower, found.upper), wanted[key], rtol=1e-9)


def test_youden_interval_is_newcombes_published_example():
    """Newcombe 1998 (difference of proportions), table II a, method 10: 56/70 - 48/80."""
    found = Confusion(tp=56, fn=14, fp=48, tn=32).intervals()["youden"]
    assert (round(found.lower, 4), round(found.upper, 4)) == (0.0524, 0.3339)


counts = st.integers(0, 60)


@given(counts, counts, counts, counts, st.sampled_from(["wilson", "exact"]))
def test_intervals_hold_their_values_and_stay_on_the_scale(tp, fp, tn, fn, method):
    confusion = Confusion(tp, fp, tn, fn)
    intervals = confusion.intervals(method=method)
    values = confusion.measures()
    assert list(intervals) == list(values) == list(MEASURES)
    for name, value in values.items():
        found = intervals[name]
        if np.isnan(value):
            assert np.isnan(found.lower)
            assert np.isnan(found.upper)
        else:
            assert found.lower - 1e-9 <= value <= found.upper + 1e-9
            assert found.lower >= (-1 if name in ("youden", "mcc") else 0) - 1e-9
            assert found.upper <= (math.inf if name.startswith("lr_") else 1 + 1e-9)


def test_undefined_ratios_are_nan():
    found = Confusion(tp=0, fp=0, tn=3, fn=0).measures()
    assert np.isnan([found["sensitivity"], found["ppv"], found["f1"], found["youden"]]).all()
    assert (found["accuracy"], found["specificity"], found["npv"]) == (1, 1, 1)


scored_cases = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=3).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


@given(scored_cases)
def test_no_threshold_beats_the_cutoff(rows):
    scored = Scored.of(*zip(*rows, strict=True))
    curve = roc_curve(scored)
    cutoff = youden_cutoff(scored, "itself")
    youden = {t: Confusion.of(scored, t).measures()["youden"] for t in curve.thresholds}
    assert youden[cutoff.value] == pytest.approx(max(youden.values()))
    assert set(cutoff.ties) == {t for t in youden if np.isclose(youden[t], max(youden.values()))}


def test_ties_are_found_in_spite_of_rounding():
    """4/6 + 1/2 and 1/6 + 2/2 are equal as fractions and differ as floats."""
    scored = scored_in_order("11011101")
    assert youden_cutoff(scored, "itself").ties == (2.5, 6.5)


@given(scored_cases, st.floats(-5, 5))
def test_confusion_counts_each_case_once(rows, threshold):
    scored = Scored.of(*zip(*rows, strict=True))
    found = Confusion.of(scored, threshold)
    assert found.tp + found.fn == scored.n_positive
    assert found.tn + found.fp == scored.n_negative
    assert found.tp + found.fp == sum(score >= threshold for score, _ in rows)


def test_resampling_by_patient_is_wider_when_cases_of_a_patient_are_alike():
    rng = np.random.default_rng(8)
    scores, outcome = rng.normal(size=30) + np.arange(30) % 2, np.arange(30) % 2
    repeated = scores.repeat(4), outcome.repeat(4)
    spread = []
    for groups in (None, np.arange(30).repeat(4)):
        scored = Scored.of(*repeated, groups)
        samples = resampled_measures(scored, 0.5, case_weights(scored, 2000, seed=1))
        spread.append(samples["sensitivity"].std())
    assert spread[1] > 1.6 * spread[0]


def test_a_cutoff_is_optimistic_only_on_the_scores_it_was_learnt_on():
    train, test = scored_in_order(TRAIN_ORDER), scored_in_order(TEST_ORDER)
    cutoff = youden_cutoff(train, "training, out of fold")
    assert cutoff.learnt_on == "training, out of fold"
    assert cutoff.optimistic_on(train)
    assert not cutoff.optimistic_on(test)
    assert not CutOff(cutoff.value, "given", "a paper").optimistic_on(train)


def test_likelihood_ratios_of_a_published_example():
    """Liver scans, Altman and Bland, BMJ 1994;308:1552 and 309:102; Deeks and Altman, BMJ
    2004;329:168: 231 of 258 and 54 of 86. Intervals by Simel's formula, typed out."""
    found = Confusion(tp=231, fn=27, fp=32, tn=54)
    values, intervals = found.measures(), found.intervals()
    assert round(values["lr_positive"], 2) == 2.41
    assert round(values["lr_negative"], 2) == 0.17
    half = 1.959964 * math.sqrt(1 / 231 - 1 / 258 + 1 / 32 - 1 / 86)
    limits = intervals["lr_positive"]
    value = (231 / 258) / (32 / 86)
    assert limits.lower == pytest.approx(value * math.exp(-half), rel=1e-6)
    assert limits.upper == pytest.approx(value * math.exp(half), rel=1e-6)
    half = 1.959964 * math.sqrt(1 / 27 - 1 / 258 + 1 / 54 - 1 / 86)
    limits, value = intervals["lr_negative"], (27 / 258) / (54 / 86)
    assert limits.lower == pytest.approx(value * math.exp(-half), rel=1e-6)
    assert limits.upper == pytest.approx(value * math.exp(half), rel=1e-6)


def test_likelihood_ratios_without_an_error_have_one_limit():
    found = Confusion(tp=12, fn=0, fp=0, tn=10)
    values, intervals = found.measures(), found.intervals()
    assert (values["lr_positive"], values["lr_negative"]) == (math.inf, 0)
    # 1/2 is added to both counts and to their totals: 12.5 / 12.5 against .5 / 10.5.
    half = 1.959964 * math.sqrt(1 / 0.5 - 1 / 10.5)
    assert intervals["lr_positive"].lower == pytest.approx(21 * math.exp(-half), rel=1e-6)
    assert intervals["lr_positive"].upper == math.inf
    assert intervals["lr_negative"].lower == 0
    half = 1.959964 * math.sqrt(1 / 0.5 - 1 / 12.5)
    assert intervals["lr_negative"].upper == pytest.approx(0.5 / 12.5 * math.exp(half), rel=1e-6)


@given(counts, counts, counts, counts)
def test_balanced_accuracy_and_mcc_equal_scikit_learns(tp, fp, tn, fn):
    assume(tp + fn and tn + fp and tp + fp and tn + fn)
    truth = np.repeat([1, 0, 0, 1], [tp, fp, tn, fn])
    called = np.repeat([1, 1, 0, 0], [tp, fp, tn, fn])
    values = Confusion(tp, fp, tn, fn).measures()
    assert values["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, called))
    assert values["mcc"] == pytest.approx(matthews_corrcoef(truth, called), abs=1e-12)


@pytest.mark.parametrize("n", range(1, 20))
def test_mcc_without_error_or_without_a_right_call_has_no_width(n):
    """Whatever rounding leaves of 1."""
    for counts, phi in (((n, 0, 7, 0), 1), ((0, 7, 0, n), -1)):
        found = Confusion(*counts).intervals()["mcc"]
        assert found.lower == found.upper == pytest.approx(phi, abs=1e-12)


def test_mccs_interval_is_the_delta_method_on_fishers_scale():
    counts = np.array([31.0, 7, 40, 12])

    def fisher(cells):
        tp, fp, tn, fn = cells
        margins = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return np.arctanh((tp * tn - fp * fn) / np.sqrt(margins))

    n, p = counts.sum(), counts / counts.sum()
    step = np.eye(4) * 1e-6
    slope = np.array([(fisher(p + s) - fisher(p - s)) / 2e-6 for s in step])
    variance = (np.sum(p * slope**2) - np.sum(p * slope) ** 2) / n
    found = Confusion(31, 7, 40, 12).intervals()["mcc"]
    wanted = np.tanh(fisher(p) + np.array([-1, 1]) * 1.959964 * np.sqrt(variance))
    assert (found.lower, found.upper) == pytest.approx(tuple(wanted), rel=1e-5)


def test_balanced_accuracy_has_newcombes_limits_of_youden():
    found = Confusion(tp=56, fn=14, fp=48, tn=32).intervals()["balanced_accuracy"]
    assert (found.lower, found.upper) == pytest.approx((1.0524 / 2, 1.3339 / 2), abs=5e-5)


class TestPredictiveValues:
    def test_of_a_published_example(self):
        """Altman and Bland, BMJ 1994;309:102: sensitivity .90, specificity .63; at a prevalence of
        .25 the PPV is .45 and the NPV .95."""
        found = Confusion(tp=231, fn=27, fp=32, tn=54).measures()
        ppv, npv = predictive_values(found["lr_positive"], found["lr_negative"], 0.25)
        assert (round(ppv, 2), round(npv, 2)) == (0.45, 0.95)

    @given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
    def test_at_the_cases_own_share_are_the_plain_ones(self, tp, fp, tn, fn):
        found = Confusion(tp, fp, tn, fn).measures()
        share = (tp + fn) / (tp + fp + tn + fn)
        ppv, npv = predictive_values(found["lr_positive"], found["lr_negative"], share)
        assert (ppv, npv) == pytest.approx((found["ppv"], found["npv"]))

    def test_without_an_error_are_1(self):
        assert predictive_values(math.inf, 0.0, 0.1) == (1, 1)
        assert np.isnan(predictive_values(math.nan, 0.5, 0.1)[0])
