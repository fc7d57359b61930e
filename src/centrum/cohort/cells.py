"""What a cell says beside its text: its type in a workbook, and whether it says anything."""

MISSING = frozenset(
    {"", "na", "n/a", "nan", "#n/a", "#nv", "null", "k.a.", "k. a.", ".", "-", "--", "–", "—"}
)
"""Cells, in any case, that say that a value is not known."""

NO_NAMES = frozenset(
    {"none", "nil", "nat", "<na>", "#na", "-nan", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"}
)
"""Further words that other programs write for what is missing; as categories they may be meant."""


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
