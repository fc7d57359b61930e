"""Which rows of a table name its columns: below a title, over two rows, above units."""

from collections.abc import Sequence
from dataclasses import dataclass

from centrum.cohort.cells import is_missing
from centrum.cohort.findings import Findings
from centrum.cohort.numbers import parse_number
from centrum.cohort.text_file import LOOKED_AT, Knows
from centrum.cohort.units import is_unit

Row = tuple[int, tuple[str, ...]]
"""Number of a row, from 1, and its cells."""


@dataclass(frozen=True)
class TableHeader:
    """The heads of a table, the number of their last row, and the rows below it."""

    heads: tuple[str, ...]
    row: int
    rows: tuple[Row, ...]


def find_header(rows: Sequence[Row], knows: Knows, findings: Findings) -> TableHeader:
    """The header of a table of rows that are not blank, with notes on what was passed over.

    The heads stand in the first row unless one further down, without a number, has more cells and
    more known heads: then what stands above is a title.
    """
    at = _below_titles(rows, knows)
    if at:
        told = f"row {rows[0][0]}" if at == 1 else f"rows {rows[0][0]} to {rows[at - 1][0]}"
        findings.note(f"{told} above the column headings skipped as a title")
    number, heads = rows[at]
    below = rows[at + 1 :]
    if below and _is_second(heads, below[0][1], knows):
        findings.note(f"the column headings take two rows, {number} and {below[0][0]}")
        number, heads, below = below[0][0], _joined(heads, below[0][1], knows), below[1:]
    if len(below) > 1 and _are_units(heads, below[0][1], knows):
        findings.note(f"row {below[0][0]} below the column headings was read as their units")
        below = below[1:]
    return TableHeader(tuple(heads), number, tuple(below))


def _below_titles(rows: Sequence[Row], knows: Knows) -> int:
    """The position of the first row of heads."""
    counts = [0 if _has_number(cells) else sum(map(knows, cells)) for _, cells in rows[:LOOKED_AT]]
    at = counts.index(max(counts))
    while at and counts[at - 1] and _is_second(rows[at - 1][1], rows[at][1], knows):
        at -= 1
    return at if _filled(rows[at][1]) > _filled(rows[0][1]) else 0


def _filled(cells: Sequence[str]) -> int:
    return sum(map(bool, cells))


def _has_number(cells: Sequence[str]) -> bool:
    return any(parse_number(cell) is not None for cell in cells)


def _is_second(heads: Sequence[str], cells: Sequence[str], knows: Knows) -> bool:
    """Whether a row goes on with known heads: it has such, too, and no cell under one of them.

    A cell that was merged over both rows has the same text in both.
    """
    pairs = [(head, cell) for head, cell in zip(_wide(heads, len(cells)), cells, strict=False)]
    clash = any(cell and knows(head) and cell != head for head, cell in pairs)
    new = any(knows(cell) and cell != head for head, cell in pairs)
    return any(map(knows, heads)) and new and not clash and not _has_number(cells)


def _joined(heads: Sequence[str], cells: Sequence[str], knows: Knows) -> tuple[str, ...]:
    width = max(len(heads), len(cells))
    return tuple(
        below if knows(below) or below == above else f"{above} {below}".strip()
        for above, below in zip(_wide(heads, width), _wide(cells, width), strict=True)
    )


def _wide(cells: Sequence[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _are_units(heads: Sequence[str], cells: Sequence[str], knows: Knows) -> bool:
    """Whether a row has units or dashes only, and nothing under a known head such as that of ids.

    A row of values has an id; "m" and "a" may be values as well as units.
    """
    filled = [cell for cell in cells if not is_missing(cell)]
    nameless = any(
        knows(head) and is_missing(cell)
        for head, cell in zip(heads, _wide(cells, len(heads)), strict=False)
    )
    return nameless and bool(filled) and all(is_unit(cell.strip("[](){} ")) for cell in filled)
