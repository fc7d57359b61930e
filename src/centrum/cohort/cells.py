"""What a cell says beside its text: its type in a workbook, and whether it says anything."""

MISSING = frozenset(
    {"", "na", "n/a", "nan", "#n/a", "#nv", "null", "k.a.", "k. a.", ".", "-", "--", "–", "—"}
)
"""Cells, in any case, that say that a value is not known."""


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
