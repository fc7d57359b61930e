"""Values as points with a box: the distribution of small groups."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from centrum.arrays import Floats
from centrum.report.colours import BLACK

BOX = 0.3
"""Height of a box, in rows."""

BITS = np.arange(1, 17)

MOST_POINTS = 2000
"""Points of a row; of more values every second, third ... is drawn."""


def draw_strip(
    axes: Axes,
    groups: Sequence[Floats],
    rows: Floats,
    colour: str,
    marker: str,
    label: str = "",
) -> None:
    """One row of points and a box for each group of values.

    Box: quartiles and median; whiskers to the furthest values within 1.5 interquartile ranges.
    """
    points = [values[:: step_of(len(values))] for values in groups]
    heights = np.concatenate([row + _spread(len(v)) for row, v in zip(rows, points, strict=True)])
    axes.plot(
        np.concatenate(points), heights, marker, color=colour, ms=1.8, mew=0, alpha=0.45,
        label=label,
    )  # fmt: skip
    line = {"lw": 0.9, "color": colour}
    axes.boxplot(
        groups, positions=rows, widths=BOX, orientation="horizontal", showfliers=False,
        manage_ticks=False, medianprops={"color": BLACK, "lw": 1.4},
        boxprops=line, whiskerprops=line, capprops=line,
    )  # fmt: skip


def step_of(n: int) -> int:
    """Every how manieth of n values is a point.

    >>> step_of(2000), step_of(2001)
    (1, 2)
    """
    return -(-n // MOST_POINTS)


def _spread(n: int) -> Floats:
    """Heights of n points within a box, spread evenly without chance (van der Corput, base 2)."""
    digits = np.arange(1, n + 1)[:, None] >> (BITS - 1) & 1
    return 0.9 * BOX * (digits @ 0.5**BITS - 0.5)
