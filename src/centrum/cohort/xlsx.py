"""Workbooks of Excel, read with openpyxl."""

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from centrum.cohort.workbook import MOST_CELLS, Area, Worksheet, cell_text
from centrum.errors import ManifestError

if TYPE_CHECKING:
    from openpyxl.cell import Cell, MergedCell
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet as Sheet

_PADDED = re.compile("0{2,}")


def read_xlsx(path: Path) -> Worksheet:
    """The first visible sheet of an XLSX file.

    Raises
    ------
    ManifestError
        The file is damaged, encrypted or of another kind.
    """
    book = _load(path, values=True)
    sheets = book.worksheets
    number = next((k for k, s in enumerate(sheets) if s.sheet_state == "visible"), 0)
    sheet = sheets[number]
    if sheet.max_row * sheet.max_column > MOST_CELLS:
        raise _unreadable(
            path, f"its used area has {sheet.max_row} rows, {sheet.max_column} columns"
        )
    rows = [[_text(cell) for cell in row] for row in sheet.iter_rows()]
    return Worksheet(
        sheet.title,
        tuple(other.title for other in sheets if other is not sheet),
        rows,
        tuple(_areas(sheet)),
        tuple(n - 1 for n, row in sheet.row_dimensions.items() if row.hidden),
        tuple(sorted(_hidden_columns(sheet))),
        tuple(_uncalculated(path, number, rows)),
    )


def _load(path: Path, *, values: bool) -> "Workbook":
    import openpyxl

    try:
        return openpyxl.load_workbook(path, data_only=values)
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, OSError) as error:
        raise _unreadable(path, str(error)) from error


def _unreadable(path: Path, why: str) -> ManifestError:
    return ManifestError(
        f"{path.name}: not a readable XLSX workbook ({why}).",
        remedy="Save it again as XLSX, without a password, or as CSV.",
        code="unreadable-table",
        file=path,
    )


def _text(cell: "Cell | MergedCell") -> str:
    """The text of a cell; a whole number keeps the leading zeros that its format shows."""
    value = cell.value
    if type(value) is int and cell.has_style and _PADDED.fullmatch(cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return cell_text(value)


def _areas(sheet: "Sheet") -> list[Area]:
    ranges = sorted(sheet.merged_cells.ranges, key=lambda area: (area.min_row, area.min_col))
    return [
        Area(area.min_row - 1, area.min_col - 1, area.max_row - 1, area.max_col - 1)
        for area in ranges
    ]


def _hidden_columns(sheet: "Sheet") -> set[int]:
    """Neighbours that look alike share one entry, which says from where to where it goes."""
    kinds = [kind for kind in sheet.column_dimensions.values() if kind.hidden]
    return {j - 1 for kind in kinds for j in range(kind.min, kind.max + 1)}


def _uncalculated(path: Path, number: int, rows: list[list[str]]) -> list[tuple[int, int]]:
    """Cells that are empty as values and hold a formula, which only a second reading tells."""
    if all(all(row) for row in rows):
        return []
    formulas = _load(path, values=False).worksheets[number].iter_rows()
    return [
        (n, j)
        for n, (cells, texts) in enumerate(zip(formulas, rows, strict=True))
        for j, (cell, text) in enumerate(zip(cells, texts, strict=True))
        if cell.data_type == "f" and not text
    ]
