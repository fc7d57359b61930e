"""Blocks to a Word document in the form that journals ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Cm
from docx.table import Table as WordTable, _Row
from docx.text.paragraph import Paragraph

from centrum.manuscript.columns import (
    PT_PER_CM,
    SHORT_LINES,
    UPRIGHT_CM,
    TableLayout,
    lay_out,
    text_cm,
)
from centrum.manuscript.docx_fields import SUPPLEMENT, Captions, add_field
from centrum.manuscript.docx_styles import (
    CAPTION,
    CAPTION_PT,
    CELL,
    NOTE,
    NUMBERED,
    NUMERIC_CELL,
    PICTURE,
    STRONG,
    TABLE,
    TEXT,
    set_styles,
)
from centrum.report.blocks import Exhibit, Picture, Table
from centrum.text import legal

SHEET_CM, MARGIN_CM = (21.0, 29.7), 2.5
"""A4, and its margins on all sides."""

LINE = 1.2
"""Height of a line of single spacing over the size of its font."""

LONGEST_TITLE = 255
"""Characters that a property of the file may have."""

EPOCH = datetime(1980, 1, 1)
"""The date of everything in the file; the first that a zip file can hold."""

DROPPED = ("thumbnail", "extended-properties")
"""Parts of the empty document that tell of the program that made it."""


@dataclass(frozen=True)
class Heading:
    """A heading of level 1, 2 or 3."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Prose:
    """A paragraph; where it holds a `ref`, it refers to the caption."""

    text: str


@dataclass(frozen=True)
class Items:
    """A numbered list."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class NotPrinted:
    """The caption of a table that is not printed, and where it is."""

    table: Table
    where: str


@dataclass(frozen=True)
class Supplement:
    """What follows is the supplement, on pages S1, S2, ..."""


Part = Heading | Prose | Items | Table | Picture | NotPrinted | Supplement


def manuscript_docx(
    title: str, parts: Sequence[Part], mark: str = "", *, reviewed: bool = False
) -> bytes:
    """A Word document: A4, 1.5 lines, three-rule tables, figures at their printed size.

    Wide tables lie on pages of their own, on their side.

    Parameters
    ----------
    title : of the document, and in its properties
    parts : in their order
    mark : a line at the head of every page, such as that patients are simulated
    reviewed : whether lines are numbered

    Returns
    -------
    The file. The same input gives the same bytes. Characters that XML cannot hold are spaces.

    Examples
    --------
    >>> content = manuscript_docx("A study", [Heading("Methods"), Prose("We measured.")])
    >>> [p.text for p in Document(BytesIO(content)).paragraphs]
    ['A study', 'Methods', 'We measured.']
    """
    document = _empty_document(legal(title), legal(mark))
    captions = Captions.of(item for part in parts if (item := _exhibit(part)) is not None)
    turned = _orientations(parts)
    _set_page(document.sections[0], turned[0] if turned else False)
    if reviewed:
        _number_lines(document.sections[0])
    document.add_paragraph(legal(title), style="Title")
    for part, turn in zip(parts, turned, strict=True):
        if isinstance(part, Supplement):
            _begin_supplement(document, turn)
        else:
            _turn(document, turn)
            _add(document, part, captions)
    return _same_bytes(document)


def _exhibit(part: Part) -> Exhibit | None:
    if isinstance(part, NotPrinted):
        return part.table
    return part if isinstance(part, Exhibit) else None


def _add(document: WordDocument, part: Part, captions: Captions) -> None:
    match part:
        case Heading():
            document.add_heading(legal(part.text), part.level)
        case Prose():
            captions.refer(document.add_paragraph(style=TEXT), part.text)
        case Items():
            for text in part.texts:
                captions.refer(document.add_paragraph(style=NUMBERED), text)
        case NotPrinted():
            _caption(document, part.table, captions, part.where)
        case Table():
            _add_table(document, part, captions)
        case Picture():
            _add_picture(document, part, captions)


# Pages


def _orientations(parts: Sequence[Part]) -> list[bool]:
    """Whether each part lies on a turned page; headings go with what follows them."""
    turned: list[bool] = []
    for part in reversed(parts):
        if isinstance(part, Heading | Supplement) and turned:
            turned.append(turned[-1])
        else:
            turned.append(isinstance(part, Table) and _layout(part).turned)
    return turned[::-1]


def _turn(document: WordDocument, turn: bool) -> None:
    """Begin a new section if the page has to be turned."""
    if turn != (document.sections[-1].orientation == WD_ORIENT.LANDSCAPE):
        _begin_section(document, turn)


def _begin_section(document: WordDocument, turn: bool) -> Section:
    last = document.paragraphs[-1]
    section = document.add_section()
    _set_page(section, turn)
    for found in section._sectPr.findall(qn("w:pgNumType")):
        section._sectPr.remove(found)  # else pages would be counted from 1 again
    _move_break(document, last)
    return section


def _begin_supplement(document: WordDocument, turn: bool) -> None:
    """A section with pages of its own numbers."""
    section = _begin_section(document, turn)
    _set_in(section, "pgNumType", start="1")
    section.footer.is_linked_to_previous = False
    _number_pages(section, SUPPLEMENT)


def _move_break(document: WordDocument, last: Paragraph) -> None:
    """Into the last paragraph; an empty one of its own could fall on an empty page."""
    own = document.paragraphs[-1]._p
    last._p.get_or_add_pPr().append(own.get_or_add_pPr().find(qn("w:sectPr")))
    own.getparent().remove(own)


def _set_page(section: Section, turn: bool) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE if turn else WD_ORIENT.PORTRAIT
    width, height = reversed(SHEET_CM) if turn else SHEET_CM
    section.page_width, section.page_height = Cm(width), Cm(height)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Cm(MARGIN_CM))


def _number_lines(section: Section) -> None:
    _set_in(section, "lnNumType", countBy="1", restart="continuous")


def _number_pages(section: Section, before: str = "") -> None:
    foot = section.footer.paragraphs[0]
    if before:
        foot.add_run(before)
    add_field(foot, "PAGE", "1")


def _set_in(section: Section, tag: str, **attributes: str) -> None:
    made = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    section._sectPr.find(qn("w:cols")).addprevious(made)


# Tables


def _add_table(document: WordDocument, table: Table, captions: Captions) -> None:
    layout = _layout(table)
    if table.title:
        _caption(document, table, captions).paragraph_format.keep_with_next = True
    made = document.add_table(len(table.rows) + 1, len(table.columns), TABLE)
    _set_grid(made, layout)
    heads, *rows = made.rows
    heads._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    together = layout.lines <= SHORT_LINES
    # Looked up once: there are many cells.
    text, number = (document.styles[name].style_id for name in (CELL, NUMERIC_CELL))
    own = [number if numeric else text for numeric in layout.numeric]
    _fill(heads, [column.name for column in table.columns], layout, own, keep=True, run=STRONG)
    for row, texts in zip(rows, _texts(table, layout), strict=True):
        _fill(row, texts, layout, own, keep=together or (row is rows[-1] and bool(table.notes)))
    for note in table.notes or ("",):
        captions.refer(document.add_paragraph(style=NOTE), note)


def _layout(table: Table) -> TableLayout:
    return lay_out([column.name for column in table.columns], table.shown())


def _texts(table: Table, layout: TableLayout) -> list[list[str]]:
    """The cells; a row that is called as the one above it does not repeat the name."""
    shown = [
        [text.replace("-", "−") if numeric else text
         for text, numeric in zip(row, layout.numeric, strict=True)]
        for row in table.shown()
    ]  # fmt: skip
    above = [None, *(row[0] for row in shown)]
    return [
        ["", *row[1:]] if row[0] == name else row for row, name in zip(shown, above, strict=False)
    ]


def _set_grid(table: WordTable, layout: TableLayout) -> None:
    """Fixed widths."""
    table.autofit = False
    for column, width in zip(table.columns, layout.widths, strict=True):
        column.width = Cm(width)
    total = table._tbl.tblPr.find(qn("w:tblW"))
    total.set(qn("w:type"), "dxa")
    total.set(qn("w:w"), str(Cm(sum(layout.widths)).twips))


def _fill(
    row: _Row, texts: Sequence[str], layout: TableLayout, styles: Sequence[str], *,
    keep: bool, run: str | None = None,
) -> None:  # fmt: skip
    """Write the cells of a row that stays whole, and with the next if `keep`."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    facts = zip(row.cells, texts, layout.widths, styles, strict=True)
    for cell, text, width, style in facts:
        cell.width = Cm(width)
        paragraph = cell.paragraphs[0]
        paragraph._p.style = style
        paragraph.add_run(legal(text), run)
        if keep:
            paragraph.paragraph_format.keep_with_next = True


# Figures


def _add_picture(document: WordDocument, picture: Picture, captions: Captions) -> None:
    paragraph = document.add_paragraph(style=PICTURE)
    shape = paragraph.add_run().add_picture(BytesIO(picture.made.png))
    ratio = shape.height / shape.width
    width = min(picture.made.width_cm, UPRIGHT_CM, _room_above(picture) / ratio)
    shape.width, shape.height = Cm(width), Cm(width * ratio)
    shape._inline.docPr.set("descr", legal(captions.numbers.resolve(picture.alt)))
    shape._inline.docPr.set("name", legal(picture.label or picture.title))
    _caption(document, picture, captions, picture.caption)


def _room_above(picture: Picture) -> float:
    """Height that the caption leaves on a page, cm."""
    length = text_cm(f"{picture.heading}. {picture.caption}", CAPTION_PT)
    n_lines = length // UPRIGHT_CM + 2
    return SHEET_CM[1] - 2 * MARGIN_CM - (n_lines + 1) * CAPTION_PT * LINE / PT_PER_CM


def _caption(
    document: WordDocument, item: Exhibit, captions: Captions, more: str = ""
) -> Paragraph:
    """The number, or without one the title, stands out; then the rest."""
    paragraph = document.add_paragraph(style=CAPTION)
    if item.number:
        captions.label(paragraph, item)
        paragraph.add_run(legal(f" {item.title}"))
    else:
        paragraph.add_run(legal(item.title), STRONG)
    if more:
        captions.refer(paragraph, f". {more}")
    return paragraph


# The document


def _empty_document(title: str, mark: str) -> WordDocument:
    document = Document()
    set_styles(document)
    _set_properties(document, title)
    section = document.sections[0]
    if mark:
        section.header.paragraphs[0].add_run(mark)
    _number_pages(section)
    return document


def _set_properties(document: WordDocument, title: str) -> None:
    facts = document.core_properties
    facts.title, facts.language = title[:LONGEST_TITLE], "en-US"
    facts.author = facts.last_modified_by = facts.comments = facts.keywords = ""
    facts.created = facts.modified = EPOCH
    compatibility = document.settings.element.find(f".//{qn('w:compatSetting')}")
    compatibility.set(qn("w:val"), "15")
    package = document.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype.endswith(DROPPED):
            del package.rels[key]


def _same_bytes(document: WordDocument) -> bytes:
    """The file with its members in one order and under one date."""
    made, kept = BytesIO(), BytesIO()
    document.save(made)
    with ZipFile(made) as source, ZipFile(kept, "w") as target:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            member = ZipInfo(name, EPOCH.timetuple()[:6])
            member.compress_type, member.create_system = ZIP_DEFLATED, 3
            target.writestr(member, source.read(name))
    return kept.getvalue()
