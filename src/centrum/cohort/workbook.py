"""The first visible sheet of a workbook as rows of text, whichever program wrote it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from centrum.cohort.cells import BooleanText, DateText, NumberText
from centrum.cohort.findings import Findings, listed

MOST_CELLS = 2**25
"""Cells beyond this are refused: one stray or repeated cell can stand for billions."""


@dataclass(frozen=True)
class Area:
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
    merged: tuple[Area, ...] = ()
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
            "take them out if they are not of the study"
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


def _spread(rows: list[list[str]], area: Area, findings: Findings) -> None:
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
                remedy="Take the merge off, and write into each cell what holds for it.",
            )
