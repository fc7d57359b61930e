"""Texts that are dates, and those that a spreadsheet makes dates of."""

import re
from collections.abc import Mapping

from centrum.cohort.cells import DateText, is_missing
from centrum.cohort.findings import Findings, listed

AS_TEXT = "Give the column the format Text and type it again: a spreadsheet made a date of it."
"""What to do about a date where none belongs."""

_MONTH = r"(?:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z]{0,6}\.?"
_NAMED = re.compile(rf"\d{{1,2}}[-. ]+{_MONTH}(?:[-. ]+\d{{2,4}})?|{_MONTH}[-. ]+\d{{2,4}}", re.I)
_WRITTEN = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
    r"|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})"
)
_TEMPTING = re.compile(r"\d{1,2}[-/.]\d{1,2}")


def names_month(text: str) -> bool:
    """Whether a text is a date with the name of a month, as a spreadsheet shows 2-1.

    >>> names_month("2-Jan"), names_month("Mrz 26"), names_month("PAT-01")
    (True, True, False)
    """
    return bool(_NAMED.fullmatch(text))


def is_date(text: str) -> bool:
    """Whether a text is a date.

    >>> is_date("2026-01-02"), is_date("2.1.2026"), is_date("2-Jan"), is_date("2-1")
    (True, True, True, False)
    """
    return bool(_WRITTEN.fullmatch(text)) or names_month(text)


def becomes_date(text: str) -> bool:
    """Whether a spreadsheet makes a date of a text that is typed into it.

    >>> becomes_date("2-3"), becomes_date("2-3-b")
    (True, False)
    """
    return bool(_TEMPTING.fullmatch(text))


def check_words(cells: Mapping[int, str], head: str, findings: Findings) -> None:
    """Dates in a column of words: beside "2-3" they were typed as such, else they are noted."""
    dates = [row for row, text in cells.items() if isinstance(text, DateText) or names_month(text)]
    others = [text for row, text in cells.items() if row not in dates and not is_missing(text)]
    if not dates or not others:
        return
    if not any(map(becomes_date, others)):
        findings.note(f"column {head!r}: dates among other words in rows {listed(dates)}")
        return
    for row in dates:
        findings.problem(
            "the cell holds a date among words such as 2-3",
            row=row,
            column=head,
            code="unwanted-date",
            remedy=AS_TEXT,
        )
