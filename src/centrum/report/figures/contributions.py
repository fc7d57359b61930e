"""Contributions of held-out patients: a point for every patient and feature."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from centrum.arrays import Floats
from centrum.report.colours import BLACK, GREY, PALE
from centrum.report.figures.strip import step_of
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, new_figure, row_cm

PLACES = 80
"""Points of a row that are less than such a part of the axis apart stand beside each other."""

ROW = 0.8
"""Height of a row that points may fill."""

NAME_WIDTH = 40
"""Characters of a name on one line."""

ROW_CM = 0.62
"""Height of a row that has room for points beside each other."""

LOWEST_CM = 5.6
"""Of a figure: the name of the colours needs so much."""

APART = 0.11
"""Of points beside each other, in rows, where there is room."""

WIDEST_Z = 2.0
"""z-scores beyond it have the colour of it."""

COLOURS = ListedColormap(colormaps["cividis"](np.linspace(0, 0.92, 256)), "values")
"""From low to high; without the yellow that white paper swallows."""


@STYLE
def draw_contributions(
    labels: Sequence[str],
    z: Floats,
    contributions: Floats,
    outcomes: tuple[str, str],
    scale: str,
    mark: str = "",
) -> Figure:
    """Rows of points from the first feature at the top; (cases, features) each, nan where none.

    `scale` is what contributions are to; `outcomes` are the positive and negative one.
    """
    names = [wrapped(label, NAME_WIDTH) for label in labels]
    height = max(row_cm(names), ROW_CM) * len(names)
    figure = new_figure(PAGE_CM, max(2.8 + height, LOWEST_CM), mark)
    axes = figure.add_subplot()
    axes.axvline(0, color=GREY, lw=0.6)
    axes.hlines(
        range(len(labels)), -2, 2, PALE, lw=0.4, transform=axes.get_yaxis_transform(), zorder=0
    )
    width = np.nanmax(np.abs(contributions)) or 1.0
    for row, (values, colour) in enumerate(zip(contributions.T, z.T, strict=True)):
        there = np.flatnonzero(np.isfinite(values))
        there = there[:: step_of(there.size)] if there.size else there
        points = axes.scatter(
            values[there], row + _beside(values[there] / width), 9, colour[there], cmap=COLOURS,
            vmin=-WIDEST_Z, vmax=WIDEST_Z, lw=0.25, edgecolors=BLACK, rasterized=there.size > 500,
        )  # fmt: skip
    axes.set_yticks(range(len(labels)), names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(-1.06 * width, 1.06 * width)
    axes.spines["left"].set_visible(False)
    towards = " ← → ".join(wrapped(name, 24, lines=1) for name in outcomes[::-1])
    axes.set_xlabel(f"Contribution to the {scale}   ({towards})")
    bar = figure.colorbar(points, ax=axes, aspect=30, pad=0.02, extend="both")
    bar.set_label("Value of the feature\n(SD from the training mean)")
    bar.outline.set_linewidth(0.4)
    return figure


def _beside(values: Floats) -> Floats:
    """Heights of points whose values, of 1 and less, are in the same place: beside each other.

    >>> _beside(np.array([0.0, 0.5, 0.0])).round(2).tolist()
    [0.0, 0.0, 0.11]
    """
    place = np.rint(values * PLACES / 2).astype(int)
    order = np.argsort(place, kind="stable")
    _, first, number = np.unique(place[order], return_index=True, return_counts=True)
    turn = np.empty(values.size, dtype=int)
    turn[order] = np.arange(values.size) - np.repeat(first, number)
    most = int(number.max()) if number.size else 1
    step = min(APART, ROW / most)
    return np.asarray(np.where(turn % 2, step, -step) * ((turn + 1) // 2)) + 0.0
