"""`check` says before anything is measured what a run would refuse, and what it would leave out."""

import csv
from pathlib import Path

import pytest

from centrum.errors import DataError
from centrum.study.study import open_study
from centrum.validation.foresight import first_short, foresee, refuse_unless_possible

N = 24


def foreseen(folder: Path, protocol: str, **columns: list[str]) -> dict[str, str]:
    """Code -> severity of what is foreseen of a study of 24 patients, half of them malignant."""
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
    study = open_study(folder)
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
