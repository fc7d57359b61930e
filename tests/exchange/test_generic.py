"""Tables of any program: numbers as people save them, heads, ids and every refusal."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from centrum.cohort.numbers import parse_number
from centrum.errors import ManifestError
from centrum.exchange import FORMATS, read_table
from tests.exchange.conftest import Read, Refuse

TABLE = """\
ID,Patient,Diagnosis,Age (years),Centre,stage,T2_Mean,T2_SD
v1,007,malignant,71,Köln,II,1.5,0.5
v2,007,osteoporotic,64,Köln,,-2e3,NA
v3,008,malignant,,A,IV,3,4
"""


def test_columns_are_sorted_by_their_heads_and_cells(read: Read) -> None:
    table = read(TABLE)
    assert table.format == "generic"
    assert list(table.values) == ["T2_Mean", "T2_SD"]
    np.testing.assert_array_equal(table.values, [[1.5, 0.5], [-2000, np.nan], [3, 4]])
    assert list(table.known) == ["Patient", "Diagnosis", "Age (years)", "Centre", "stage"]
    assert list(table.known["Patient"]) == ["007", "007", "008"]
    assert list(table.known["stage"]) == ["II", None, "IV"]
    assert list(table.known["Age (years)"].isna()) == [False, False, True]
    assert any("known and no features: Patient, Diagnosis" in note for note in table.notes)


@pytest.mark.parametrize("head", ["Target", "outcome", "Label", "class", "status", "Diagnosis"])
def test_an_outcome_of_numbers_is_no_feature(read: Read, head: str) -> None:
    table = read(f"ID,{head},x\nA,0,1.5\nB,1,2.5\n")
    assert list(table.values) == ["x"]
    assert list(table.known[head]) == ["0", "1"]


def test_columns_with_two_values_are_noted(read: Read) -> None:
    table = read("ID,relapse,x\nA,0,1\nB,1,2\nC,1,3\n")
    assert any(note.endswith("categories or outcomes: relapse") for note in table.notes)


VARIANTS = {
    "semicolons and decimal commas": (";", ",", "utf-8"),
    "tabs": ("\t", ".", "utf-8"),
    "latin-1": (",", ".", "latin-1"),
    "BOM": (",", ".", "utf-8-sig"),
    "UTF-16": ("\t", ",", "utf-16"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_way_to_save_it(read: Read, variant: str) -> None:
    delimiter, mark, encoding = VARIANTS[variant]
    cells = [line.split(",") for line in TABLE.splitlines()]
    lines = "\r\n".join(delimiter.join(c.replace(".", mark) for c in row) for row in cells)
    table = read(lines, encoding=encoding)
    pd.testing.assert_frame_equal(table.values, read(TABLE).values)
    assert list(table.known["Centre"]) == ["Köln", "Köln", "A"]


def test_decimal_commas_in_quotes(read: Read) -> None:
    table = read('ID,x\nA,"3,14"\nB,"-0,5"\n')
    assert list(table.values["x"]) == [3.14, -0.5]
    assert "decimal commas read as points in 2 cells" in table.notes


def test_gzip_and_workbook(read: Read, tmp_path: Path) -> None:
    expected = read(TABLE).values
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    book = openpyxl.Workbook()
    for line in TABLE.splitlines():
        cells = line.split(",")
        numbers = [
            c if j == 1 or parse_number(c) is None else float(c) for j, c in enumerate(cells)
        ]
        book.active.append(numbers)
    book.save(tmp_path / "book.xlsx")
    for path in (packed, tmp_path / "book.xlsx"):
        pd.testing.assert_frame_equal(read_table(path).values, expected)
    packed.write_bytes(gzip.compress(TABLE.encode())[:-9])
    with pytest.raises(ManifestError, match=r"packed.csv.gz: not a readable gzip file"):
        read_table(packed)


def test_row_names_of_r_and_pandas(read: Read) -> None:
    lines = '"","x","z"\n"1",1,2.5\n"2",3,4\n'
    assert list(read(lines).values.index) == ["1", "2"]
    table = read(lines.replace('"x"', '"case"'))
    assert list(table.values) == ["z"]
    assert list(table.values.index) == ["1", "3"]
    assert list(table.known) == []


@pytest.mark.parametrize("head", ["", "Unnamed: 0", "X", "...1"])
def test_numbers_of_rows_are_no_feature(read: Read, head: str) -> None:
    lines = f"{head},ID,T2_Mean\n0,a,3\n1,b,4\n2,c,6\n"
    assert list(read(lines).values) == ["T2_Mean"]
    assert list(read(lines).known) == []
    moved = read("ID,T2_Mean,X\na,3,1\nb,4,2\n")
    assert list(moved.values) == ["T2_Mean", "X"]


REFUSED = {
    "row 3, column 'T2_Mean': expected a number, found '2 mm'": TABLE.replace("-2e3", "2 mm"),
    "row 4, column 'T2_SD': '1.234,5' may be a thousand or a decimal": TABLE.replace(
        ",4\n", ',"1.234,5"\n'
    ),
    "row 4, column 'T2_SD': '1,234' may be a thousand": TABLE.replace(",4\n", ',"1,234"\n'),
    "several columns have one name: 'T2_Mean' (7, 8)": TABLE.replace("T2_SD", "T2_Mean"),
    "column 7 has no name but values": TABLE.replace("T2_Mean", ""),
    "no column names the cases": TABLE.replace("ID,Patient", "a,b"),
    "rows without a case id: 3.": TABLE.replace("v2", ""),
    "with a case id that another row has too: 2, 4": TABLE.replace("v3", "v1"),
    "row 3: 9 cells under 8 column headings": TABLE.replace("-2e3", "-2,5"),
    "no column holds a feature": "ID,Age,name\nA,1,x\n",
    "there is no row below the header": "ID,x\n",
    "the table is empty": "",
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(refuse: Refuse, message: str) -> None:
    told = refuse(REFUSED[message])
    assert message in told
    assert told.startswith("table.csv: ")
    assert "007" not in told


def test_one_cause_in_many_cells_is_one_problem(refuse: Refuse) -> None:
    rows = "".join(f'v{k},"{k},{100 + k}"\n' for k in range(1, 42))
    assert refuse(f"ID,x\n{rows}").splitlines()[1:] == [
        "  row 2, column 'x': '1,101' may be a thousand or a decimal, and so may rows 3, 4, 5, 6, "
        "7 and 35 more. Write these numbers without separator of thousands, and with a decimal "
        "point."
    ]


def test_the_column_of_ids_can_be_told(read: Read, refuse: Refuse) -> None:
    lines = TABLE.replace("stage", "Stage Nr").replace(",,-2", ",III,-2")
    table = read(lines, id_column="stage nr")
    assert list(table.values.index) == ["II", "III", "IV"]
    assert list(table.known["ID"]) == ["v1", "v2", "v3"]
    assert "Stage Nr" not in table.known
    assert "no column 'nothing' to name the cases; found ID, Patient" in refuse(
        TABLE, id_column="nothing"
    )


SLICER = "Image type,Feature Class,Feature Name,P1\noriginal,glcm,Contrast,1\n"


@pytest.mark.parametrize(
    ("lines", "asked", "found"),
    [
        (TABLE, "pyradiomics", "generic"),
        (TABLE, "slicer", "generic"),
        (TABLE, "mirp", "generic"),
        (TABLE, "lifex", "generic"),
        (SLICER, "generic", "slicer"),
        (SLICER, "mirp", "slicer"),
        ("x,P1\noriginal_glcm_Contrast,1\n", "generic", "pyradiomics"),
    ],
)
def test_a_wrong_format_is_refused(refuse: Refuse, lines: str, asked: str, found: str) -> None:
    told = refuse(lines, format=asked)
    assert f"not a table of the format {asked!r}" in told
    assert f"It looks like {found!r}" in told
    assert lines.split(",")[0] in told


def test_an_unknown_format(refuse: Refuse) -> None:
    assert "no format 'ibex' of tables. Known are auto, slicer" in refuse(TABLE, format="ibex")
    line = "Case-1_original_glcm_Contrast: 1\n"
    assert "writes with --format txt" in refuse(line, "t.txt", format="slicer")


@pytest.mark.parametrize("name", ["Arita2018", "ISPY1", "Sasaki2019"])
def test_tables_of_published_studies(reference: Path, name: str) -> None:
    path = reference / "modelling" / "tables" / f"{name}.csv.gz"
    table, plain = read_table(path), pd.read_csv(path)
    assert table.format == "generic"
    assert list(table.values) == [head.strip() for head in plain if head not in ("ID", "Target")]
    np.testing.assert_array_equal(table.values, plain.drop(columns=["ID", "Target"]))
    assert list(table.known) == ["Target"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.floats(allow_nan=True, allow_infinity=False), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_any_numbers_are_read_as_pandas_writes_them(tmp_path: Path, numbers: list) -> None:
    frame = pd.DataFrame([[0.5, 0.5], *numbers], columns=["x", "z"])
    frame.insert(0, "case", [f"c{k}" for k in frame.index])
    frame.to_csv(tmp_path / "t.csv", index=False)
    np.testing.assert_array_equal(read_table(tmp_path / "t.csv").values, frame[["x", "z"]])


# Columns of numbers that are no features

LONG = pd.DataFrame({"ID": [f"v{k}" for k in range(12)], "x": np.linspace(0.1, 0.9, 12)})


@pytest.mark.parametrize(
    ("head", "cells", "told"),
    [
        ("No.", range(1, 13), "a running number"),
        ("order", range(40, 16, -2), "a running number"),
        ("lot", [7, 3, 1, 2, 12, 11, 10, 9, 8, 6, 5, 4], "a running number"),
        ("MRN", [904, 11, 87, 5, 1234, 3, 77, 65, 4, 31, 2, 900], "an id"),
        ("code", [910000 - 777 * (k % 5) + k for k in range(12)], "an id"),
        ("lab", [f"0{7 * k % 12 + 5}" for k in range(12)], "an id"),
        ("scanned", [20240102 + k % 3 for k in range(12)], "a date"),
        ("Scan date", [45000 + 31 * (k % 7) for k in range(12)], "a date"),
        ("Jahr", [2019 + k % 4 for k in range(12)], "a date"),
        ("slices", [11] * 12, "the same in all rows"),
    ],
)
def test_what_is_no_feature(save: Callable, head: str, cells: list, told: str) -> None:
    path = save(LONG.assign(**{head: list(cells)}).to_csv(index=False))
    table = read_table(path)
    assert (list(table.values), list(table.known)) == (["x"], [])
    assert table.no_features == {head: told}
    assert list(read_table(path, keep=[head]).values) == ["x", head]


@pytest.mark.parametrize(
    "cells",
    [
        [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8],
        [31, 1, 4, 12, 5, 9, 2, 6, 55, 3, 57, 8],
        [0.5 * k for k in range(12)],
    ],
)
def test_what_may_be_one(save: Callable, cells: list) -> None:
    table = read_table(save(LONG.assign(volume=cells).to_csv(index=False)))
    assert list(table.values) == ["x", "volume"]


def test_what_is_kept_must_be_there(save: Callable) -> None:
    path = save(LONG.to_csv(index=False))
    with pytest.raises(ManifestError, match=r"no column of numbers is called 'No\.'"):
        read_table(path, keep=["No."])
    with pytest.raises(ManifestError, match="are for generic tables"):
        read_table(save("ID,original_glcm_Idm\nA,1\n"), keep=["No."])


def test_undefined_cells_are_missing_and_named(read: Read) -> None:
    table = read("ID,x,z\nA,#DIV/0!,1\nB,2,-inf\nC,3,#WERT!\n")
    np.testing.assert_array_equal(table.values, [[np.nan, 1], [2, np.nan], [3, np.nan]])
    assert (
        "undefined, and read as missing: #DIV/0! in row 2, column 'x', -inf in row 3, column 'z', "
        "#WERT! in row 4, column 'z'"
    ) in table.notes


def test_titles_and_units_around_the_heads(read: Read) -> None:
    table = read("Export of 2024\nID,T2_Mean,T2_SD\n,mm,a.u.\nA,1.5,2\nB,2.5,3\n")
    assert table.values.shape == (2, 2)
    assert table.notes[:2] == (
        "row 1 above the column headings skipped as a title",
        "row 3 below the column headings was read as their units",
    )


words = st.sampled_from(
    [
        *("", "ID", "case", "Patient", "Image", "Image type", "Feature Class", "Feature Name"),
        *("Label", "Value", "sample_name", "stat_mean", "INFO_NameOfRoi", "GLCM_Contrast", "name"),
        *("original_glcm_Idm", "diagnostics_x_y", "X10Percentile", "P1", "P2", "NA", "nan", "x.1"),
        *(
            "0.5",
            "-2",
            "1,234",
            "3,5",
            "inf",
            "1e400",
            "(1, 2)",
            '"',
            "Case-1_original_glcm_Idm: 1",
        ),
    ]
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(words, min_size=1, max_size=6), max_size=5),
    delimiter=st.sampled_from([",", ";", "\t"]),
    form=st.sampled_from(["auto", "auto", "auto", *FORMATS]),
    end=st.sampled_from(["csv", "txt"]),
)
def test_any_table_is_read_or_refused(
    tmp_path: Path, rows: list, delimiter: str, form: str, end: str
) -> None:
    path = tmp_path / f"t.{end}"
    path.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    try:
        table = read_table(path, format=form)
    except ManifestError:
        return
    assert table.values.size
    assert table.values.index.is_unique
    assert table.values.columns.is_unique
    assert set(table.values.dtypes) == {np.dtype(float)}
    assert table.known.index.equals(table.values.index)
    assert table.known.columns.is_unique
    assert table.values.index.name == "case"
