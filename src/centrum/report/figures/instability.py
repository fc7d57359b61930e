"""Probabilities of the same patients by the model and by its refits."""

import numpy as np
from matplotlib.figure import Figure

from centrum.arrays import Flags
from centrum.report.colours import BLACK, GREY, OUTCOMES
from centrum.report.labels import wrapped
from centrum.report.style import COLUMN_CM, STYLE, new_figure
from centrum.validation.instability import Instability


@STYLE
def draw_instability(
    found: Instability, positive: Flags, outcomes: tuple[str, str], mark: str = ""
) -> Figure:
    """Each case a line of its range at the model's probability, refits as faint points."""
    figure = new_figure(COLUMN_CM, COLUMN_CM + 1.4, mark)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.6, ls=":")
    lower, upper = found.ranges
    sides = zip(outcomes, OUTCOMES, "os", (positive, ~positive), strict=True)
    for outcome, colour, marker, own in sides:
        x = found.probability[own]
        axes.plot(
            np.tile(x, len(found.refits)), found.refits[:, own].ravel(), ".", color=colour,
            ms=1.6, mew=0, alpha=0.35, rasterized=True,
        )  # fmt: skip
        axes.vlines(x, lower[own], upper[own], color=colour, lw=0.9, alpha=0.8)
        axes.plot(x, x, marker, color=colour, ms=3, mec=BLACK, mew=0.3, label=wrapped(outcome, 24))
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set(xlabel=f"Probability of {wrapped(outcomes[0], 24)} by the model",
             ylabel="Probability by its refits")  # fmt: skip
    figure.legend(loc="outside upper left", ncols=2)
    return figure
