"""Tables as people save them: heads, delimiters, encodings, numbers, and what workbooks hide."""

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from centrum.cohort import read_manifest
from centrum.cohort.numbers import read_typed
from centrum.cohort.sheet import Sheet, read_sheet
from centrum.cohort.text_file import MOST_CELLS
from centrum.errors import ManifestError
from tests.cohort.test_manifest import refusal

Write = Callable[..., Path]


def text_sheet(tmp_path: Path, text: str, encoding: str = "utf-8") -> Sheet:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    return read_sheet(path)


# Text files

ROWS = "P1;71,5;i\nP2;64,0;j\n"


@pytest.mark.parametrize(
    ("above", "head_row"),
    [
        ('"Case\nID";"age\n(years)";image\n', 1),
        ("sep=;\nCase ID;age (years);image\n", 1),
        ('"sep=;"\r\nCase ID;age (years);image\n', 1),
        ("Cohort, centre A, 2024\nCase ID;age (years);image\n", 2),
        ("\nCohort;;\n(all)\nCase ID;age (years);image\n", 4),
        (";Patient;\nCase ID;age (years);image\n", 2),
        ("Case ID;;\n;age (years);image\n", 2),
        ("Case ID;age (years);Files\n;;image\n", 2),
    ],
)
def test_the_heads_are_found(tmp_path: Path, above: str, head_row: int) -> None:
    sheet = text_sheet(tmp_path, above + ROWS)
    assert sheet.header == ("Case ID", "age (years)", "image")
    assert [cells for _, cells in sheet.rows] == [("P1", "71,5", "i"), ("P2", "64,0", "j")]
    assert sheet.head_row == head_row
    assert [number for number, _ in sheet.rows] == [head_row + 1, head_row + 2]


def test_what_was_passed_over_is_noted(tmp_path: Path) -> None:
    title = text_sheet(tmp_path, "Cohort\nof 2024\ncase;age\nP1;7\n")
    assert title.notes == ("rows 1 to 2 above the column headings skipped as a title",)
    two = text_sheet(tmp_path, "case;;\n;age;image\nP1;7;i\n")
    assert two.notes == ("the column headings take two rows, 1 and 2",)
    units = text_sheet(tmp_path, "case,age,x,y\n-,[years],mm,a.u.\nP1,7,1,2\n")
    assert units.notes == ("row 2 below the column headings was read as their units",)
    assert len(units.rows) == 1


@pytest.mark.parametrize(
    "text", ["case,sex\nm,m\nP2,w\n", "case,kind\nP1,image\nP2,mask\n", "x,y\nP1,case\n"]
)
def test_a_row_of_values_is_no_head(tmp_path: Path, text: str) -> None:
    assert len(text_sheet(tmp_path, text).rows) == text.count("\n") - 1


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_delimiter_is_told_by_the_heads(tmp_path: Path, mark: str) -> None:
    other = ";" if mark != ";" else ","
    row = f"P1{mark}1{other}5{mark}0{other}5{other}2\n"
    assert text_sheet(tmp_path, f"case{mark}a{mark}b\n{row}").header == ("case", "a", "b")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("case,性别\nP1,男\n", "gbk"),
        ("case,性別\nP1,男\n", "shift_jis"),
        ("case,性別\nP1,男\n", "big5"),
        ("case,성별\nP1,남\n", "euc_kr"),
        ("case,Пол\nP1,муж\n", "cp1251"),
        ("case,Nowak\nP1,Wałbrzych\n", "cp1250"),
    ],
)
def test_an_encoding_that_cannot_be_told_is_refused(
    tmp_path: Path, text: str, encoding: str
) -> None:
    with pytest.raises(ManifestError, match=r"encoding cannot be told.*Save it as UTF-8") as caught:
        text_sheet(tmp_path, text, encoding)
    assert caught.value.code == "unknown-encoding"


@pytest.mark.parametrize(
    "words", ["Größe", "Höhe", "Köln – 10 °–20 °", "l’âge", "5 € „gut“", "mm² kg/m³", "Übergröße"]
)
def test_western_text_is_read_and_noted(tmp_path: Path, words: str) -> None:
    sheet = text_sheet(tmp_path, f"case,x\nP1,{words}\n", "cp1252")
    assert sheet.rows[0][1][1] == words
    assert "read as cp1252" in sheet.notes[0]


# Numbers


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1,234", "71,5"], [1.234, 71.5]),
        (["1,234", "0,567"], [1.234, 0.567]),
        (["1,234.5", "12,050", "3.25"], [1234.5, 12050, 3.25]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1.234,5", "12.050", "3,25"], [1234.5, 12050, 3.25]),
        (["1 234", "1\u202f234,5", "1'234.5"], [1234, 1234.5, 1234.5]),
        (["1.234", "5.6"], [1.234, 5.6]),
        (["\u22125", "+2", "1e-3"], [-5, 2, 0.001]),
    ],
)
def test_numbers_that_say_what_their_marks_mean(texts: list[str], values: list[float]) -> None:
    found = read_typed(dict(enumerate(texts)))
    assert list(found.values.values()) == values
    assert not found.unclear


@pytest.mark.parametrize(
    ("texts", "unclear"),
    [
        (["1,234"], [0]),
        (["12,050", "567", "1,234"], [0, 2]),
        (["1,234", "5.6"], [0]),
        (["1.234", "71,5"], [0]),
        (["1,234.5", "71,5"], [1]),
        (["1.234,5", "5.6"], [1]),
        (["1,234.5", "1.234,5"], [1]),
    ],
)
def test_numbers_that_do_not(texts: list[str], unclear: list[int]) -> None:
    assert list(read_typed(dict(enumerate(texts))).unclear) == unclear


def covariate(write: Write, *values: str) -> Path:
    rows = [f"v{k},malignant,{text},i{k},m{k}" for k, text in enumerate(values)]
    return write("case,outcome,x,image,mask", *rows)


def test_thousands_are_refused_or_noted(write: Write) -> None:
    lines = refusal(covariate(write, '"1,234"', "567"))
    assert "row 2, column 'x': '1,234' may be a thousand or a decimal. Write" in lines[1]
    cohort = read_manifest(covariate(write, '"1,234.5"', '"1,234"', "567"))
    assert [case.covariates["x"] for case in cohort.cases] == [1234.5, 1234.0, 567.0]
    assert "column 'x': thousands separators removed in rows 2, 3" in cohort.notes


def test_blanks_and_apostrophes_between_thousands_are_noted(write: Write) -> None:
    cohort = read_manifest(covariate(write, "1'234", "1 234.5", "567"))
    assert [case.covariates["x"] for case in cohort.cases] == [1234, 1234.5, 567]
    assert "column 'x': thousands separators removed in rows 2, 3" in cohort.notes


@pytest.mark.parametrize("mark", ["NULL", "-", "k.A.", ".", "#N/A"])
def test_marks_of_what_is_missing_are_noted(write: Write, mark: str) -> None:
    cohort = read_manifest(covariate(write, mark, "2"))
    assert [case.covariates["x"] for case in cohort.cases] == [None, 2.0]
    assert f"column 'x': {mark!r} read as missing in rows 2" in cohort.notes
    signs = read_manifest(covariate(write, "-", "+", ""))
    assert [case.covariates["x"] for case in signs.cases] == ["-", "+", None]


def test_codes_of_what_is_missing_are_named(write: Write) -> None:
    lines = refusal(covariate(write, "-999", "27.1"))
    assert "-999 beside numbers that are not negative is a code for what is missing" in lines[1]
    cohort = read_manifest(covariate(write, "999", "27.1"))
    assert any("999 in rows 2 was read as a number" in note for note in cohort.notes)
    assert read_manifest(covariate(write, "-99", "-20")).cases[0].covariates["x"] == -99


# Workbooks


def workbook(tmp_path: Path, rows: list[list[object]]) -> tuple[Path, openpyxl.Workbook]:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return tmp_path / "t.xlsx", book


HEADS: list[object] = ["case", "patient", "outcome", "age", "image", "mask"]
CASES: list[list[object]] = [
    ["v1", "p1", "malignant", 61, "i1", "m1"],
    ["v2", "p1", "malignant", None, "i1", "m2"],
    ["v3", "p3", "osteoporotic", 63, "i3", "m3"],
]


def test_formulas_without_a_value_are_named(tmp_path: Path) -> None:
    rows = [HEADS, *([*row[:3], "=60+1", *row[4:]] for row in CASES)]
    path, book = workbook(tmp_path, rows)
    book.save(path)
    lines = refusal(path)
    assert lines[1].startswith("  row 2: the formulas of D2, D3, D4 have no stored value. Open")


def test_merged_cells_hold_for_their_rows(tmp_path: Path) -> None:
    path, book = workbook(tmp_path, [HEADS, *CASES])
    book.active.merge_cells("D2:D3")
    book.active.merge_cells("B2:B3")
    book.save(path)
    cohort = read_manifest(path)
    assert [case.age for case in cohort.cases] == [61, 61, 63]
    assert sum("their value holds for each of these rows" in n for n in cohort.notes) == 2
    book.active.merge_cells("C4:D4")
    book.save(path)
    assert "the cells C4 to D4 are merged across columns" in refusal(path)[1]


def test_hidden_rows_columns_and_sheets(tmp_path: Path) -> None:
    path, book = workbook(tmp_path, [HEADS, *CASES])
    book.active.row_dimensions[3].hidden = True
    book.active.column_dimensions["D"].hidden = True
    cover = book.create_sheet("cover", 0)
    cover.sheet_state = "hidden"
    book.save(path)
    notes = read_manifest(path).notes
    assert notes[0] == "sheet 'Sheet' was read, not cover"
    assert notes[1].startswith("hidden rows (by hand or by a filter) were read: 3;")
    assert notes[2] == "hidden columns were read: D"


def test_leading_zeros_that_a_format_shows_are_kept(tmp_path: Path) -> None:
    path, book = workbook(tmp_path, [["case", "age"], [7, 71], [12, 64]])
    for row in (2, 3):
        book.active.cell(row, 1).number_format = "000"
    book.save(path)
    assert [cells for _, cells in read_sheet(path).rows] == [("007", "71"), ("012", "64")]
    shown = ODS.replace("<text:p>v1</text:p>", "<text:p>007</text:p>", 1)
    shown = shown.replace('<table:table-cell><text:p>007', '<table:table-cell '
                          'office:value-type="float" office:value="7"><text:p>007')  # fmt: skip
    assert read_sheet(write_ods(tmp_path, shown)).rows[0][1][0] == "007"


def test_dates_and_truth_values_where_none_belong(tmp_path: Path) -> None:
    made = datetime.datetime(2026, 1, 2)
    rows = [list(row) for row in CASES]
    rows[0][0], rows[1][0], rows[2][1] = made, True, made
    heads = [*HEADS, "grade", "follow-up"]
    for row, grade, seen in zip(rows, ["2-3", made, "1-2"], ["lost", made, "lost"], strict=True):
        row += [grade, seen]
    path, book = workbook(tmp_path, [heads, *rows])
    book.save(path)
    lines = refusal(path)
    assert [line.split(".")[0] for line in lines[1:]] == [
        "  row 2, column 'case': the cell holds a date, which is no identifier",
        "  row 3, column 'case': the cell holds a truth value, which is no identifier",
        "  row 3, column 'grade': the cell holds a date among words such as 2-3",
        "  row 4, column 'patient': the cell holds a date, which is no identifier",
    ]


def test_ids_that_were_made_dates_in_a_text(write: Write) -> None:
    head, rest = "case,outcome,image,mask", "malignant,i,m"
    lines = refusal(write(head, f"2-Jan,{rest}"))
    assert "row 2, column 'case': the cell holds a date, which is no identifier" in lines[1]
    assert len(refusal(write(head, f"2026-01-02,{rest}", "1-1-b,malignant,j,n"))) == 2
    assert len(read_manifest(write(head, f"2026-01-02,{rest}"))) == 1


ODS = """<office:document-content xmlns:office="{0}office:1.0" xmlns:table="{0}table:1.0"
 xmlns:text="{0}text:1.0" xmlns:style="{0}style:1.0"><office:body><office:spreadsheet>
<table:table table:name="Cases">
<table:table-column table:number-columns-repeated="3"/>
<table:table-column table:visibility="collapse"/>
<table:table-row><table:table-cell><text:p>case</text:p></table:table-cell>
<table:table-cell><text:p>out<text:span>come</text:span></text:p></table:table-cell>
<table:table-cell><text:p>age</text:p></table:table-cell>
<table:table-cell><text:p>image</text:p></table:table-cell>
<table:table-cell><text:p>mask</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>
<table:table-row><table:table-cell><text:p>v1</text:p></table:table-cell>
<table:table-cell table:number-rows-spanned="2"><text:p>malignant</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="71.5"><text:p>72</text:p>
</table:table-cell>
<table:table-cell><text:p>i</text:p></table:table-cell>
<table:table-cell><text:p>m</text:p></table:table-cell></table:table-row>
<table:table-row table:visibility="filter"><table:table-cell><text:p>v2</text:p></table:table-cell>
<table:covered-table-cell/>
<table:table-cell office:value-type="float" office:value="64"{1}/>
<table:table-cell><text:p>j</text:p></table:table-cell>
<table:table-cell><text:p>n</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="1048000"><table:table-cell
 table:number-columns-repeated="16384"/></table:table-row>
</table:table><table:table table:name="codes"/></office:spreadsheet></office:body>
</office:document-content>"""


def write_ods(tmp_path: Path, text: str = ODS, more: str = "") -> Path:
    path = tmp_path / "cases.ods"
    with zipfile.ZipFile(path, "w") as archive:
        text = text.format("urn:oasis:names:tc:opendocument:xmlns:", more)
        archive.writestr("content.xml", text)
    return path


def test_ods(tmp_path: Path) -> None:
    cohort = read_manifest(write_ods(tmp_path))
    assert [(c.id, c.outcome, c.age, c.row) for c in cohort.cases] == [
        ("v1", "malignant", 71.5, 4), ("v2", "malignant", 64.0, 5)
    ]  # fmt: skip
    told = "\n".join(cohort.notes)
    assert "sheet 'Cases' was read, not codes" in told
    assert "hidden rows (by hand or by a filter) were read: 5" in told
    assert "hidden columns were read: D" in told
    assert "merged cells B4 to B5" in told
    assert "blank rows skipped: 2, 3" in told


def test_an_ods_that_is_damaged_or_too_large(tmp_path: Path) -> None:
    assert "has no sheet" in refusal(write_ods(tmp_path, "<a/>"))[0]
    assert "not a readable ODS spreadsheet" in refusal(write_ods(tmp_path, "<a>"))[0]
    lots = ' table:number-columns-repeated="99999999"'
    assert f"more than {MOST_CELLS} cells" in refusal(write_ods(tmp_path, more=lots))[0]
    many = ' table:number-columns-repeated="65537"'
    assert "more than 65536 copies of a cell" in refusal(write_ods(tmp_path, more=many))[0]
    (tmp_path / "cases.ods").write_bytes(b"PK")
    assert "not a readable ODS spreadsheet" in refusal(tmp_path / "cases.ods")[0]


# Heads, and what patients contradict


@pytest.mark.parametrize(
    "heads",
    [
        "Fall;Pat.-Nr.;Wirbel;Diagnose;Zentrum;Alter;Geschlecht;Bild;Maske",
        "ID;Patienten-ID;Höhe;Diagnose;Klinik;Alter (Jahre);Geschlecht (m/w);Bild;Maske:R1",
        "Case ID;Patient No.;Level;Diagnosis;Site;Age [y];Sex (M/F);Image;Mask",
        "caso;paciente;nivel;diagnóstico;centro;edad;sexo;imagen;máscara",
        "编号;患者;椎体;诊断;中心;年龄;性别;图像;掩膜",
    ],
)
def test_heads_in_other_languages(tmp_path: Path, heads: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(f"{heads}\nv1;p1;LWK 1;malignant;A;71,5;weiblich;i;m\n", encoding="utf-8")
    (case,) = read_manifest(path).cases
    known = (case.id, case.patient, str(case.level), case.centre, case.age, case.sex)
    assert known == ("v1", "p1", "L1", "A", 71.5, "F")
    assert case.covariates == {}


def test_a_unit_may_say_that_a_head_is_another(write: Write) -> None:
    path = write("case,outcome,Age (months),image,mask", "v1,malignant,840,i,m")
    (case,) = read_manifest(path).cases
    assert (case.age, case.covariates) == (None, {"Age (months)": 840.0})


PATIENTS = "case,patient,outcome,age,sex,centre,image,mask"


def patients(write: Write, *rows: str) -> Path:
    return write(PATIENTS, *(f"{row},i{k},m{k}" for k, row in enumerate(rows)))


def test_patients_of_two_sexes_ages_and_centres(write: Write) -> None:
    cohort = read_manifest(patients(write, "v1,p,malignant,71,F,A", "v2,p,malignant,45,M,A"))
    sexes, ages = cohort.notes[:2]
    assert "one patient has the sexes F and M in rows 2 (case v1), 3 (case v2)" in sexes
    assert "the ages of one patient differ by 26 years in rows 2 (case v1)" in ages
    assert {(case.age, case.sex) for case in cohort.cases} == {(None, None)}
    cohort = read_manifest(patients(write, "v1,p,malignant,71,F,A", "v2,p,malignant,73,F,B"))
    assert cohort.notes[:2] == (
        "the ages of one patient differ by 2 years in rows 2 (case v1), 3 (case v2)",
        "one patient belongs to the centres A, B in rows 2 (case v1), 3 (case v2)",
    )
    same = read_manifest(patients(write, "v1,p,malignant,71,F,A", "v2,p,malignant,72,F,A"))
    assert not any("one patient" in note for note in same.notes)


@pytest.mark.parametrize(("one", "two"), [("007", "7"), ("P1", "P 1"), ("P-012", "p-12")])
def test_ids_that_may_be_one(write: Write, one: str, two: str) -> None:
    cases = refusal(patients(write, f"{one},p,malignant,,,", f"{two},q,malignant,,,"))
    assert f"({one!r} and {two!r}) of rows 2, 3 differ in leading zeros, capitals" in cases[1]
    lines = refusal(patients(write, f"v,{one},malignant,,,", f"w,{two},malignant,,,"))
    assert "the patient identifiers of rows 2, 3 differ" in lines[1]
    assert one not in lines[1]
