"""Further columns in a manifest that is there: all its other cells stay as they are, byte for byte.

Quotation marks, delimiter, line ends, encoding, blank rows and titles are kept, since the table is
somebody's work; what its cells mean is the reader's business (`centrum.cohort.manifest`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from centrum.cohort.columns import is_known_head, position_of
from centrum.cohort.findings import Findings
from centrum.cohort.sheet import TEXTS, Sheet, read_sheet
from centrum.cohort.text_file import read_table_text
from centrum.errors import ManifestError
from centrum.io.csv_text import csv_text

FurtherColumns = Mapping[str, Mapping[int, str]]
"""By head, the cells by the number of their row as a spreadsheet counts."""


@dataclass(frozen=True)
class _TableRow:
    """A row as it is written: its cells with their quotation marks, and the end of its line."""

    cells: tuple[str, ...]
    end: str


def with_columns(path: Path, columns: FurtherColumns) -> bytes:
    """The bytes of a text table with further columns, behind those that it has.

    A column that is there already is filled in its place, in the rows that are given; a cell that
    says the same stays as it is spelt. Nothing is written.

    Raises
    ------
    ManifestError
        The table is a workbook or compressed (code "not-plain-text"), holds no letter of a new
        cell in its encoding (code "not-in-encoding"), or cannot be read.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "cases.csv")
    ...     _ = path.write_bytes(b'case;"image"\\r\\nP1;1.nrrd\\r\\n')
    ...     with_columns(path, {"mask:R1": {2: "1m.nrrd"}})
    b'case;"image";mask:R1\\r\\nP1;1.nrrd;1m.nrrd\\r\\n'
    """
    refuse_other_than_text(path)
    sheet = read_sheet(path)
    table = read_table_text(path, is_known_head, Findings())
    lines = list(_lines(table.text, table.delimiter))
    for head, cells in columns.items():
        lines = _filled(lines, sheet, head, cells, table.delimiter)
        sheet = _with_head(sheet, lines, head)
    text = "".join(table.delimiter.join(line.cells) + line.end for line in lines)
    try:
        return table.bytes_of(text)
    except UnicodeEncodeError as error:
        raise ManifestError(
            f"{path.name} is stored as {table.encoding}, which has no {error.object[error.start]!r}"
            " of a new cell.",
            remedy="Save it as UTF-8 (in Excel: CSV UTF-8).",
            code="not-in-encoding",
            file=path,
        ) from error


def refuse_other_than_text(path: Path) -> None:
    """Raise a ManifestError, code "not-plain-text", for a workbook or a compressed table."""
    if path.suffix.lower() not in TEXTS:
        raise ManifestError(
            f"{path.name}: columns are added to a text table, whose other cells stay as they are; "
            f"found {path.suffix!r}.",
            remedy=f"Save it as {path.with_suffix('.csv').name} (in Excel: CSV UTF-8), move "
            f"{path.name} away, and run the same command again.",
            code="not-plain-text",
            file=path,
        )


def _with_head(sheet: Sheet, lines: Sequence[_TableRow], head: str) -> Sheet:
    """The sheet whose header knows the new column, too."""
    if position_of(sheet.header, head) is not None:
        return sheet
    gap = [""] * (len(lines[sheet.head_row - 1].cells) - 1 - len(sheet.header))
    header = (*sheet.header, *gap, head)
    return Sheet(sheet.name, header, sheet.rows, sheet.format, sheet.notes, sheet.head_row)


def _filled(
    lines: Sequence[_TableRow], sheet: Sheet, head: str, cells: Mapping[int, str], delimiter: str
) -> list[_TableRow]:
    """The lines with the cells of one column."""
    at = position_of(sheet.header, head)
    wanted = {row: cells[row] for row, _ in sheet.rows if row in cells}
    if at is None:
        at = _width(lines, sheet)
        wanted = {sheet.head_row: head, **{row: "" for row, _ in sheet.rows}, **wanted}
    else:
        known = sheet.column(at)
        wanted = {row: text for row, text in wanted.items() if known[row] != text}
    filled = list(lines)
    for row, text in wanted.items():
        filled[row - 1] = _put(lines[row - 1], at, _spelt(text, delimiter))
    return filled


def _width(lines: Sequence[_TableRow], sheet: Sheet) -> int:
    """Cells of the widest row, from the heads on."""
    return max(len(lines[row - 1].cells) for row in (sheet.head_row, *(n for n, _ in sheet.rows)))


def _put(line: _TableRow, at: int, cell: str) -> _TableRow:
    """A line with another cell at a place, and empty ones before it where it is shorter."""
    cells = [*line.cells, *[""] * (at + 1 - len(line.cells))]
    cells[at] = cell
    return _TableRow(tuple(cells), line.end)


def _spelt(text: str, delimiter: str) -> str:
    """A cell as it is written."""
    return csv_text([["", text]], delimiter)[len(delimiter) : -1]


def _lines(text: str, delimiter: str) -> Iterator[_TableRow]:
    """The rows of a text that `csv.reader` reads in its strict way, counted as it counts them."""
    mark = re.escape(delimiter)
    cell = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^{mark}\r\n]*')
    between = re.compile(rf"{mark}|\r\n|\r|\n|\Z")
    at, cells = 0, list[str]()
    while at < len(text) or cells:
        found = cell.match(text, at)
        end = found and between.match(text, found.end())
        if not found or not end:
            raise ValueError(f"no table in strict CSV, at character {at}")
        cells.append(found[0])
        at = end.end()
        if end[0] != delimiter:
            yield _TableRow(tuple(cells), end[0])
            cells = []
