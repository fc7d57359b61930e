"""Spreadsheets of LibreOffice (OpenDocument), read from their XML.

A sheet is a table of rows of cells; rows and cells that are alike are written once with a count,
and cells that a merged one covers are cells of their own. See OpenDocument 1.3, part 3, chapter 9.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

from centrum.cohort.cells import BooleanText, DateText
from centrum.cohort.text_file import MOST_CELLS
from centrum.cohort.workbook import (
    MOST_COLUMNS,
    CellRange,
    Worksheet,
    cell_text,
    filled_rows,
    unpacked,
)

_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_TABLE, _OFFICE, _TEXT, _STYLE = (
    f"{{{_OASIS}:{name}:1.0}}" for name in ("table", "office", "text", "style")
)
_LIBREOFFICE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"

_PADDED = re.compile(r"0\d+")

MOST_COPIES = 2**16
"""Copies of a filled cell that a count may stand for: rows of a table are hardly ever alike."""

MOST_BLANKS = 100
"""Blanks in a row that a text keeps; a count can stand for billions."""


def read_ods(path: Path) -> Worksheet:
    """The first visible sheet of an ODS file.

    Raises
    ------
    ManifestError
        The file is damaged, encrypted, too large or of another kind.
    """
    with unpacked(path, "ODS spreadsheet") as archive:
        content = fromstring(archive.read("content.xml"))
        sheets = content.findall(f".//{_OFFICE}spreadsheet/{_TABLE}table")
        if not sheets:
            raise ValueError("it has no sheet")
        hidden = _hidden_styles(content)
        visible = (s for s in sheets if s.get(f"{_TABLE}style-name") not in hidden)
        sheet = next(visible, sheets[0])
        read = _Cells()
        read.table(sheet)
        return Worksheet(
            _title(sheet),
            tuple(_title(other) for other in sheets if other is not sheet),
            filled_rows({place: text for place, text in read.texts.items() if text}),
            tuple(read.merged),
            tuple(read.hidden),
            tuple(_hidden_columns(sheet)),
            tuple(read.uncalculated),
        )


def _title(sheet: Element) -> str:
    return sheet.get(f"{_TABLE}name", "")


def _hidden_styles(content: Element) -> set[str | None]:
    return {
        style.get(f"{_STYLE}name")
        for style in content.iter(f"{_STYLE}style")
        for look in style.iter(f"{_STYLE}table-properties")
        if look.get(f"{_TABLE}display") == "false"
    }


def _is_hidden(element: Element) -> bool:
    """Rows are also hidden by a filter, which LibreOffice says with another word."""
    return element.get(f"{_TABLE}visibility", "visible") != "visible"


def _placed(elements: Iterable[Element], what: str) -> Iterator[tuple[range, Element]]:
    """Each element and the places that it takes, as a count may repeat it."""
    start = 0
    for element in elements:
        count = _count(element, f"number-{what}-repeated")
        yield range(start, start + count), element
        start += count


def _count(element: Element, name: str) -> int:
    """A count, 1 where none is given; ValueError where it is none."""
    count = int(element.get(f"{_TABLE}{name}", "1"))
    if count < 1:
        raise ValueError(f"{name} is {count}")
    return count


def _hidden_columns(sheet: Element) -> Iterator[int]:
    for places, column in _placed(sheet.iter(f"{_TABLE}table-column"), "columns"):
        if _is_hidden(column):
            yield from range(places.start, min(places.stop, MOST_COLUMNS))


@dataclass
class _Cells:
    """The filled cells of a table by row and column, counted from 0, and what is said of them."""

    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[CellRange] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    uncalculated: list[tuple[int, int]] = field(default_factory=list)

    def table(self, sheet: Element) -> None:
        """Add all cells; OverflowError beyond `MOST_CELLS`, or `MOST_COPIES` of one."""
        for rows, row in _placed(sheet.iter(f"{_TABLE}table-row"), "rows"):
            before = len(self.texts)
            for columns, cell in _placed(row, "columns"):
                self._cell(rows, columns, cell)
            if _is_hidden(row) and len(self.texts) > before:
                self.hidden += rows

    def _cell(self, rows: range, columns: range, cell: Element) -> None:
        if cell.tag != f"{_TABLE}table-cell":
            return
        text = _cell_text(cell)
        formula = not text and cell.get(f"{_TABLE}formula")
        if not (text or formula):
            return
        if len(self.texts) + len(rows) * len(columns) > MOST_CELLS:
            raise OverflowError(f"{MOST_CELLS} cells")
        if len(rows) * len(columns) > MOST_COPIES:
            raise OverflowError(f"{MOST_COPIES} copies of a cell")
        places = [(row, column) for row in rows for column in columns]
        self.texts |= dict.fromkeys(places, text)
        self.uncalculated += places if formula else []
        deep, wide = (_count(cell, f"number-{n}-spanned") for n in ("rows", "columns"))
        if deep * wide > 1:
            top, left = places[0]
            self.merged.append(CellRange(top, left, top + deep - 1, left + wide - 1))


def _cell_text(cell: Element) -> str:
    """The text of a cell; a whole number keeps the leading zeros that it is shown with."""
    kind = cell.get(f"{_OFFICE}value-type")
    lines = [_line(line) for line in cell.findall(f"{_TEXT}p")]
    if cell.get(f"{_LIBREOFFICE}value-type") == "error" or kind in (None, "string", "time"):
        return cell.get(f"{_OFFICE}string-value") or "\n".join(lines)
    if kind == "date":
        return DateText(cell.get(f"{_OFFICE}date-value", "").removesuffix("T00:00:00"))
    if kind == "boolean":
        return BooleanText(cell.get(f"{_OFFICE}boolean-value", "").upper())
    if lines and _PADDED.fullmatch(lines[0]):
        return lines[0]
    return cell_text(float(cell.get(f"{_OFFICE}value", "nan")))


def _line(element: Element) -> str:
    """The text of a paragraph; several blanks are written as one element with a count."""
    number = int(element.get(f"{_TEXT}c", "1")) if element.tag == f"{_TEXT}s" else 0
    blanks = " " * min(number, MOST_BLANKS)
    inside = "".join(_line(part) + (part.tail or "") for part in element)
    return blanks + (element.text or "") + inside
