"""The Word document: opened again, its structure is what journals ask for."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph
from hypothesis import example, given, strategies as st
from matplotlib.figure import Figure

from centrum.manuscript.columns import TURNED_CM, UPRIGHT_CM, lay_out, text_cm
from centrum.manuscript.docx import Heading, Part, Prose, manuscript_docx
from centrum.manuscript.kit import MOST_LINES, study_parts
from centrum.report.blocks import Block, Column, Estimate, Picture, Table, picture
from centrum.report.build import report_of
from centrum.report.drawing import draw, figure_of
from centrum.report.numbering import assemble
from centrum.report.style import COLUMN_CM, PAGE_CM, new_figure
from centrum.report.tables import frame_table
from tests.pictures import rendered
from tests.report import conftest as report

make, sources = report.make, report.sources

MARK = "Simulated patients"
ALT = 'Curve of "a" <b> & c.'
INTERVAL = Estimate(-0.8, -0.9, -0.7)
NARROW = Table(
    "performance", "Performance", tuple(map(Column, ("Measure", "Interval", "Test", "P"))),
    (("AUC", "DeLong", INTERVAL, 0.5), ("AUC", "Wilson", INTERVAL, -1.5), ("n", "", 30, None)),
    ("A note.", "Another."), main=True, number="2",
)  # fmt: skip
WIDE = Table(
    "subgroups", "Subgroups", tuple(Column(f"Head {k}") for k in range(10)),
    (("sex", *[INTERVAL] * 9), ("age", *[INTERVAL] * 9)), number="S10",
)  # fmt: skip


def pictured(number: str, width_cm: float, height_cm: float) -> Picture:
    drawing = partial(plotted, width_cm, height_cm)
    data, key = frame_table(pd.DataFrame({"x": [1]})), f"curve-{number}"
    made = picture(
        drawing, key, "Curve", "A curve of n = 2.", ALT, data, reading="It rises.", main=True
    )
    return replace(made, number=number, drawn=draw(drawing))


def plotted(width_cm: float, height_cm: float) -> Figure:
    figure = new_figure(width_cm, height_cm)
    figure.subplots().plot([1, 2])
    return figure


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    with rendered():
        return [pictured("1", COLUMN_CM, 5), pictured("2", PAGE_CM, 5), pictured("3", PAGE_CM, 40)]


@pytest.fixture(scope="module")
def parts(pictures: list[Picture]) -> list[Part]:
    return [
        Heading("Methods"), Heading("Patients", 2), Prose("We measured 9–11 slices."),
        NARROW, Heading("Wide"), WIDE, *pictures,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def content(parts: list[Part]) -> bytes:
    return manuscript_docx("A study", parts, MARK)


@pytest.fixture(scope="module")
def document(content: bytes) -> WordDocument:
    return Document(BytesIO(content))


def _texts(table: WordTable) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


def _values(found: Iterator, name: str) -> list[str]:
    return [element.get(qn(f"w:{name}")) for element in found]


def _style(document: WordDocument, name: str) -> list[str]:
    return [p.text for p in document.paragraphs if p.style.name == name]


# The file


def test_same_input_same_bytes(parts: list[Part], content: bytes) -> None:
    assert manuscript_docx("A study", parts, MARK) == content
    with ZipFile(BytesIO(content)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert archive.testzip() is None
        every = b"".join(map(archive.read, archive.namelist()))
    assert str(datetime.now().year).encode() + b"-" not in every
    assert b"python-docx" not in every
    assert b"Macintosh" not in every


def test_properties_name_the_title_and_nobody(document: WordDocument) -> None:
    facts = document.core_properties
    assert (facts.title, facts.language) == ("A study", "en-US")
    assert (facts.author, facts.last_modified_by, facts.comments) == ("", "", "")
    assert facts.created == facts.modified
    languages = _values(document.styles.element.iter(qn("w:lang")), "val")
    assert set(languages) == {"en-US"}


# Pages and text


def test_pages_are_a4_and_turned_only_for_the_wide_table(document: WordDocument) -> None:
    sides = [round(s.page_width.cm, 1) for s in document.sections]
    assert sides == [21.0, 29.7, 21.0]
    turned = [s.orientation == WD_ORIENT.LANDSCAPE for s in document.sections]
    assert turned == [False, True, False]
    for section in document.sections:
        assert round(section.left_margin.cm, 2) == round(section.top_margin.cm, 2) == 2.5


def test_the_heading_of_a_wide_table_lies_on_its_page(document: WordDocument) -> None:
    first, second = (list(section.iter_inner_content()) for section in list(document.sections)[:2])
    assert [item.text for item in second[:2]] == ["Wide", "Table S10. Subgroups"]
    assert "Wide" not in [item.text for item in first if isinstance(item, Paragraph)]


def test_a_table_that_comes_first_gets_no_page_before_it() -> None:
    document = Document(BytesIO(manuscript_docx("A", [WIDE])))
    (section,) = document.sections
    assert section.orientation == WD_ORIENT.LANDSCAPE


def test_every_page_has_the_mark_and_its_number(document: WordDocument) -> None:
    for section in document.sections:
        assert [p.text for p in section.header.paragraphs] == [MARK]
        (field,) = section.footer._element.iter(qn("w:fldSimple"))
        assert field.get(qn("w:instr")) == "PAGE"
    plain = Document(BytesIO(manuscript_docx("A", [Prose("B")])))
    assert not any(p.text for s in plain.sections for p in s.header.paragraphs)


def test_headings_are_headings(document: WordDocument) -> None:
    assert _style(document, "Title") == ["A study"]
    assert _style(document, "Heading 1") == ["Methods", "Wide"]
    assert _style(document, "Heading 2") == ["Patients"]
    assert _style(document, "Normal") == ["We measured 9–11 slices."]


def test_text_is_times_12_at_one_and_a_half_lines(document: WordDocument) -> None:
    normal = document.styles["Normal"]
    assert (normal.font.name, normal.font.size.pt) == ("Times New Roman", 12)
    assert normal.paragraph_format.line_spacing == 1.5
    used = {p.style.name for p in document.paragraphs}
    for style in map(document.styles.__getitem__, used):
        assert style.font.name == "Times New Roman"
        assert str(style.font.color.rgb) == "000000"
        assert not any("heme" in key for e in style.element.iter() for key in e.attrib)


# Tables


def test_cells_have_the_texts_of_the_table(document: WordDocument) -> None:
    narrow, wide = document.tables
    interval = "−0.800 (−0.900–−0.700)"
    assert _texts(narrow) == [
        ["Measure", "Interval", "Test", "P"],
        ["AUC", "DeLong", interval, "0.5000"],
        ["", "Wilson", interval, "−1.500"],
        ["n", "", "30", ""],
    ]
    assert _texts(wide)[1] == ["sex", *[interval] * 9]


def test_captions_stand_above_tables_and_notes_below(document: WordDocument) -> None:
    items = list(document.iter_inner_content())
    at = next(k for k, item in enumerate(items) if isinstance(item, WordTable))
    caption = items[at - 1]
    assert caption.text == "Table 2. Performance"
    assert [(run.text, bool(run.bold)) for run in caption.runs] == [
        ("Table 2.", True), (" Performance", False),
    ]  # fmt: skip
    assert caption.style.paragraph_format.keep_with_next
    assert [item.text for item in items[at + 1 : at + 3]] == ["A note.", "Another."]
    assert {item.style.font.size.pt for item in items[at + 1 : at + 3]} == {8}


def test_the_first_row_is_repeated_and_no_row_is_split(document: WordDocument) -> None:
    for table in document.tables:
        heads = [row._tr.find(f".//{qn('w:tblHeader')}") is not None for row in table.rows]
        assert heads == [True] + [False] * (len(table.rows) - 1)
        assert all(row._tr.find(f".//{qn('w:cantSplit')}") is not None for row in table.rows)


def test_tables_have_three_rules_and_nothing_else(document: WordDocument) -> None:
    for table in document.tables:
        assert table.style is None or table.style.name == "Normal Table"
        frame = table._tbl.tblPr.find(qn("w:tblBorders"))
        assert [side.tag for side in frame] == [qn("w:top"), qn("w:bottom")]
        head, *others = table.rows
        for cell in head.cells:
            (side,) = cell._tc.tcPr.find(qn("w:tcBorders"))
            assert side.tag == qn("w:bottom")
        for row in others:
            assert row._tr.find(f".//{qn('w:tcBorders')}") is None
        assert table._tbl.find(f".//{qn('w:shd')}") is None


def test_numbers_are_centred_in_9_point(document: WordDocument) -> None:
    narrow, _ = document.tables
    for row in narrow.rows:
        paragraphs = [cell.paragraphs[0] for cell in row.cells]
        centred = [p.alignment == WD_ALIGN_PARAGRAPH.CENTER for p in paragraphs]
        assert centred == [False, False, True, True]
        assert {p.style.font.size.pt for p in paragraphs} == {9}


def test_tables_fit_between_the_margins(document: WordDocument) -> None:
    for table, room in zip(document.tables, (UPRIGHT_CM, TURNED_CM), strict=True):
        widths = [cell.width.cm for cell in table.rows[0].cells]
        assert widths == pytest.approx([c.width.cm for c in table.columns], abs=0.01)
        assert sum(widths) < room + 0.01
        assert _values(table._tbl.tblPr.iter(qn("w:tblLayout")), "type") == ["fixed"]


WORD = st.text("abcdefghij -_0123456789", max_size=90)
GRIDS = st.integers(1, 14).flatmap(
    lambda n: st.lists(st.lists(WORD, min_size=n, max_size=n), min_size=1, max_size=8)
)


@given(GRIDS)
@example([[""]])
def test_columns_share_the_room_whatever_is_in_them(grid: list[list[str]]) -> None:
    heads, *rows = grid
    found = lay_out(heads, rows)
    assert len(found.widths) == len(heads)
    assert min(found.widths) > 0.2
    assert sum(found.widths) <= (TURNED_CM if found.turned else UPRIGHT_CM) + 1e-9
    assert found.lines >= len(grid)


def test_a_cramped_long_table_is_turned_and_a_short_one_is_not() -> None:
    name = "wavelet_with_a_long_name_that_no_program_may_break"
    row = ["Several words that say what is meant by it", name, "1.0", "2.0", "unit", "3.0"]
    heads = ["Feature", "Column", "Mean", "Standard deviation", "Unit", "Coefficient"]
    assert lay_out(heads, [row] * 40).turned
    assert not lay_out(heads, [row]).turned


def test_a_word_of_hundreds_of_letters_leaves_room_for_the_others() -> None:
    found = lay_out(["Case", "Outcome", "Score"], [["x" * 300, "osteoporotic", "1.0"]] * 3)
    assert not found.turned
    assert found.widths[1] > text_cm("osteoporotic")
    assert found.lines > 3 * 300 * text_cm("x") / 16


def test_an_interval_stays_on_one_line_beside_a_long_text() -> None:
    texts = ["Stability", "Share of the parts that select it (CI)"]
    found = lay_out(texts, [["a long text " * 30, "0.667 (0.208–0.938)"]])
    assert found.widths[1] > text_cm("0.667 (0.208–0.938)")
    assert not found.turned


# Figures


def test_pictures_have_their_alternative_text_and_caption(
    document: WordDocument, pictures: list[Picture]
) -> None:
    shapes = document.inline_shapes
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [ALT] * 3
    names = [shape._inline.docPr.get("name") for shape in shapes]
    assert names == ["Figure 1", "Figure 2", "Figure 3"]
    captions = _style(document, "Figure Caption")
    assert captions == [f"{p.heading}. {p.caption}" for p in pictures]
    assert [p.style.paragraph_format.keep_with_next for p in document.paragraphs
            if p._p.find(f".//{qn('w:drawing')}") is not None] == [True] * 3  # fmt: skip


def test_pictures_have_their_printed_size_and_fit(
    document: WordDocument, pictures: list[Picture]
) -> None:
    narrow, wide, high = document.inline_shapes
    assert narrow.width.cm == pytest.approx(COLUMN_CM, abs=0.01)
    assert wide.width.cm == pytest.approx(UPRIGHT_CM, abs=0.01)
    assert 20 < high.height.cm < 24.7
    for shape, shown in zip(document.inline_shapes, pictures, strict=True):
        width, wanted_height = figure_of(shown.drawing).get_size_inches()
        assert shape.height / shape.width == pytest.approx(wanted_height / width, rel=0.01)


def test_pictures_are_the_files_of_the_report(content: bytes, pictures: list[Picture]) -> None:
    with ZipFile(BytesIO(content)) as archive:
        media = {archive.read(n) for n in archive.namelist() if n.startswith("word/media/")}
    assert media == {shown.made.png for shown in pictures}


# The manuscript of a study


def test_parts_follow_their_numbers(pictures: list[Picture]) -> None:
    long = Table("long", "Long", (Column("x"),), ((1,),) * (MOST_LINES + 1))
    high = Table("high", "High", (Column("x"),), (("a\n" * MOST_LINES,),))
    blocks = [
        Block("a", "a", tables=(long, high), pictures=(pictures[0],)),
        Block("b", "b", tables=(NARROW, WIDE), pictures=tuple(pictures[1:])),
    ]
    parts = study_parts(assemble(blocks), [("Patients", "One.\n\nTwo.")])
    assert parts == [
        Heading("Methods"), Heading("Patients", 2), Prose("One."), Prose("Two."),
        Heading("Results"), replace(NARROW, number="1"), *pictures,
        Heading("Supplementary material"),
        Prose("Table S1. Long (61 rows) is in the file tables/long.csv."),
        Prose("Table S2. High (1 row) is in the file tables/high.csv."),
        replace(WIDE, number="S3"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def study(make: report.Make) -> bytes:
    results = make(n_selected=2, n_measured=3, readers=("senior",))
    parts = study_parts(report_of(results), [("Patients", "Sixty patients.")])
    return manuscript_docx(results.title, parts, results.simulated)


def test_the_study_has_its_tables_and_figures(study: bytes) -> None:
    document = Document(BytesIO(study))
    captions = [text.split(".")[0] for text in _style(document, "Table Caption")]
    assert captions[:3] == ["Table 1", "Table 2", "Table 3"]
    assert len(captions) == len(document.tables)
    figures = [text.split(".")[0] for text in _style(document, "Figure Caption")]
    assert figures[:3] == ["Figure 1", "Figure 2", "Figure 3"]
    assert len(figures) == len(document.inline_shapes)
    assert document.sections[0].header.paragraphs[0].text == report.SIMULATED
    with ZipFile(BytesIO(study)) as archive:
        assert b"secret-patient" not in b"".join(map(archive.read, archive.namelist()))


@pytest.mark.skipif(
    not (shutil.which("soffice") and shutil.which("pdftotext")),
    reason="soffice (LibreOffice) or pdftotext is not on the PATH: no document is converted",
)
def test_no_page_is_empty_when_printed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "manuscript.docx").write_bytes(content)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    convert = ["soffice", profile, "--headless", "--convert-to", "pdf", "manuscript.docx"]
    subprocess.run(convert, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    text = ["pdftotext", "-layout", "manuscript.pdf", "-"]
    printed = subprocess.run(text, cwd=tmp_path, check=True, capture_output=True).stdout.decode()
    pages = printed.split("\f")[:-1]
    assert len(pages) == 4
    for number, page in enumerate(pages, 1):
        mark, *lines, last = page.split()
        assert mark == "Simulated"
        assert last == str(number)
        assert len(lines) > 3, f"page {number} is empty"


def test_no_character_breaks_the_document() -> None:
    bad = "Köln\x0bWest\x07\x00\ud800\uffff 患者 😀 مريض"
    table = Table("t", bad, (Column(bad), Column("n")), ((bad, 1),), (bad,))
    drawing = partial(new_figure, COLUMN_CM, 3)
    undrawn = picture(drawing, "drawn", bad, bad, bad, table, reading=bad)
    drawn = replace(undrawn, drawn=draw(drawing))
    content = manuscript_docx(bad * 30, [Heading(bad), Prose(bad), table, drawn], bad)
    document = Document(BytesIO(content))
    assert document.paragraphs[1].text == "Köln West  患者 😀 مريض"
    assert document.tables[0].cell(1, 0).text == document.paragraphs[1].text
