"""Tests of significance against R 4.2.2 (stats, nortest 1.0-4) and brute force."""

import json
from itertools import product
from math import comb, factorial, prod

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from centrum.errors import DataError
from centrum.evaluate.hypothesis_tests import (
    _lilliefors_p,
    chi_square,
    fisher_exact,
    least_expected,
    levene,
    lilliefors,
    mann_whitney,
    t_test,
)

NUMERIC = ("age", "normal_equal", "normal_unequal", "skewed", "uniform", "ties")
CATEGORICAL = ("sex", "level3", "rare")


@pytest.fixture(scope="module")
def r_results(reference):
    return json.loads((reference / "modelling" / "r" / "tests.json").read_text())


@pytest.fixture(scope="module")
def r_table(reference):
    return pd.read_csv(reference / "modelling" / "r" / "inputs" / "table1.csv")


def two_groups(table, name):
    return table.loc[table.group == 1, name], table.loc[table.group == 0, name]


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", NUMERIC)
def test_normality_equals_r(r_results, r_table, name):
    group1, group0 = two_groups(r_table, name)
    for sample, key in ((r_table[name], "norm_all"), (group1, "norm_g1"), (group0, "norm_g0")):
        wanted = r_results[name][key]
        corrected = lilliefors(sample)
        close(corrected.statistic, wanted["D"])
        close(corrected.p, wanted["lillie_p"])


@pytest.mark.parametrize("name", NUMERIC)
def test_two_sample_tests_equal_r(r_results, r_table, name):
    groups = two_groups(r_table, name)
    wanted = r_results[name]
    for key, found in {
        "welch": t_test(*groups),
        "student": t_test(*groups, equal_variances=True),
    }.items():
        close((found.statistic, found.df, found.p), [wanted[key][k] for k in ("t", "df", "p")])
    for key, found in {
        "wilcox_nocc": mann_whitney(*groups, exact=False),
        "wilcox_cc": mann_whitney(*groups, exact=False, continuity=True),
        "wilcox_default": mann_whitney(*groups, continuity=True),
    }.items():
        close((found.statistic, found.p), (wanted[key]["W"], wanted[key]["p"]))
    for key, found in {
        "levene_mean_SPSS": levene(*groups),
        "brown_forsythe_median": levene(*groups, center="median"),
    }.items():
        close((found.statistic, found.p), (wanted[key]["F"], wanted[key]["p"]))


def test_small_samples_without_ties_are_exact_as_in_r(r_results, reference):
    table = pd.read_csv(reference / "modelling" / "r" / "inputs" / "small_two_group.csv")
    found = mann_whitney(*two_groups(table, "x"))
    close(
        (found.statistic, found.p), (r_results["small_exact"]["W"], r_results["small_exact"]["p"])
    )


@pytest.mark.parametrize("name", CATEGORICAL)
def test_tables_equal_r(r_results, r_table, name):
    counts = pd.crosstab(r_table.group, r_table[name]).to_numpy()
    wanted = r_results[name]
    assert counts.tolist() == wanted["table"]
    found = chi_square(counts)
    chisq = wanted["chisq"]
    close((found.statistic, found.df, found.p), (chisq["X2"], chisq["df"], chisq["p"]))
    close(least_expected(counts), chisq["min_expected"])
    corrected = chi_square(counts, yates=True)
    np.testing.assert_allclose(
        (corrected.statistic, corrected.p),
        (wanted["chisq_yates"]["X2"], wanted["chisq_yates"]["p"]),
        rtol=1e-9,
        atol=1e-14,
    )
    close(fisher_exact(counts).p, wanted["fisher"]["p"])


@given(arrays(int, (2, 4), elements=st.integers(0, 6)))
def test_freeman_halton_equals_the_sum_over_all_tables(counts):
    assume((counts.sum(axis=1) > 0).all())
    assume((counts.sum(axis=0) > 0).sum() > 2)
    columns = [int(c) for c in counts.sum(axis=0)]

    def ways(row):
        return prod(comb(c, int(k)) for c, k in zip(columns, row, strict=True))

    rows = product(*(range(c + 1) for c in columns))
    same_margin = [row for row in rows if sum(row) == counts[0].sum()]
    likelihoods = [ways(row) for row in same_margin]
    wanted = sum(w for w in likelihoods if w <= ways(counts[0])) / sum(likelihoods)
    assert fisher_exact(counts).p == pytest.approx(wanted, rel=1e-9)
    assert fisher_exact(counts[::-1].T).p == pytest.approx(wanted, rel=1e-9)


R_FISHER = [
    ([[3, 1, 2], [0, 4, 1], [2, 2, 5]], 0.179918378834785),
    ([[8, 2, 1], [1, 7, 3], [0, 2, 9]], 5.09502996122337e-05),
    ([[1, 3, 10, 6], [2, 3, 10, 7], [1, 6, 14, 12], [0, 1, 9, 11]], 0.782684938965639),
    ([[2, 0, 1, 3, 1], [0, 4, 2, 1, 0], [5, 1, 0, 2, 2]], 0.0403778661061236),
    (
        [[4, 3, 2, 1], [1, 2, 3, 4], [2, 2, 2, 2], [0, 5, 0, 5], [3, 0, 3, 0]],
        0.0462512317681115,
    ),
    ([[20, 11, 9], [13, 25, 10], [7, 9, 30]], 3.47014271590012e-06),
    ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], 1),
    ([[5, 0, 0], [0, 5, 0], [0, 0, 5]], 7.92857935715077e-06),
]
"""Tables and p of R 4.2.2, fisher.test; the third is the job satisfaction of its help page."""


@pytest.mark.parametrize(("counts", "p"), R_FISHER)
def test_larger_tables_equal_r(counts, p):
    close(fisher_exact(counts).p, p)
    close(fisher_exact(np.transpose(counts)[::-1]).p, p)


def all_tables(rows, columns):
    """Every table with these margins, as tuples of its columns."""
    if len(columns) == 1:
        yield (tuple(rows),)
        return
    for column in product(*(range(r + 1) for r in rows)):
        if sum(column) == columns[0]:
            left = [r - k for r, k in zip(rows, column, strict=True)]
            for rest in all_tables(left, columns[1:]):
                yield (column, *rest)


@settings(max_examples=40)
@given(arrays(int, (3, 3), elements=st.integers(0, 4)))
def test_any_table_equals_the_sum_over_all_tables(counts):
    assume((counts.sum(axis=0) > 0).all())
    assume((counts.sum(axis=1) > 0).all())

    def ways(table):
        return prod(
            factorial(sum(column)) // prod(factorial(k) for k in column) for column in table
        )

    rows, columns = counts.sum(axis=1).tolist(), counts.sum(axis=0).tolist()
    likelihoods = [ways(table) for table in all_tables(rows, columns)]
    here = ways([[int(k) for k in column] for column in counts.T])
    wanted = sum(w for w in likelihoods if w <= here) / sum(likelihoods)
    assert fisher_exact(counts).p == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("shape", [(3, 4), (2, 12), (8, 8)])
def test_a_table_too_large_to_go_through_says_what_else_to_do(shape):
    counts = np.random.default_rng(0).integers(5, 60, shape)
    wanted = rf"{shape[0]} x {shape[1]} with {counts.sum()} cases .*chi-square test.*Monte Carlo"
    with pytest.raises(DataError, match=wanted):
        fisher_exact(counts)


def test_however_many_tables_the_likeliest_of_all_has_p_1():
    assert fisher_exact(np.full((3, 4), 40)).p == 1


def test_freeman_halton_copes_with_many_levels():
    levels = np.array([[0, 1, 2, 1, 3, 4, 6, 8, 9, 7, 6, 2], [1, 0, 1, 2, 2, 5, 9, 7, 8, 9, 3, 4]])
    assert 0.5 < fisher_exact(levels).p < 1


@given(st.lists(st.floats(-5, 5), min_size=5, max_size=150).filter(lambda x: np.ptp(x) > 1e-3))
def test_lilliefors_p_is_a_probability_below_that_of_a_known_mean(x):
    p = lilliefors(x).p
    assert 0 <= p <= 1
    known = stats.kstest(x, "norm", args=(np.mean(x), np.std(x, ddof=1)))
    assert p <= known.pvalue + 0.05


@pytest.mark.parametrize(("point", "p", "away"), [(0.895, 0.05, 0.0015), (1.035, 0.01, 0.0016)])
def test_large_samples_meet_stephens_percentage_points(point, p, away):
    """Stephens 1974, table 1A, case 3: of (sqrt n - 0.01 + 0.85 / sqrt n) D."""
    n = 200
    d = point / (np.sqrt(n) - 0.01 + 0.85 / np.sqrt(n))
    assert _lilliefors_p(d, n) == pytest.approx(p, abs=away)


def test_p_of_lilliefors_falls_without_a_step() -> None:
    """Where formulas for one range of p meet the next, they agree to 0.01."""
    n = 1000
    modified = np.linspace(0.2, 1.2, 2001)
    p = np.array([_lilliefors_p(m / (np.sqrt(n) - 0.01 + 0.85 / np.sqrt(n)), n) for m in modified])
    assert p[0] == 1
    assert p[-1] < 0.003
    steps = np.diff(p)
    assert steps.max() < 0.005, "from one source to the other it may rise a little"
    assert steps.min() > -0.01


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [2, 2, 2, 2, 2, 2], [1, 2, 3, 4, np.nan]])
def test_lilliefors_refuses_samples_it_cannot_judge(values):
    with pytest.raises(DataError, match="Lilliefors' test needs at least 5 finite values"):
        lilliefors(values)


def test_two_sample_tests_refuse_too_few_values():
    with pytest.raises(DataError, match="Welch t needs at least 2 finite values in each group"):
        t_test([1], [2, 3])
    with pytest.raises(DataError, match="found 1 finite of 2"):
        mann_whitney([1, np.nan], [2, 3])


def test_tables_need_two_rows_and_two_columns():
    with pytest.raises(DataError, match="found 1 and 2"):
        chi_square([[3, 4], [0, 0]])
