"""Table 1: what is counted, which summary and which test."""

import json

import numpy as np
import pandas as pd
import pytest

from centrum.errors import DataError
from centrum.evaluate import table1
from centrum.evaluate.hypothesis_tests import fisher_exact, mann_whitney, t_test
from centrum.evaluate.population import Count, MeanSpread, Quartiles


def cohort(**columns):
    rng = np.random.default_rng(1)
    n = 40
    base = {
        "patient": [f"P{i}" for i in range(n)],
        "outcome": pd.Categorical.from_codes(np.arange(n) % 2, ["malignant", "osteoporotic"]),
        "age": rng.normal(70, 9, n).round(),
        "skewed": rng.exponential(size=n) ** 3,
        "sex": np.where(np.arange(n) % 3 == 0, "F", "M"),
    }
    return pd.DataFrame({**base, **columns})


def rows_of(rows, variable):
    return [row for row in rows if row.variable == variable]


def test_a_normal_variable_has_mean_spread_and_t():
    obs = cohort()
    (row,) = rows_of(table1(obs), "age")
    malignant = obs.age[obs.outcome == "malignant"]
    cell = row.groups["malignant"]
    assert isinstance(cell, MeanSpread)
    assert (cell.n, cell.mean, cell.sd) == (20, malignant.mean(), pytest.approx(malignant.std()))
    assert (cell.minimum, cell.maximum) == (malignant.min(), malignant.max())
    assert row.significance == t_test(malignant, obs.age[obs.outcome == "osteoporotic"])
    assert list(row.groups) == ["malignant", "osteoporotic"]
    assert row.overall.n == 40


def test_a_skewed_variable_has_quartiles_and_mann_whitney():
    obs = cohort()
    (row,) = rows_of(table1(obs), "skewed")
    groups = [obs.skewed[obs.outcome == g] for g in ("malignant", "osteoporotic")]
    cell = row.groups["osteoporotic"]
    assert isinstance(cell, Quartiles)
    assert (cell.median, cell.lower) == (groups[1].median(), groups[1].quantile(0.25))
    assert row.significance == mann_whitney(*groups)


def test_a_categorical_variable_has_one_row_per_level_and_one_test():
    first, second = rows_of(table1(cohort()), "sex")
    assert (first.level, second.level) == ("F", "M")
    assert first.groups["malignant"] == Count(7, 20)
    assert first.overall == Count(14, 40)
    assert first.significance.test == "Chi-square"
    assert second.significance is None


def test_small_expected_counts_bring_fishers_test():
    obs = cohort(level=["T12", "L1", "L2", "L3"] + ["L1"] * 36)
    first, *_ = rows_of(table1(obs), "level")
    counts = pd.crosstab(obs.outcome, obs.level).to_numpy()
    assert first.significance.test == "Fisher exact"
    assert first.significance.p == fisher_exact(counts).p


def test_a_variable_of_two_numbers_is_categorical():
    rows = rows_of(table1(cohort(fracture=np.arange(40) // 20)), "fracture")
    assert [row.level for row in rows] == ["0", "1"]


def test_missing_values_are_left_out_and_counted():
    ages = cohort().age.where(np.arange(40) > 2)
    summary, missing = rows_of(table1(cohort(age=ages)), "age")
    assert (summary.groups["malignant"].n, summary.groups["osteoporotic"].n) == (18, 19)
    assert missing.level == "missing"
    assert missing.groups == {"malignant": Count(2, 20), "osteoporotic": Count(1, 20)}
    assert missing.overall == Count(3, 40)
    sexes = cohort().sex.where(np.arange(40) > 0, None)
    assert [row.level for row in rows_of(table1(cohort(sex=sexes)), "sex")] == ["F", "M", "missing"]


def test_a_patient_with_several_cases_has_one_age():
    obs = cohort()
    twice = pd.concat([obs, obs.iloc[:10]], ignore_index=True)
    rows = table1(twice)
    assert rows_of(rows, "cases")[0].overall.n == 50
    assert rows_of(rows, "patients")[0].overall.n == 40
    assert rows_of(rows, "age") == rows_of(table1(obs), "age")
    assert rows_of(rows, "skewed")[0].overall.n == 50


def test_a_patient_with_both_outcomes_counts_once_overall():
    patients = np.repeat([f"P{k}" for k in range(12)], 2)
    sex = np.repeat(["F", "M", "F", "F"] * 3, 2).astype(object)
    sex[0] = None
    obs = cohort().head(24).assign(
        patient=patients, sex=sex, age=np.repeat(np.arange(60.0, 72), 2),
        outcome=np.tile(["malignant", "osteoporotic"], 12),
    )  # fmt: skip
    rows = table1(obs, variables=["age", "sex"])
    (count,) = rows_of(rows, "patients")
    assert count.overall == Count(12, 12)
    assert count.groups == {"malignant": Count(12, 12), "osteoporotic": Count(12, 12)}
    (age,) = rows_of(rows, "age")
    assert (age.overall.n, age.overall.mean) == (12, 65.5)
    female, _ = rows_of(rows, "sex")
    assert female.overall == Count(9, 12)
    assert female.groups == {"malignant": Count(9, 12), "osteoporotic": Count(9, 12)}


def test_more_than_two_groups_are_described_without_a_test():
    rows = table1(cohort(centre=np.arange(40) % 3), by="centre", variables=["age", "sex"])
    assert all(row.significance is None for row in rows)
    assert len(rows_of(rows, "age")[0].groups) == 3


def test_a_constant_or_absent_variable_does_not_stop_the_table():
    obs = cohort(scanner="HDxt", weight=np.nan)
    rows = table1(obs)
    (scanner,) = rows_of(rows, "scanner")
    assert scanner.significance is None
    assert rows_of(rows, "weight")[-1].overall == Count(40, 40)


def test_records_hold_texts_and_the_numbers_behind_them():
    (row,) = rows_of(table1(cohort()), "age")
    record = row.record()
    assert record["malignant"] == row.groups["malignant"].text
    assert record["malignant mean"] == row.groups["malignant"].mean
    assert record["test"] == "Welch t"
    assert record["p"] == row.significance.p


def test_what_the_groups_decide_is_not_tested():
    """The kind of tumour; a reading that tells the groups apart but for one case is."""
    malignant = np.arange(40) % 2 == 0
    tumour = np.where(malignant, np.where(np.arange(40) % 4 == 0, "myeloma", "metastasis"), "none")
    rows = rows_of(table1(cohort(tumour=tumour)), "tumour")
    assert [row.significance for row in rows] == [None] * 3
    assert rows[0].groups["osteoporotic"] == Count(0, 20)
    tumour[1] = "myeloma"
    first, *_ = rows_of(table1(cohort(tumour=tumour)), "tumour")
    assert first.significance.p < 0.001


def test_differences_of_two_groups_are_standardised():
    obs = cohort()
    a, b = (obs[obs.outcome == g] for g in ("malignant", "osteoporotic"))
    (age,) = rows_of(table1(obs), "age")
    spread = np.sqrt((a.age.var() + b.age.var()) / 2)
    assert age.difference == pytest.approx(abs(a.age.mean() - b.age.mean()) / spread)
    first, second = rows_of(table1(obs), "sex")
    p, q = ((x.sex == "F").mean() for x in (a, b))
    wanted = abs(p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert first.difference == pytest.approx(wanted)
    assert second.difference is None, "once for a variable"
    assert first.record()["standardised difference"] == first.difference


def test_texts_show_three_digits_of_the_spread():
    assert MeanSpread(51, 69.41, 10.52, 46.0, 90.0).text == "69.4 ± 10.5 [46–90]"
    assert (
        MeanSpread(9, 0.012341, 0.001234, 0.01, 0.015).text == "0.01234 ± 0.00123 [0.01000–0.01500]"
    )
    assert MeanSpread(9, 12345.6, 2345.6, 9000, 20000).text == "12346 ± 2346 [9000–20000]"
    assert Count(0, 0).text == "0"


def test_a_missing_group_or_column_is_an_error():
    with pytest.raises(DataError, match=r"needs the columns \['side'\]"):
        table1(cohort(), variables=["side"])
    with pytest.raises(DataError, match="column 'centre' is empty in 1 of 40"):
        table1(cohort(centre=[None] + ["A"] * 39), by="centre")


def test_quartiles_equal_r(reference):
    folder = reference / "modelling" / "r"
    table = pd.read_csv(folder / "inputs" / "table1.csv")
    wanted = json.loads((folder / "tests.json").read_text())["skewed"]["desc"]
    (row,) = rows_of(table1(table, by="group"), "skewed")
    for group in ("0", "1"):
        cell = row.groups[group]
        assert (cell.lower, cell.median, cell.upper) == pytest.approx(tuple(wanted[f"q{group}"]))
