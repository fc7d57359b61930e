"""Flow of the cases: manifest, exclusions, analysis, training and test set (STROBE item 13)."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from centrum.report.colours import BLACK, GREY
from centrum.report.labels import letters, shortened
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, new_figure

LINE_CM = 0.36
"""Height of a line of text."""

PADDING_CM, GAP_CM = 0.22, 0.55
MAIN_CM, SIDE_CM = 6.6, 8.6
"""Widths of the boxes of those who stay and of those who leave."""

CHARACTERS_PER_CM = 7.2

LONGEST_WORD = 32
"""Characters; a longer word cannot be broken between its parts and loses its middle."""


@dataclass(frozen=True)
class Stop:
    """A station of the flow: who is there, and who leaves before the next one.

    Attributes
    ----------
    stay : lines of the box, the first in bold
    leave : lines of the side box after it; none without a side box
    """

    stay: tuple[str, ...]
    leave: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlowChart:
    """Stations from top to bottom, and what the last one is split into."""

    stops: tuple[Stop, ...]
    parts: tuple[tuple[str, ...], ...]


@STYLE
def draw_flow(chart: FlowChart, mark: str = "") -> Figure:
    """Boxes from top to bottom; who leaves stands on the right."""
    stops = [
        Stop(_wrapped(stop.stay, MAIN_CM), _wrapped(stop.leave, SIDE_CM)) for stop in chart.stops
    ]
    parts = [_wrapped(part, MAIN_CM) for part in chart.parts]
    below = max(_height(part) for part in parts)
    height = sum(_height(s.stay) + _side(s) + 2 * GAP_CM for s in stops) + below
    figure = new_figure(PAGE_CM, height + 0.9, mark)
    figure.set_layout_engine(None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, PAGE_CM), ylim=(-height - 0.7, 0.2))
    axes.axis("off")
    top = _draw_stops(axes, stops)
    _draw_parts(axes, parts, top)
    return figure


def _wrapped(lines: Sequence[str], width_cm: float) -> tuple[str, ...]:
    width, indent = int(width_cm * CHARACTERS_PER_CM), "    "
    return tuple(
        part
        for line in lines
        for part in textwrap.wrap(_short(line), letters(line, width), subsequent_indent=indent)
    )


def _short(line: str) -> str:
    return " ".join(shortened(word, LONGEST_WORD) for word in line.split())


def _height(lines: Sequence[str]) -> float:
    return len(lines) * LINE_CM + 2 * PADDING_CM


def _side(stop: Stop) -> float:
    return _height(stop.leave) if stop.leave else 0.0


def _draw_stops(axes: Axes, stops: Sequence[Stop]) -> float:
    """Draw all stations; gives where the arrows to the parts begin."""
    middle, top = 0.3 + MAIN_CM / 2, 0.0
    for k, stop in enumerate(stops):
        _box(axes, middle - MAIN_CM / 2, top, MAIN_CM, stop.stay)
        bottom = top - _height(stop.stay)
        top = bottom - _side(stop) - 2 * GAP_CM
        if stop.leave:
            side = bottom - GAP_CM
            left = PAGE_CM - 0.3 - SIDE_CM
            _box(axes, left, side, SIDE_CM, stop.leave)
            _arrow(axes, (middle, side - _side(stop) / 2), (left, side - _side(stop) / 2))
        if k < len(stops) - 1:
            _arrow(axes, (middle, bottom), (middle, top))
    return bottom


def _draw_parts(axes: Axes, parts: Sequence[Sequence[str]], top: float) -> None:
    middle, gap = 0.3 + MAIN_CM / 2, 2 * GAP_CM
    lefts = (0.3, PAGE_CM - 0.3 - SIDE_CM)
    for left, lines in zip(lefts[: len(parts)], parts, strict=True):
        _box(axes, left, top - gap, MAIN_CM, lines)
        centre = left + MAIN_CM / 2
        axes.plot([middle, centre], [top - gap / 2] * 2, color=GREY, lw=0.8)
        _arrow(axes, (centre, top - gap / 2), (centre, top - gap))
    axes.plot([middle, middle], [top, top - gap / 2], color=GREY, lw=0.8)


def _box(axes: Axes, left: float, top: float, width: float, lines: Sequence[str]) -> None:
    height = _height(lines)
    axes.add_patch(_rectangle(left, top - height, width, height))
    for k, line in enumerate(lines):
        weight = "bold" if k == 0 else "normal"
        y = top - PADDING_CM - (k + 0.5) * LINE_CM
        axes.text(left + PADDING_CM, y, line, va="center", size=SMALL_PT, weight=weight)


def _rectangle(left: float, bottom: float, width: float, height: float) -> Rectangle:
    return Rectangle((left, bottom), width, height, fc="white", ec=BLACK, lw=0.7)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    style = {"arrowstyle": "-|>", "color": GREY, "lw": 0.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)
