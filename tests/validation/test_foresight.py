"""`check` says before anything is measured what a run would refuse, and what it would leave out."""

import csv
from pathlib import Path

import pytest

from centrum.errors import DataError
from centrum.study.findings import Finding
from centrum.study.study import Study, open_study
from centrum.validation.foresight import (
    _fewer_folds,
    first_short,
    foresee,
    refuse_unless_possible,
)

N = 24


def made(folder: Path, protocol: str, **columns: list[str]) -> Study:
    """A study of 24 patients, half of them malignant."""
    cells = {
        "case": [f"C{k:02d}" for k in range(N)],
        "patient": [f"P{k:02d}" for k in range(N)],
        "outcome": [["malignant", "osteoporotic"][k % 2] for k in range(N)],
        "centre": [["A", "B", "C"][k // 2 % 3] for k in range(N)],
        "date": [f"2020-01-{k + 1:02d}" for k in range(N)],
        **columns,
    }
    with (folder / "cases.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([cells, *zip(*cells.values(), strict=True)])
    start = "preset: vcf-t2w\ntables: [{file: a.csv, reader: R1}]\n"
    (folder / "study.yaml").write_text(start + protocol)
    return open_study(folder)


def foreseen(folder: Path, protocol: str, **columns: list[str]) -> dict[str, str]:
    """Code -> severity of what is foreseen."""
    study = made(folder, protocol, **columns)
    found: dict[str, str] = {}
    for each in foresee(study):
        assert "np." not in each.message, "a word of the program and not of the study"
        if each.severity != "note":
            found.setdefault(each.code, each.severity)
    if "error" in found.values():
        with pytest.raises(DataError):
            refuse_unless_possible(study)
    return found


FEW = "evaluation: {cutoff_folds: 2}\n"
FIVE = {"outcome": ["malignant"] * 19 + ["osteoporotic"] * 5}
SEVEN = {"outcome": ["malignant"] * 17 + ["osteoporotic"] * 7}
SEARCH = "model: {lasso: {folds: 4}}\nsearch: {folds: 2, "
COMBAT = "model: {harmonisation: {method: combat, "


@pytest.mark.parametrize(
    ("protocol", "columns", "wanted"),
    [
        ("", {}, {}),
        # Three of five patients to train on; two folds leave one, of whom nothing is made up.
        (f"{FEW}model: {{classifier: logistic, balance: smote}}", FIVE,
         {"too-few-patients": "error"}),
        (f"{FEW}model: {{classifier: ridge}}", FIVE, {"too-few-patients": "error"}),
        (f"{FEW}model: {{classifier: logistic}}", FIVE, {}),
        # Folds of the LASSO within the inner folds that out-of-fold scores come from.
        ("split: {design: repeated_k_fold, folds: 2}\nmodel: {lasso: {folds: 8}}", {},
         {"too-few-patients": "warning"}),
        ("split: {design: repeated_k_fold, folds: 2}\nmodel: {lasso: {folds: 11}}", {},
         {"too-few-patients": "error"}),
        # The folds of the cut-off are for a design with one test side alone.
        ("split: {design: repeated_k_fold, folds: 2}\nevaluation: {cutoff_folds: 12}\n"
         "model: {classifier: logistic}", {}, {}),
        # Three of seven patients, then two, which are enough for ridge.
        (f"{FEW}model: {{classifier: ridge}}", SEVEN, {}),
        # Folds of the LASSO within those of a search, of which three of twelve are left.
        (f"{FEW}{SEARCH}selectors: [lasso], classifiers: [ridge]}}", {},
         {"too-few-patients": "error"}),
        (f"{FEW}{SEARCH}selectors: [mrmr], classifiers: [elastic_net]}}", {},
         {"too-few-patients": "error"}),
        (f"{FEW}{SEARCH}selectors: [mrmr], classifiers: [ridge]}}", {}, {}),
        # The tested side has one outcome.
        ("split: {design: external, test_values: [C]}",
         {"centre": [["A", "B"][k // 2 % 2] if k < 20 or k % 2 else "C" for k in range(N)]},
         {"one-outcome-tested": "error"}),
        ("split: {design: leave_one_centre_out}\nmodel: {classifier: logistic}",
         {"centre": [["A", "B"][k // 2 % 2] if k < 20 or k % 2 else "C" for k in range(N)]},
         {"one-outcome-tested": "warning"}),
        ("split: {design: temporal, test_from: 2020-01-24}", {}, {"one-outcome-tested": "error"}),
        # Covariates of one value.
        ("model: {covariates: [place]}", {"place": ["x"] * N}, {"constant-covariate": "warning"}),
        ("model: {classifier: logistic, covariates: [place], fusion: late}", {"place": ["x"] * N},
         {"constant-covariate": "error"}),
        # Harmonisation.
        (COMBAT + "reference: A}}\nsplit: {design: leave_one_centre_out}", {},
         {"no-reference-batch": "warning"}),
        (COMBAT + "reference: A}}\nsplit: {design: external, test_values: [A]}", {},
         {"no-reference-batch": "error"}),
        (COMBAT + "reference: A}}", {}, {}),
        (COMBAT + "unseen: refuse}}\nsplit: {design: leave_one_centre_out}", {},
         {"unseen-batch": "error"}),
        (COMBAT + "unseen: refuse}}", {"centre": ["Z", *["A", "B"] * 11, "A"]},
         {"unseen-batch": "error"}),
        (COMBAT + "unseen: refuse}}", {}, {}),
        # Two patients of a centre: either fold trains on one of them.
        (COMBAT + "unseen: refuse}}", {"centre": ["Z", "Z", *["A", "B"] * 11]}, {}),
        (COMBAT + "reference: Z}}\nsplit: {design: external, test_values: [A]}",
         {"centre": ["Z", "Z", *["A", "A", "B", "B"] * 5, "B", "B"]}, {}),
    ],
)  # fmt: skip
def test_what_a_run_refuses_is_foreseen(
    tmp_path: Path, protocol: str, columns: dict[str, list[str]], wanted: dict[str, str]
) -> None:
    found = foreseen(tmp_path, protocol, **columns)
    assert found == wanted


def test_inner_folds_are_as_many_as_there_are_patients() -> None:
    inner = "the inner folds of the model"
    assert first_short([(inner, 5)], 3) is None
    assert first_short([(inner, 5)], 1) == (inner, 2, 1)
    assert first_short([("outer", 2), (inner, 5), ("least", 2)], 4) == ("least", 2, 1)
    assert first_short([("folds", 4)], 4) is None


def test_folds_that_can_be_filled_are_proposed() -> None:
    assert _fewer_folds([("a", 5), ("b", 2)], 3) == "Set a: 3, or add patients."
    assert _fewer_folds([("a", 5)], 2) == "Set a: 2, or add patients."
    assert _fewer_folds([("a", 5)], 1) == "Add patients."


def found_in(folder: Path, code: str, protocol: str, **columns: list[str]) -> list[Finding]:
    found = foresee(made(folder, protocol, **columns))
    return [finding for finding in found if finding.code == code]


@pytest.mark.parametrize(
    ("code", "protocol", "columns", "said"),
    [
        ("too-few-patients", f"{FEW}model: {{classifier: ridge}}", FIVE,
         "model.classifier: ridge needs two patients of each outcome. Patients to train on: 13 "
         "with malignant, 3 with osteoporotic; at that step at most 1 are left of one outcome. "
         "Add patients."),
        ("too-few-patients", f"{FEW}model: {{classifier: logistic, balance: smote}}", FIVE,
         "model.balance: smote needs two patients of each outcome. Patients to train on: 13 "
         "with malignant, 3 with osteoporotic; at that step at most 1 are left of one outcome. "
         "Add patients."),
        ("one-outcome-tested", "split: {design: temporal, test_from: 2020-01-24}", {},
         "All 1 cases that the part 'from 2020-01-24' of the design tests have the outcome "
         "'osteoporotic'; a model is evaluated on cases of both. Choose another split.design, or "
         "test more cases."),
        ("one-outcome-tested", "split: {design: leave_one_centre_out}",
         {"centre": [["A", "B"][k // 2 % 2] if k < 20 or k % 2 else "C" for k in range(N)]},
         "All 2 cases that the part 'centre C' of the design tests have the outcome 'malignant'; "
         "it has no AUC of its own, and counts only together with the others. Nothing, if this is "
         "intended."),
        ("constant-covariate", "model: {covariates: [place]}", {"place": ["x"] * N},
         "model.covariates names 'place', which is the same for all 24 cases: it is left out. "
         "Remove it from model.covariates."),
        ("constant-covariate",
         "model: {classifier: logistic, covariates: [place], fusion: late}", {"place": ["x"] * N},
         "model.covariates names 'place', which is the same for all 24 cases: nothing can be "
         "learnt from it, and fusion late wants a model of the covariates. Remove it from "
         "model.covariates."),
        ("unseen-batch", COMBAT + "unseen: refuse}}\nsplit: {design: leave_one_centre_out}", {},
         "The part 'centre A' of the design tests cases of the centre 'A', which was not trained "
         "on there; model.harmonisation.unseen: refuse forbids it. Set model.harmonisation.unseen: "
         "as_is."),
        ("no-reference-batch", COMBAT + "reference: Z}}", {"centre": ["Z", *["A", "B"] * 11, "A"]},
         "model.harmonisation.reference names 'Z', of which the column 'centre' has 1 cases; it "
         "has A (12), B (11), Z (1). Name one of these with two cases or more."),
        ("identifying-column", "", {"Surname": [f"Maier {chr(65 + k)}" for k in range(N)]},
         "Left out of all that is written: 'date', 'Surname' (its heading suggests an identity). "
         "Name a column in `describe` of study.yaml if it may be shown."),
    ],
)  # fmt: skip
def test_what_is_foreseen_is_told_with_what_to_do(
    tmp_path: Path, code: str, protocol: str, columns: dict[str, list[str]], said: str
) -> None:
    found = found_in(tmp_path, code, protocol, **columns)
    assert [finding.message for finding in found] == [said]


def test_of_names_it_is_told_how_to_write_them_unless_they_are_written(tmp_path: Path) -> None:
    named = {"patient": [f"Anna {chr(65 + k)}" for k in range(N)]}
    (note,) = found_in(tmp_path, "pseudonyms", "", **named)
    assert note.message.startswith("24 names are no codes")
    assert note.message.endswith(note.remedy)
    assert "`keep_names: true`" in note.remedy
    assert not found_in(tmp_path, "pseudonyms", "keep_names: true\n", **named)


def test_a_run_stops_with_all_that_is_foreseen_once_and_the_last_remedy(tmp_path: Path) -> None:
    study = made(
        tmp_path, "model: {covariates: [ages], harmonisation: {method: combat, batch: site}}"
    )
    first, last = (finding for finding in foresee(study) if finding.severity == "error")
    with pytest.raises(DataError) as stopped:
        refuse_unless_possible(study)
    assert str(stopped.value) == f"{first.message}\n{last.message}"
    assert (stopped.value.code, stopped.value.remedy) == (last.code, last.remedy)
    with pytest.raises(DataError, match=r"^Without the cases that cannot be measured: `model\."):
        refuse_unless_possible(study, study.cohort.names)
    with pytest.raises(DataError) as empty:
        refuse_unless_possible(study, ())
    assert empty.value.code == "no-outcome"
