"""Tables of LIFEx."""

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from centrum.exchange import read_table
from tests.exchange.conftest import Read, Refuse

NEW = """\
INFO_PatientName;INFO_PatientID;INFO_NameOfRoi;PARAMS_BinSize;MORPHOLOGICAL_Volume(IBSI:RNU0)[mL];MORPHOLOGICAL_Centroid(IBSI:No)[vx];INTENSITY-BASED_MeanIntensity(IBSI:Q4LE)[];GLCM_Contrast(IBSI:ACUI)
Meyer^Anna;17;L1;25;12,5;3|4|5;100,25;1,5
Smith^John;18;L2;25;10,0;3|4|6;NaN;2,5
"""
OLD = "INFO_PatientName,CONVENTIONAL_HUmean,SHAPE_Volume(mL),GLZLM_SZE\n"
FEATURES = [
    "MORPHOLOGICAL_Volume(IBSI:RNU0)[mL]",
    "INTENSITY-BASED_MeanIntensity(IBSI:Q4LE)[]",
    "GLCM_Contrast(IBSI:ACUI)",
]


def test_a_table_of_version_7(read: Read) -> None:
    table = read(NEW)
    assert table.format == "lifex"
    assert list(table.values) == FEATURES
    assert list(table.values.index) == ["L1", "L2"]
    np.testing.assert_array_equal(table.values, [[12.5, 100.25, 1.5], [10, np.nan, 2.5]])
    assert list(table.known) == ["INFO_PatientName", "INFO_PatientID", "PARAMS_BinSize"]
    assert any("Centroid" in note and "no numbers" in note for note in table.notes)
    assert any("decimal commas" in note for note in table.notes)
    assert "Meyer" not in str(table.notes)


def test_a_second_header(read: Read) -> None:
    head, *rows = NEW.splitlines(True)
    table = read("".join([head, ";;;;mL;vx;;\n", *rows]))
    np.testing.assert_array_equal(table.values, read(NEW).values)
    assert "row 2 read as a second header" in table.notes


def test_patients_name_cases_only_if_nothing_else_does(read: Read, refuse: Refuse) -> None:
    same = NEW.replace(";L2;", ";L1;")
    assert list(read(same).values.index) == ["17", "18"]
    table = read(OLD + "Meyer^Anna,1,2,3\nSmith^John,1,2,3\n")
    assert list(table.values.index) == ["Meyer^Anna", "Smith^John"]
    assert any("names patients: put pseudonyms" in note for note in table.notes)
    assert list(read(f"ID,{OLD}A7,Meyer^Anna,1,2,3\n").values.index) == ["A7"]
    message = refuse(OLD + "Meyer^Anna,1,2,3\nMeyer^Anna,1,2,3\n")
    assert "2, 3" in message
    assert "Meyer" not in message


def test_the_place_of_a_bad_cell(refuse: Refuse) -> None:
    assert "row 3, column 'GLZLM_SZE': expected a number, found '4 mL'" in refuse(
        OLD + "A,1,2,3\nB,1,2,4 mL\n"
    )


def test_a_workbook(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    rows = [
        ["INFO_NameOfRoi", "CONVENTIONAL_mean", "GLCM_Contrast"],
        ["L1", 0.1, 3],
        ["L2", 1 / 3, None],
    ]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "table.xlsx")
    table = read_table(tmp_path / "table.xlsx")
    assert table.format == "lifex"
    np.testing.assert_array_equal(table.values, [[0.1, 3], [1 / 3, np.nan]])


@pytest.mark.parametrize("head", ["GLCM_Contrast", "CONVENTIONAL_mean"])
def test_features_alone_are_told_by_their_groups(read: Read, head: str) -> None:
    lines = f"ID,{head}\nA,1\n"
    assert read(lines).format == ("lifex" if head.startswith("CONV") else "generic")
    assert read(lines, format="lifex").format == "lifex"
