"""Net benefit over threshold probabilities, and where acting on the model does harm."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.evaluate.decision_curve import TINY, DecisionCurve
from centrum.report.colours import BLACK, BLUE, GREY, VERMILION
from centrum.report.style import COLUMN_CM, STYLE, new_figure

LOWEST = -0.25
"""Where the axis of net benefit ends, as a share of the prevalence: at high threshold
probabilities a few false positives weigh so much that nothing else could be seen."""


BELOW = (
    "below, what the model gains or loses against the better of these two, with its interval in "
    "grey (the axes end at a quarter of the prevalence)"
)
"""What a caption says of the lower panel."""


@STYLE
def draw_decision_curve(found: DecisionCurve, mark: str = "") -> Figure:
    """The model beside acting on everybody and on nobody; below, its gain over the better."""
    figure = new_figure(COLUMN_CM, 9.6, mark)
    axes, below = figure.subplots(2, 1, height_ratios=(5, 3), sharex=True)
    benefit_panel(axes, found)
    gain_panel(below, found)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def benefit_panel(axes: Axes, found: DecisionCurve) -> None:
    """The model with its interval, beside acting on everybody and on nobody."""
    axes.fill_between(found.thresholds, found.lower, found.upper, color=BLUE, alpha=0.15, lw=0)
    axes.plot(found.thresholds, found.model, color=BLUE, label="model")
    axes.plot(found.thresholds, found.treat_all, "--", color=BLACK, label="all")
    axes.axhline(0, color=GREY, ls=":", label="nobody")
    axes.set(
        xlim=(0, 1),
        ylim=(LOWEST * found.prevalence, 1.1 * max(found.prevalence, found.model.max())),
    )
    axes.set_ylabel("Net benefit\n(true positives per case)")


def gain_panel(axes: Axes, found: DecisionCurve) -> None:
    """What the model gains over the better of everybody and nobody; a loss is harm."""
    at, gain = found.thresholds, 100 * found.difference
    lower, upper = 100 * found.difference_lower, 100 * found.difference_upper
    axes.fill_between(at, lower, upper, color=GREY, alpha=0.25, lw=0)
    for colour, sign, label in ((BLUE, 1, "gain"), (VERMILION, -1, "harm")):
        own = sign * found.difference > TINY
        if own.any():
            axes.fill_between(at, 0, gain, where=own, color=colour, lw=0, step="mid", label=label)
    axes.axhline(0, color=BLACK, lw=0.6)
    ends = [edge[np.isfinite(edge)] for edge in (np.fmin(gain, lower), np.fmax(gain, upper))]
    lowest, room = 100 * LOWEST * found.prevalence, -100 * LOWEST * found.prevalence
    axes.set_ylim(max(lowest, 1.1 * min(ends[0].min(), 0.0)), min(room, 1.1 * ends[1].max()))
    axes.set(xlim=(0, 1), xlabel="Threshold probability")
    axes.set_ylabel("Gain per\n100 cases")
