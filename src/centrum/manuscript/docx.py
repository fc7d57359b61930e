"""Blocks to a Word document in the form that journals ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table as WordTable, _Row
from docx.text.paragraph import Paragraph

from centrum.manuscript.columns import (
    PADDING_CM,
    PT_PER_CM,
    SHORT_LINES,
    TABLE_PT,
    UPRIGHT_CM,
    TableLayout,
    lay_out,
    text_cm,
)
from centrum.report.blocks import Picture, Table
from centrum.text import legal

FONT = "Times New Roman"

TEXT_PT, CAPTION_PT, NOTE_PT = 12, 10, 8

SHEET_CM, MARGIN_CM = (21.0, 29.7), 2.5
"""A4, and its margins on all sides."""

THICK, THIN = (
    {"val": "single", "sz": size, "space": "0", "color": "000000"} for size in ("8", "4")
)
"""Rules of 1 pt around a table and of 0.5 pt under its head."""

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
    """A paragraph."""

    text: str


Part = Heading | Prose | Table | Picture


def manuscript_docx(title: str, parts: Sequence[Part], mark: str = "") -> bytes:
    """A Word document: A4, 1.5 lines, three-rule tables, figures at their printed size.

    Wide tables lie on pages of their own, on their side.

    Parameters
    ----------
    title : of the document, and in its properties
    parts : in their order
    mark : a line at the head of every page, such as that patients are simulated

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
    turned = _orientations(parts)
    _set_page(document, turned[0] if turned else False)
    document.add_paragraph(legal(title), style="Title")
    for part, turn in zip(parts, turned, strict=True):
        _turn(document, turn)
        _add(document, part)
    return _same_bytes(document)


def _add(document: WordDocument, part: Part) -> None:
    match part:
        case Heading():
            document.add_heading(legal(part.text), part.level)
        case Prose():
            document.add_paragraph(legal(part.text))
        case Table():
            _add_table(document, part)
        case Picture():
            _add_picture(document, part)


# Pages


def _orientations(parts: Sequence[Part]) -> list[bool]:
    """Whether each part lies on a turned page; headings go with what follows them."""
    turned: list[bool] = []
    for part in reversed(parts):
        if isinstance(part, Heading) and turned:
            turned.append(turned[-1])
        else:
            turned.append(isinstance(part, Table) and _layout(part).turned)
    return turned[::-1]


def _turn(document: WordDocument, turn: bool) -> None:
    """Begin a new section if the page has to be turned."""
    if turn == (document.sections[-1].orientation == WD_ORIENT.LANDSCAPE):
        return
    last = document.paragraphs[-1]
    document.add_section()
    _set_page(document, turn)
    _move_break(document, last)


def _move_break(document: WordDocument, last: Paragraph) -> None:
    """Into the last paragraph; an empty one of its own could fall on an empty page."""
    own = document.paragraphs[-1]._p
    last._p.get_or_add_pPr().append(own.get_or_add_pPr().find(qn("w:sectPr")))
    own.getparent().remove(own)


def _set_page(document: WordDocument, turn: bool) -> None:
    section = document.sections[-1]
    section.orientation = WD_ORIENT.LANDSCAPE if turn else WD_ORIENT.PORTRAIT
    width, height = reversed(SHEET_CM) if turn else SHEET_CM
    section.page_width, section.page_height = Cm(width), Cm(height)
    for side in ("left_margin", "right_margin", "top_margin", "bottom_margin"):
        setattr(section, side, Cm(MARGIN_CM))


# Tables


def _add_table(document: WordDocument, table: Table) -> None:
    layout = _layout(table)
    if table.title:
        _caption(document.add_paragraph(style="Table Caption"), table)
    made = document.add_table(len(table.rows) + 1, len(table.columns))
    _set_grid(made, layout)
    heads, *rows = made.rows
    together = layout.lines <= SHORT_LINES
    style = document.styles["Table Text"].style_id  # looked up once: there are many cells
    _fill(heads, [column.name for column in table.columns], layout, style, keep=True)
    _mark_head(heads)
    for row, texts in zip(rows, _texts(table, layout), strict=True):
        _fill(row, texts, layout, style, keep=together or (row is rows[-1] and bool(table.notes)))
    for note in table.notes or ("",):
        document.add_paragraph(legal(note), style="Table Note")


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
    """Fixed widths, small padding, a rule above and one below."""
    table.autofit = False
    for column, width in zip(table.columns, layout.widths, strict=True):
        column.width = Cm(width)
    properties = table._tbl.tblPr
    total = properties.find(qn("w:tblW"))
    total.set(qn("w:type"), "dxa")
    total.set(qn("w:w"), str(Cm(sum(layout.widths)).twips))
    layout_tag = properties.find(qn("w:tblLayout"))
    layout_tag.addprevious(_parent("tblBorders", top=THICK, bottom=THICK))
    sides = {"w": str(Cm(PADDING_CM).twips), "type": "dxa"}
    layout_tag.addnext(_parent("tblCellMar", left=sides, right=sides))


def _mark_head(row: _Row) -> None:
    """The first row is repeated on every page and has a rule under it."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    for cell in row.cells:
        cell._tc.get_or_add_tcPr().append(_parent("tcBorders", bottom=THIN))
        for run in cell.paragraphs[0].runs:
            run.bold = True


def _fill(row: _Row, texts: Sequence[str], layout: TableLayout, style: str, *, keep: bool) -> None:
    """Write the cells of a row that stays whole, and with the next if `keep`."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    facts = zip(row.cells, texts, layout.widths, layout.numeric, strict=True)
    for cell, text, width, numeric in facts:
        cell.width = Cm(width)
        paragraph = cell.paragraphs[0]
        paragraph._p.style = style
        paragraph.add_run(legal(text))
        if numeric:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        if keep:
            paragraph.paragraph_format.keep_with_next = True


def _parent(tag: str, **children: dict[str, str]) -> BaseOxmlElement:
    """An element whose children have attributes and nothing else."""
    made = OxmlElement(f"w:{tag}")
    for name, attributes in children.items():
        child = OxmlElement(f"w:{name}")
        for key, value in attributes.items():
            child.set(qn(f"w:{key}"), value)
        made.append(child)
    return made


# Figures


def _add_picture(document: WordDocument, picture: Picture) -> None:
    paragraph = document.add_paragraph(style="Figure")
    shape = paragraph.add_run().add_picture(BytesIO(picture.made.png))
    ratio = shape.height / shape.width
    width = min(picture.made.width_cm, UPRIGHT_CM, _room_above(picture) / ratio)
    shape.width, shape.height = Cm(width), Cm(width * ratio)
    shape._inline.docPr.set("descr", legal(picture.alt))
    shape._inline.docPr.set("name", legal(picture.label or picture.title))
    _caption(document.add_paragraph(style="Figure Caption"), picture, f". {picture.caption}")


def _room_above(picture: Picture) -> float:
    """Height that the caption leaves on a page, cm."""
    length = text_cm(f"{picture.heading}. {picture.caption}", CAPTION_PT)
    n_lines = length // UPRIGHT_CM + 2
    return SHEET_CM[1] - 2 * MARGIN_CM - (n_lines + 1) * CAPTION_PT * LINE / PT_PER_CM


def _caption(paragraph: Paragraph, item: Table | Picture, more: str = "") -> None:
    """The number in bold, without one the title, and the rest."""
    bold = f"{item.label}." if item.number else legal(item.title)
    paragraph.add_run(bold).bold = True
    paragraph.add_run(legal(item.heading + more)[len(bold) :])


# The document


def _empty_document(title: str, mark: str) -> WordDocument:
    document = Document()
    _set_styles(document)
    _set_properties(document, title)
    section = document.sections[0]
    if mark:
        head = section.header.paragraphs[0]
        head.alignment = WD_ALIGN_PARAGRAPH.CENTER
        head.add_run(mark).bold = True
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    number = OxmlElement("w:fldSimple")
    number.set(qn("w:instr"), "PAGE")
    foot._p.append(number)
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


def _set_styles(document: WordDocument) -> None:
    normal = _styled(document, "Normal", TEXT_PT, spacing=1.5, after=6)
    fonts = normal.element.rPr.rFonts
    for script in ("cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)
    _styled(document, "Title", 16, bold=True, after=18)
    for level, size in ((1, 14), (2, 12), (3, 12)):
        style = _styled(document, f"Heading {level}", size, bold=True, before=12, after=6)
        style.font.italic = level == 3
    _styled(document, "Table Caption", CAPTION_PT, before=12, after=4).next_paragraph_style = normal
    _styled(document, "Table Text", TABLE_PT, before=1, after=1)
    note = _styled(document, "Table Note", NOTE_PT, before=2, after=10)
    note.element.get_or_add_pPr().append(OxmlElement("w:contextualSpacing"))
    _styled(document, "Figure", TEXT_PT, before=12, after=4)
    _styled(document, "Figure Caption", CAPTION_PT, after=12)
    for name in ("Table Caption", "Figure"):
        document.styles[name].paragraph_format.keep_with_next = True
    for name in ("Header", "Footer"):
        _styled(document, name, TABLE_PT)


def _styled(
    document: WordDocument, name: str, size: float, *,
    bold: bool = False, spacing: float = 1.0, before: float = 0, after: float = 0,
) -> ParagraphStyle:  # fmt: skip
    """A paragraph style of that name, black and without the template's face and lines."""
    if name not in document.styles:
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles[
            "Normal"
        ]
    style = document.styles[name]
    for tag in ("w:rPr", ".//w:pBdr"):
        for found in style.element.findall(tag, style.element.nsmap):
            found.getparent().remove(found)
    style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
    style.font.color.rgb = RGBColor(0, 0, 0)
    form = style.paragraph_format
    form.line_spacing, form.space_before, form.space_after = spacing, Pt(before), Pt(after)
    return style


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
