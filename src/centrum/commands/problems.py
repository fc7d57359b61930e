"""Everything that is wrong with a study: one screen to read, and rows for scripts."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from centrum.cohort.findings import listed
from centrum.errors import CentrumError, describe
from centrum.measure.case import ALL_READERS
from centrum.records import as_json
from centrum.study.findings import EVERY_CASE, Failure, Finding, alike

STOPS = "These stop `centrum run`:"
FAILED = "These cases cannot be measured and are left out:"

_TITLES = {
    "error": "These regions cannot be used:",
    "warning": "Look at these:",
    "note": "Notes:",
}
_REMEDIES = {
    "error": "Correct what the message names, or leave the case out.",
    "warning": "Look at image and mask; nothing, if this is right.",
    "note": "Nothing, if this is right.",
}
"""What to do about a finding that says no more; errors come first."""

_NAMED = 3


@dataclass(frozen=True)
class Problems:
    """What was found wrong with a study, or odd.

    Attributes
    ----------
    cases : how many could be looked at
    stops : what stops a run
    failures : cases that cannot be measured
    findings : what was noticed beside
    """

    cases: int
    stops: tuple[Finding, ...] = ()
    failures: tuple[Failure, ...] = ()
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of_error(cls, error: CentrumError) -> "Problems":
        """The one problem that kept everything from being looked at."""
        known = (error.code, describe(error), error.file, error.remedy)
        return cls(0, stops=(Finding(EVERY_CASE, "", "error", *known),))

    @property
    def measurable(self) -> int:
        """Cases with nothing wrong that would keep them from being measured."""
        bad = {f.case for f in self.stops} | {f.case for f in self.failures}
        return self.cases - len(bad - {EVERY_CASE})

    @property
    def beside(self) -> tuple[Finding, ...]:
        """The findings without the errors for which their case cannot be measured at all."""
        failed = {failure.case: failure.message for failure in self.failures}
        return tuple(f for f in self.findings if f.message not in failed.get(f.case, ""))

    @property
    def rows(self) -> tuple[Finding, ...]:
        """All of it as findings, errors first."""
        rows = (*self.stops, *map(as_finding, self.failures), *self.beside)
        told = (replace(row, remedy=row.remedy or _REMEDIES[row.severity]) for row in rows)
        return tuple(sorted(told, key=lambda row: list(_REMEDIES).index(row.severity)))

    def lines(self, width: int) -> list[str]:
        """The screen: what stops a run, the cases that cannot be measured, and the rest."""
        groups = {STOPS: self.stops, FAILED: tuple(map(as_finding, self.failures))}
        for severity, title in _TITLES.items():
            groups[title] = tuple(f for f in self.beside if f.severity == severity)
        return [
            line
            for title, found in groups.items()
            if found
            for line in (title, *(line for cause in alike(found) for line in _told(cause, width)))
        ]


@as_json.register
def _(problems: Problems) -> dict[str, Any]:
    """The counts, `problems` with all rows, and failures and findings apart."""
    return {
        "cases": problems.cases,
        "measurable": problems.measurable,
        "problems": as_json(problems.rows),
        "failures": as_json(problems.failures),
        "findings": as_json(problems.findings),
    }


def as_finding(failure: Failure) -> Finding:
    """The failure of a case as an error of the case."""
    f = failure
    return Finding(f.case, ALL_READERS, "error", f.code, f.message, f.file, f.remedy)


def _told(cause: Sequence[Finding], width: int) -> Iterator[str]:
    """One cause and whom it concerns, within the width; its further lines stay lines."""
    first = cause[0]
    message = first.message
    if first.file and PurePath(first.file).name not in message:
        message = f"{first.file}: {message}"
    text, *further = f"  {_whose(cause)}{message}".split("\n")
    yield from textwrap.wrap(text, width, subsequent_indent="    ", break_on_hyphens=False)
    for line in further:
        yield from textwrap.wrap(
            line.strip(), width, initial_indent="    ", subsequent_indent="      "
        )


def _whose(cause: Sequence[Finding]) -> str:
    cases = list(dict.fromkeys(f.case for f in cause))
    if cases == [EVERY_CASE]:
        return ""
    readers = {f.reader for f in cause} - {ALL_READERS, ""}
    reader = f", reader {', '.join(sorted(readers))}" if readers else ""
    first = ", the first" if len({f.message for f in cause}) > 1 else ""
    if len(cases) == 1:
        return f"{cases[0]}{reader}: "
    return f"{len(cases)} cases ({listed(cases, _NAMED)}){reader}{first}: "
