"""Workbooks of Excel, read with openpyxl."""

import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from centrum.cohort.text_file import MOST_CELLS
from centrum.cohort.workbook import (
    MOST_COLUMNS,
    CellRange,
    Worksheet,
    cell_text,
    filled_rows,
    unpacked,
)

if TYPE_CHECKING:
    from openpyxl.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet as Sheet

_PADDED = re.compile("0{2,}")

_SPREAD = re.compile(
    rb"<(?:\w+:)?(?:mergeCell|hyperlink)\s[^>]*?\bref=[\"']([A-Z]+)(\d+):([A-Z]+)(\d+)[\"']", re.I
)
"""Areas of which openpyxl makes every cell, filled or not."""

Place = tuple[int, int]
"""Row and column, from 0."""


def read_xlsx(path: Path) -> Worksheet:
    """The first visible sheet of an XLSX file.

    Raises
    ------
    ManifestError
        The file is damaged, encrypted, too large or of another kind.
    """
    with unpacked(path, "XLSX workbook") as archive:
        _check_areas(archive)
        sheets = _sheets(archive, values=True)
        number = next((k for k, s in enumerate(sheets) if s.sheet_state == "visible"), 0)
        sheet = sheets[number]
        texts = {place: _text(cell) for place, cell in _cells(sheet)}
        return Worksheet(
            sheet.title,
            tuple(other.title for other in sheets if other is not sheet),
            filled_rows({place: text for place, text in texts.items() if text}),
            tuple(_areas(sheet)),
            tuple(n - 1 for n, row in sheet.row_dimensions.items() if row.hidden),
            tuple(sorted(_hidden_columns(sheet))),
            tuple(_uncalculated(archive, number, texts)),
        )


def _check_areas(archive: zipfile.ZipFile) -> None:
    """Refuse areas that stand for more cells than a table may have."""
    area = 0
    for part in archive.infolist():
        for left, top, right, bottom in _SPREAD.findall(archive.read(part)):
            area += _width(left, right) * max(int(bottom[:9]) - int(top[:9]) + 1, 0)
    if area > MOST_CELLS:
        raise OverflowError(f"{MOST_CELLS} merged or linked cells")


def _width(left: bytes, right: bytes) -> int:
    """How many columns lie from one to the other, such as 27 from A to AA."""
    first, last = (
        sum(26**k * (c - 64) for k, c in enumerate(name.upper()[:-9:-1])) for name in (left, right)
    )
    return max(last - first + 1, 0)


def _sheets(archive: zipfile.ZipFile, *, values: bool) -> list["Sheet"]:
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts that are not cells
        sheets: list[Sheet] = openpyxl.load_workbook(archive.fp, data_only=values).worksheets
    if not sheets:
        raise ValueError("it has no sheet")
    return sheets


def _cells(sheet: "Sheet") -> Iterator[tuple[Place, "Cell | MergedCell"]]:
    """The cells that are in the file; `iter_rows` would make all others up to the last."""
    return (((row - 1, column - 1), cell) for (row, column), cell in sheet._cells.items())


def _text(cell: "Cell | MergedCell") -> str:
    """The text of a cell; a whole number keeps the leading zeros that its format shows."""
    value = cell.value
    if type(value) is int and cell.has_style and _PADDED.fullmatch(cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return cell_text(value)


def _areas(sheet: "Sheet") -> list[CellRange]:
    ranges = sorted(sheet.merged_cells.ranges, key=lambda area: (area.min_row, area.min_col))
    return [
        CellRange(area.min_row - 1, area.min_col - 1, area.max_row - 1, area.max_col - 1)
        for area in ranges
    ]


def _hidden_columns(sheet: "Sheet") -> set[int]:
    """Neighbours that look alike share one entry, which says from where to where it goes."""
    kinds = [kind for kind in sheet.column_dimensions.values() if kind.hidden]
    return {j - 1 for kind in kinds for j in range(kind.min, min(kind.max, MOST_COLUMNS) + 1)}


def _uncalculated(archive: zipfile.ZipFile, number: int, texts: dict[Place, str]) -> list[Place]:
    """Cells that are empty as values and hold a formula, which only a second reading tells."""
    if all(texts.values()):
        return []
    cells = dict(_cells(_sheets(archive, values=False)[number]))
    empty = (place for place, text in sorted(texts.items()) if not text)
    return [place for place in empty if place in cells and cells[place].data_type == "f"]
