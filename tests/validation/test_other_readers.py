"""The score with the regions of other readers, from studies and from numbers."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centrum.agreement import icc
from centrum.commands import results as left, study as verbs
from centrum.evaluate import Scored
from centrum.evaluate.comparison import delong_test
from centrum.protocol import load_preset
from centrum.study.study import open_study
from centrum.validation.matrix import study_matrix
from centrum.validation.other_readers import ReadCases, compare_regions, pooled_by_others
from tests.studies import PROTOCOL, make_study, read_rows, write_rows

FEW_FAMILIES = PROTOCOL.replace("extraction:", "extraction:\n  families: [morphology, statistics]")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose third reader is the first, on three quarters of the cases."""
    folder = make_study(tmp_path_factory.mktemp("read") / "study", 30, protocol=FEW_FAMILIES)
    rows = read_rows(folder)
    for k, row in enumerate(rows):
        row["mask:third"] = f"masks/{row['case']}_third.nrrd" if k % 4 < 3 else ""
        if row["mask:third"]:
            shutil.copy(folder / row["mask:senior"], folder / row["mask:third"])
    write_rows(folder, rows)
    verbs.extract(open_study(folder))
    return folder


@pytest.fixture
def folder(measured: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(measured, tmp_path / "study"))


def test_the_frozen_model_gives_the_same_scores(folder: Path) -> None:
    """The columns of scores.csv, by the numbers that score new patients."""
    study = open_study(folder)
    verbs.fit(study)
    scores, scorer = left.load_scores(study), left.load_scorer(study)
    table = verbs.load_table(study)
    at = [table.names.index(name) for name in scorer.features]
    for k, reader in enumerate(("resident", "third"), 1):
        column = scores[f"score:{reader}"].to_numpy()
        np.testing.assert_array_equal(np.isfinite(column), table.read[:, k])
        there = table.read[:, k]
        wanted = scorer.score(table.values[there][:, at, k])
        np.testing.assert_allclose(column[there], wanted, rtol=1e-9)
    assert not np.allclose(scores["score:resident"], scores["score"])


def test_evaluation_json_tells_both_readers(folder: Path) -> None:
    study = open_study(folder)
    verbs.fit(study)
    verbs.evaluate(study)
    scores = left.load_scores(study)
    test = scores[scores["part"] == "test"]
    found = json.loads((study.results / "evaluation.json").read_text())["other_readers"]
    assert [each["name"] for each in found] == ["resident", "third"]
    resident, third = found
    y = test["outcome"] == "malignant"
    gap = delong_test(Scored.of(test["score:resident"], y), Scored.of(test["score"], y))
    assert resident["difference"]["difference"] == pytest.approx(gap.difference)
    assert resident["n"] == len(test)
    pair = test[["score", "score:resident"]].to_numpy()
    assert resident["icc"] == pytest.approx(icc(pair[:, None]).value[0])
    assert resident["limits"]["bias"] == pytest.approx((pair[:, 1] - pair[:, 0]).mean())
    cutoff = verbs.evaluate_scores(study).decision.cutoff.value
    called = pair >= cutoff
    assert resident["to_positive"] == int((called[:, 1] & ~called[:, 0]).sum())
    assert resident["to_negative"] == int((called[:, 0] & ~called[:, 1]).sum())
    assert third["n"] == int(test["score:third"].notna().sum()) < len(test)
    assert third["difference"]["difference"] == third["limits"]["bias"] == 0, "the same regions"
    assert third["icc"] == third["kappa"]["value"] == 1
    assert not {"cases", "scores"} & set(resident), "cases are not named"


def test_parts_of_a_design_are_pooled_as_those_of_the_first_reader(folder: Path) -> None:
    text = FEW_FAMILIES + "split: {design: nested_cv, folds: 3, repeats: 2}\n"
    text = text.replace("{permutations: 3, splits: 1}", "{permutations: 0, splits: 0}")
    (folder / "study.yaml").write_text(text)
    study = open_study(folder)
    verbs.fit(study)
    verbs.internal(study)
    records = json.loads((study.results / "assessment.json").read_text())["parts"]
    for_case: dict[int, list[float]] = {}
    for record in records:
        pairs = zip(record["case"], record["readers"]["resident"]["probability"], strict=True)
        for row, probability in pairs:
            for_case.setdefault(row, []).append(probability)
    assert {len(values) for values in for_case.values()} == {2}
    judged = verbs.evaluate_scores(study)
    resident, third = judged.other_readers
    means = [np.mean(for_case[row]) for row in range(30)]
    np.testing.assert_allclose(resident.scores[:, 1], means)
    np.testing.assert_allclose(resident.scores[:, 0], judged.probability)
    assert third.difference.difference == 0
    assert len(third.cases) == int(verbs.load_table(study).read[:, 2].sum())


def test_one_reader_says_nothing(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", 24, protocol=FEW_FAMILIES)
    rows = [
        {name: value for name, value in row.items() if name != "mask:resident"}
        for row in read_rows(folder)
    ]
    write_rows(folder, rows)
    study = open_study(folder)
    verbs.extract(study)
    verbs.fit(study)
    with (study.results / "scores.csv").open() as stream:
        heads = next(csv.reader(stream))
    assert not [head for head in heads if ":" in head]
    assert verbs.evaluate_scores(study).other_readers == ()


def test_a_reader_without_cases_of_an_outcome_is_told(folder: Path) -> None:
    study = open_study(folder)
    verbs.fit(study)
    scores = left.load_scores(study)
    scores.loc[scores["outcome"] == "malignant", "score:resident"] = np.nan
    table = verbs.load_table(study)
    found = verbs.evaluate_study(
        study.protocol, scores, table.obs, verbs.decision_of(study, scores), primary="senior"
    )
    assert [each.name for each in found.other_readers] == ["third"]
    assert "both outcomes" in found.failed["The score by the regions of resident"]


def test_values_that_a_model_cannot_read_are_no_score(folder: Path) -> None:
    """A feature that is not defined for the region of another reader."""
    study = open_study(folder)
    table = verbs.load_table(study)
    matrix = study_matrix(table, study.protocol)
    matrix.X[4, 0, 1] = np.nan
    assert not matrix.measured(1, whole=True)[4]
    assert matrix.measured(1, whole=False)[4]
    assert matrix.measured(2, whole=False).sum() == table.read[:, 2].sum()


# Numbers alone


def compared(scores: np.ndarray, patients: np.ndarray, positive: np.ndarray, **more: object):
    likely = 1 / (1 + np.exp(-scores))
    reads = [ReadCases(s, p, s > 0) for s, p in zip(scores.T, likely.T, strict=True)]
    cases = pd.DataFrame({"patient": patients}, index=[f"C{k}" for k in range(len(scores))])
    protocol = load_preset("vcf-t2w")
    return compare_regions(("senior", "resident"), *reads, cases, positive, protocol)


def test_intervals_are_by_patient_where_patients_have_several_cases() -> None:
    rng = np.random.default_rng(2)
    n, each = 24, 3
    patients = np.repeat(np.arange(n), each)
    positive = patients % 2 == 1
    truth = rng.normal(size=n)[patients] + positive
    second = truth + rng.normal(0, 0.5, size=n)[patients]
    scores = np.column_stack([truth, second])
    grouped = compared(scores, patients, positive)
    alone = compared(scores, np.arange(n * each), positive)
    assert grouped.icc == pytest.approx(alone.icc)

    def width(interval) -> float:
        return interval.upper - interval.lower

    for name in ("icc_interval", "kappa"):
        one, other = (getattr(f, name) for f in (grouped, alone))
        one, other = (getattr(i, "interval", i) for i in (one, other))
        assert width(one) > 1.3 * width(other), name
    assert width(grouped.limits.bias_interval) > 1.3 * width(alone.limits.bias_interval)
    assert width(grouped.difference.interval) > 1.3 * width(alone.difference.interval)


def test_a_case_that_half_the_parts_call_positive_is_called_so() -> None:
    likely, called = [0.4, 0.6, 0.7], [0.4, 0.5, 1.0]
    tested = pd.DataFrame({"probability:resident": likely, "called:resident": called})
    (resident,) = pooled_by_others(tested).values()
    assert resident.called.tolist() == [False, True, True]
    assert resident.scores.tolist() == resident.probability.tolist() == likely


def test_sensitivity_and_specificity_are_of_the_calls_of_each_reader() -> None:
    scores = np.array([[2, 1], [1, -1], [3, 2], [-1, -2], [-2, 1], [-3, -1.0]])
    positive = np.array([True, True, True, False, False, False])
    found = compared(scores, np.arange(6), positive)
    assert (found.primary.sensitivity, found.primary.specificity) == (1, 1)
    assert found.other.sensitivity == pytest.approx(2 / 3)
    assert found.other.specificity == pytest.approx(2 / 3)
    assert (found.to_positive, found.to_negative, found.changed) == (1, 1, 2)
    assert found.other.brier > found.primary.brier
