"""METRICS, CLEAR and TRIPOD+AI, filled in from the records of a study."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

import yaml

from centrum.errors import DataError
from centrum.manuscript.answers import ItemAnswer, Status, StudyFacts
from centrum.manuscript.evidence import find
from centrum.report.blocks import Column, Table
from centrum.report.numbering import Numbering
from centrum.report.results import StudyResults
from centrum.text import counted, fixed

ChecklistName = Literal["METRICS", "CLEAR", "TRIPOD+AI"]

CHECKLISTS: tuple[ChecklistName, ...] = get_args(ChecklistName)


@dataclass(frozen=True)
class Item:
    """One line of a checklist.

    Attributes
    ----------
    number : such as "14" or "12a"
    text : what is asked, in our own words
    evidence : key of `evidence.EVIDENCE`; "" where only the author can answer
    weight : in the score of METRICS; 0 in the others
    """

    number: str
    text: str
    evidence: str = ""
    weight: float = 0.0


@dataclass(frozen=True)
class Checklist:
    """A list as its source has it."""

    title: str
    source: str
    items: tuple[Item, ...]


@cache
def checklist(name: ChecklistName) -> Checklist:
    """A checklist by name.

    >>> [len(checklist(name).items) for name in CHECKLISTS]
    [30, 58, 52]
    """
    text = files("centrum.manuscript").joinpath("checklists.yaml").read_text(encoding="utf-8")
    record = yaml.safe_load(text)[name]
    items = tuple(Item(str(row.pop("item")), **row) for row in record["items"])
    return Checklist(record["title"], record["source"], items)


@dataclass(frozen=True)
class FilledItem:
    """An item of a checklist, filled in from the records.

    Attributes
    ----------
    item, text : number of the item, and what it asks
    status : "answered": the records show that it was done or is reported; "not done": they show
        that it was not; "not applicable": its condition is not met; "author": they do not say
    answer : with the study's own numbers; of an author's item a hint, or ""
    pointer : where it is shown; "" of an author's item
    """

    item: str
    text: str
    status: Status
    answer: str
    pointer: str

    def numbered(self, numbers: Numbering) -> "FilledItem":
        """The same with the numbers of tables and figures that it refers to."""
        answer, pointer = map(numbers.resolve, (self.answer, self.pointer))
        return replace(self, answer=answer, pointer=pointer)


def fill(results: StudyResults, name: ChecklistName, facts: StudyFacts) -> tuple[FilledItem, ...]:
    """Every item of a checklist, in its order; `FilledItem.numbered` gives them the numbers."""
    items = checklist(name).items
    keys = [item.evidence for item in items if item.evidence]
    answers = {"": ItemAnswer("author"), **find(keys, results, facts)}
    pairs = ((item, answers[item.evidence]) for item in items)
    return tuple(FilledItem(i.number, i.text, a.status, a.answer, a.pointer) for i, a in pairs)


@dataclass(frozen=True)
class MetricsScore:
    """The score of METRICS as far as the records decide it.

    Attributes
    ----------
    points : weights of the items that are answered
    unknown : weights of the items that only the author can answer
    possible : weights of all items that apply
    """

    points: float
    unknown: float
    possible: float

    @property
    def lower(self) -> float:
        """Percent, should no item of the author count."""
        return 100 * self.points / self.possible

    @property
    def upper(self) -> float:
        """Percent, should all of them count.

        >>> round(MetricsScore(0.5, 0.3, 0.96).upper, 1)
        83.3
        """
        return 100 * (self.points + self.unknown) / self.possible

    @property
    def text(self) -> str:
        """As it is printed.

        >>> MetricsScore(0.5, 0.3, 0.96).text
        '52.1 % to 83.3 %'
        """
        return f"{fixed(self.lower, 1)} % to {fixed(self.upper, 1)} %"


def metrics_score(answers: Sequence[FilledItem]) -> MetricsScore:
    """Points over what could be reached: weights of the items answered, of those that apply.

    Raises
    ------
    DataError
        The answers are not those of METRICS.
    """
    items = checklist("METRICS").items
    asked, given = [i.text for i in items], [a.text for a in answers]
    if given != asked:
        raise DataError(
            f"A METRICS score needs answers to the {len(items)} items of METRICS, found "
            f"{len(given)} answers to others; fill METRICS."
        )
    weights = dict.fromkeys(get_args(Status), 0.0)
    for item, answer in zip(items, answers, strict=True):
        weights[answer.status] += item.weight
    possible = sum(weights.values()) - weights["not applicable"]
    return MetricsScore(weights["answered"], weights["author"], possible)


def checklist_table(name: ChecklistName, answers: Sequence[FilledItem]) -> Table:
    """The list as it is printed."""
    heads = ("Item", "What is asked", "Status", "Answer", "Where")
    rows = tuple((a.item, a.text, a.status, a.answer, a.pointer) for a in answers)
    known = checklist(name)
    key = f"checklist-{name.lower().replace('+', '-')}"
    return Table(key, known.title, tuple(map(Column, heads)), rows, _notes(name, answers))


def _notes(name: ChecklistName, answers: Sequence[FilledItem]) -> tuple[str, ...]:
    counts = Counter(a.status for a in answers)
    each = ", ".join(f"{counts[status]} {status}" for status in get_args(Status) if counts[status])
    filled = len(answers) - counts["author"]
    notes = (
        f"{checklist(name).source}; items in short words of our own.",
        f"{filled} of {counted(len(answers), 'item')} filled in from the records ({each}). Items "
        "marked author are the author's to answer; text beside them is a hint.",
    )
    if name != "METRICS":
        return notes
    score = metrics_score(answers)
    range_ = f"Score {score.text}: without the items of the author, and if all of them are met."
    return (*notes, range_)
