"""What would stop a run, foreseen: all of it at once, by cause, for people and for scripts."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from centrum.commands import study as verbs
from centrum.commands.check import check_study, foresee_run
from centrum.commands.problems import Problems
from centrum.errors import DataError
from centrum.study.findings import Finding
from centrum.study.study import open_study
from centrum.validation.foresight import foresee
from tests.studies import make_study, read_rows, write_rows


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("made") / "study", n=24)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "study"))


def change(folder: Path, alter: Callable[[list[dict]], None]) -> None:
    rows = read_rows(folder)
    alter(rows)
    write_rows(folder, rows)


def say(folder: Path, text: str) -> None:
    """Change the protocol by blocks of YAML."""
    path = folder / "study.yaml"
    choices, changes = yaml.safe_load(path.read_text()), yaml.safe_load(text)
    for block, change_ in changes.items():
        old = choices.get(block)
        choices[block] = old | change_ if isinstance(old, dict) else change_
    path.write_text(yaml.safe_dump(choices))


def foreseen(folder: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in foresee(open_study(folder))}


def test_a_good_study_has_no_problem(folder: Path) -> None:
    found, lines = foresee_run(folder)
    assert (found.rows, found.measurable, found.lines(80)) == ((), 24, [])
    assert any(line.startswith("internal: design single") for line in lines)


def test_all_that_is_wrong_comes_at_once(folder: Path) -> None:
    def spoil(rows: list[dict]) -> None:
        rows[0]["outcome"] = "malignnt"
        rows[1]["age"] = "old"
        rows[2]["age"] = "ancient"
        rows[3]["case"] = rows[5]["case"]
        rows[4].update({"mask:senior": "", "mask:resident": ""})

    change(folder, spoil)
    for case in ("P008", "P009", "P010", "P011", "P012"):
        (folder / f"images/{case}.nrrd").unlink()
    say(folder, "splitt: {}\nimages: {reader: professor}\n")
    found = check_study(folder, workers=1)
    assert [finding.code for finding in found.stops] == [
        "unknown-key", "unknown-outcome", "not-a-number", "not-a-number", "no-mask",
        "repeated-case", "no-reader", "too-few-patients",
    ]  # fmt: skip
    assert [failure.case for failure in found.failures] == ["P008", "P009", "P010", "P011", "P012"]
    assert found.failures[0].file == "images/P008.nrrd"
    assert all(row.code and row.remedy and row.case for row in found.rows)
    assert all(row.file for row in found.rows if row.case != "all")
    screen = "\n".join(found.lines(200))
    assert "2 cases (P001, P002), the first: cases.csv: row 3, column 'age': expected" in screen
    assert "5 cases (P008, P009, P010 and 2 more), the first: " in screen
    assert max(map(len, found.lines(80))) <= 80
    assert found.measurable == 23 - 4 - 5
    assert foresee_run(folder)[0].stops == found.stops[:-1]


def test_a_manifest_without_masks_is_looked_at(folder: Path) -> None:
    rows = [{k: v for k, v in r.items() if "mask" not in k} for r in read_rows(folder)]
    write_rows(folder, rows)
    (stop,) = check_study(folder, workers=1).stops
    assert stop.code == "missing-column"


def test_rules_that_cannot_be_applied_are_told_beside_the_rest(folder: Path) -> None:
    say(folder, "eligibility: [{name: adults, require: ages > 17}]\n")
    (folder / "images/P008.nrrd").unlink()
    found = check_study(folder, workers=1)
    assert "'adults' reads the column ages" in found.stops[0].message
    assert found.measurable == 23
    say(folder, "eligibility: [{name: adults, require: age > 200}]\n")
    assert [stop.code for stop in foresee_run(folder)[0].stops] == ["none-eligible"]


def test_one_outcome_is_told_by_its_name(folder: Path) -> None:
    change(folder, lambda rows: [row.update(outcome="malignant") for row in rows])
    found = foreseen(folder)
    assert "All 24 eligible cases have the outcome 'malignant'; none has 'osteoporotic'" in (
        found["one-outcome"].message
    )
    with pytest.raises(DataError, match="needs two outcomes to distinguish"):
        verbs.run(open_study(folder), workers=1)


@pytest.mark.parametrize(
    ("protocol", "code", "message"),
    [
        (
            "evaluation: {cutoff_folds: 9}\n",
            "too-few-patients",
            r"evaluation\.cutoff_folds asks for 9 folds .* at most 8 .* Set evaluation\.cutoff_",
        ),
        (
            "model: {n_features: {folds: 8}}\n",
            "too-few-patients",
            r"n_features\.folds asks for 8 .* at most 5 .* Set model\.n_features\.folds: 5, or",
        ),
        (
            "model: {lasso: {folds: 4}}\n",
            "too-few-patients",
            r"model\.lasso\.folds asks for 4 .* at most 3",
        ),
        (
            "search: {folds: 7, selectors: [lasso]}\n",
            "too-few-patients",
            r"search\.folds asks for 7 folds",
        ),
        (
            "split: {design: repeated_k_fold, folds: 13}\n",
            "too-few-patients",
            "13 folds .* 12 with malignant",
        ),
        ("split: {design: leave_one_centre_out}\n", "design", "empty"),
        ("split: {design: temporal, by: when}\n", "design", "the column 'when'"),
        ("split: {design: external, test_values: [B]}\n", "design", "'centre'"),
        ("model: {covariates: [ages]}\n", "missing-covariate", "names the column 'ages'"),
        ("model: {covariates: [age]}\n", "empty-covariate", r"empty for 1 of 24 cases \(P001\)"),
        (
            "model: {harmonisation: {method: combat, batch: site}}\n",
            "batches",
            "names the column 'site'",
        ),
        (
            "model: {harmonisation: {method: combat, batch: level, reference: L5}}\n",
            "no-reference-batch",
            r"'L5', of which the column 'level' has 0 cases; it has T12 \(8\)",
        ),
        ("evaluation: {reader_calls: [resident]}\n", "reader-calls", "column 'resident'"),
        ("evaluation: {reader_calls: [sex]}\n", "reader-calls", "holds f, m"),
        ("evaluation: {subgroups: [sexx]}\n", "missing-subgroup", r"Did you mean sex\?"),
        ("evaluation: {clinical: [agee]}\n", "missing-clinical", r"Did you mean age\?"),
        ("evaluation: {odds_ratios: [sexx]}\n", "missing-odds-ratio", r"Did you mean sex\?"),
        ("evaluation: {odds_ratios: ['morphometry:depth']}\n", "missing-odds-ratio", "left out"),
        ("images: {sequence: T1w}\n", "which-sequence", "the image sequence 'T1w'"),
    ],
)
def test_what_cannot_end_well_is_foreseen(
    folder: Path, protocol: str, code: str, message: str
) -> None:
    say(folder, protocol)
    change(folder, lambda rows: rows[1].update(age=""))
    found = foreseen(folder)
    assert code in found
    assert re.search(message, found[code].message), found[code].message
    assert found[code].message.endswith(found[code].remedy)


def test_measures_of_the_bodies_are_no_columns(folder: Path) -> None:
    say(folder, "evaluation: {odds_ratios: ['morphometry:depth']}\nmorphometry: {}\n")
    assert "missing-odds-ratio" not in foreseen(folder)


def test_what_is_left_of_the_cohort_is_foreseen(folder: Path) -> None:
    for row in read_rows(folder):
        if row["outcome"] == "malignant":
            (folder / row["image"]).unlink()
    (stop,) = check_study(folder, workers=1).stops
    assert stop.code == "one-outcome"
    assert stop.message.startswith("Without the cases that cannot be measured: All 12 eligible")
    with pytest.raises(DataError, match=r"^Without the cases .* All 12 eligible .* rules\.$"):
        verbs.run(open_study(folder))


def test_of_a_design_with_parts_those_that_cannot_be_fitted_are_warned_of(folder: Path) -> None:
    def centres(rows: list[dict]) -> None:
        for k, row in enumerate(rows):
            row["centre"] = "A" if k < 20 else "B"

    change(folder, centres)
    say(folder, "split: {design: leave_one_centre_out}\n")
    warning = foreseen(folder)["too-few-patients"]
    assert warning.severity == "warning"
    assert "in the part 'centre A' of the design" in warning.message


def test_a_cause_of_many_cases_is_one_line() -> None:
    found = tuple(
        Finding(f"P{k:03}", "R1", "warning", "small", f"P{k:03}.nrrd: {k} voxels", f"P{k:03}.nrrd")
        for k in range(84)
    )
    lines = Problems(84, findings=found).lines(100)
    assert lines == [
        "Look at these:",
        "  84 cases (P000, P001, P002 and 81 more), reader R1, the first: P000.nrrd: 0 voxels",
    ]


def test_a_link_in_results_that_leads_out_stops_a_run(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", n=4)
    (folder / "results").mkdir()
    (tmp_path / "other").mkdir()
    (folder / "results/store").symlink_to(tmp_path / "other")
    assert "leads-out" in {stop.code for stop in check_study(folder).stops}
    with pytest.raises(DataError, match="store in results is a link"):
        open_study(folder)
    assert not list((tmp_path / "other").iterdir())


def test_a_column_called_as_a_feature_is_foreseen(folder: Path) -> None:
    feature = open_study(folder).features[0].spell("ibsi")
    change(folder, lambda rows: [row.update({feature: "1.5"}) for row in rows])
    found = foreseen(folder)["taken-name"]
    assert (found.severity, repr(feature) in found.message) == ("error", True)
    assert [row.code for row in foresee_run(folder)[0].stops] == ["taken-name"]


def test_a_column_called_as_a_measure_of_the_bodies_is_foreseen(folder: Path) -> None:
    column = "morphometry:greatest_loss"
    change(folder, lambda rows: [row.update({column: "0.3"}) for row in rows])
    assert "taken-name" not in foreseen(folder)
    protocol = folder / "study.yaml"
    protocol.write_text(protocol.read_text() + "\nmorphometry: {}\n")
    assert repr(column) in foreseen(folder)["taken-name"].message
