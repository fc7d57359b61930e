"""Numbers of captions as fields, bookmarks around them, and texts that refer to these.

Word counts the captions anew when a table or figure is added, and so do the references. What the
fields show is written into them: nothing has to be updated before it is right.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

from centrum.manuscript.docx_styles import STRONG
from centrum.report.blocks import Exhibit
from centrum.report.numbering import REFERENCE, Numbering, absent
from centrum.text import legal


@dataclass(frozen=True)
class Captions:
    """The numbered tables and figures of a document.

    Attributes
    ----------
    numbers : by kind and key
    ids : of their bookmarks
    """

    numbers: Numbering
    ids: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, items: Iterable[Exhibit]) -> Self:
        """Those that have a number."""
        numbered: dict[tuple[str, str], str] = {
            (item.kind, item.key): item.number for item in items if item.number
        }
        return cls(Numbering(numbered), {name: k for k, name in enumerate(numbered, 1)})

    def refer(self, paragraph: Paragraph, text: str) -> None:
        """Write a text; where it holds a `ref`, a field shows the number of the caption."""
        end = 0
        for found in REFERENCE.finditer(text):
            paragraph.add_run(legal(text[end : found.start()]))
            self._refer(paragraph, found[1], found[2])
            end = found.end()
        if end < len(text):
            paragraph.add_run(legal(text[end:]))

    def _refer(self, paragraph: Paragraph, word: str, key: str) -> None:
        number = self.numbers.given.get((word.lower(), key))
        if number is None:
            paragraph.add_run(absent(word, key))
            return
        paragraph.add_run(f"{word} ")
        add_field(paragraph, f"REF {bookmark(word, number)} \\h", number)

    def label(self, paragraph: Paragraph, item: Exhibit) -> None:
        """Begin a caption: kind and number, counted by a field and marked for references."""
        name = {"id": str(self.ids[item.kind, item.key])}
        paragraph.add_run(f"{item.kind.capitalize()} ", STRONG)
        _mark(paragraph, "bookmarkStart", **name, name=bookmark(item.kind, item.number))
        counted = item.number.removeprefix(SUPPLEMENT)
        supplement = counted != item.number
        if supplement:
            paragraph.add_run(SUPPLEMENT, STRONG)
        sequence = item.kind.capitalize() + (f"_{SUPPLEMENT}" if supplement else "")
        add_field(paragraph, f"SEQ {sequence} \\* ARABIC", counted, STRONG)
        _mark(paragraph, "bookmarkEnd", **name)
        paragraph.add_run(".", STRONG)


SUPPLEMENT = "S"
"""What numbers of the supplement begin with."""


def bookmark(kind: str, number: str) -> str:
    """The name of the bookmark around a number; Word hides names with a line before them.

    >>> bookmark("Table", "S3")
    '_table_S3'
    """
    return f"_{kind.lower()}_{number}"


def _mark(paragraph: Paragraph, tag: str, **attributes: str) -> None:
    made = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    paragraph._p.append(made)


def add_field(paragraph: Paragraph, instruction: str, shown: str, style: str | None = None) -> None:
    """A field with what it shows until somebody updates it."""
    _add_character(paragraph, "begin", style)
    told = OxmlElement("w:instrText")
    told.set(qn("xml:space"), "preserve")
    told.text = f" {instruction} "
    paragraph.add_run("", style)._r.append(told)
    _add_character(paragraph, "separate", style)
    paragraph.add_run(shown, style)
    _add_character(paragraph, "end", style)


def _add_character(paragraph: Paragraph, kind: str, style: str | None) -> None:
    made = OxmlElement("w:fldChar")
    made.set(qn("w:fldCharType"), kind)
    paragraph.add_run("", style)._r.append(made)
