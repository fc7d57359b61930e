"""Spreadsheets of LibreOffice (OpenDocument), read from their XML.

A sheet is a table of rows of cells; rows and cells that are alike are written once with a count,
and cells that a merged one covers are cells of their own. See OpenDocument 1.3, part 3, chapter 9.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

from centrum.cohort.cells import BooleanText, DateText
from centrum.cohort.workbook import MOST_CELLS, Area, Worksheet, cell_text
from centrum.errors import ManifestError

_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_TABLE, _OFFICE, _TEXT, _STYLE = (
    f"{{{_OASIS}:{name}:1.0}}" for name in ("table", "office", "text", "style")
)
_LIBREOFFICE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"

_PADDED = re.compile(r"0\d+")

LARGEST_BYTES = 2**29
"""Content beyond this is refused before it is unpacked."""


def read_ods(path: Path) -> Worksheet:
    """The first visible sheet of an ODS file.

    Raises
    ------
    ManifestError
        The file is damaged, encrypted, too large or of another kind.
    """
    content = _content(path)
    sheets = content.findall(f".//{_OFFICE}spreadsheet/{_TABLE}table")
    if not sheets:
        raise _unreadable(path, "it has no sheet")
    hidden = _hidden_styles(content)
    visible = (s for s in sheets if s.get(f"{_TABLE}style-name") not in hidden)
    sheet = next(visible, sheets[0])
    read = _Cells()
    try:
        read.table(sheet)
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    others = tuple(_title(other) for other in sheets if other is not sheet)
    return Worksheet(
        _title(sheet),
        others,
        read.rows(),
        tuple(read.merged),
        tuple(read.hidden),
        tuple(_hidden_columns(sheet)),
        tuple(read.uncalculated),
    )


def _content(path: Path) -> Element:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("content.xml").file_size > LARGEST_BYTES:
                raise _unreadable(path, f"its content has more than {LARGEST_BYTES >> 20} MB")
            return fromstring(archive.read("content.xml"))
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, ParseError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> ManifestError:
    return ManifestError(
        f"{path.name}: not a readable ODS spreadsheet ({why}).",
        remedy="Save it again as ODS, without a password, or as CSV.",
        code="unreadable-table",
        file=path,
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
        count = int(element.get(f"{_TABLE}number-{what}-repeated", "1"))
        yield range(start, start + count), element
        start += count


def _hidden_columns(sheet: Element) -> Iterator[int]:
    for places, column in _placed(sheet.iter(f"{_TABLE}table-column"), "columns"):
        if _is_hidden(column):
            yield from places


@dataclass
class _Cells:
    """The filled cells of a table by row and column, counted from 0, and what is said of them."""

    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    uncalculated: list[tuple[int, int]] = field(default_factory=list)

    def table(self, sheet: Element) -> None:
        """Add all cells; ValueError if there are more than `MOST_CELLS`."""
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
            raise ValueError(f"more than {MOST_CELLS} cells")
        places = [(row, column) for row in rows for column in columns]
        self.texts |= dict.fromkeys(places, text)
        self.uncalculated += places if formula else []
        deep, wide = (
            int(cell.get(f"{_TABLE}number-{n}-spanned", "1")) for n in ("rows", "columns")
        )
        if deep * wide > 1:
            top, left = places[0]
            self.merged.append(Area(top, left, top + deep - 1, left + wide - 1))

    def rows(self) -> list[list[str]]:
        """The cells up to the last filled row, and in each row up to the last filled column."""
        rows: list[list[str]] = [[] for _ in range(max((n for n, _ in self.texts), default=-1) + 1)]
        for (n, j), text in sorted(self.texts.items()):
            rows[n] += [""] * (j - len(rows[n])) + [text]
        return rows


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
    blanks = " " * int(element.get(f"{_TEXT}c", "1")) if element.tag == f"{_TEXT}s" else ""
    inside = "".join(_line(part) + (part.tail or "") for part in element)
    return blanks + (element.text or "") + inside
