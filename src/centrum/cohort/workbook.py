"""The first visible sheet of a workbook as rows of text, whichever program wrote it."""

import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any

from centrum.cohort.cells import BooleanText, DateText, NumberText
from centrum.cohort.findings import Findings, listed
from centrum.cohort.text_file import MOST_CELLS, too_large
from centrum.errors import CentrumError, ManifestError
from centrum.io.structured import read_bytes
from centrum.text import one_line

MOST_ROWS, MOST_COLUMNS = 2**20, 2**14
"""The sheets of Excel and LibreOffice are no larger."""

LARGEST_FILE = 2**26
"""Bytes of a workbook, which is compressed."""

LARGEST_UNPACKED = 2**27
"""Bytes of all parts of a workbook; in memory they are some twenty times as much."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How old XLS workbooks begin, and XLSX ones that a password protects."""


@contextmanager
def unpacked(path: Path, kind: str) -> Iterator[zipfile.ZipFile]:
    """The parts of a workbook; whatever it makes a reader raise is an error of that file.

    Parameters
    ----------
    kind : what messages call the file, such as "XLSX workbook"

    Raises
    ------
    ManifestError
        The file is damaged, encrypted or of another kind, or has more than a limit allows.
    """
    content = read_bytes(path, ManifestError, LARGEST_FILE)
    if content.startswith(_OLE):
        why = "it is an old XLS workbook, or has a password"
        raise _unreadable(path, kind, why)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = archive.infolist()
            if any(part.flag_bits & 1 for part in parts):
                raise _unreadable(path, kind, "it is encrypted")
            if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise too_large(path, f"{LARGEST_UNPACKED >> 20} MB when it is unpacked")
            yield archive
    except CentrumError:
        raise
    except OverflowError as error:
        raise too_large(path, str(error)) from error
    except Exception as error:  # what a library meets in a damaged file is not its to foresee
        raise _unreadable(path, kind, _told(error)) from error


def _unreadable(path: Path, kind: str, why: str) -> ManifestError:
    return ManifestError(
        f"{path.name}: not a readable {kind} ({why}).",
        remedy=f"Save it again as {kind.split()[0]}, without a password, or as CSV.",
        code="unreadable-table",
        file=path,
    )


def _told(error: BaseException) -> str:
    """One line of what was raised first, with its kind where it says little."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = one_line(str(error))[:200]
    return text if " " in text else f"{type(error).__name__} {text}".strip()


def filled_rows(texts: Mapping[tuple[int, int], str]) -> list[list[str]]:
    """Cells by row and column, from 0, up to the last filled row, and in each its last column.

    Raises
    ------
    OverflowError
        A cell lies beyond the largest sheet, or the rows have more than `MOST_CELLS` cells.

    >>> filled_rows({(0, 0): "a", (2, 1): "b"})
    [['a'], [], ['', 'b']]
    """
    ends: dict[int, int] = {}
    for row, column in texts:
        ends[row] = max(ends.get(row, 0), column + 1)
    last, widest = max(ends, default=-1) + 1, max(ends.values(), default=0)
    if last > MOST_ROWS or widest > MOST_COLUMNS:
        raise OverflowError(f"{MOST_ROWS} rows or {MOST_COLUMNS} columns")
    if sum(ends.values()) > MOST_CELLS:
        raise OverflowError(f"{MOST_CELLS} cells")
    rows = [[""] * ends.get(row, 0) for row in range(last)]
    for (row, column), text in texts.items():
        rows[row][column] = text
    return rows


@dataclass(frozen=True)
class CellRange:
    """Cells that were merged; rows and columns are counted from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Worksheet:
    """One sheet of a workbook.

    Attributes
    ----------
    title : its name
    others : names of the sheets that are not read
    rows : text of every cell; the value of merged cells stands in the first one
    merged : areas of merged cells
    hidden_rows, hidden_columns : counted from 0
    uncalculated : row and column of formulas without a stored value, counted from 0
    """

    title: str
    others: tuple[str, ...]
    rows: list[list[str]]
    merged: tuple[CellRange, ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    uncalculated: tuple[tuple[int, int], ...] = ()


def letters(column: int) -> str:
    """What a spreadsheet calls a column that is counted from 0.

    >>> letters(0), letters(26), letters(701)
    ('A', 'AA', 'ZZ')
    """
    before, rest = divmod(column, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + rest)


def cell_text(value: Any) -> str:
    """The text of a value as a workbook stores it.

    >>> cell_text(3.0), cell_text(datetime(2024, 1, 2)), cell_text(True), cell_text(None)
    ('3', '2024-01-02', 'TRUE', '')
    """
    if isinstance(value, bool):
        return BooleanText(str(value).upper())
    if isinstance(value, int | float):
        whole = isinstance(value, float) and value.is_integer()
        return NumberText(int(value) if whole else value)
    if isinstance(value, datetime) and value.time() == time():
        return DateText(value.date().isoformat())
    if isinstance(value, date | time):
        return DateText(value.isoformat())
    return "" if value is None else str(value)


def read_worksheet(sheet: Worksheet, findings: Findings) -> list[list[str]]:
    """The rows of a sheet, with the values of merged cells and notes on what was hidden.

    Cells that were merged down a column have one value, which each of its rows gets. Formulas
    without a stored value are problems.
    """
    if sheet.others:
        findings.note(f"sheet {sheet.title!r} was read, not {', '.join(sheet.others)}")
    _note_hidden(sheet, findings)
    _report_uncalculated(sheet, findings)
    for area in sheet.merged:
        if area.left == area.right:
            _spread(sheet.rows, area, findings)
    return sheet.rows


def _note_hidden(sheet: Worksheet, findings: Findings) -> None:
    filled = [n for n in sheet.hidden_rows if n < len(sheet.rows) and any(sheet.rows[n])]
    if filled:
        findings.note(
            f"hidden rows (by hand or by a filter) were read: {listed([n + 1 for n in filled])}; "
            "remove them if they do not belong to the study"
        )
    used = {j for row in sheet.rows for j, text in enumerate(row) if text}
    columns = [letters(j) for j in sheet.hidden_columns if j in used]
    if columns:
        findings.note(f"hidden columns were read: {listed(columns)}")


def _report_uncalculated(sheet: Worksheet, findings: Findings) -> None:
    """One problem for each column, as a column is filled with one formula."""
    rows = defaultdict(list)
    for row, column in sheet.uncalculated:
        rows[column].append(row)
    for column, places in sorted(rows.items()):
        cells = [f"{letters(column)}{row + 1}" for row in places]
        findings.problem(
            f"the formulas of {listed(cells)} have no stored value",
            row=places[0] + 1,
            code="formula-without-value",
            remedy="Open the file in a spreadsheet program and save it, or paste the values over "
            "the formulas.",
        )


def _spread(rows: list[list[str]], area: CellRange, findings: Findings) -> None:
    """Give the value of cells that were merged down a column to each of its rows."""
    value = rows[area.top][area.left] if area.top < len(rows) else ""
    if not value:
        return
    last = min(area.bottom, len(rows) - 1)
    for row in rows[area.top : last + 1]:
        row += [""] * (area.left + 1 - len(row))
        row[area.left] = value
    findings.note(
        f"merged cells {letters(area.left)}{area.top + 1} to {letters(area.left)}{last + 1}: "
        "their value holds for each of these rows"
    )


def check_merged(sheet: Worksheet, head_row: int, findings: Findings) -> None:
    """Cells merged across columns below the heads are problems: nothing says whose the value is."""
    for area in sheet.merged:
        if area.left < area.right and area.top >= head_row:
            findings.problem(
                f"the cells {letters(area.left)}{area.top + 1} to {letters(area.right)}"
                f"{area.bottom + 1} are merged across columns",
                row=area.top + 1,
                code="merged-cells",
                remedy="Unmerge the cells, and write into each cell what holds for it.",
            )
