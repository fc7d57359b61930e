"""Problems of a table, collected so that all of them are told at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from centrum.errors import ManifestError

LISTED = 20
"""Problems that a message lists before it only counts the rest."""


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in one cell, row or column; rows are numbered as in a spreadsheet."""

    row: int
    column: str
    text: str

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row else ""
        where = f"column {self.column!r}" if self.column else ""
        return f"{', '.join(filter(None, (place, where)))}: {self.text}".removeprefix(": ")


@dataclass
class Findings:
    """Problems and notes gathered while a table is read."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def problem(self, text: str, *, row: int = 0, column: str = "") -> None:
        """Record what is wrong, and go on."""
        self.problems.append(Problem(row, column, text))

    def note(self, text: str) -> None:
        """Record what was assumed."""
        self.notes.append(text)

    def raise_problems(self, name: str) -> None:
        """Raise one ManifestError with every problem found in the file `name`."""
        if self.problems:
            raise ManifestError(_listing(name, sorted(set(self.problems))))


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
