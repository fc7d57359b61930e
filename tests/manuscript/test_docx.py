"""The Word document: opened again, its structure is what journals ask for."""

import re
from collections import Counter
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
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph
from hypothesis import example, given, strategies as st
from matplotlib.figure import Figure

from centrum.manuscript.abstract import abstract_text
from centrum.manuscript.columns import TURNED_CM, UPRIGHT_CM, lay_out, text_cm
from centrum.manuscript.docx import (
    Heading,
    Items,
    NotPrinted,
    Part,
    Prose,
    Supplement,
    manuscript_docx,
)
from centrum.manuscript.kit import MOST_LINES, cited_texts, study_parts
from centrum.manuscript.methods import Paragraph as Told, methods_text
from centrum.manuscript.results import results_text
from centrum.report.blocks import Block, Column, Estimate, Picture, Table, picture
from centrum.report.build import report_of, sections_of
from centrum.report.drawing import draw, figure_of
from centrum.report.numbering import assemble, ref
from centrum.report.style import COLUMN_CM, PAGE_CM, new_figure
from centrum.report.tables import frame_table
from tests.pictures import rendered
from tests.programs import run
from tests.report import conftest as report

make, sources = report.make, report.sources

MARK = "Simulated patients"
ALT = 'Curve of "a" <b> & c.'
INTERVAL = Estimate(-0.8, -0.9, -0.7)
NARROW = Table(
    "performance", "Performance", tuple(map(Column, ("Measure", "Interval", "Test", "P"))),
    (("AUC", "DeLong", INTERVAL, 0.5), ("AUC", "Wilson", INTERVAL, -1.5), ("n", "", 30, None)),
    ("A note.", f"Another, as {ref('table subgroups')}."), main=True, number="1",
)  # fmt: skip
WIDE = Table(
    "subgroups", "Subgroups", tuple(Column(f"Head {k}") for k in range(10)),
    (("sex", *[INTERVAL] * 9), ("age", *[INTERVAL] * 9)), number="S1",
)  # fmt: skip
LONG = Table("long", "Long", (Column("x"),), ((1,),) * 61, number="S2")


def pictured(number: str, width_cm: float, height_cm: float) -> Picture:
    drawing = partial(plotted, width_cm, height_cm)
    data, key = frame_table(pd.DataFrame({"x": [1]})), f"curve-{number}"
    caption, main = f"A curve of n = 2: {ref('table performance')}.", not number.startswith("S")
    made = picture(drawing, key, "Curve", caption, ALT, data, reading="It rises.", main=main)
    return replace(made, number=number, drawn=draw(drawing))


def plotted(width_cm: float, height_cm: float) -> Figure:
    figure = new_figure(width_cm, height_cm)
    figure.subplots().plot([1, 2])
    return figure


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    with rendered():
        return [pictured("1", COLUMN_CM, 5), pictured("2", PAGE_CM, 5), pictured("S1", PAGE_CM, 40)]


@pytest.fixture(scope="module")
def parts(pictures: list[Picture]) -> list[Part]:
    return [
        Heading("Methods"), Heading("Patients", 2), Prose("We measured 9–11 slices."),
        Prose(f"{ref('Figure curve-S1')} and {ref('table performance')} show them."),
        NARROW, *pictures[:2], Supplement(), Heading("Wide"), WIDE, NotPrinted(LONG, "It is long."),
        Items(("One.", "Two.")), pictures[2],
    ]  # fmt: skip


@pytest.fixture(scope="module")
def content(parts: list[Part]) -> bytes:
    return manuscript_docx("A study", parts, MARK, reviewed=True)


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
    assert manuscript_docx("A study", parts, MARK, reviewed=True) == content
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
    assert [item.text for item in second[:2]] == ["Wide", "Table S1. Subgroups"]
    assert "Wide" not in [item.text for item in first if isinstance(item, Paragraph)]


def test_a_table_that_comes_first_gets_no_page_before_it() -> None:
    document = Document(BytesIO(manuscript_docx("A", [WIDE])))
    (section,) = document.sections
    assert section.orientation == WD_ORIENT.LANDSCAPE


def test_every_page_has_the_mark_and_its_number(document: WordDocument) -> None:
    for section, page in zip(document.sections, ("1", "S1", "S1"), strict=True):
        assert [(p.text, p.style.name) for p in section.header.paragraphs] == [(MARK, "Header")]
        assert [(p.text, p.style.name) for p in section.footer.paragraphs] == [(page, "Footer")]
        assert _fields(section.footer._element) == {"PAGE": ["1"]}
    starts = [s._sectPr.find(qn("w:pgNumType")) for s in document.sections]
    assert [n is None or n.get(qn("w:start")) for n in starts] == [True, "1", True]
    plain = Document(BytesIO(manuscript_docx("A", [Prose("B")])))
    assert not any(p.text for s in plain.sections for p in s.header.paragraphs)


def test_lines_are_numbered_for_reviewers(document: WordDocument, parts: list[Part]) -> None:
    numbered = [s._sectPr.find(qn("w:lnNumType")) for s in document.sections]
    assert [n.get(qn("w:restart")) for n in numbered] == ["continuous"] * 3
    unnumbered = {
        style.name for style in document.styles
        if style.element.find(f".//{qn('w:suppressLineNumbers')}") is not None
    }  # fmt: skip
    assert unnumbered == {"Figure", "Table Note"}
    plain = Document(BytesIO(manuscript_docx("A", parts)))
    assert not [*plain.element.iter(qn("w:lnNumType"))]


def test_headings_are_headings(document: WordDocument) -> None:
    assert _style(document, "Title") == ["A study"]
    assert _style(document, "Heading 1") == ["Methods", "Wide"]
    assert _style(document, "Heading 2") == ["Patients"]
    assert _style(document, "Body Text") == [
        "We measured 9–11 slices.", "Figure S1 and table 1 show them.",
    ]  # fmt: skip
    assert _style(document, "List Number") == ["One.", "Two."]
    assert document.styles["List Number"].element.find(f".//{qn('w:numPr')}") is not None
    assert _style(document, "Normal") == []


OWN = {"Table Text", "Table Number", "Table Note", "Figure", "Three Rules"}
"""Styles that Word has not."""

BREAKS = {"keepNext", "sectPr"}
"""What is said of a paragraph beside its style: where a page may end."""


def test_nothing_is_formatted_but_by_styles(document: WordDocument) -> None:
    """A template that redefines the styles changes all."""
    body = document.element.body
    assert {_name(e) for form in body.iter(qn("w:rPr")) for e in form} == {"rStyle"}
    paragraphs = [*body.iter(qn("w:pPr"))]
    assert {_name(e) for form in paragraphs for e in form} == {"pStyle"} | BREAKS
    assert len(paragraphs) == len([*body.iter(qn("w:p"))])
    assert {_name(e) for form in body.iter(qn("w:tcPr")) for e in form} == {"tcW"}
    tables = {_name(e) for form in body.iter(qn("w:tblPr")) for e in form}
    assert tables == {"tblStyle", "tblW", "tblLayout", "tblLook"}
    used = {*_values(body.iter(qn("w:pStyle"), qn("w:rStyle"), qn("w:tblStyle")), "val")}
    by_id = {style.style_id: style for style in document.styles}
    assert {by_id[own].name for own in used if not by_id[own].builtin} == OWN
    assert {by_id[own].name for own in used if by_id[own].builtin} == {
        "Title", "Heading 1", "Heading 2", "Body Text", "Caption", "List Number", "Strong",
    }  # fmt: skip


def _name(element: BaseOxmlElement) -> str:
    return element.tag.rpartition("}")[2]


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
    interval = "−0.800 (−0.900 to −0.700)"
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
    assert (caption.text, caption.style.name) == ("Table 1. Performance", "Caption")
    strong = "".join(run.text for run in caption.runs if run.style.name == "Strong")
    assert strong == "Table 1."
    assert caption.paragraph_format.keep_with_next
    notes = [item.text for item in items[at + 1 : at + 3]]
    assert notes == ["A note.", "Another, as table S1."]
    assert {item.style.font.size.pt for item in items[at + 1 : at + 3]} == {8}


def test_the_first_row_is_repeated_and_no_row_is_split(document: WordDocument) -> None:
    for table in document.tables:
        heads = [row._tr.find(f".//{qn('w:tblHeader')}") is not None for row in table.rows]
        assert heads == [True] + [False] * (len(table.rows) - 1)
        assert all(row._tr.find(f".//{qn('w:cantSplit')}") is not None for row in table.rows)


def test_tables_have_three_rules_and_nothing_else(document: WordDocument) -> None:
    assert {table.style.name for table in document.tables} == {"Three Rules"}
    style = document.styles["Three Rules"].element
    assert [_name(side) for side in style.find(qn("w:tblPr")).find(qn("w:tblBorders"))] == [
        "top", "bottom",
    ]  # fmt: skip
    (head,) = style.iter(qn("w:tblStylePr"))
    assert head.get(qn("w:type")) == "firstRow"
    assert [_name(side) for side in next(head.iter(qn("w:tcBorders")))] == ["bottom"]
    for table in document.tables:
        assert table._tbl.tblPr.find(qn("w:tblLook")).get(qn("w:firstRow")) == "1"
        assert table._tbl.find(f".//{qn('w:shd')}") is None


def test_numbers_are_centred_in_9_point(document: WordDocument) -> None:
    narrow, _ = document.tables
    rows = [[cell.paragraphs[0] for cell in row.cells] for row in narrow.rows]
    for row in rows:
        found = [paragraph.style.name for paragraph in row]
        assert found == ["Table Text", "Table Text", "Table Number", "Table Number"]
    strong = [{run.style.name for p in row for run in p.runs} == {"Strong"} for row in rows]
    assert strong == [True, False, False, False]
    text, numeric = (document.styles[name] for name in ("Table Text", "Table Number"))
    assert text.font.size.pt == 9
    assert numeric.base_style.name == "Table Text"
    assert numeric.paragraph_format.alignment == WD_ALIGN_PARAGRAPH.CENTER


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


# Captions and references


def _fields(element: BaseOxmlElement) -> dict[str, list[str]]:
    """Instruction -> what its fields show."""
    found: dict[str, list[str]] = {}
    told = shown = None
    for e in element.iter(qn("w:fldChar"), qn("w:instrText"), qn("w:t")):
        kind = e.get(qn("w:fldCharType"))
        if _name(e) == "instrText":
            told = e.text.strip()
        elif kind == "separate":
            shown = ""
        elif kind == "end":
            found.setdefault(told, []).append(shown)
            told = shown = None
        elif shown is not None:
            shown += e.text
    return found


def _sequences(document: WordDocument) -> dict[str, list[str]]:
    """Kind of caption -> numbers that are shown."""
    fields = _fields(document.element.body).items()
    return {told.split()[1]: shown for told, shown in fields if told.startswith("SEQ")}


def _bookmarks(document: WordDocument) -> dict[str, str]:
    """Name -> text within."""
    found = {}
    for start in document.element.body.iter(qn("w:bookmarkStart")):
        inside = []
        for e in start.itersiblings():
            if e.tag == qn("w:bookmarkEnd") and e.get(qn("w:id")) == start.get(qn("w:id")):
                break
            inside += [t.text for t in e.iter(qn("w:t"))]
        found[start.get(qn("w:name"))] = "".join(inside)
    return found


def check_references(document: WordDocument) -> int:
    """That what the fields show is what Word would make of them; how many refer to a caption."""
    for shown in _sequences(document).values():
        assert shown == [str(k) for k in range(1, len(shown) + 1)]
    starts = [*document.element.body.iter(qn("w:bookmarkStart"))]
    ends = _values(document.element.body.iter(qn("w:bookmarkEnd")), "id")
    assert {*Counter(_values(starts, "id")).values(), *Counter(ends).values()} == {1}
    assert {*Counter(_values(starts, "name")).values()} == {1}
    assert max(len(name) for name in _values(starts, "name")) <= 40
    bookmarks = _bookmarks(document)
    assert len(bookmarks) == sum(map(len, _sequences(document).values()))
    refer = {
        told.split()[1]: shown
        for told, shown in _fields(document.element.body).items()
        if told.startswith("REF")
    }
    for name, shown in refer.items():
        assert {*shown} == {bookmarks[name]}
    return sum(map(len, refer.values()))


def test_captions_are_counted_and_referred_to_by_fields(document: WordDocument) -> None:
    assert _sequences(document) == {
        "Table": ["1"], "Figure": ["1", "2"], "Table_S": ["1", "2"], "Figure_S": ["1"],
    }  # fmt: skip
    assert _bookmarks(document) == {
        "_table_1": "1", "_figure_1": "1", "_figure_2": "2",
        "_table_S1": "S1", "_table_S2": "S2", "_figure_S1": "S1",
    }  # fmt: skip
    assert check_references(document) == 6


def test_a_table_that_is_not_printed_keeps_its_number(document: WordDocument) -> None:
    assert "Table S2. Long. It is long." in _style(document, "Caption")


def test_a_reference_to_what_is_not_there_says_so() -> None:
    document = Document(BytesIO(manuscript_docx("A", [Prose(f"See {ref('table score')}.")])))
    assert document.paragraphs[1].text == "See a table that could not be made."
    assert not _fields(document.element.body)


def test_a_table_without_a_number_has_no_field() -> None:
    document = Document(BytesIO(manuscript_docx("A", [replace(NARROW, number="")])))
    (caption,) = (p for p in document.paragraphs if p.style.name == "Caption")
    assert [(run.text, run.style.name) for run in caption.runs] == [("Performance", "Strong")]
    assert not [*document.element.body.iter(qn("w:bookmarkStart"))]


# Figures


def test_pictures_have_their_alternative_text_and_caption(
    document: WordDocument, pictures: list[Picture]
) -> None:
    shapes = document.inline_shapes
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [ALT] * 3
    names = [shape._inline.docPr.get("name") for shape in shapes]
    assert names == ["Figure 1", "Figure 2", "Figure S1"]
    assert len({shape._inline.docPr.id for shape in shapes}) == 3
    captions = [text for text in _style(document, "Caption") if text.startswith("Figure")]
    assert captions == [f"{p.heading}. A curve of n = 2: table 1." for p in pictures]
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
    told = [
        Told("Patients", "One."), Told("Patients", "Two."), Told("Model", "Three."),
        Told("Patients", "Four.", False, ("Five.",)),
    ]  # fmt: skip
    parts = study_parts(assemble(blocks), told)
    assert parts == [
        Heading("Methods"), Heading("Patients", 2), Prose("One."), Prose("Two."),
        Heading("Model", 2), Prose("Three."), Heading("Tables and figures"), NARROW, *pictures[:2],
        Supplement(), Heading("Supplementary material"), Heading("Supplementary methods", 2),
        Heading("Patients", 3), Prose("Four."), Items(("Five.",)),
        Heading("Supplementary tables", 2),
        NotPrinted(replace(long, number="S1"), "Not printed: 61 rows in the file tables/long.csv."),
        NotPrinted(replace(high, number="S2"), "Not printed: 1 row in the file tables/high.csv."),
        replace(WIDE, number="S3"), Heading("Supplementary figures", 2), pictures[2],
    ]  # fmt: skip


def test_chapters_are_in_the_order_of_a_paper_and_refer_by_number() -> None:
    report = assemble([Block("b", "b", tables=(NARROW, WIDE))])
    said = f"As in {ref(f'table {WIDE.key}')}."
    parts = study_parts(
        report, [Told("Patients", "Sixty.")], abstract=[Told("Objectives", "To know.")],
        results=[Told("Model", "Ten."), Told("Model", said)], limitations=f"Few. {said}",
    )  # fmt: skip
    assert parts[: parts.index(Heading("Tables and figures"))] == [
        Heading("Abstract"), Heading("Objectives", 2), Prose("To know."),
        Heading("Methods"), Heading("Patients", 2), Prose("Sixty."),
        Heading("Results"), Heading("Model", 2), Prose("Ten."), Prose(said),
        Heading("Limitations"), Prose(f"Few. {said}"),
    ]  # fmt: skip


def test_captions_follow_their_numbers_as_the_text_cites_them() -> None:
    """What the paper cites comes first, then what only the supplement does; so do the captions."""
    said = [Told("A", f"{ref(f'table {WIDE.key}')}"), Told("B", "", False, (ref("table high"),))]
    more = [replace(NARROW, key=key, main=False) for key in ("high", "low")]
    texts = cited_texts(said, [Told("C", "None.")], limitations="Few.")
    assert texts == [ref(f"table {WIDE.key}"), "None.", "Few.", "", ref("table high")]
    document = assemble([Block("b", "b", tables=(*reversed(more), WIDE))], texts)
    tables = [p for p in study_parts(document, said) if isinstance(p, Table)]
    assert [(t.key, t.number) for t in tables] == [
        (WIDE.key, "S1"), ("high", "S2"), ("low", "S3"),
    ]  # fmt: skip


def test_the_paper_cites_tables_and_figures_in_their_order(make: report.Make) -> None:
    results = make()
    texts = cited_texts(abstract_text(results, None), methods_text(results), results_text(results))
    document = assemble(sections_of(results), texts)
    cited = re.findall(r"[Tt]able S?\d+|[Ff]igure S?\d+", document.numbers.resolve(" ".join(texts)))
    numbers: dict[str, list[int]] = {}
    for name in dict.fromkeys(map(str.lower, cited)):
        kind, number = re.fullmatch(r"(\w+ s?)(\d+)", name).groups()
        numbers.setdefault(kind, []).append(int(number))
    assert numbers.keys() == {"table ", "table s", "figure ", "figure s"}
    assert all(found == [*range(1, len(found) + 1)] for found in numbers.values()), numbers


@pytest.fixture(scope="module")
def study(make: report.Make) -> bytes:
    results = make(n_selected=2, n_measured=3, readers=("senior",))
    parts = study_parts(report_of(results), methods_text(results))
    return manuscript_docx(results.title, parts, results.simulated)


def test_the_study_has_its_tables_and_figures(study: bytes) -> None:
    document = Document(BytesIO(study))
    captions = [text.split(".")[0] for text in _style(document, "Caption")]
    tables = [label for label in captions if label.startswith("Table")]
    assert tables[:3] == ["Table 1", "Table 2", "Table 3"]
    printed = [text for text in _style(document, "Caption") if "Not printed" not in text]
    assert sum(text.startswith("Table") for text in printed) == len(document.tables)
    assert len(tables) > len(document.tables)
    figures = [label for label in captions if label.startswith("Figure")]
    assert figures[:3] == ["Figure 1", "Figure 2", "Figure 3"]
    assert len(figures) == len(document.inline_shapes)
    assert check_references(document) > 0
    assert document.sections[0].header.paragraphs[0].text == report.SIMULATED
    with ZipFile(BytesIO(study)) as archive:
        assert b"secret-patient" not in b"".join(map(archive.read, archive.namelist()))


def test_the_paper_names_no_digest(study: bytes) -> None:
    """They are in the model card and the files of provenance."""
    document = Document(BytesIO(study))
    cells = (text for table in document.tables for row in _texts(table) for text in row)
    texts = [*(p.text for p in document.paragraphs), *cells]
    assert len(texts) > 100
    assert not [text for text in texts if re.search(r"\b[0-9a-f]{12,}\b|SHA|digest", text)]


def test_other_programs_print_it(content: bytes, tmp_path: Path) -> None:
    """No page is empty, and numbers that are counted anew are those that stood there."""
    source = tmp_path / "manuscript.docx"
    source.write_bytes(content)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, source)
    printed = run("pdftotext", "-layout", source.with_suffix(".pdf"), "-")
    pages = printed.split("\f")[:-1]
    numbers = [page.split()[-1] for page in pages]
    assert numbers == ["1", "S1", "S2", "S3"]
    for number, page in zip(numbers, pages, strict=True):
        assert page.split()[0] == "Simulated"
        assert len(page.split()) > 5, f"page {number} is empty"
    words = " ".join(printed.split())
    for told in (
        "Figure S1 and table 1 show them.", "Table 1. Performance", "Another, as table S1.",
        "Figure 2. Curve. A curve of n = 2: table 1.", "Table S2. Long. It is long.",
    ):  # fmt: skip
        assert told in words, told


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
