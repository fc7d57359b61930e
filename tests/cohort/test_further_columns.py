"""Columns are added to a manifest; every other byte of it stays."""

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, strategies as st

from centrum.cohort.further_columns import with_columns
from centrum.cohort.sheet import read_sheet
from centrum.errors import ManifestError

PATHS = {2: "readings/reader1/first/0f.seg.nrrd", 3: "readings/reader1/first/1e.seg.nrrd"}


def added(folder: Path, content: bytes, columns=None) -> bytes:
    path = folder / "cases.csv"
    path.write_bytes(content)
    return with_columns(path, columns or {"mask:reader1": {2: "a.nrrd", 3: "b.nrrd"}})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"case,image\nP1,1\nP2,2\n", b"case,image,mask:reader1\nP1,1,a.nrrd\nP2,2,b.nrrd\n"),
        # No line end behind the last row, and CRLF; semicolons; a byte order mark.
        (b"\xef\xbb\xbfcase;image\r\nP1;1\r\nP2;2",
         b"\xef\xbb\xbfcase;image;mask:reader1\r\nP1;1;a.nrrd\r\nP2;2;b.nrrd"),
        # Needless quotation marks, quoted delimiters, line breaks and quotation marks stay.
        (b'"case","ima""ge\n1",image\n"P1","a,b\r\nc",1\nP2,"",2\n',
         b'"case","ima""ge\n1",image,mask:reader1\n'
         b'"P1","a,b\r\nc",1,a.nrrd\nP2,"",2,b.nrrd\n'),
        # A first line that names the delimiter is not counted.
        (b"sep=;\r\ncase;image\r\nP1;1\r\nP2;2\r\n",
         b"sep=;\r\ncase;image;mask:reader1\r\nP1;1;a.nrrd\r\nP2;2;b.nrrd\r\n"),
        # Short and long rows, blanks around cells: the new cells stand under their head.
        (b"case, image ,\nP1\nP2, 2,,,\n",
         b"case, image ,,,,mask:reader1\nP1,,,,,a.nrrd\nP2, 2,,,,b.nrrd\n"),
    ],
)  # fmt: skip
def test_cells_stay_as_they_are_spelt(tmp_path, before, after):
    assert added(tmp_path, before) == after
    assert added(tmp_path, after) == after


def test_titles_blank_rows_and_units_stay(tmp_path):
    before = "My cohort, 2024\n\ncase,image,age\n,,years\nP1,1,70\n\nP2,2,71\n"
    after = added(tmp_path, before.encode(), {"mask:r": {5: "a", 7: "b"}}).decode()
    assert after == ("My cohort, 2024\n\ncase,image,age,mask:r\n,,years\nP1,1,70,a\n\nP2,2,71,b\n")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("marked", [True, False])
def test_utf_16_stays(tmp_path, codec, marked):
    mark = "\ufeff".encode(codec) if marked else b""
    found = added(tmp_path, mark + "case\timage\nP1\t1\nP2\t2\n".encode(codec))
    assert found == mark + "case\timage\tmask:reader1\nP1\t1\ta.nrrd\nP2\t2\tb.nrrd\n".encode(codec)


def test_a_western_table_stays_western(tmp_path):
    before = "case;image;Größe\nP1;1;3\nP2;2;4\n".encode("cp1252")
    assert added(tmp_path, before) == (
        "case;image;Größe;mask:reader1\nP1;1;3;a.nrrd\nP2;2;4;b.nrrd\n".encode("cp1252")
    )
    with pytest.raises(ManifestError, match="cp1252") as caught:
        added(tmp_path, before, {"mask:読者": {2: "a"}})
    assert caught.value.code == "not-in-encoding"


def test_a_column_that_is_there_is_filled_in_its_place(tmp_path):
    """However its head is spelt; rows that are not given keep theirs, and so does an equal cell."""
    before = b'case,"Mask: Reader1",image\nP1,"a.nrrd",1\nP2,,2\nP3,c.nrrd,3\n'
    assert added(tmp_path, before) == (
        b'case,"Mask: Reader1",image\nP1,"a.nrrd",1\nP2,b.nrrd,2\nP3,c.nrrd,3\n'
    )


def test_several_columns_stand_in_their_order(tmp_path):
    columns = {"mask:a": {2: "x"}, "motion": {2: "yes"}, "mask:b": {2: "y"}}
    assert added(tmp_path, b"case\nP1\n", columns) == b"case,mask:a,motion,mask:b\nP1,x,yes,y\n"


def test_what_a_spreadsheet_would_calculate_is_marked(tmp_path):
    assert added(tmp_path, b"case,image\nP1,1\n", {"mask:r": {2: "=1+1"}}) == (
        b"case,image,mask:r\nP1,1,'=1+1\n"
    )


def test_a_workbook_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "cases.xlsx"
    openpyxl.Workbook().save(path)
    before = path.read_bytes()
    with pytest.raises(ManifestError, match=r"Save it as cases\.csv") as caught:
        with_columns(path, {})
    assert caught.value.code == "not-plain-text"
    assert path.read_bytes() == before


TEXT = st.text(st.sampled_from("aÄ1 ,;\t|\"'\n=_\u3000"), max_size=6)


@st.composite
def tables(draw) -> tuple[bytes, int]:
    """An odd CSV file whose heads are known, and its number of cases."""
    delimiter = draw(st.sampled_from(",;\t|"))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    n = draw(st.integers(1, 4))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["case", "image", "patient", "note"])
    for k in range(n):
        cells = draw(st.lists(TEXT, min_size=0, max_size=3))
        writer.writerow([f"P{k}", *cells])
    content = text.getvalue()
    content = content if draw(st.booleans()) else content.removesuffix(end)
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return (mark + content).encode(), n


@given(tables())
def test_any_table_keeps_its_cells_and_is_closed_once(tmp_path_factory, table):
    content, n = table
    folder = tmp_path_factory.mktemp("study")
    path = folder / "cases.csv"
    path.write_bytes(content)
    before = read_sheet(path)
    columns = {"mask:r1": {row: f"readings/{row}" for row, _ in before.rows}, "motion": {2: "no"}}
    once = with_columns(path, columns)
    path.write_bytes(once)
    after = read_sheet(path)
    assert [n for n, _ in after.rows] == [n for n, _ in before.rows]
    for k, _ in enumerate(before.header):
        assert after.column(k) == before.column(k)
    masks = after.column(after.header.index("mask:r1"))
    assert masks == columns["mask:r1"]
    assert len(masks) == n
    assert with_columns(path, columns) == once
    assert without_ends(once) == without_ends(content)


def without_ends(content: bytes) -> str:
    """A file without the new cells, and without delimiters at the ends of its lines."""
    text = content.decode()
    delimiter = re.escape(re.search(r"case\W*?([,;\t|])", text)[1])
    quote = '"?'
    new = rf"{quote}(mask:r1|readings/\d+){quote}{delimiter}{quote}(motion|no)?{quote}(?=\r?\n|$)"
    return re.sub(rf"{delimiter}+(?=\r?\n|$)", "", re.sub(new, "", text))
