"""How wide the columns of a printed table are, and which way round its page lies."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from matplotlib.font_manager import FontProperties, findfont
from PIL import ImageFont

UPRIGHT_CM, TURNED_CM = 16.0, 24.7
"""Width of the text on a sheet of A4 with margins of 2.5 cm, upright and on its side."""

TABLE_PT = 9

PADDING_CM = 0.1
"""Free space left and right of the text in a cell."""

SLACK_CM = 0.1
"""Other fonts and programs set text a little wider."""

MOST_UPRIGHT = 7
"""Tables with more columns are turned unless every cell fits on one line."""

MUCH_HIGHER = 1.7
"""A turned page is 1.54 times as wide: a table that saves more lines than that was cramped."""

SHORT_LINES = 30
"""A table of so many lines stays upright, and on one page."""

MOST_STRETCHED = 1.4
"""Columns grow by no more than this to fill the width of the text."""

LONGEST_CM = 8.0
"""Columns need be no wider for one word; a longer one is broken wherever its line is full."""

NUMBER = re.compile(r"(?:[\d\s.,()\[\]%<>=±×/e+−–-]|to)+")
"""What cells of a column of numbers are made of."""

BREAKS = re.compile(r"(?<=[\s-])")
"""Where a word processor may start a new line."""

PT_PER_CM = 72 / 2.54

MEASURED_PT = 100
"""Size at which text is measured; large, so that widths are not rounded to whole points."""


@dataclass(frozen=True)
class TableLayout:
    """How a table is set.

    Attributes
    ----------
    widths : of the columns, cm
    turned : whether the page lies on its side
    lines : of text in all rows with the head, estimated
    numeric : per column whether it holds numbers, which are centred
    """

    widths: tuple[float, ...]
    turned: bool
    lines: int
    numeric: tuple[bool, ...]


def lay_out(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> TableLayout:
    """Choose widths and page for the texts of a table.

    >>> lay_out(["Measure", "Test"], [["AUC", "0.83 (0.68–0.99)"]]).turned
    False
    >>> lay_out(["Measure", *"abcdefghij"], [["AUC", *["0.83 (0.68–0.99)"] * 10]]).turned
    True
    """
    columns = list(zip(heads, *rows, strict=True))
    stops = [_wanted(column) for column in columns]
    upright, turned = (_shared(stops, room) for room in (UPRIGHT_CM, TURNED_CM))
    n_upright, n_turned = (_count_lines(columns, widths) for widths in (upright, turned))
    words, cells, _ = map(sum, zip(*stops, strict=True))
    turn = (
        words > UPRIGHT_CM
        or (len(columns) > MOST_UPRIGHT and cells > UPRIGHT_CM)
        or (n_upright > SHORT_LINES and n_upright > MUCH_HIGHER * n_turned)
    )
    numeric = tuple(k > 0 and _all_numbers(column[1:]) for k, column in enumerate(columns))
    return TableLayout(
        tuple(turned if turn else upright), turn, n_turned if turn else n_upright, numeric
    )


@lru_cache(1 << 16)
def text_cm(text: str, size_pt: float = TABLE_PT, bold: bool = False) -> float:
    """Width of one line of text in a serif face with the metrics of Times, cm.

    >>> 0.6 < text_cm("0.857") < 0.9
    True
    """
    return float(_font(bold).getlength(text)) * size_pt / MEASURED_PT / PT_PER_CM


@cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    face = FontProperties(family="STIXGeneral", weight="bold" if bold else "normal")
    return ImageFont.truetype(findfont(face), MEASURED_PT, layout_engine=ImageFont.Layout.BASIC)


def _wanted(column: Sequence[str]) -> tuple[float, float, float]:
    """Width that holds every word; cells on one line and the head on two; both on one, cm.

    A number with its interval is one word. The first is `LONGEST_CM` at most.
    """
    head, *cells = column
    spare = 2 * PADDING_CM + SLACK_CM
    words = [
        *(text_cm(word.rstrip(), bold=True) for word in BREAKS.split(head)),
        *(text_cm(word.rstrip()) for cell in cells for word in BREAKS.split(cell)),
    ]
    lines = [text_cm(line) for cell in cells for line in cell.split("\n")]
    whole = text_cm(head, bold=True)
    narrow = min(max(words + lines if _all_numbers(cells) else words), LONGEST_CM)
    middle = max([narrow, whole / 2, *lines])
    return narrow + spare, middle + spare, max(middle, whole) + spare


def _shared(stops: Sequence[tuple[float, float, float]], room: float) -> list[float]:
    """Widths of the columns between their stops, so that together they fill the room."""
    levels = list(zip(*stops, strict=True))
    for narrow, wide in pairwise([(0.0,) * len(stops), *levels]):
        if sum(wide) > room:
            share = (room - sum(narrow)) / (sum(wide) - sum(narrow))
            return [a + share * (b - a) for a, b in zip(narrow, wide, strict=True)]
    stretch = min(room / sum(levels[-1]), MOST_STRETCHED)
    return [width * stretch for width in levels[-1]]


def _count_lines(columns: Sequence[Sequence[str]], widths: Sequence[float]) -> int:
    heights = (
        [_height(cell, width) for cell in column]
        for column, width in zip(columns, widths, strict=True)
    )
    return sum(map(max, zip(*heights, strict=True)))


def _height(cell: str, width: float) -> int:
    """Lines of a cell, filled greedily."""
    room, n_lines = max(width - 2 * PADDING_CM, PADDING_CM), 0
    for line in cell.split("\n"):
        n_lines, used = n_lines + 1, 0.0
        for word in BREAKS.split(line):
            length = text_cm(word)
            if used and used + text_cm(word.rstrip()) > room:
                n_lines, used = n_lines + 1, 0.0
            broken = int(length // room)
            n_lines, used = n_lines + broken, used + length - broken * room
    return n_lines


def _all_numbers(cells: Sequence[str]) -> bool:
    return any(cells) and all(NUMBER.fullmatch(cell) for cell in cells if cell)
