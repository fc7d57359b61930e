"""What a cell says beside its text: its type in a workbook, and whether it says anything."""

import re

MISSING = frozenset(
    {"", "na", "n/a", "nan", "#n/a", "#nv", "null", "k.a.", "k. a.", ".", "-", "--", "–", "—"}
)
"""Cells, in any case, that say that a value is not known."""

NO_NAMES = frozenset(
    {"none", "nil", "nat", "<na>", "#na", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"}
)
"""Further words that other programs write for what is missing; as categories they may be meant."""

_ERROR = re.compile(r"#[^\s#]{2,12}[!?]|err:\d+", re.IGNORECASE)


class NumberText(str):
    """The text of a cell that holds a number: its point is a decimal point."""

    __slots__ = ()


class DateText(str):
    """The text of a cell that holds a date, in ISO 8601."""

    __slots__ = ()


class BooleanText(str):
    """TRUE or FALSE of a cell that holds a truth value."""

    __slots__ = ()


def is_missing(text: str) -> bool:
    """Whether a cell says that its value is not known."""
    return text.casefold() in MISSING


def is_no_name(text: str) -> bool:
    """Whether a cell that should name somebody says that nobody is known.

    >>> is_no_name("None"), is_no_name("NA"), is_no_name("Nano")
    (True, True, False)
    """
    return is_missing(text) or text.casefold() in NO_NAMES


def is_error(text: str) -> bool:
    """Whether a cell holds an error of a spreadsheet.

    >>> is_error("#REF!"), is_error("#NAME?"), is_error("Err:502"), is_error("#3")
    (True, True, True, False)
    """
    return bool(_ERROR.fullmatch(text))
