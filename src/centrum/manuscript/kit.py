"""From a report to the parts of the manuscript."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from centrum.manuscript.docx import Heading, Items, NotPrinted, Part, Prose, Supplement
from centrum.manuscript.methods import PAPER, SUPPLEMENT, Paragraph
from centrum.report.blocks import Table
from centrum.report.numbering import Document
from centrum.text import counted

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


def _tables(report: Document, *, main: bool) -> list[Part]:
    tables = (table for block in report.marked for table in block.tables)
    return [_printed(table) for table in tables if table.main == main]


def _pictures(report: Document, *, main: bool) -> list[Part]:
    pictures = (picture for block in report.marked for picture in block.pictures)
    return [picture for picture in pictures if picture.main == main]


def _printed(table: Table) -> Part:
    if sum(max(cell.count("\n") for cell in row) + 1 for row in table.shown()) <= MOST_LINES:
        return table
    rows = counted(len(table.rows), "row")
    return NotPrinted(table, f"Not printed: {rows} in the file {table.file}.")
