"""Tables of the radiomics extension of 3D Slicer, saved as CSV or TSV.

One row per feature: `Image type`, `Feature Class`, `Feature Name`, then one column per segment,
whose head is the segment's name; nothing says which patient it is of. The order of the first
three columns and their capitals differ between versions. Rows of the image type `diagnostics`
(`general`/`info` in old versions) say how features were computed. Early versions wrote one row
per segment and feature: `Label`, `Image type`, `Feature Class`, `Feature Name`, `Value`.

The name of a feature is all three parts: `Contrast` alone exists in two classes and in every
image type.
"""

from centrum.cohort.sheet import Sheet
from centrum.errors import ManifestError
from centrum.exchange.assemble import assemble
from centrum.exchange.foreign_table import ForeignTable
from centrum.exchange.grid import CellGrid, check_widths, is_row_names, stacked, turned
from centrum.exchange.ids import choose, plain, usual
from centrum.exchange.pyradiomics import is_diagnostic
from centrum.text import counted

PARTS = ("Image type", "Feature Class", "Feature Name")
"""Heads of the columns that make up a name, in the order in which they do."""

WANTED = f"the columns {', '.join(map(repr, PARTS))}"

_PLAIN_PARTS = tuple(map(plain, PARTS))


def is_part(head: str) -> bool:
    """Whether a head is that of a part of a name."""
    return plain(head) in _PLAIN_PARTS


def recognises(sheet: Sheet, *, asked: bool = False) -> bool:
    """Whether the header has the three parts of a name."""
    return set(_PLAIN_PARTS) <= set(map(plain, sheet.header))


def read(sheet: Sheet, id_column: str | None = None) -> ForeignTable:
    """Read a sheet with one row per feature.

    Raises
    ------
    ManifestError
        A part of a name is missing, or a column is asked for to name the cases: the header does.
    """
    if id_column is not None:
        raise ManifestError(
            f"{sheet.name}: the header of a table of 3D Slicer names the cases; there is no "
            f"column {id_column!r} for it.",
            remedy="Rename the columns instead.",
            code="no-id-column",
            file=sheet.name,
        )
    check_widths(sheet)
    heads = [plain(head) for head in sheet.header]
    names = [(i, _name(sheet, i, heads)) for i in range(len(sheet.rows))]
    kept = [(i, name) for i, name in names if not is_diagnostic(name)]
    grid = _grid(sheet, heads, kept)
    count = len(names) - len(kept)
    noted = grid.noting(f"{counted(count, 'row')} of diagnostics left out" if count else "")
    features = dict(enumerate(grid.heads))
    return assemble(noted, "slicer", choose(grid, usual(grid)[:1], None), features)


def _name(sheet: Sheet, row: int, heads: list[str]) -> str:
    number, cells = sheet.rows[row]
    parts = [cells[j] if j < len(cells) else "" for j in map(heads.index, _PLAIN_PARTS)]
    if not all(parts):
        raise ManifestError(
            f"{sheet.name}: row {number}: expected {', '.join(PARTS)}, found {parts}.",
            remedy="Fill in the parts of the name.",
            code="unnamed-feature",
            file=sheet.name,
        )
    return "_".join(parts)


def _grid(sheet: Sheet, heads: list[str], names: list[tuple[int, str]]) -> CellGrid:
    if sorted(heads) != sorted(("label", "value", *_PLAIN_PARTS)):
        cases = [
            (j, head)
            for j, head in enumerate(sheet.header)
            if heads[j] not in _PLAIN_PARTS and not (j == 0 and is_row_names(head, j))
        ]
        if not cases:
            raise ManifestError(
                f"{sheet.name}: no column for a segment beside {', '.join(PARTS)}.",
                remedy="Export the table with its values.",
                code="no-cases",
                file=sheet.name,
            )
        return turned(sheet, names, cases)
    label, value = sheet.column(heads.index("label")), sheet.column(heads.index("value"))
    lines = [(sheet.rows[i][0], name) for i, name in names]
    entries = ((label[row], name, row, value[row]) for row, name in lines)
    return stacked(sheet.name, entries, sheet.notes)
