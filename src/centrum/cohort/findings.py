"""Problems of a table, collected so that all of them are told at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from centrum.errors import ManifestError

CORRECT_IT = "Correct the table, or remove the row."
"""What to do about a problem that says no more."""

LONGEST = 500
"""Characters of a problem that are told: it may quote a cell."""

LISTED = 20
"""Problems that a message lists before it only counts the rest."""


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in one cell, row or column.

    Attributes
    ----------
    row : as a spreadsheet numbers it, 0 where it is about no row
    column : its head, "" where it is about none
    text : what was wanted and what was found
    code : short name of the kind
    remedy : what to do; it does not stand in `text`
    severity : "error", or "warning" of what is read as missing and stops nothing
    """

    row: int
    column: str
    text: str
    code: str = "manifest"
    remedy: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row else ""
        where = f"column {self.column!r}" if self.column else ""
        said = f"{', '.join(filter(None, (place, where)))}: {self.text}".removeprefix(": ")
        return said if self.remedy in (CORRECT_IT, "") else f"{said.rstrip('.')}. {self.remedy}"


@dataclass
class Findings:
    """Problems and notes gathered while a table is read."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(
        self,
        text: str,
        *,
        row: int = 0,
        column: str = "",
        code: str,
        remedy: str = CORRECT_IT,
    ) -> None:
        """Record what is wrong, and go on."""
        shown = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
        self.problems.append(Problem(row, column, shown, code, remedy))

    def warn(self, text: str, *, row: int, column: str, code: str, remedy: str) -> None:
        """Record what contradicts itself and is therefore not used."""
        self.warnings.append(Problem(row, column, text, code, remedy, "warning"))

    def note(self, text: str) -> None:
        """Record what was assumed."""
        self.notes.append(text)

    def raise_problems(self, name: str) -> None:
        """Raise one ManifestError with every problem found in the file `name`."""
        if self.problems:
            raise refusal(name, self.problems)


def refusal(name: str, problems: Iterable[Problem]) -> ManifestError:
    """The error that lists the problems of the file `name`."""
    found = sorted(set(problems))
    return ManifestError(_listing(name, found), code=found[0].code, file=name)


def _listing(name: str, problems: Sequence[Problem]) -> str:
    lines = [f"  {problem}" for problem in problems[:LISTED]]
    if len(problems) > LISTED:
        lines.append(f"  ... and {len(problems) - LISTED} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return "\n".join([f"{name}: {count}", *lines])


def listed(words: Sequence[object], most: int = 5) -> str:
    """Words with commas, the first few of them.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(str(word) for word in words[:most])
    return f"{shown} and {len(words) - most} more" if len(words) > most else shown
