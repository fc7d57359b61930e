"""Patients beside cases, results that decide nothing, and calibration of subgroups."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from centrum.evaluate import Scored
from centrum.evaluate.calibration import calibration
from centrum.evaluate.subgroups import subgroup_table
from centrum.manuscript.methods_statistics import discrimination
from centrum.report.by_patient import indeterminate_table, patients_table
from centrum.report.results import StudyResults
from centrum.report.sections.calibration_and_use import calibration_and_use
from centrum.report.sections.performance import performance
from centrum.report.subgroup_calibration import subgroup_calibration_table

from .conftest import NEGATIVE, POSITIVE, Make


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def side_of(results: StudyResults) -> pd.DataFrame:
    return results.scores.loc[list(results.evaluation.tested)]


def test_patients_stand_beside_cases(results):
    (table,) = patients_table(results)
    rows = {row[0]: row[1:] for row in table.rows}
    side = side_of(results)
    assert rows["Cases or patients"] == (len(side), side["patient"].nunique())
    positive = side.groupby("patient")["outcome"].agg(lambda o: (o == POSITIVE).any())
    assert rows["with malignant"][1] == positive.sum()
    called = side["score"] >= results.cutoff.value
    by_patient = called.groupby(side["patient"]).any()
    assert rows["Sensitivity"][1].value == (by_patient & positive).sum() / positive.sum()
    assert rows["AUC"][0].value == results.evaluation.by_set["test"].auc.value
    assert "highest of the cases'" in table.notes[0]
    assert "Patients were evaluated beside cases" in discrimination(results).whole
    assert table.key in [t.key for t in performance(results).tables]


def test_with_one_case_each_there_is_no_such_table(results):
    alone = replace(results, evaluation=replace(results.evaluation, patients=None))
    assert patients_table(alone) == ()
    assert "Patients were evaluated" not in discrimination(alone).whole
    assert "patients" not in [t.key for t in performance(alone).tables]


def test_every_case_without_a_definite_result_is_counted(results):
    sets = ("uncertain", "neither", *(["positive"] * (len(results.evaluation.tested) - 2)))
    found = replace(results, evaluation=replace(results.evaluation, sets=sets))
    rows = {row[0]: row[1:] for row in indeterminate_table(found).rows}
    lost = len(results.failures)
    assert rows["Could not be measured"][0] == lost == 1
    truth = side_of(results)["outcome"].to_numpy()[:2] == POSITIVE
    assert rows["Set of both outcomes (uncertain)"] == (1, int(truth[0]), int(not truth[0]))
    assert rows["Set of neither outcome (unlike both)"] == (1, int(truth[1]), int(not truth[1]))
    excluded = [row for name, row in rows.items() if name.startswith("Excluded: ")]
    assert [r[0] for r in excluded] == [e.excluded.cases for e in results.flow.exclusions]
    for cases, positive, negative in rows.values():
        assert cases == positive + negative
    assert indeterminate_table(found).columns[2].name == POSITIVE
    assert indeterminate_table(found).columns[3].name == NEGATIVE


def test_calibration_of_subgroups_is_that_of_their_cases(results):
    rng = np.random.default_rng(0)
    owner, sex = np.arange(160) // 2, np.where(np.arange(160) % 4 < 2, "F", "M")
    p = rng.uniform(0.05, 0.95, 160)
    scored = Scored.of(p, rng.random(160) < p, owner)
    columns = pd.DataFrame({"sex": sex, "few": np.where(np.arange(160) < 4, "a", "b")})
    groups = subgroup_table(scored, p > 0.5, columns, ["sex", "few"], probabilities=p)
    found = replace(results, evaluation=replace(results.evaluation, subgroups=groups))
    table = subgroup_calibration_table(found)
    rows = {(row[0], row[1]): row[2:] for row in table.rows}
    for group in "FM":
        own = sex == group
        wanted = calibration(Scored.of(p[own], scored.positive[own], owner[own]))
        n, ratio, level, slope, brier = rows["sex", group]
        assert (n, ratio, brier) == (80, wanted.expected_observed, wanted.brier)
        for shown, coefficient in ((level, wanted.in_the_large), (slope, wanted.slope)):
            limits = coefficient.interval
            assert (shown.value, shown.lower, shown.upper) == (
                coefficient.value, limits.lower, limits.upper,
            )  # fmt: skip
    assert "fewer than" in rows["few", "a"][1]
    assert table.key in [t.key for t in calibration_and_use(found).tables]
    without = subgroup_table(scored, p > 0.5, columns, ["sex"])
    assert np.isnan(without[0].expected_observed)
