"""Predicted against observed probability, and where the predictions lie."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.arrays import Flags, Floats
from centrum.evaluate.calibration import Calibration
from centrum.report.colours import BLACK, BLUE, GREY, OUTCOMES
from centrum.report.labels import wrapped
from centrum.report.style import COLUMN_CM, STYLE, new_figure


@STYLE
def draw_calibration(
    found: Calibration,
    probability: Floats,
    positive: Flags,
    outcomes: tuple[str, str],
    mark: str = "",
) -> Figure:
    """The flexible curve with its interval, groups with theirs, and the predictions below."""
    figure = new_figure(COLUMN_CM, COLUMN_CM + 3.4, mark)
    axes, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    calibration_panel(axes, found, outcomes[0])
    histogram_panel(below, probability, positive, outcomes)
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def calibration_panel(axes: Axes, found: Calibration, positive: str, width: int = 44) -> None:
    """The flexible curve with its interval, and groups of cases with theirs.

    `width` is that of the axis, in letters.
    """
    axes.plot([0, 1], [0, 1], ":", color=GREY, lw=0.8, label="ideal")
    if found.curve is not None:
        curve = found.curve
        axes.plot(curve.predicted, curve.observed, color=BLUE, label="flexible curve")
        axes.fill_between(curve.predicted, curve.lower, curve.upper, color=BLUE, alpha=0.15, lw=0)
    for k, group in enumerate(found.groups):
        limits = (group.interval.lower, group.interval.upper)
        axes.plot([group.predicted] * 2, limits, color=BLACK, lw=0.8)
        label = "groups of cases" if k == 0 else ""
        axes.plot(group.predicted, group.observed, "o", color=BLACK, ms=4, label=label)
    observed = wrapped(f"Observed share {positive}", width)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel=observed)


def histogram_panel(
    below: Axes, probability: Floats, positive: Flags, outcomes: tuple[str, str], width: int = 44
) -> None:
    """Where the predictions lie, the cases of one outcome upwards and those of the other down."""
    edges = np.linspace(0, 1, 21)
    sides = zip((positive, ~positive), outcomes, OUTCOMES, (1, -1), strict=True)
    for own, name, colour, side in sides:
        counts, _ = np.histogram(probability[own], edges)
        below.bar(
            edges[:-1], side * counts, 0.045, align="edge", color=colour, label=wrapped(name, 20)
        )
    most = max(abs(y) for y in below.get_ylim())
    predicted = wrapped(f"Predicted probability of {outcomes[0]}", width)
    below.set(xlabel=predicted, ylim=(-most, most))
    below.set_ylabel("Cases")
    below.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    below.axhline(0, color=BLACK, lw=0.6)
