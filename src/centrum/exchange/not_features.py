"""Columns of numbers that are no features: running numbers, ids, dates, constants."""

import re
from collections.abc import Sequence
from datetime import date

from centrum.exchange.values import to_number

ENOUGH = 8
"""Rows below which numbers in order, or all alike, may be so by chance."""

_ID_HEAD = re.compile(
    r"(?:^|[\W_])(?:id|nr|no|num|number|nummer|mrn|accession|case|patient|subject|index|row|idx)"
    r"(?:$|[\W_])|(?:nummer|_id|nr)$",
    re.IGNORECASE,
)
_DATE_HEAD = re.compile(
    r"date|datum|day|birth|geburt|\bdob\b|fecha|日期|jahr|year|scan_?time|acquired", re.IGNORECASE
)
_SERIAL_DAYS = range(7_000, 73_000)
"""Days since 1900 by which a spreadsheet stores the dates from 1919 to 2099."""

_YEARS = range(1900, 2100)


def why_no_feature(head: str, cells: Sequence[str]) -> str:
    """What a column of numbers is instead of a feature; "" if nothing speaks against one.

    >>> why_no_feature("No.", [str(k) for k in range(1, 21)])
    'a running number'
    >>> why_no_feature("MRN", ["40718", "30012", "51133", "28809", "10220", "7001", "6", "81"])
    'an id'
    >>> why_no_feature("scan", ["20240102", "20231201"] * 4)
    'a date'
    >>> why_no_feature("T2_Mean", ["1.5", "0.5", "7", "3", "4", "1", "9", "8"])
    ''
    """
    known = [(text, number) for text in cells if (number := to_number(text)) == number]
    values = [number for _, number in known if number is not None]
    if len(values) < ENOUGH:
        return ""
    if len(set(values)) == 1:
        return "the same in all rows"
    if not all(value.is_integer() for value in values):
        return ""
    whole = [int(value) for value in values]
    if _are_dates(head, whole):
        return "a date"
    if len(set(whole)) < len(whole):
        return ""
    if _runs(whole):
        return "a running number"
    padded = any(re.match(r"0\d", text) for text, _ in known)
    return "an id" if padded or _ID_HEAD.search(head) or _are_codes(whole) else ""


def _runs(values: Sequence[int]) -> bool:
    """Whether numbers rise or fall throughout, or are 1 to n in some order."""
    ordered = sorted(values)
    gapless = ordered[-1] - ordered[0] == len(ordered) - 1 and ordered[0] in (0, 1)
    return gapless or list(values) in (ordered, ordered[::-1])


def _are_codes(values: Sequence[int]) -> bool:
    """Whether numbers have the same six digits or more, as numbers of records have."""
    digits = {len(str(value)) for value in values}
    return len(digits) == 1 and min(digits) >= 6 and min(values) > 0


def _are_dates(head: str, values: Sequence[int]) -> bool:
    if all(map(_is_day, values)):
        return True
    span = all(v in _SERIAL_DAYS for v in values) or all(v in _YEARS for v in values)
    return span and bool(_DATE_HEAD.search(head))


def _is_day(value: int) -> bool:
    """Whether a number is a day as YYYYMMDD.

    >>> _is_day(20240229), _is_day(20230229)
    (True, False)
    """
    year, rest = divmod(value, 10_000)
    try:
        return year in _YEARS and bool(date(year, *divmod(rest, 100)))
    except ValueError:
        return False
