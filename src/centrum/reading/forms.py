"""Fields of what a page sends, each checked for what it must be; refusals repeat nothing of it."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from centrum.cohort.readings import FLAGS
from centrum.errors import DataError

LONGEST_COMMENT = 2000
"""Characters of a comment or of a reason."""

LONGEST_SECONDS = 1e7
"""Of active time; a third of a year is none."""

_ID = re.compile(r"[0-9a-f]{32}")


def fields_in(
    value: object, wanted: Sequence[str], optional: Sequence[str] = ()
) -> Mapping[str, Any]:
    """The fields of a JSON object that has those and no others."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise bad_form("a JSON object")
    if not {*wanted} <= {*value} <= {*wanted, *optional}:
        raise bad_form(f"the fields {', '.join((*wanted, *optional))} and no others")
    return value


def read_id(value: object) -> str:
    """The name that the page gave to something it sends."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise bad_form("`id` as 32 hexadecimal digits")
    return value


def read_seconds(value: object) -> float:
    """Active time."""
    seconds = read_number(value)
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise bad_form(f"`seconds` from 0 to {LONGEST_SECONDS:g}")
    return seconds


def read_number(value: object) -> float:
    """A finite number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_form("a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise bad_form("a finite number")
    return number


def read_index(value: object, below: int) -> int:
    """A whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < below:
        raise bad_form(f"a whole number from 0 to {below - 1}")
    return value


def read_integers(value: object) -> tuple[int, ...]:
    """A list of whole numbers."""
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise bad_form("a list of whole numbers")
    return tuple(value)


def read_text(value: object) -> str:
    """A comment: letters on one or several lines."""
    if not isinstance(value, str) or len(value) > LONGEST_COMMENT:
        raise bad_form(f"a text of at most {LONGEST_COMMENT} characters")
    if any(_is_control(letter) for letter in value):
        raise bad_form("a text without control characters")
    return value


def _is_control(letter: str) -> bool:
    return (
        (letter < " " and letter not in "\n\t")
        or "\x7f" <= letter <= "\x9f"
        or ("\ud800" <= letter <= "\udfff")
    )


def read_digests(value: object, slices: int) -> dict[int, str]:
    """Digest by slice, of so many, in order; at least one."""
    if not isinstance(value, dict) or not value:
        raise bad_form("a digest for each slice of a fill")
    found = {}
    for key, shown in value.items():
        text = str(key)
        if not (text.isascii() and text.isdecimal() and len(text) < 7 and isinstance(shown, str)):
            raise bad_form("a digest for each slice of a fill")
        found[read_index(int(text), slices)] = shown
    return dict(sorted(found.items()))


def read_within(value: object, most: int) -> float:
    """A place along an axis of so many pixels."""
    number = read_number(value)
    if not -0.5 <= number <= most - 0.5:
        raise bad_form("a place on the slice")
    return number


def read_flags(value: object) -> list[str]:
    """Quality flags, each once, in the order of `FLAGS`."""
    if not isinstance(value, list) or not all(each in FLAGS for each in value):
        raise bad_form(f"quality flags of {', '.join(FLAGS)}")
    return [flag for flag in FLAGS if flag in value]


def read_named(sent: object) -> tuple[str, Mapping[str, Any]]:
    """Id and fields of what says no more."""
    fields = fields_in(sent, ("id",), ("seconds",))
    return read_id(fields["id"]), fields


def seconds_in(fields: Mapping[str, Any]) -> float:
    """Active time, 0 where none is told."""
    return read_seconds(fields.get("seconds", 0))


def bad_form(wanted: str) -> DataError:
    """What is raised for a field that is not what it must be."""
    return DataError(
        f"What was sent is not understood: expected {wanted}.",
        remedy="Reload the page.",
        code="bad-edit",
    )
