"""AUC of every part of a design, and of its variants."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from centrum.arrays import Floats
from centrum.report.colours import BLACK, BLUE, GREY
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, new_figure


@STYLE
def draw_parts(areas: Mapping[str, Floats], mark: str = "") -> Figure:
    """A row per variant: each part a dot, the mean a bar; the first is the model."""
    figure = new_figure(PAGE_CM, 2.2 + 0.95 * len(areas), mark)
    axes = figure.add_subplot()
    for k, values in enumerate(reversed(list(areas.values()))):
        spread = 0.22 * (np.arange(len(values)) % 5 - 2) / 2
        axes.plot(values, k + spread, "o", color=BLUE, ms=3, alpha=0.6, mew=0)
        if len(values):
            axes.plot(np.mean(values), k, "|", color=BLACK, ms=20, mew=2)
    axes.set_yticks(
        range(len(areas)), [wrapped(name.replace("_", " "), 26) for name in reversed(list(areas))]
    )
    axes.axvline(0.5, color=GREY, lw=0.6, ls=":")
    axes.set(xlim=(0, 1.02), ylim=(-0.6, len(areas) - 0.4), xlabel="AUC of the test cases")
    return figure
