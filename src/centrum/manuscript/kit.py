"""From a report to the parts of the manuscript."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from centrum.manuscript.docx import Heading, Items, NotPrinted, Part, Prose, Supplement
from centrum.manuscript.docx_fields import SUPPLEMENT as SUPPLEMENT_MARK
from centrum.manuscript.methods import PAPER, SUPPLEMENT, Paragraph
from centrum.report.blocks import Picture, Table
from centrum.report.numbering import Document
from centrum.text import counted

Shown = TypeVar("Shown", Table, Picture)

MOST_LINES = 60
"""Longer tables are named with their file, not printed."""


def study_parts(
    report: Document,
    methods: Sequence[Paragraph],
    *,
    abstract: Sequence[Paragraph] = (),
    results: Sequence[Paragraph] = (),
    limitations: str = "",
) -> list[Part]:
    """The text in the order of a paper, tables and figures by their numbers, the supplement."""
    limits = [Paragraph("", limitations)] if limitations else []
    return [
        *_chapter("Abstract", abstract),
        *_chapter(PAPER, [paragraph for paragraph in methods if paragraph.main]),
        *_chapter("Results", results),
        *_chapter("Limitations", limits),
        Heading("Tables and figures"),
        *_tables(report, main=True),
        *_pictures(report, main=True),
        Supplement(),
        Heading("Supplementary material"),
        *_chapter(SUPPLEMENT, [paragraph for paragraph in methods if not paragraph.main], 2),
        *_under("Supplementary tables", _tables(report, main=False)),
        *_under("Supplementary figures", _pictures(report, main=False)),
    ]


def _chapter(title: str, paragraphs: Sequence[Paragraph], level: int = 1) -> list[Part]:
    """Paragraphs under their headings, which stand below the title; nothing without any."""
    parts: list[Part] = [Heading(title, level)] if paragraphs else []
    for heading, under in groupby(paragraphs, attrgetter("heading")):
        parts += [Heading(heading, level + 1)] if heading else []
        for paragraph in under:
            parts.append(Prose(paragraph.text))
            parts += [Items(paragraph.items)] if paragraph.items else []
    return parts


def _under(heading: str, parts: list[Part]) -> list[Part]:
    return [Heading(heading, 2), *parts] if parts else []


def cited_texts(*texts: Sequence[Paragraph], limitations: str = "") -> list[str]:
    """The texts of a paper in the order in which they are read, those of the supplement last."""
    told = [paragraph for text in texts for paragraph in text]
    sides = ([p for p in told if p.main == main] for main in (True, False))
    main, supplement = ([line for p in side for line in (p.text, *p.items)] for side in sides)
    return [*main, limitations, *supplement]


def _tables(report: Document, *, main: bool) -> list[Part]:
    tables = (table for block in report.marked for table in block.tables)
    return [_printed(table) for table in _in_order(tables, main)]


def _pictures(report: Document, *, main: bool) -> list[Part]:
    pictures = (picture for block in report.marked for picture in block.pictures)
    return [*_in_order(pictures, main)]


def _in_order(items: Iterable[Shown], main: bool) -> list[Shown]:
    """Those of the paper, or of the supplement, by their numbers."""
    own = (item for item in items if item.main == main)
    return sorted(own, key=lambda item: int(item.number.lstrip(SUPPLEMENT_MARK)))


def _printed(table: Table) -> Part:
    if sum(max(cell.count("\n") for cell in row) + 1 for row in table.shown()) <= MOST_LINES:
        return table
    rows = counted(len(table.rows), "row")
    return NotPrinted(table, f"Not printed: {rows} in the file {table.file}.")
