"""Tables and figures get their numbers when a document is put together; texts refer by key.

A text says `ref("table score")` where the reader is to see "table 2". Which number that is, is
known as soon as all blocks of the document are there: those of the paper are counted from 1 and
those of the supplement from S1, in the order in which a text cites them or else of appearance, with
no gap for what a study does not have.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from centrum.report.blocks import Block, Exhibit, Picture, Point, Table, anchor_of

REFERENCE = re.compile("\0(table|figure) ([^\0]+)\0", re.IGNORECASE)
"""What stands in a text until the numbers are given; no text that can be read holds a NUL."""


def ref(name: str) -> str:
    """What stands in a text for such as "table 2": its kind and key; capitals are kept.

    >>> numbers = Numbering({("table", "score"): "2"})
    >>> numbers.resolve(f"Numbered as in {ref('table score')}. {ref('Table score')} has all.")
    'Numbered as in table 2. Table 2 has all.'
    """
    return f"\0{name}\0"


def place(name: str) -> tuple[str, str]:
    """Address in the page of a table or figure, and what it is called; for a `Point`."""
    return anchor_of(*name.split()), ref(name)


@dataclass(frozen=True)
class Numbering:
    """The numbers of a document's tables and figures, by kind and key."""

    given: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def resolve(self, text: str) -> str:
        """A text with numbers in the place of its references."""
        return REFERENCE.sub(lambda found: self._said(found[1], found[2]), text)

    def _said(self, word: str, key: str) -> str:
        number = self.given.get((word.lower(), key))
        return absent(word, key) if number is None else f"{word} {number}"


def absent(word: str, key: str) -> str:
    """What is said of a table or figure that the document lacks; the tests make it an error.

    Only a section that could not be written leaves such a reference behind.
    """
    return f"a {word.lower()} that could not be made"


@dataclass(frozen=True)
class Document:
    """Blocks with numbered tables and figures, and the numbers, for texts beside them.

    Attributes
    ----------
    marked : the blocks with `ref` still in their texts, for what makes links of them
    """

    blocks: tuple[Block, ...]
    numbers: Numbering
    marked: tuple[Block, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """All numbered tables, in the order of appearance."""
        return tuple(table for block in self.blocks for table in block.tables)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All figures, in the order of appearance."""
        return tuple(picture for block in self.blocks for picture in block.pictures)


def assemble(blocks: Sequence[Block], cited: Iterable[str] = ()) -> Document:
    """Number the tables and figures of a document, and resolve all references to them.

    Parameters
    ----------
    cited : texts of a paper in their order; what they refer to first is numbered first, and what
        they do not refer to comes last, in the order of appearance

    Raises
    ------
    ValueError
        Two tables, or two figures, have the same key.
    """
    numbers = Numbering(dict(_numbered(blocks, cited)))
    marked = tuple(_with_numbers(block, numbers) for block in blocks)
    return Document(tuple(_resolved(block, numbers) for block in marked), numbers, marked)


def _numbered(
    blocks: Sequence[Block], cited: Iterable[str]
) -> Iterator[tuple[tuple[str, str], str]]:
    items: dict[tuple[str, str], Exhibit] = {}
    for block in blocks:
        for item in (*block.tables, *block.pictures):
            if (item.kind, item.key) in items:
                raise ValueError(f"Two {item.kind}s of a document have the key '{item.key}'.")
            items[item.kind, item.key] = item
    named = ((found[1].lower(), found[2]) for text in cited for found in REFERENCE.finditer(text))
    last = Counter[tuple[str, bool]]()
    for name in dict.fromkeys((*named, *items)):
        if name in items:
            item = items[name]
            last[item.kind, item.main] += 1
            yield name, f"{'' if item.main else 'S'}{last[item.kind, item.main]}"


def _with_numbers(block: Block, numbers: Numbering) -> Block:
    return replace(
        block,
        tables=tuple(replace(t, number=_number(t, numbers)) for t in block.tables),
        pictures=tuple(replace(p, number=_number(p, numbers)) for p in block.pictures),
    )


def _resolved(block: Block, numbers: Numbering) -> Block:
    def texts(found: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(numbers.resolve, found))

    return replace(
        block,
        prose=texts(block.prose),
        warnings=texts(block.warnings),
        answers=tuple(
            replace(answer, points=_points(answer.points, numbers)) for answer in block.answers
        ),
        points=_points(block.points, numbers),
        tables=tuple(_table(table, numbers) for table in block.tables),
        pictures=tuple(_picture(picture, numbers) for picture in block.pictures),
        files=tuple(replace(table, notes=texts(table.notes)) for table in block.files),
    )


def _points(points: Sequence[Point], numbers: Numbering) -> tuple[Point, ...]:
    return tuple(
        replace(point, text=numbers.resolve(point.text), where=numbers.resolve(point.where))
        for point in points
    )


def _number(item: Exhibit, numbers: Numbering) -> str:
    return numbers.given[item.kind, item.key]


def _table(table: Table, numbers: Numbering) -> Table:
    return replace(table, notes=tuple(map(numbers.resolve, table.notes)))


def _picture(picture: Picture, numbers: Numbering) -> Picture:
    return replace(
        picture,
        caption=numbers.resolve(picture.caption),
        alt=numbers.resolve(picture.alt),
        reading=numbers.resolve(picture.reading),
    )
