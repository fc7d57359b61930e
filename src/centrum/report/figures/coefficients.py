"""The coefficients of the model."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from centrum.report.colours import GREY, OUTCOMES
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, STYLE, new_figure, row_cm
from centrum.text import fixed

NAME_WIDTH = 46
"""Characters of a name on one line."""

WIDEST = 1.25
"""Half of the axis in lengths of the longest bar: room for its number."""


@STYLE
def draw_coefficients(
    labels: Sequence[str],
    coefficients: Sequence[float],
    outcomes: tuple[str, str],
    mark: str = "",
) -> Figure:
    """Bars from the first feature at the top; `outcomes` are the positive and negative one."""
    names = [wrapped(f"{k}  {label}", NAME_WIDTH) for k, label in enumerate(labels, 1)]
    figure = new_figure(PAGE_CM, 2.7 + row_cm(names) * len(names), mark)
    axes = figure.add_subplot()
    place, values = np.arange(len(labels)), np.asarray(coefficients, dtype=float)
    colours = [OUTCOMES[0] if value > 0 else OUTCOMES[1] for value in values]
    bars = axes.barh(place, values, height=0.62, color=colours)
    axes.bar_label(bars, [fixed(value) for value in values], padding=3)
    axes.set_yticks(place, names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.axvline(0, color=GREY, lw=0.6)
    widest = WIDEST * np.abs(values).max()
    axes.set_xlim(-widest, widest)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Coefficient (per SD)")
    patches = [Patch(color=colour, label=wrapped(f"speaks for {outcome}", 44))
               for outcome, colour in zip(outcomes, OUTCOMES, strict=True)]  # fmt: skip
    figure.legend(handles=patches, loc="outside upper left", ncols=2)
    return figure
