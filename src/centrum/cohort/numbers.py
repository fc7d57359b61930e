"""Numbers as people type them into tables."""

import re
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Generic, TypeVar

from centrum.cohort.cells import DateText, NumberText, is_missing
from centrum.cohort.dates import AS_TEXT, check_words
from centrum.cohort.findings import CORRECT_IT, Findings, listed

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE)
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[ '’\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?")
_THOUSANDS = {
    mark: re.compile(
        rf"[+-]?[1-9]\d{{0,2}}(?:(?:\{mark}\d{{3}})+\{point}\d+|(?:\{mark}\d{{3}}){{2,}})"
    )
    for mark, point in ((",", "."), (".", ","))
}
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_SENTINEL = re.compile(r"-99+|999+")

Key = TypeVar("Key", bound=Hashable)


def parse_number(text: str) -> float | None:
    """The number that `text` is, with a decimal point or comma; None if it is none or too large.

    >>> parse_number("69,4"), parse_number("1e3"), parse_number("1 234"), parse_number("1.5 T")
    (69.4, 1000.0, 1234.0, None)
    """
    bare = _bare(text)
    number = float(bare.replace(",", ".")) if _NUMBER.fullmatch(bare) else inf
    return number if isfinite(number) else None


def _bare(text: str) -> str:
    """A number with a plain minus, and without the blanks or apostrophes of its thousands."""
    plain = text.replace("\u2212", "-")
    return re.sub(r"[^\d.,+-]", "", plain) if _SPACED.fullmatch(plain) else plain


@dataclass(frozen=True)
class Numbers(Generic[Key]):
    """Cells that were typed alike, as numbers.

    Attributes
    ----------
    values : the numbers
    strange : cells that are no number, or one that is too large
    unclear : cells whose comma or point may separate thousands or decimals, or does so against
        the other cells
    decimal_commas, thousands : cells in which that was read
    """

    values: dict[Key, float]
    strange: tuple[Key, ...]
    unclear: tuple[Key, ...]
    decimal_commas: tuple[Key, ...]
    thousands: tuple[Key, ...]


def read_typed(cells: Mapping[Key, str]) -> Numbers[Key]:
    """The numbers in cells, whose commas and points mean the same in all of them.

    "1,234.5" and "1,234,567" tell that a comma separates thousands, "71,5" and "0,567" that it
    is a decimal one, and the other way round for points. Nothing tells what "1,234" is when it
    stands alone, beside "567" or beside "5.6".

    >>> read_typed({1: "1,234", 2: "71,5"}).values, read_typed({1: "1,234", 2: "1,234.5"}).values
    ({1: 1.234, 2: 71.5}, {1: 1234.0, 2: 1234.5})
    >>> read_typed({1: "1,234", 2: "567"}).unclear
    (1,)
    """
    plain = _read_plain(cells)
    if plain is not None:
        return Numbers(plain, (), (), (), ())
    texts = {key: text if type(text) is NumberText else _bare(text) for key, text in cells.items()}
    kinds = {key: _kind(text) for key, text in texts.items()}
    thousands, unclear = _convention(Counter(kinds.values()))
    doubtful = tuple(key for key, kind in kinds.items() if kind in unclear)
    read = {
        key: _number(texts[key], thousands)
        for key, kind in kinds.items()
        if kind != "none" and kind not in unclear
    }
    values = {key: value for key, value in read.items() if isfinite(value)}
    strange = tuple(k for k, kind in kinds.items() if k not in values and kind not in unclear)
    sure = {key: texts[key] for key in values}
    return Numbers(
        values,
        strange,
        doubtful,
        tuple(key for key, text in sure.items() if "," in text and thousands != ","),
        tuple(key for key in sure if _is_grouped(cells[key], thousands)),
    )


def _is_grouped(text: str, thousands: str) -> bool:
    """Whether a text has separators of thousands, where `thousands` is their mark."""
    marked = bool(thousands) and thousands in text and type(text) is not NumberText
    return marked or bool(_SPACED.fullmatch(text))


def _read_plain(cells: Mapping[Key, str]) -> dict[Key, float] | None:
    """The numbers where all are written with points alone, as programs do; else None."""
    if any("," in text or not _NUMBER.fullmatch(text) for text in cells.values()):
        return None
    values = {key: float(text) for key, text in cells.items()}
    return values if all(map(isfinite, values.values())) else None


def _kind(text: str) -> str:
    """What the marks of a number show, such as "decimal ," or "either ."; "none" of no number."""
    if type(text) is NumberText:
        return "stored"
    for mark, pattern in _THOUSANDS.items():
        if mark in text and pattern.fullmatch(text):
            return f"thousands {mark}"
    if not _NUMBER.fullmatch(text):
        return "none"
    mark = "," if "," in text else "." if "." in text else ""
    return f"{'either' if _EITHER.fullmatch(text) else 'decimal'} {mark}" if mark else "whole"


_AGAINST = {",": {"thousands .", "decimal ,"}, ".": {"decimal ."}}
"""Kinds of cells that contradict a mark of thousands; the point is looked at where no comma is."""


def _convention(kinds: Counter[str]) -> tuple[str, set[str]]:
    """The mark of thousands, "" for none, and the kinds of cells that this leaves unclear."""
    for mark, against in _AGAINST.items():
        own = f"thousands {mark}"
        if kinds[own]:
            doubtful = _rarer(kinds, against, {own})
            if own not in doubtful:
                return mark, doubtful
            others, more = _convention(Counter({k: n for k, n in kinds.items() if k != own}))
            return others, doubtful | more
    unclear = {"either ."} if kinds["decimal ,"] else set()
    if not kinds["decimal ,"] or kinds["decimal ."] or kinds["either ."]:
        unclear.add("either ,")
    return "", unclear


def _rarer(kinds: Counter[str], against: set[str], own: set[str]) -> set[str]:
    """Of kinds that contradict each other those of fewer cells; none if there are no such cells."""
    counts = [sum(kinds[kind] for kind in side) for side in (against, own)]
    if not counts[0]:
        return set()
    return against if counts[0] <= counts[1] else own


def _number(text: str, thousands: str) -> float:
    """A number whose cell is typed keeps its point."""
    if type(text) is NumberText or not thousands:
        return float(text.replace(",", "."))
    return float(text.replace(thousands, "").replace(",", "."))


def read_numbers(cells: dict[int, str], head: str, findings: Findings) -> dict[int, float | None]:
    """The numbers of a column by row number, None where missing; every other cell is a problem."""
    known = {row: text for row, text in cells.items() if not is_missing(text)}
    numbers = read_typed(known)
    for row in numbers.strange:
        _report_strange(row, known[row], head, findings)
    if numbers.unclear:
        report_unclear({row: known[row] for row in numbers.unclear}, head, findings)
    _report_sentinels(known, numbers.values, head, findings)
    for rows, told in (
        (numbers.decimal_commas, "decimal commas read as points"),
        (numbers.thousands, "thousands separators removed"),
    ):
        if rows:
            findings.note(f"column {head!r}: {told} in rows {listed(rows)}")
    return {row: numbers.values.get(row) for row in cells}


def report_unclear(cells: Mapping[int, str], head: str, findings: Findings) -> None:
    """One problem for the cells of a column, by row, whose marks may mean either."""
    first, *others = cells
    more = f", and so may rows {listed(others)}" if others else ""
    findings.problem(
        f"{str(cells[first])!r} may be a thousand or a decimal{more}",
        row=first,
        column=head,
        code="unclear-number",
        remedy="Write these numbers without separator of thousands, and with a decimal point.",
    )


def _report_strange(row: int, text: str, head: str, findings: Findings) -> None:
    if isinstance(text, DateText):
        what, code, remedy = "expected a number, found a date", "unwanted-date", AS_TEXT
    else:
        what, code, remedy = f"expected a number, found {text!r}", "not-a-number", CORRECT_IT
    findings.problem(what, row=row, column=head, code=code, remedy=remedy)


def _report_sentinels(
    cells: Mapping[int, str], values: Mapping[int, float], head: str, findings: Findings
) -> None:
    """-99, -999, 999 and the like, far from all else, are codes of what is missing."""
    coded = [row for row in values if _SENTINEL.fullmatch(cells[row])]
    others = [value for row, value in values.items() if row not in coded]
    for row in coded:
        if values[row] < 0 <= min(others, default=0):
            findings.problem(
                f"{cells[row]} beside numbers that are not negative is a code for what is missing",
                row=row,
                column=head,
                code="missing-code",
                remedy="Leave the cell empty.",
            )
    high = [row for row in coded if values[row] > 2 * max(others, default=0)]
    if high:
        findings.note(
            f"column {head!r}: {listed(sorted({cells[row] for row in high}))} in rows "
            f"{listed(high)} was read as a number; leave the cell empty if it means missing"
        )


def read_covariate(
    cells: dict[int, str], head: str, findings: Findings
) -> dict[int, float | str | None]:
    """A covariate by row number: numbers if any cell looks like one, else text.

    A column with both is refused: a grade "2" and a grade "2a" cannot be told apart from
    a typing error. Beside "+", "-" is no missing value.
    """
    if "+" in cells.values():
        return {row: text or None for row, text in cells.items()}
    known = {row: text for row, text in cells.items() if not is_missing(text)}
    note_missing(cells, head, findings)
    if any(parse_number(text) is not None for text in known.values()):
        return dict(read_numbers(cells, head, findings))
    check_words(cells, head, findings)
    return {row: known.get(row) for row in cells}


def note_missing(cells: Mapping[int, str], head: str, findings: Findings) -> None:
    """Note what was written for a missing value: "NA" may be the name of a centre."""
    marked = {row: text for row, text in cells.items() if text and is_missing(text)}
    if marked:
        words = listed(list(dict.fromkeys(map(repr, marked.values()))))
        findings.note(f"column {head!r}: {words} read as missing in rows {listed(list(marked))}")
