"""From the sections of a report to the parts of the manuscript."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from centrum.manuscript.docx import Heading, Part, Prose
from centrum.report.blocks import Block, Picture, Table
from centrum.text import counted

MOST_LINES = 60
"""Longer tables are named with their file, not printed."""

Numbered = TypeVar("Numbered", Table, Picture)


def study_parts(blocks: Sequence[Block], methods: Sequence[tuple[str, str]]) -> list[Part]:
    """Methods, tables and figures by their numbers, then those of the supplement."""
    tables = _by_number(table for block in blocks for table in block.tables)
    pictures = _by_number(picture for block in blocks for picture in block.pictures)
    parts: list[Part] = [Heading("Methods"), *_methods_parts(methods), Heading("Results")]
    for heading, supplement in (("", False), ("Supplementary material", True)):
        parts += [Heading(heading)] if heading else []
        for table in tables:
            if _is_supplement(table) == supplement:
                parts += _table_parts(table)
        parts += [picture for picture in pictures if _is_supplement(picture) == supplement]
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
    return [Prose(f"{table.title} ({rows}) is in the file tables/{table.key}.csv.")]


def _by_number(found: Iterable[Numbered]) -> list[Numbered]:
    return sorted(found, key=lambda item: int(re.sub(r"\D", "", item.key)))


def _is_supplement(item: Table | Picture) -> bool:
    return item.key.lower().split("-")[1].startswith("s")
