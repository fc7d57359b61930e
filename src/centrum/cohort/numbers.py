"""Numbers as people type them into tables."""

import re

from centrum.cohort.findings import Findings, listed

MISSING = frozenset({"", "na", "n/a", "nan", "#n/a"})
"""Cells, in any case, that say that a value is not known."""

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
_MAY_BE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def parse_number(text: str) -> float | None:
    """The number that `text` is, with a decimal point or comma; None if it is none.

    >>> parse_number("69,4"), parse_number("1e3"), parse_number("1.5 T")
    (69.4, 1000.0, None)
    """
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def is_missing(text: str) -> bool:
    """Whether a cell says that its value is not known."""
    return text.casefold() in MISSING


def read_numbers(cells: dict[int, str], head: str, findings: Findings) -> dict[int, float | None]:
    """The numbers of a column by row number, None where missing; every other cell is a problem."""
    known = {row: text for row, text in cells.items() if not is_missing(text)}
    numbers = {row: parse_number(text) for row, text in known.items()}
    for row in (row for row, number in numbers.items() if number is None):
        text = f"wanted a number, found {known.pop(row)!r}"
        findings.problem(text, row=row, column=head, code="not-a-number")
    _check_decimals(known, head, findings)
    return {row: numbers.get(row) for row in cells}


def read_covariate(
    cells: dict[int, str], head: str, findings: Findings
) -> dict[int, float | str | None]:
    """A covariate by row number: numbers if any cell looks like one, else text.

    A column with both is refused: a grade "2" and a grade "2a" cannot be told apart from
    a typing error.
    """
    known = [text for text in cells.values() if not is_missing(text)]
    if any(parse_number(text) is not None for text in known):
        return dict(read_numbers(cells, head, findings))
    return {row: None if is_missing(text) else text for row, text in cells.items()}


def _check_decimals(cells: dict[int, str], head: str, findings: Findings) -> None:
    """Commas are decimal; "1,234" beside "5.6" may be a thousand and is refused."""
    commas = [row for row, text in cells.items() if "," in text]
    points = [row for row, text in cells.items() if "." in text]
    thousands = [row for row in commas if _MAY_BE_THOUSANDS.fullmatch(cells[row])]
    if thousands and points:
        findings.problem(
            f"{cells[thousands[0]]!r} may be a thousand or a decimal, as row {points[0]} has a "
            "decimal point: write it without separator of thousands, and with a point",
            row=thousands[0],
            column=head,
        )
    elif commas:
        findings.note(f"column {head!r}: decimal commas read as points in rows {listed(commas)}")
