"""From a report to the parts of the manuscript."""

from collections.abc import Sequence

from centrum.manuscript.docx import Heading, Part, Prose
from centrum.report.blocks import Table
from centrum.report.numbering import Document
from centrum.text import counted

MOST_LINES = 60
"""Longer tables are named with their file, not printed."""


def study_parts(report: Document, methods: Sequence[tuple[str, str]]) -> list[Part]:
    """Methods, tables and figures by their numbers, then those of the supplement."""
    parts: list[Part] = [Heading("Methods"), *_methods_parts(methods), Heading("Results")]
    for heading, main in (("", True), ("Supplementary material", False)):
        parts += [Heading(heading)] if heading else []
        for table in report.tables:
            if table.main == main:
                parts += _table_parts(table)
        parts += [picture for picture in report.pictures if picture.main == main]
    return parts


def _methods_parts(methods: Sequence[tuple[str, str]]) -> list[Part]:
    parts: list[Part] = []
    for heading, text in methods:
        parts.append(Heading(heading, 2))
        parts += [Prose(paragraph) for paragraph in text.split("\n\n")]
    return parts


def _table_parts(table: Table) -> list[Part]:
    if sum(max(cell.count("\n") for cell in row) + 1 for row in table.shown()) <= MOST_LINES:
        return [table]
    rows = counted(len(table.rows), "row")
    return [Prose(f"{table.heading} ({rows}) is in the file {table.file}.")]
