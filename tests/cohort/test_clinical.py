"""A clinical table put to the cases that were found in a folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from centrum.cohort import Case, Level, read_manifest
from centrum.cohort.clinical import ClinicalTable, Merged, merge_table
from centrum.cohort.discover import Discovery
from centrum.cohort.patterns import LAYOUTS
from centrum.errors import DataError, ManifestError

OUTCOMES = ("malignant", "osteoporotic")

CASES = (
    Case("Anna_T12", "Anna", "", Level("T", 12)),
    Case("Anna_L1", "Anna", "", Level("L", 1)),
    Case("Berta_L2", "Berta", "", Level("L", 2)),
    Case("Carla", "Carla", ""),
)

TABLE = """\
Pat.-ID;Diagnose;Alter;Geschlecht;Klinik;PSA
Anna;Metastase;71,5;weiblich;A;
Berta;Osteoporose;64;w;A;1,5
Carla;Osteoporose;80;w;B;2,0
Doris;Metastase;55;w;B;3,0
"""

Merge = Callable[..., Merged]


@pytest.fixture
def merge(tmp_path: Path) -> Merge:
    """Put a table of this text to the cases."""

    def _merge(text: str = TABLE, cases: tuple[Case, ...] = CASES, **said: object) -> Merged:
        path = tmp_path / "clinic.csv"
        path.write_text(text, encoding="utf-8")
        said = {"positive": ("metastase",)} | said
        return merge_table(cases, ClinicalTable(path, **said), OUTCOMES)  # type: ignore[arg-type]

    return _merge


def test_a_table_by_patient(merge: Merge) -> None:
    found = merge()
    assert [case.outcome for case in found.cases] == [*["malignant"] * 2, *["osteoporotic"] * 2]
    assert [case.age for case in found.cases] == [71.5, 71.5, 64, 80]
    first, last = found.cases[0], found.cases[-1]
    assert (first.sex, first.centre, first.covariates) == ("F", "A", {"PSA": None})
    assert last.covariates == {"PSA": 2.0}
    assert found.without == ()
    assert found.lines[:2] == (
        "3 of 4 ids of clinic.csv match, and of 3 ids of the patients of the folder",
        "rows of clinic.csv without a case: 5",
    )
    assert "rows were joined to cases by the patient in the column 'Pat.-ID'" in found.lines


def test_names_stay_behind(merge: Merge) -> None:
    heads, *rows = TABLE.splitlines()
    more = [f"{row};Meier;01.02.1950;12.03.2024;{4711 + k}" for k, row in enumerate(rows)]
    text = "\n".join([f"{heads};Nachname;Geburtsdatum;MRT-Datum;MRN", *more])
    found = merge(text)
    assert found.cases[0].covariates == {"PSA": None, "MRT-Datum": "12.03.2024"}
    assert "columns of names and identifiers left out: Nachname, Geburtsdatum, MRN" in found.lines


def test_cases_without_a_row_are_called_as_they_are_by_then(merge: Merge) -> None:
    found = merge(TABLE.replace("Berta", "Dora"), min_share=0.5)
    assert found.without == (2,)
    assert found.told(["v1", "v2", "v3", "v4"])[-1] == "cases without a row in the table: v3"
    assert not any("Dora" in line or "Berta" in line for line in found.lines)


def test_a_table_by_case_and_a_column_that_is_named(merge: Merge) -> None:
    rows = "Schlüssel,d\nAnna_T12,Metastase\nAnna_L1,Osteoporose\nBerta_L2,Osteoporose\n"
    found = merge(rows, id_column="schlüssel", outcome_column="d")
    assert [case.outcome for case in found.cases[:2]] == ["malignant", "osteoporotic"]
    with pytest.raises(ManifestError, match="Say which one does: --id-column"):
        merge(rows, outcome_column="d")
    with pytest.raises(ManifestError, match="no id column 'nobody'; found Schlüssel, d"):
        merge(rows, outcome_column="d", id_column="nobody")
    with pytest.raises(ManifestError, match="no column of the outcome 'outcome'"):
        merge(rows)


def test_a_table_by_level(merge: Merge) -> None:
    rows = "Patient,Wirbel,Diagnose\nAnna,BWK 12,Metastase\nAnna,LWK 1,Osteoporose\n"
    found = merge(rows + "Berta,L3,Metastase\nCarla,L4,Metastase\n", min_share=0.5)
    assert [case.outcome for case in found.cases] == [
        "malignant", "osteoporotic", "", "malignant"
    ]  # fmt: skip
    assert found.cases[3].level == Level("L", 4)
    assert found.without == (2,)


def test_rows_of_one_patient_that_differ(merge: Merge) -> None:
    same = TABLE + "Anna;Metastase;71,5;weiblich;A;\n"
    assert merge(same).cases[0].age == 71.5
    with pytest.raises(ManifestError, match="rows 2, 6 are of one case and differ") as caught:
        merge(same.replace("71,5;weiblich;A;\n", "73;weiblich;A;\n", 1))
    assert caught.value.code == "several-rows"
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"positive": ()}, "says Metastase, Osteoporose: which of these is malignant"),
        ({"positive": ("Krebs",)}, "says Metastase, Osteoporose"),
        ({"positive": ("Metastase",), "negative": ("gut",)}, "says Metastase, Osteoporose"),
    ],
)
def test_outcomes_that_are_not_said(merge: Merge, said: dict, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        merge(**said)


def test_outcomes_in_several_words(merge: Merge) -> None:
    text = TABLE.replace("Doris;Metastase", "Doris;Myelom").replace("Carla;Osteoporose", "Carla;?")
    with pytest.raises(ManifestError, match="says Metastase, Osteoporose, \\?, Myelom"):
        merge(text)
    found = merge(text, positive=("Metastase", "Myelom"), negative=("Osteoporose",))
    assert [case.outcome for case in found.cases[2:]] == ["osteoporotic", ""]
    assert any("the outcome is left empty where the table says ?" in line for line in found.lines)


def test_the_words_of_the_protocol_need_not_be_said(merge: Merge) -> None:
    text = TABLE.replace("Metastase", "Malignant").replace("Osteoporose", "osteoporotic")
    assert merge(text, positive=()).cases[0].outcome == "malignant"


def test_ids_that_lost_their_zeros_are_refused(merge: Merge) -> None:
    cases = tuple(Case(f"{k:03d}", f"{k:03d}", "") for k in range(1, 151))
    rows = "ID,Diagnose\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(1, 151))
    with pytest.raises(DataError, match=r"51 of 150 ids of clinic\.csv match") as caught:
        merge(rows, cases, positive=("a",))
    assert "99 of the others differ from one of" in str(caught.value)
    assert "leading zeros, blanks, capitals or a prefix only" in str(caught.value)


def test_the_column_that_has_the_ids_is_named(merge: Merge) -> None:
    table = (
        "Pat.-Nr.;Ordner;Diagnose\n81;Anna;Metastase\n82;Berta;Osteoporose\n83;Carla;Osteoporose\n"
    )
    with pytest.raises(
        DataError, match=r"3 ids stand in the column 'Ordner': --id-column 'Ordner'"
    ):
        merge(table)
    assert not merge(table, id_column="Ordner").without


def test_a_registry_of_many_more_patients(merge: Merge) -> None:
    rows = TABLE + "".join(f"other{k};Metastase;70;m;A;\n" for k in range(50))
    assert merge(rows).without == ()


def test_what_is_wrong_is_told_by_row(merge: Merge) -> None:
    text = TABLE.replace("weiblich", "1").replace(";64;", ";alt;")
    with pytest.raises(ManifestError) as caught:
        merge(text)
    lines = str(caught.value).splitlines()
    assert lines[1].startswith("  row 2, column 'Geschlecht': expected M, F or O, found '1'")
    assert lines[2].startswith("  row 3, column 'Alter': expected a number, found 'alt'")


def test_what_was_merged_is_written_and_read_again(merge: Merge, tmp_path: Path) -> None:
    sources = [
        replace(case, images={"default": f"{k}.nrrd"}, masks={"R1": f"m{k}.nrrd"})
        for k, case in enumerate(CASES)
    ]
    found = merge(cases=tuple(sources), min_share=0.5)
    Discovery(tmp_path, LAYOUTS[0], found.cases, (), (), (), ()).write(tmp_path / "cases.csv")
    kept = [(c.outcome, c.level, c.age, c.sex, c.centre, c.covariates) for c in found.cases]
    read = read_manifest(tmp_path / "cases.csv").cases
    assert kept == [(c.outcome, c.level, c.age, c.sex, c.centre, c.covariates) for c in read]
