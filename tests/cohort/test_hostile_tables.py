"""Tables that are broken or made to harm end in the project's own error, before memory is spent."""

import gzip
import io
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from centrum.cohort import read_manifest, text_file, workbook, xlsx
from centrum.cohort.sheet import read_sheet
from centrum.errors import ManifestError
from centrum.exchange import read_table
from tests.cohort.test_sheet import write_ods

ROWS = (
    ("case", "patient", "outcome", "age", "image", "mask"),
    ("P1", "A", "malignant", 71.5, "1.nrrd", "1m.nrrd"),
    ("P2", "B", "osteoporotic", 64, "2.nrrd", "2m.nrrd"),
)
SHEET = "xl/worksheets/sheet1.xml"
CSV = "\n".join(",".join(map(str, row)) for row in ROWS).encode()


def saved(path: Path, *change: tuple[str, str], part: str = SHEET) -> Path:
    """A workbook of `ROWS`, with texts of one of its parts replaced."""
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    plain = io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            for before, after in change if name == part else ():
                assert before in text
                text = text.replace(before, after, 1)
            new.writestr(name, text)
    return path


def refused(path: Path, read: Callable[[Path], object] = read_manifest) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        read(path)
    assert caught.value.file == path.name
    assert len(str(caught.value)) < 2000
    return caught.value


@pytest.mark.parametrize(
    ("left", "right", "columns"),
    [("A", "A", 1), ("A", "AA", 27), ("c", "D", 2), ("Z", "BA", 28), ("AAA", "XFD", 15682),
     ("D", "C", 0), ("D", "A", 0)],
)  # fmt: skip
def test_columns_of_an_area_of_a_workbook(left: str, right: str, columns: int) -> None:
    """XFD is the last of Excel's 16384 columns, AAA the 703rd."""
    assert xlsx._width(left.encode(), right.encode()) == columns


AGE = "<v>71.5</v>"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('t="n"><v>71.5', 't="s"><v>99999', "list index out of range"),
        (AGE, "<v>seventy</v>", "could not convert"),
        (AGE, "<v>" + "9" * 5000 + "</v>", "4300 digits"),
        (AGE, "<v>1e999</v>", "expected a number, found 'inf'"),
        (AGE, "<v>71.5", "mismatched tag"),
        ('r="D2"', 'r="D2" s="99"', "list index out of range"),
        ("<sheetData>", '<sheetData><row r="-1"><c r="A-1"/></row>', "not a readable XLSX"),
        ('r="D2"', 'r="XFD9000"', "row 9000: 16384 cells under 6 column headings"),
        ('r="D2"', 'r="XFD99999999"', "the table has more than 1048576 rows or 16384 columns"),
        ("</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
         "merged or linked cells"),
        ("</sheetData>", '</sheetData><hyperlinks><hyperlink ref="A1:XFD1048576"/></hyperlinks>',
         "merged or linked cells"),
        ("<worksheet", '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><worksheet',
         "not a readable XLSX"),
    ],
)  # fmt: skip
def test_a_damaged_sheet(tmp_path: Path, before: str, after: str, said: str) -> None:
    change = [(before, after)]
    if "DOCTYPE" in after:
        change = [(before, after), (AGE, "<v>&b;</v>")]
    path = saved(tmp_path / "cases.xlsx", *change)
    assert said in str(refused(path))


def test_a_hidden_column_without_end_takes_no_memory(tmp_path: Path) -> None:
    columns = '<cols><col min="9" max="2000000000" hidden="1"/></cols><sheetData>'
    path = saved(tmp_path / "cases.xlsx", ("<sheetData>", columns))
    assert len(read_manifest(path)) == 2


def test_a_date_that_is_none_is_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.active["D2"].number_format = "yyyy-mm-dd"
    book.active["D2"] = 10**9
    book.save(tmp_path / "cases.xlsx")
    assert "#VALUE!" in str(refused(tmp_path / "cases.xlsx"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a readable XLSX"),
        (b"PK\3\4", "not a readable XLSX"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "an old XLS workbook, or has a password",
        ),
        (CSV, "not a readable XLSX"),
    ],
)
def test_what_is_no_workbook(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "cases.xlsx").write_bytes(content)
    error = refused(tmp_path / "cases.xlsx")
    assert (said in str(error), error.code) == (True, "unreadable-table")


def test_an_encrypted_workbook(tmp_path: Path) -> None:
    path = saved(tmp_path / "cases.xlsx")
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 4)
    path.write_bytes(content)
    assert "it is encrypted" in str(refused(path))


def test_a_workbook_that_unpacks_to_more_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (saved(tmp_path / "cases.xlsx"), write_ods(tmp_path)):
        read_sheet(path)
        monkeypatch.setattr(workbook, "LARGEST_UNPACKED", 1000)
        error = refused(path)
        assert error.code == "too-large"
        assert "Remove what is not data" in error.remedy
        monkeypatch.undo()


ODS = """<o:document-content xmlns:o="{0}office:1.0" xmlns:t="{0}table:1.0" xmlns:x="{0}text:1.0">
<o:body><o:spreadsheet><t:table t:name="a">{1}</t:table></o:spreadsheet></o:body>
</o:document-content>"""
ROW = '<t:table-row{}><t:table-cell{} o:value-type="{}"><x:p>{}</x:p></t:table-cell></t:table-row>'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (ROW.format(' t:number-rows-repeated="1000000000"', "", "string", "a"), "8388608 cells"),
        (ROW.format("", ' t:number-columns-repeated="999999999"', "string", "a"), "8388608 cells"),
        (ROW.format("", ' t:number-columns-repeated="20000"', "string", "a"), "16384 columns"),
        (ROW.format(' t:number-rows-repeated="9" x="" ', "", "float", "a"), "nan"),
        (ROW.format(' t:number-rows-repeated="-3"', "", "string", "a"), "rows-repeated is -3"),
        (ROW.format(' t:number-rows-repeated="x"', "", "string", "a"), "invalid literal"),
        ("<t:table-row>" * 5000, "not a readable ODS"),
        (ROW.format("", "", "string", "<x:span>" * 5000 + "</x:span>" * 5000), "recursion depth"),
    ],
)
def test_a_damaged_ods(tmp_path: Path, more: str, said: str) -> None:
    path = write_ods(tmp_path, ODS, more)
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    assert said in str(caught.value) or said == "nan"
    assert caught.value.file == "cases.ods"


def test_counts_of_what_is_empty_take_no_memory(tmp_path: Path) -> None:
    lots = '<t:table-column t:number-columns-repeated="2000000000" t:visibility="collapse"/>'
    blanks = '<x:s x:c="2000000000"/>'
    more = lots + ROW.format("", "", "string", f"case{blanks}") + "<t:table-row "
    more += 't:number-rows-repeated="2000000000"><t:table-cell/></t:table-row>'
    assert read_sheet(write_ods(tmp_path, ODS, more)).header == ("case",)


def test_a_gzip_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cases.csv.gz"
    path.write_bytes(gzip.compress(CSV + b"\n" * 2**12))
    assert len(read_sheet(path).rows) == 2
    monkeypatch.setattr(text_file, "LARGEST_TEXT", 2**12)
    assert refused(path).code == "too-large"


def test_more_cells_than_a_table_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "MOST_CELLS", 10)
    (tmp_path / "cases.csv").write_bytes(CSV)
    for read in (read_manifest, read_table):
        error = refused(tmp_path / "cases.csv", read)
        assert error.code == "too-large"
        assert "more than 10 cells" in str(error)


def test_only_an_ordinary_file_is_a_table(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    os.mkfifo(tmp_path / "pipe.xlsx")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "pipe.csv")
    for name in ("pipe.csv", "pipe.xlsx", "folder.csv", "link.csv"):
        for read in (read_manifest, read_table):
            assert refused(tmp_path / name, read).code == "no-regular-file"
    assert refused(tmp_path / "none.csv").code == "no-file"
    (tmp_path / "cases.csv").write_bytes(CSV)
    (tmp_path / "good.csv").symlink_to(tmp_path / "cases.csv")
    assert len(read_manifest(tmp_path / "good.csv")) == 2
    for name in ("a\0b.csv", "a" * 300 + ".csv"):
        with pytest.raises(ManifestError):
            read_manifest(tmp_path / name)


NASTY = (b"\0", b"\xff", b'"', b"\n", b",", b"1e400", b"9" * 5000, b"\xed\xa0\x80", b"\xff\xfe")


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "xlsx", "ods"])
def test_no_change_of_bytes_ends_in_another_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"cases.{kind}"
    whole = {"csv": CSV, "csv.gz": gzip.compress(CSV)}.get(kind) or (
        saved(path) if kind == "xlsx" else write_ods(tmp_path)
    ).read_bytes()
    chance, own = random.Random(kind), 0
    for _ in range(150):
        content = bytearray(whole)
        at = chance.randrange(len(content))
        content[at : at + chance.choice((0, 1, 1, 4))] = chance.choice(NASTY)
        path.write_bytes(content)
        try:
            read_manifest(path)
        except ManifestError as error:
            own += bool(error.file)
    assert own > 20


def test_lines_that_are_not_utf_8_are_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Case-1_original_shape_Elong\xe4tion: 0.7\n")
    assert refused(tmp_path / "a.txt", read_table).code == "unknown-encoding"
