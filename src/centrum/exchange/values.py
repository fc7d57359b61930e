"""Text of cells as numbers, and the columns that are no features as they were read."""

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.cohort.cells import is_error, is_missing
from centrum.cohort.columns import FIELDS, find_columns
from centrum.cohort.findings import Findings, listed
from centrum.cohort.numbers import parse_number, read_typed, report_unclear
from centrum.exchange.grid import CellGrid, filled
from centrum.text import counted

OUTCOMES = ("target", "class", "group", "status", "event", "histology", "pathology", "y")
"""Heads of outcomes beside those of a manifest; as features they would tell the answer."""

TEXT_FIELDS = frozenset(FIELDS) - {"age"}
"""Columns that stay text, as outcomes do: "007" is a patient and "1" an outcome."""

FILL_OR_CORRECT = "Correct it, or leave the cell empty."
"""What to do about a cell that is no number."""

_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_PADDED = re.compile(r"[+-]?0\d")


def to_number(text: str) -> float | None:
    """The number in a cell, nan where missing or undefined; None if it is something else.

    >>> to_number("3,14"), to_number("#DIV/0!"), to_number("-Inf"), to_number("(1, 2)")
    (3.14, nan, nan, None)
    """
    return np.nan if is_missing(text) or is_undefined(text) else parse_number(text)


def is_undefined(text: str) -> bool:
    """Whether a cell holds an error of a spreadsheet, such as #DIV/0!, or an infinite value."""
    return not text[:1].isdigit() and (is_error(text) or bool(_INFINITE.fullmatch(text)))


def read_values(grid: CellGrid, columns: Sequence[int]) -> tuple[Floats, list[str]]:
    """Numbers of some columns of a grid, and notes on how they were read.

    A program writes all its columns alike: what a comma means in one holds for all.

    Returns
    -------
    values : (cases, columns) float64, nan where missing or undefined
    notes : on decimal commas, separators of thousands and undefined values

    Raises
    ------
    ManifestError
        With row, column and text of every cell that is no number, or whose comma may
        separate thousands.
    """
    places = [(case, index) for case in range(len(grid.cells)) for index in columns]
    cells = {place: grid.cells[place[0]][place[1]] for place in places}
    undefined = [place for place, text in cells.items() if is_undefined(text)]
    left_out = set(undefined)
    numbers = read_typed(
        {p: text for p, text in cells.items() if p not in left_out and not is_missing(text)}
    )
    findings = Findings()
    for place in numbers.strange:
        row, head = grid.place(*place)
        found = f"expected a number, found {str(cells[place])!r}"
        findings.problem(found, row=row, column=head, code="not-a-number", remedy=FILL_OR_CORRECT)
    _report_unclear(grid, numbers.unclear, findings)
    findings.raise_problems(grid.file)
    values = np.array([numbers.values.get(place, np.nan) for place in places])
    told = (
        _counted("decimal commas read as points", numbers.decimal_commas),
        _counted("thousands separators removed", numbers.thousands),
        _named(grid, undefined),
    )
    return values.reshape(len(grid.cells), len(columns)), [note for note in told if note]


def _report_unclear(grid: CellGrid, places: Sequence[tuple[int, int]], findings: Findings) -> None:
    """A problem for each column of the file."""
    columns: dict[str, dict[int, str]] = defaultdict(dict)
    for case, index in places:
        row, head = grid.place(case, index)
        columns[head][row] = grid.cells[case][index]
    for head, cells in columns.items():
        report_unclear(cells, head, findings)


def _counted(what: str, cells: Sequence[tuple[int, int]]) -> str:
    return f"{what} in {counted(len(cells), 'cell')}" if cells else ""


def _named(grid: CellGrid, undefined: Sequence[tuple[int, int]]) -> str:
    """A note that names undefined cells; "" if there are none."""
    if not undefined:
        return ""
    told = []
    for case, index in undefined:
        row, head = grid.place(case, index)
        told.append(f"{grid.cells[case][index]} in row {row}, column {head!r}")
    return f"undefined, and read as missing: {listed(told)}"


def read_known(grid: CellGrid, columns: Sequence[int], index: pd.Index) -> pd.DataFrame:
    """Columns as they were read: numbers if every cell is one, else text."""
    known = {grid.heads[j]: _as_read(grid.heads[j], grid.column(j)) for j in columns}
    series = {head: pd.Series(cells, index, cells.dtype) for head, cells in known.items()}
    return pd.DataFrame(series, index=index)


def _as_read(head: str, cells: Sequence[str]) -> NDArray:
    known = filled(cells)
    fields = find_columns((head,)).fields
    is_text = not TEXT_FIELDS.isdisjoint(fields) or head.casefold() in OUTCOMES
    if known and not is_text and all(is_plain_number(text) for text in known):
        return np.array([to_number(text) for text in cells], dtype=float)
    return np.array([None if is_missing(text) else text for text in cells], dtype=object)


def is_plain_number(text: str) -> bool:
    """Whether a cell is a number and no code such as "007"."""
    return parse_number(text) is not None and not _PADDED.match(text)


def repeated_names(names: Sequence[str]) -> str:
    """A note on names that R or pandas numbered because they were repeated; "" if none."""
    known = set(names)
    stems = {name: re.sub(r"\.\d+$", "", name) for name in names}
    numbered = [name for name, stem in stems.items() if stem != name and stem in known]
    if not numbered:
        return ""
    return (
        f"{counted(len(numbered), 'repeated name')} numbered by R or pandas ({listed(numbered)}): "
        "the file does not say what they were computed on"
    )
