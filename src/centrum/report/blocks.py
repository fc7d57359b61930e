"""What sections are made of: prose, tables with their numbers, pictures as bytes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from centrum.io.csv_text import records_csv
from centrum.report.drawing import Drawing, Drawn
from centrum.text import fixed, interval_text, p_text, significant

if TYPE_CHECKING:
    from centrum.evaluate.bootstrap import Interval


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval.

    >>> Estimate(0.85714, 0.744, 0.9321).text
    '0.857 (0.744–0.932)'
    >>> Estimate(1.0, 1.0, 1.0).text, Estimate(math.nan, math.nan, math.nan).text
    ('1.000 (no interval)', '–')
    """

    value: float
    lower: float
    upper: float

    @classmethod
    def of(cls, value: float, interval: "Interval") -> Self:
        """A value with the interval that was computed for it."""
        return cls(value, interval.lower, interval.upper)

    @property
    def text(self) -> str:
        """Value (lower–upper)."""
        if math.isnan(self.value):
            return fixed(self.value)
        return f"{fixed(self.value)} ({interval_text(self.lower, self.upper)})"


@dataclass(frozen=True)
class Apparent(Estimate):
    """A value on the cases that the model was fitted to: optimistic, and so without interval.

    >>> Apparent(0.95, math.nan, math.nan).text
    '0.950'
    """

    @property
    def text(self) -> str:
        """The value alone."""
        return fixed(self.value)


@dataclass(frozen=True)
class PValue:
    """The p value of a test.

    >>> PValue(0.0421).text
    '.042'
    """

    value: float

    @property
    def text(self) -> str:
        """As journals print it."""
        return p_text(self.value)


def cell_text(value: Any) -> str:
    """What a cell shows: a result's own `text`, else the plain value.

    >>> cell_text(0.5), cell_text(None), cell_text(12)
    ('0.5000', '', '12')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return significant(value)
    return str(getattr(value, "text", value))


@dataclass(frozen=True)
class Column:
    """Head of a column and how its cells are shown; the CSV keeps the values."""

    name: str
    show: Callable[[Any], str] = cell_text


@dataclass(frozen=True)
class Exhibit:
    """A table or figure, which gets its number when a document is put together: `numbering`.

    Attributes
    ----------
    key : what texts refer to it by, and the stem of the names of its files
    title : without the number, as in "ROC curves"
    main : whether it belongs in the paper itself; others are of the supplement, S1, S2, ...
    number : such as "5" or "S1", once it stands in a document
    """

    key: str
    title: str
    main: bool = field(default=False, kw_only=True)
    number: str = field(default="", kw_only=True)

    kind: ClassVar[Literal["table", "figure"]]

    @property
    def label(self) -> str:
        """Such as "Table S1"; "" without a number."""
        return f"{self.kind.capitalize()} {self.number}" if self.number else ""

    @property
    def heading(self) -> str:
        """Number and title.

        >>> Table("t", "Performance", (), (), number="2").heading
        'Table 2. Performance'
        """
        return f"{self.label}. {self.title}" if self.number else self.title

    @property
    def anchor(self) -> str:
        """Its address in the page."""
        return anchor_of(self.kind, self.key)


def anchor_of(kind: str, key: str) -> str:
    """Address in the page of a table or figure.

    >>> anchor_of("table", "score")
    'table-score'
    """
    return f"{kind}-{key}"


@dataclass(frozen=True)
class Table(Exhibit):
    """Rows of values with their heads.

    Attributes
    ----------
    columns : heads; the first is that of the rows
    rows : numbers, texts, or results that have a `text`
    notes : lines under the table
    sorts : whether the page offers to sort and filter the rows
    boxed : whether the page shows it in a box that scrolls, however long it is

    >>> table = Table("t", "T", (Column("x"), Column("AUC")), (("a", Estimate(0.8, 0.7, 0.9)),))
    >>> table.csv().splitlines()
    ['x,AUC,AUC value,AUC lower,AUC upper', 'a,0.800 (0.700–0.900),0.8,0.7,0.9']
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    notes: tuple[str, ...] = ()
    sorts: bool = False
    boxed: bool = False

    kind: ClassVar = "table"

    @property
    def file(self) -> str:
        """Where its numbers lie, beside the page."""
        return f"tables/{self.key}.csv"

    def shown(self) -> list[list[str]]:
        """The cells as texts."""
        return [
            [column.show(cell) for column, cell in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]

    def sort_keys(self) -> list[list[float | None]]:
        """What numeric cells are sorted by: the number, or that of an estimate or p value.

        >>> Table("t", "T", (Column("x"),), (("a",), (Estimate(0.8, 0.7, 0.9),))).sort_keys()
        [[None], [0.8]]
        """
        return [[_sort_key(cell) for cell in row] for row in self.rows]

    def csv(self) -> str:
        """All numbers in full; a result is its text and then each of its fields.

        What is not defined is an empty cell.

        >>> Table("t", "T", (Column("x"),), ((math.nan,), (0.5,))).csv().splitlines()
        ['x', '""', '0.5']
        """
        records = [self._record(row) for row in self.rows]
        heads = dict.fromkeys(head for record in records for head in record)
        return records_csv(records, heads)

    def _record(self, row: Sequence[Any]) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for column, cell in zip(self.columns, row, strict=True):
            record[column.name] = getattr(cell, "text", cell)
            if is_dataclass(cell) and not isinstance(cell, type):
                record |= {f"{column.name} {k}": v for k, v in asdict(cell).items()}
        return {head: "" if value != value else value for head, value in record.items()}


def _sort_key(cell: Any) -> float | None:
    value = getattr(cell, "value", cell)
    return float(value) if isinstance(value, Real) and isfinite(value) else None


@dataclass(frozen=True)
class Picture(Exhibit):
    """A figure as it is printed.

    Attributes
    ----------
    caption : what it shows, and of how many
    alt : the same for those who cannot see it
    reading : what it says, in one sentence
    data : the numbers that are drawn
    drawing : who draws it, and of what
    raster : whether the page shows the PNG, because the figure holds images
    drawn : its files, once the document is put together
    """

    caption: str
    alt: str
    reading: str
    data: Table
    drawing: Drawing = field(repr=False)
    raster: bool = False
    drawn: Drawn | None = field(default=None, repr=False)

    kind: ClassVar = "figure"

    @property
    def made(self) -> Drawn:
        """Its files.

        Raises
        ------
        ValueError
            It is not drawn yet.
        """
        if self.drawn is None:
            raise ValueError(f"the figure {self.key!r} is not drawn yet")
        return self.drawn

    @property
    def files(self) -> dict[str, str]:
        """Kind of file -> where it lies, beside the page."""
        return {kind: f"figures/{self.key}.{kind}" for kind in ("svg", "png", "csv")}


def picture(
    drawing: Drawing, key: str, title: str, caption: str, alt: str, data: Table,
    *, reading: str, raster: bool = False, main: bool = False,
) -> Picture:  # fmt: skip
    """A figure to be drawn; `key` names its files."""
    return Picture(key, title, caption, alt, reading, data, drawing, raster, main=main)


@dataclass(frozen=True)
class Point:
    """A line of a list.

    Attributes
    ----------
    text : a sentence
    anchor, where : id of the section, table or figure that shows it, and what that is called; of
        a table or figure both come from `numbering.place`
    grave : whether it must not be overlooked
    brief : what speaks against the numbers, in a few words for the first screen; "" where
        nothing does
    limitation : the same among the limitations of a paper; "" where it is none, or is said there
        among the results
    """

    text: str
    anchor: str = ""
    where: str = ""
    grave: bool = False
    brief: str = ""
    limitation: str = ""


@dataclass(frozen=True)
class Answer:
    """A question that readers ask first, and what the study says to it.

    Attributes
    ----------
    question : with its question mark
    facts : (name, value), the most important first
    points : sentences
    """

    question: str
    facts: tuple[tuple[str, str], ...]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Block:
    """A section of the report.

    Attributes
    ----------
    title, anchor : heading, and its address in the page
    prose : paragraphs
    warnings : paragraphs that must not be overlooked
    answers : of questions that readers ask first, beside each other
    facts : (name, value) of the numbers that matter most
    points : a list
    tables, pictures : in their order
    files : tables that are written beside the page and not shown; they have no number
    """

    title: str
    anchor: str
    prose: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    points: tuple[Point, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    files: tuple[Table, ...] = ()
