"""Performance by subgroup, against R's pROC and against the cases of each group alone."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy.special import expit
from scipy.stats import chi2

from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.clustered import clustered_interval
from centrum.evaluate.discrimination import auc, auc_interval
from centrum.evaluate.subgroups import auc_heterogeneity, subgroup_table
from centrum.evaluate.thresholds import proportion_interval

N = 120
RNG = np.random.default_rng(7)
SCORED = Scored.of(RNG.normal(size=N) + np.arange(N) % 2, np.arange(N) % 2, np.arange(N) // 3)
CALLED = SCORED.scores > 0.5
KNOWN = pd.DataFrame(
    {
        "sex": np.where(np.arange(N) % 3 == 0, "F", "M"),
        "age": 40 + np.arange(N) % 41,
        "region": pd.Categorical(
            np.array(["cervical", "thoracic", "lumbar"])[np.arange(N) // 2 % 3],
            ["cervical", "thoracic", "lumbar"],
        ),
    }
)


def table(columns, variables=None, scored=SCORED, called=CALLED, **more):
    frame = pd.DataFrame(columns)
    return subgroup_table(scored, called, frame, variables or list(frame), **more)


def test_heterogeneity_of_two_halves_is_the_square_of_procs_unpaired_test(reference):
    folder = reference / "modelling" / "r"
    rows = pd.read_csv(folder / "inputs" / "roc_sets.csv")
    wanted = json.loads((folder / "proc.json").read_text())
    compared = 0
    for name, cases in rows.groupby("set"):
        statistic = wanted[name]["delong_unpaired_even_vs_odd"]["D"]
        scored = Scored.of(cases["s1"], cases["y"])
        half = np.resize(["odd", "even"], len(cases))
        found = table({"half": half}, scored=scored, called=scored.scores > 0)
        if statistic == "NaN" or found[0].reason or found[1].reason:
            continue
        assert found[0].chi_square == pytest.approx(float(statistic) ** 2, rel=1e-10), name
        assert found[0].heterogeneity == pytest.approx(chi2.sf(float(statistic) ** 2, 1))
        assert found[0].df == 1
        compared += 1
    assert compared >= 5


def test_a_row_is_the_evaluation_of_its_cases():
    probabilities = expit(SCORED.scores)
    for row in table(KNOWN, ["sex"], probabilities=probabilities, confidence=0.9):
        own = (KNOWN["sex"] == row.level).to_numpy()
        part = Scored.of(SCORED.scores[own], SCORED.positive[own], np.arange(N)[own] // 3)
        truth, called = SCORED.positive[own], CALLED[own]
        assert (row.n, row.n_positive, row.n_patients) == (own.sum(), truth.sum(), part.n_patients)
        assert (row.auc, row.auc_interval) == (auc(part), auc_interval(part, 0.9))
        assert row.sensitivity == called[truth].mean()
        assert row.specificity == (~called[~truth]).mean()
        for right, among, interval in (
            (called & truth, truth, row.sensitivity_interval),
            (~called & ~truth, ~truth, row.specificity_interval),
        ):
            hits, of = (np.bincount(part.patients, weights=v) for v in (right, among))
            assert interval == clustered_interval(hits, of, 0.9)
        assert row.brier == pytest.approx(np.mean((probabilities[own] - truth) ** 2))
        assert row.reason == ""


def test_decisions_of_patients_with_one_case_have_wilsons_interval():
    alone = Scored.of(SCORED.scores, SCORED.positive)
    for row in table(KNOWN, ["sex"], scored=alone, confidence=0.9):
        own = (KNOWN["sex"] == row.level).to_numpy()
        truth, called = SCORED.positive[own], CALLED[own]
        hits = int(called[truth].sum())
        assert row.sensitivity_interval == proportion_interval(hits, int(truth.sum()), 0.9)


def test_each_case_is_in_one_row_of_a_variable():
    found = table(KNOWN)
    for name in KNOWN:
        assert sum(row.n for row in found if row.variable == name) == N


def test_categories_keep_their_order_and_text_is_sorted():
    levels = [row.level for row in table(KNOWN, ["region", "sex"])]
    assert levels == ["cervical", "thoracic", "lumbar", "F", "M"]


def test_numbers_are_cut_at_the_median_or_into_bins():
    by_median = table(KNOWN, ["age"])
    assert [row.level for row in by_median] == ["up to 59.5", "above 59.5"]
    found = table(KNOWN, ["age"], bins={"age": [50, 70]})
    assert [row.level for row in found] == ["up to 50", "above 50 to 70", "above 70"]
    assert found[0].n == (KNOWN["age"] <= 50).sum()
    assert found[0].df == 2


def test_a_median_that_is_the_largest_number_still_parts_the_cases():
    thickness = np.where(np.arange(N) < 80, 5.0, np.where(np.arange(N) < 100, 4.0, 3.0))
    found = table({"thickness": thickness})
    assert [(row.level, row.n) for row in found] == [("up to 4", 40), ("above 4", 80)]


@pytest.mark.parametrize("unknown", [np.nan, None, ""])
def test_cases_without_a_value_are_in_no_row(unknown):
    values = np.array(["a", "b"] * 60, dtype=object)
    values[:7] = unknown
    assert sum(row.n for row in table({"centre": values})) == N - 7


def test_missing_numbers_are_in_no_row():
    ages = pd.Series(KNOWN["age"], dtype="Int64")
    ages[:10] = pd.NA
    assert sum(row.n for row in table({"age": ages})) == N - 10


def test_columns_that_part_nothing_are_left_out():
    columns = {"one": ["x"] * N, "case": [f"c{i}" for i in range(N)], "none": [np.nan] * N}
    assert table(columns, ["one", "case", "none", "not there"]) == ()


def test_a_numeric_column_of_two_values_is_not_cut():
    assert [row.level for row in table({"contrast": np.arange(N) % 4 // 2})] == ["0", "1"]


def test_too_few_of_an_outcome_are_counted_and_no_more():
    centre = np.array(["big"] * N, dtype=object)
    centre[:8] = "small"
    big, small = table({"centre": centre}, probabilities=expit(SCORED.scores))
    assert (small.n, small.n_positive) == (8, 4)
    assert "fewer than 5" in small.reason
    numbers = small.auc, small.auc_interval.lower, small.sensitivity, small.specificity
    assert np.isnan([*numbers, small.brier, small.heterogeneity, small.chi_square]).all()
    assert big.reason == ""
    assert np.isfinite(big.auc)


def test_one_outcome_only_is_counted_and_no_more():
    level = np.where(SCORED.positive & (np.arange(N) < 60), "x", "y")
    x, y = table({"level": level})
    assert (x.n, x.n_positive, y.n) == (30, 30, 90)
    assert x.reason
    assert not y.reason


def test_an_outcome_in_a_single_patient_has_no_interval():
    y = np.repeat([1, 0, 0], 6)
    patients = np.r_[np.zeros(6, int), 1 + np.arange(12)]
    scored = Scored.of(np.tile([1, 4, 2, 6, 3, 5], 6), np.r_[y, y], np.r_[patients, patients + 20])
    found = table({"half": np.repeat(["a", "b"], 18)}, scored=scored, called=scored.scores > 3)
    assert np.isfinite([row.auc for row in found]).all()
    assert np.isnan([row.auc_interval.lower for row in found]).all()
    assert np.isnan(found[0].heterogeneity)


def test_without_probabilities_there_is_no_brier_score():
    assert np.isnan([row.brier for row in table(KNOWN)]).all()


def test_perfect_and_tied_groups():
    perfect = Scored.of(np.arange(12.0), np.arange(12) > 5)
    tied = Scored.of(np.zeros(12), np.arange(12) > 5)
    assert np.isnan(auc_heterogeneity([perfect, tied]).p)
    assert auc_heterogeneity([perfect, SCORED, SCORED]).df == 1
    scored = Scored.of(np.r_[perfect.scores, tied.scores], np.tile(perfect.positive, 2))
    one, half = table({"g": np.repeat(["p", "t"], 12)}, scored=scored, called=scored.scores > 5)
    assert (one.auc, half.auc) == (1, 0.5)


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_equal_parts_are_homogeneous_and_their_order_does_not_matter(n, seed):
    rng = np.random.default_rng(seed)
    parts = [Scored.of(rng.normal(size=30), np.arange(30) % 2) for _ in range(n)]
    assert auc_heterogeneity([parts[0]] * n).p == pytest.approx(1)
    found, turned = auc_heterogeneity(parts), auc_heterogeneity(parts[::-1])
    assert (found.chi_square, found.df) == pytest.approx((turned.chi_square, n - 1))


def test_the_test_keeps_its_level():
    rng = np.random.default_rng(1)
    p = []
    for _ in range(400):
        y = np.arange(80) % 2
        p.append(auc_heterogeneity([Scored.of(rng.normal(size=80) + y, y) for _ in range(3)]).p)
    # 5 % of 400 are 20, with a standard deviation of 4.4.
    assert 7 <= np.sum(np.array(p) < 0.05) <= 33


def test_lengths_have_to_agree():
    with pytest.raises(DataError, match="for each of 120 scores, found 120, 119 and 120"):
        table(KNOWN[1:])
    with pytest.raises(DataError, match="found 3, 120"):
        table(KNOWN, called=CALLED[:3])


@pytest.mark.parametrize(("name", "edges"), [("sex", [1.0]), ("age", [70, 50])])
def test_bins_have_to_fit(name, edges):
    with pytest.raises(DataError, match="numbers and rising edges"):
        table(KNOWN, bins={name: edges})
