"""The styles of a Word document: everything that a journal's template may want to look otherwise.

Styles are Word's own where it has them. Texts, cells and captions have a style and nothing else,
so that the document looks as a template wants that redefines these.
"""

from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle

from centrum.manuscript.columns import PADDING_CM, TABLE_PT

FONT = "Times New Roman"

TEXT_PT, CAPTION_PT, NOTE_PT = 12, 10, 8

TEXT, CAPTION, NUMBERED, STRONG = "Body Text", "Caption", "List Number", "Strong"
"""Word's own."""

CELL, NUMERIC_CELL, NOTE = "Table Text", "Table Number", "Table Note"
PICTURE, TABLE = "Figure", "Three Rules"
"""Of tables and of pictures, for which Word has none."""

AFTER_LINE_NUMBERS = ("w:spacing", "w:ind", "w:contextualSpacing", "w:jc")
"""What the order of Word's elements wants behind whether lines are numbered."""

THICK, THIN = (
    {"val": "single", "sz": size, "space": "0", "color": "000000"} for size in ("8", "4")
)
"""Rules of 1 pt around a table and of 0.5 pt under its head."""


def set_styles(document: WordDocument) -> None:
    """Define all styles of a manuscript."""
    normal = _styled(document, "Normal", TEXT_PT, spacing=1.5, after=6)
    fonts = normal.element.rPr.rFonts
    for script in ("cs", "eastAsia"):
        fonts.set(qn(f"w:{script}"), FONT)
    for name in (TEXT, NUMBERED):
        _styled(document, name, TEXT_PT, spacing=1.5, after=6)
    _styled(document, "Title", 16, bold=True, after=18)
    for level, size in ((1, 14), (2, 12), (3, 12)):
        style = _styled(document, f"Heading {level}", size, bold=True, before=12, after=6)
        style.font.italic = level == 3
    _styled(
        document, CAPTION, CAPTION_PT, before=4, after=12
    ).next_paragraph_style = document.styles[TEXT]
    _styled(document, CELL, TABLE_PT, before=1, after=1)
    _based(document, NUMERIC_CELL, CELL)
    document.styles[NUMERIC_CELL].paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    note = _styled(document, NOTE, NOTE_PT, before=2, after=10)
    note.element.get_or_add_pPr().append(OxmlElement("w:contextualSpacing"))
    picture = _styled(document, PICTURE, TEXT_PT, before=12, after=4)
    picture.paragraph_format.keep_with_next = True
    for style in (note, picture):
        style.element.get_or_add_pPr().insert_element_before(
            OxmlElement("w:suppressLineNumbers"), *AFTER_LINE_NUMBERS
        )
    for name in ("Header", "Footer"):
        style = _styled(document, name, TABLE_PT, bold=name == "Header")
        style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _set_table_style(document)


def _styled(
    document: WordDocument, name: str, size: float, *,
    bold: bool = False, spacing: float = 1.0, before: float = 0, after: float = 0,
) -> ParagraphStyle:  # fmt: skip
    """A paragraph style of that name, black and without the template's face and lines."""
    if name not in document.styles:
        _based(document, name, "Normal")
    style = document.styles[name]
    for tag in ("w:rPr", ".//w:pBdr"):
        for found in style.element.findall(tag, style.element.nsmap):
            found.getparent().remove(found)
    style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
    style.font.color.rgb = RGBColor(0, 0, 0)
    form = style.paragraph_format
    form.line_spacing, form.space_before, form.space_after = spacing, Pt(before), Pt(after)
    return style


def _based(document: WordDocument, name: str, base: str) -> None:
    made = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    made.base_style = document.styles[base]


def _set_table_style(document: WordDocument) -> None:
    """A rule above a table, one under its head and one below."""
    style = document.styles.add_style(TABLE, WD_STYLE_TYPE.TABLE).element
    sides = {"w": str(Cm(PADDING_CM).twips), "type": "dxa"}
    style.append(
        nested("tblPr", nested("tblBorders", top=THICK, bottom=THICK),
               nested("tblCellMar", left=sides, right=sides))
    )  # fmt: skip
    head = nested("tblStylePr", nested("tcPr", nested("tcBorders", bottom=THIN)))
    head.set(qn("w:type"), "firstRow")
    style.append(head)


def nested(tag: str, *inside: BaseOxmlElement, **children: dict[str, str]) -> BaseOxmlElement:
    """An element with others in it, and with children that have attributes and nothing else."""
    made = OxmlElement(f"w:{tag}")
    for child in inside:
        made.append(child)
    for name, attributes in children.items():
        child = OxmlElement(f"w:{name}")
        for key, value in attributes.items():
            child.set(qn(f"w:{key}"), value)
        made.append(child)
    return made
