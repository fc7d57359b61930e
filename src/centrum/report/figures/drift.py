"""How features of new cases differ from the training cases."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from centrum.report.colours import BLUE, GREY, PALE
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, new_figure, row_cm

NAME_WIDTH = 44
"""Characters of a name on one line."""

SMALL = 0.2
"""Shifts up to this many SDs are usually called small (Cohen)."""


@STYLE
def draw_drift(
    labels: Sequence[str], shifts: Sequence[float], outside: Sequence[float], mark: str = ""
) -> Figure:
    """Shift of the mean in training SDs (dots) and share outside the training range (bars)."""
    names = [wrapped(label, NAME_WIDTH) for label in labels]
    figure = new_figure(PAGE_CM, 2.6 + row_cm(names) * len(names), mark)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2, 1))
    place = np.arange(len(labels))
    left.axvspan(-SMALL, SMALL, color=PALE, lw=0)
    left.axvline(0, color=GREY, lw=0.6)
    left.hlines(place, 0, shifts, color=BLUE, lw=1)
    left.plot(shifts, place, "o", color=BLUE)
    right.barh(place, 100 * np.asarray(outside, dtype=float), height=0.6, color=BLUE)
    left.set_yticks(place, names)
    left.set_ylim(len(labels) - 0.5, -0.5)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
    left.set_xlabel("Shift of the mean (training SDs)")
    right.set_xlabel("Outside the training range (%)")
    return figure
