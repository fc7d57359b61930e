"""Text of cells as numbers, and the columns that are no features as they were read."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum.cohort.cells import is_missing
from centrum.cohort.columns import FIELDS, find_columns
from centrum.cohort.findings import Findings, listed
from centrum.cohort.numbers import parse_number
from centrum.exchange.grid import Grid, counted, filled

OUTCOMES = ("target", "class", "group", "status", "event", "histology", "pathology", "y")
"""Heads of outcomes beside those of a manifest; as features they would tell the answer."""

TEXT_FIELDS = frozenset(FIELDS) - {"age"}
"""Columns that stay text, as outcomes do: "007" is a patient and "1" an outcome."""

_INFINITE = {"inf": np.inf, "infinity": np.inf}
_MAY_BE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_PADDED = re.compile(r"[+-]?0\d")


def to_number(text: str) -> float | None:
    """The number in a cell, nan where missing; None if it is something else.

    >>> to_number("3,14"), to_number("-Inf"), to_number("(1, 2)")
    (3.14, -inf, None)
    """
    if is_missing(text):
        return np.nan
    number = parse_number(text)
    if number is not None:
        return number
    size = _INFINITE.get(text.lstrip("+-").casefold())
    return -size if size and text.startswith("-") else size


def read_values(grid: Grid, columns: Sequence[int]) -> tuple[NDArray[np.float64], list[str]]:
    """Numbers of some columns of a grid, and notes on how they were read.

    Returns
    -------
    values : (cases, columns) float64
    notes : on decimal commas and infinite values

    Raises
    ------
    ManifestError
        With row, column and text of every cell that is no number, or whose comma may
        separate thousands.
    """
    findings = Findings()
    values = np.full((len(grid.cells), len(columns)), np.nan)
    for case, cells in enumerate(grid.cells):
        for k, index in enumerate(columns):
            number = to_number(cells[index])
            if number is None:
                _problem(findings, grid, case, index, "wanted a number, found {!r}")
            else:
                values[case, k] = number
    commas = _read_commas(grid, columns, findings)
    findings.raise_problems(grid.file)
    infinite = int(np.isinf(values).sum())
    return values, [*commas, *([f"infinite: {counted(infinite, 'value')}"] if infinite else [])]


def _problem(findings: Findings, grid: Grid, case: int, index: int, text: str) -> None:
    row, head = grid.place(case, index)
    findings.problem(text.format(grid.cells[case][index]), row=row, column=head)


def _read_commas(grid: Grid, columns: Sequence[int], findings: Findings) -> list[str]:
    """Commas are decimal; "1,234" in a table with decimal points may be a thousand."""
    cells = [(case, index) for case in range(len(grid.cells)) for index in columns]
    commas = [(case, index) for case, index in cells if "," in grid.cells[case][index]]
    if not commas:
        return []
    if any("." in grid.cells[case][index] for case, index in cells):
        for case, index in commas:
            if _MAY_BE_THOUSANDS.fullmatch(grid.cells[case][index]):
                text = "{!r} may be a thousand or a decimal, as other cells have decimal points"
                _problem(findings, grid, case, index, text)
    return [f"decimal commas read as points in {counted(len(commas), 'cell')}"]


def read_known(grid: Grid, columns: Sequence[int], index: pd.Index) -> pd.DataFrame:
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
