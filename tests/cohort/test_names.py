"""Names of cases, patients and columns that programs, files or eyes would take for another."""

import os
import re
from pathlib import Path

import pytest

from centrum.cohort import read_manifest
from centrum.cohort.identity import bare_id
from centrum.cohort.manifest import missing_files
from centrum.cohort.pseudonyms import KEY, read_key
from centrum.errors import ManifestError
from tests.cohort.conftest import Write

HEAD = "case,patient,outcome,image,mask"


def rows(case: str, patient: str = "B") -> list[str]:
    return [HEAD, "P1,A,malignant,i1,m1", f"{case},{patient},osteoporotic,i2,m2"]


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("None", "row 3, column 'case': 'None' is read by many programs as a missing value"),
        ("<NA>", "'<NA>' is read by many programs"),
        ("NaN", "row 3, column 'case': 'NaN' means that the value is missing"),
        ("null", "'null' means that the value is missing"),
        ("", "the cell is empty"),
        ("All", "a case cannot be called 'All'"),
        ("a/b", "no slash in it"),
        ("..", "no slash in it"),
        ("x" * 260, "260 characters in the cell, expected at most 200"),
        ("x" * 100_000, "100000 characters in the cell"),
        ("p 01", "'P1' and 'p 01'"),
        ("P1\u200b", "differ in leading zeros"),
        ("Ｐ1", "differ in leading zeros"),
    ],
)
def test_a_case_that_cannot_be_called_so(write: Write, case: str, said: str) -> None:
    with pytest.raises(ManifestError, match=re.escape(said)) as caught:
        read_manifest(write(*rows(case)))
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("case", ["index", "case", "con", "nano", "1e5", "007", "=1+1", "x" * 200])
def test_a_case_that_can(write: Write, case: str) -> None:
    assert read_manifest(write(*rows(case))).cases[1].id == case


@pytest.mark.parametrize("patient", ["None", "null", "nan", "NA", "<NA>", "NULL"])
def test_a_patient_whom_programs_take_for_nobody(write: Write, patient: str) -> None:
    with pytest.raises(
        ManifestError, match=r"row 3, column 'patient': '.*(means|is read)"
    ) as caught:
        read_manifest(write(*rows("P2", patient)))
    assert caught.value.code in ("no-name", "empty-cell")


@pytest.mark.parametrize("patient", ["a", "A ", "0A", "A\u00ad"])
def test_two_patients_that_are_one_to_the_eye(write: Write, patient: str) -> None:
    if patient == "0A":
        path = write(HEAD, "P1,A1,malignant,i1,m1", "P2,A01,osteoporotic,i2,m2")
    elif patient == "A ":
        path = write(HEAD, "P1,A B,malignant,i1,m1", "P2,AB,osteoporotic,i2,m2")
    else:
        path = write(*rows("P2", patient))
    with pytest.raises(ManifestError, match="the patient identifiers of rows 2, 3 differ in"):
        read_manifest(path)


def test_dashes_are_one_dash() -> None:
    assert {bare_id(f"P{dash}1") for dash in "-\u2010\u2011\u2013\u2014\uff0d"} == {"p-1"}


@pytest.mark.parametrize("head", ["reader", "Reader", "perturbation", "place in time", "region"])
def test_a_column_that_results_have(write: Write, head: str) -> None:
    with pytest.raises(ManifestError, match=f"column '{head}': this name is taken"):
        read_manifest(write(f"{HEAD},{head}", "P1,A,malignant,i1,m1,x"))


def test_a_reader_who_would_be_all_of_them(write: Write) -> None:
    with pytest.raises(ManifestError, match="a reader cannot be called 'all'"):
        read_manifest(write(f"{HEAD}:All", "P1,A,malignant,i1,m1"))


def test_a_head_that_is_a_whole_file(write: Write) -> None:
    with pytest.raises(ManifestError, match="a head of 5000 characters"):
        read_manifest(write(f"{HEAD},{'x' * 5000}", "P1,A,malignant,i1,m1,2"))


def test_a_number_that_no_computer_holds(write: Write) -> None:
    for text in ("1e400", "9" * 400, "-1E999"):
        with pytest.raises(ManifestError, match="expected a number, found"):
            read_manifest(
                write(f"{HEAD},psa", "P1,A,malignant,i1,m1,2.5", f"P2,B,malignant,i2,m2,{text}")
            )


def test_digits_of_other_scripts_are_numbers(write: Write) -> None:
    path = write(f"{HEAD},psa", "P1,A,malignant,i1,m1,٢٥", "P2,B,osteoporotic,i2,m2,१.५")
    assert [case.covariates["psa"] for case in read_manifest(path).cases] == [25.0, 1.5]


def test_a_path_that_no_system_has_is_one_case(write: Write) -> None:
    paths = ("i" * 300, "i" * 100_000, "i/" * 3000 + "x", "a" + "#/b" * 300)
    lines = [f"P{k},A{k},malignant,{path},{path}m" for k, path in enumerate(paths)]
    found = list(missing_files(read_manifest(write(HEAD, *lines))))
    assert [case.id for case, _, _ in found] == [f"P{k // 2}" for k in range(8)]
    assert all(problem.code == "missing-file" for _, _, problem in found)
    assert max(len(str(problem)) for _, _, problem in found) < 400


@pytest.mark.parametrize(
    "text",
    [
        b"what,name,pseudonym\ncase,\xff,P1\n",
        b'what,name,pseudonym\ncase,"a',
        b"what,name,pseudonym\nnobody,a,P1\n",
        b"what,name,pseudonym\ncase,a,\n",
        b"what,name,pseudonym\ncase,a\n",
        b"",
    ],
)
def test_a_key_that_is_damaged_is_not_taken_for_an_empty_one(tmp_path: Path, text: bytes) -> None:
    (tmp_path / KEY).write_bytes(text)
    with pytest.raises(ManifestError) as caught:
        read_key(tmp_path / KEY)
    assert caught.value.file == KEY


def test_a_key_that_is_a_pipe(tmp_path: Path) -> None:
    assert read_key(tmp_path / KEY) == ()
    os.mkfifo(tmp_path / KEY)
    with pytest.raises(ManifestError, match="no ordinary file"):
        read_key(tmp_path / KEY)


@pytest.mark.parametrize("error", ["#REF!", "#NAME?", "#DIV/0!", "Err:502"])
def test_an_error_of_a_spreadsheet_is_no_word(write: Write, error: str) -> None:
    for head in ("grade", "centre"):
        path = write(f"{HEAD},{head}", "P1,A,malignant,i1,m1,a", f"P2,B,osteoporotic,i2,m2,{error}")
        with pytest.raises(ManifestError, match=f"column '{head}': the cell holds the error"):
            read_manifest(path)
