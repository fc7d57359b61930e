"""Text that files and people bring is fit for every page, table and file name."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import centrum
from centrum.cohort import read_manifest
from centrum.cohort.discover import discover
from centrum.cohort.sheet import read_sheet
from centrum.errors import ImageError
from centrum.protocol import parse_protocol
from centrum.report.patient import page_of
from centrum.text import STEM_BYTES, file_stem, legal, one_line

BROKEN = (
    "\x0b",
    "\x07",
    "\x00",
    "\n",
    "\r\n",
    "\t",
    "\x85",
    "\u2028",
    "\ud800",
    "\uffff",
    "\u202e",
    "\u2066",
)


@pytest.mark.parametrize("broken", BROKEN)
def test_what_no_page_can_show_is_a_space(broken: str) -> None:
    assert one_line(f"{broken}Köln{broken}West{broken}") == "Köln West"


@given(st.text(st.characters()))
def test_legal_text_is_xml_and_utf8(text: str) -> None:
    from lxml import etree

    etree.Element("a").text = legal(text)
    assert legal(text).encode().decode() == legal(text)
    assert legal(legal(text)) == legal(text)


def test_what_scripts_need_stays() -> None:
    text = "👩\u200d⚕️ مريض می\u200cشود 患者 a\xa0b"
    assert one_line(text) == legal(text) == text


@pytest.mark.parametrize(
    "name",
    ["x" * 300, "患者" * 90, "a/b", "..", "CON", "lpt1.txt", "a.", "<b>|?*", "a\x0bb", "\ud800"],
)
def test_every_name_becomes_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{file_stem(name)}.html"
    path.touch()
    assert path.parent == tmp_path
    assert len(path.stem.encode()) <= STEM_BYTES
    assert not set(path.name) & set('<>:"/\\|?*')


def test_names_that_lose_something_stay_apart() -> None:
    names = ["a:b", "a?b", "a_b", "x" * 200, "x" * 201, "index", "Index", "CON", "con"]
    assert len({page_of(name) for name in names} | {"index.html"}) == len(names) + 1


@given(st.text(), st.text())
def test_two_names_never_share_a_file(a: str, b: str) -> None:
    assert (file_stem(a) == file_stem(b)) == (a == b)


def test_a_table_is_read_in_single_lines(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(
        'case,outcome,centre,"Time\n(days)",image,mask\n'
        "P1,malignant,Köln\x0bWest,3,a.nrrd,m.nrrd\n"
        "P2,osteoporotic,B\u2028,4,b.nrrd,n.nrrd\n",
        encoding="utf-8",
    )
    cohort = read_manifest(path)
    assert [case.centre for case in cohort.cases] == ["Köln West", "B"]
    assert cohort.covariates == ("Time (days)",)
    assert "line breaks and control characters read as spaces in rows 1, 2" in cohort.notes


def test_a_stray_zero_is_no_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"case,x\0y\nP1,3\n")
    assert read_sheet(path).header == ("case", "x y")


def test_blanks_around_a_cell_are_no_news(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("case , x\nP1 , 3\n")
    assert read_sheet(path).notes == ()


@pytest.mark.parametrize("raw", ["name: 'a\x0bb'", 'name: "a\\x0bb"', "name: |\n  a\n  b\n"])
def test_a_protocol_is_read_in_single_lines(raw: str) -> None:
    assert parse_protocol(raw, "study.yaml").name == "a b"


def test_an_error_can_be_shown_whatever_the_file_is_called() -> None:
    error = ImageError("caf\udce9.nii: two\nlines", file=Path("caf\udce9.nii"))
    assert json.dumps([str(error), error.file], ensure_ascii=False).encode()
    assert "two\nlines" in str(error)


def test_files_that_no_table_can_name_are_left_out(tmp_path: Path) -> None:
    for name in ("P1.nrrd", "P1_R1.seg.nrrd", "P\x0b2.nrrd", "P\udce92.nrrd"):
        (tmp_path / name).touch()
    assert any(note.startswith("files left out, 2") for note in _notes(tmp_path))


def _notes(folder: Path) -> tuple[str, ...]:
    import SimpleITK as sitk

    for name in ("P1.nrrd", "P1_R1.seg.nrrd"):
        image = sitk.Image(4, 4, 4, sitk.sitkUInt8) + 1
        sitk.WriteImage(image, str(folder / name))
    return discover(folder).notes


def test_p_values_are_written_in_one_place() -> None:
    """Nobody else knows how journals print them, or prints one with digits of his own."""
    source = Path(centrum.__file__).parent
    own = re.compile(r"""["']<\s?0?\.001|\bP [=<>] \{|\bp(_\w+)?:\.\d""")
    others = [path for path in source.rglob("*.py") if path != source / "text.py"]
    assert [path.name for path in others if own.search(path.read_text(encoding="utf-8"))] == []
    assert own.search((source / "text.py").read_text(encoding="utf-8"))
