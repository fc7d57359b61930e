"""What permutation takes off the AUC, for groups of features and for features alone."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from centrum.arrays import Floats
from centrum.report.colours import BLUE, GREY, PALE
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, new_figure, row_cm

NAME_WIDTH = 50
"""Characters of a name on one line."""

ROW_CM = 0.72
"""Height of a row that has room for points below."""

BELOW = 0.26
"""Of a group's point, in rows, stand those of its features alone."""


@STYLE
def draw_importance(
    labels: Sequence[str],
    drops: Floats,
    intervals: Floats,
    alone: Sequence[Floats],
    mark: str = "",
) -> Figure:
    """A row for each group, from the top: its drop, and below it those of its features alone.

    `intervals` are (2, groups).
    """
    names = [wrapped(label, NAME_WIDTH) for label in labels]
    figure = new_figure(PAGE_CM, 2.6 + max(row_cm(names), ROW_CM) * len(names), mark)
    axes = figure.add_subplot()
    rows = np.arange(len(labels))
    axes.hlines(rows + 0.5, 0, 1, PALE, lw=0.4, transform=axes.get_yaxis_transform(), zorder=0)
    axes.axvline(0, color=GREY, lw=0.6)
    axes.hlines(rows, *intervals, color=BLUE)
    axes.plot(drops, rows, "o", color=BLUE, ms=4, label="group, permuted together")
    own = np.repeat(rows, [len(each) for each in alone])
    if own.size:
        axes.plot(np.concatenate(alone), own + BELOW, "o", color=GREY, mfc="white", ms=3, mew=0.7,
                  label="each of its features alone, beyond the others")  # fmt: skip
    axes.set_yticks(rows, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Drop in AUC when permuted")
    figure.legend(loc="outside upper left", ncols=2)
    return figure
