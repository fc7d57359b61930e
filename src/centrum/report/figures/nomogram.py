"""A nomogram: points of each variable, their sum, and the probability that it gives."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.arrays import Floats
from centrum.modelling.nomogram import MOST, PROBABILITIES, Axis, Nomogram, TextAxis, ticks_over
from centrum.report.colours import BLACK
from centrum.report.labels import wrapped
from centrum.report.style import COLUMN_CM, SMALL_PT, STYLE, new_figure
from centrum.text import number, percent

ROW_CM = 1.15

LETTER = 0.034
"""Width of a small letter, as a share of the axes; labels that would meet take turns."""


@STYLE
def draw_nomogram(
    found: Nomogram,
    labels: Mapping[str, str],
    positive: str,
    prevalence: float | None = None,
    mark: str = "",
) -> Figure:
    """Lines from the top: points, variables by their labels, their sum, and the probability."""
    shown = [None] if prevalence is None else [None, prevalence]
    n_rows = 2 + len(found.axes) + len(shown)
    figure = new_figure(COLUMN_CM, ROW_CM * n_rows + 0.4, mark)
    axes = figure.add_subplot()
    axes.set(xlim=(-0.02, 1.02), ylim=(n_rows - 0.45, -0.55))
    axes.axis("off")
    rows = iter(range(n_rows))
    points = np.arange(0, MOST + 1, 10)
    _line(axes, next(rows), "Points", points / MOST, [number(tick) for tick in points])
    for axis in found.axes:
        places = [found.points(axis, value) / MOST for value in _values(axis)]
        _line(axes, next(rows), labels[axis.variable], places, _ticks(axis))
    ticks = ticks_over(0.0, found.most, 10)
    _line(axes, next(rows), "Total points", np.array(ticks) / ticks[-1], [number(t) for t in ticks])
    for at in shown:
        reached = [p for p in PROBABILITIES if 0 <= found.points_at(p, at) <= ticks[-1]]
        label = f"Probability of {positive}"
        if at is not None:
            label = f"The same at a prevalence of {percent(at)}"
        places = [found.points_at(p, at) / ticks[-1] for p in reached]
        _line(axes, next(rows), label, places, [number(p) for p in reached])
    return figure


def _values(axis: Axis) -> Sequence[float | str]:
    return axis.levels if isinstance(axis, TextAxis) else axis.ticks


def _ticks(axis: Axis) -> list[str]:
    if isinstance(axis, TextAxis):
        return list(axis.levels)
    return [number(tick) for tick in axis.ticks]


def _line(
    axes: Axes, row: int, label: str, places: Sequence[float] | Floats, ticks: Sequence[str]
) -> None:
    """A line with ticks; labels stand below, above where they would meet another, or nowhere."""
    axes.text(-0.05, row, wrapped(label, 19), ha="right", va="center")
    if not len(places):
        return
    axes.plot([min(places), max(places)], [row, row], color=BLACK, lw=0.8)
    taken: dict[int, list[tuple[float, float]]] = {1: [], -1: []}
    for place, tick in _ends_first(sorted(zip(places, ticks, strict=True))):
        own = (place - LETTER * len(tick) / 2, place + LETTER * len(tick) / 2)
        side = next((s for s in taken if all(own[1] <= a or b <= own[0] for a, b in taken[s])), 0)
        axes.plot([place, place], [row, row + 0.1 * (side or 1)], color=BLACK, lw=0.6)
        if side:
            taken[side].append(own)
            up = "top" if side > 0 else "bottom"
            axes.text(place, row + 0.14 * side, tick, ha="center", va=up, size=SMALL_PT)


def _ends_first(ticks: Sequence[tuple[float, str]]) -> Sequence[tuple[float, str]]:
    """In their order, but for the last, which comes second: both ends of a line have labels."""
    return [*ticks[:1], *ticks[:0:-1][:1], *ticks[1:-1]]
