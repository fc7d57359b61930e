"""The selected features: values by outcome, and correlation with each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.arrays import Flags, Floats
from centrum.report.colours import BLACK, GREY, OUTCOMES
from centrum.report.figures.strip import draw_strip
from centrum.report.labels import wrapped
from centrum.report.style import MARK_PT, PAGE_CM, SMALL_PT, STYLE, letter, new_figure, row_cm
from centrum.text import fixed

NAME_WIDTH = 28
"""Characters of a name on one line."""

ROW_CM = 0.86
"""Height of a row that has room for the boxes of both outcomes."""

NUMBERS_UP_TO = 8
"""A correlation matrix of at most so many features has its numbers written in."""

OFFSET = 0.2
"""Distance of an outcome's box from the middle of its row."""

CORRELATIONS = "RdBu_r"


@STYLE
def draw_distributions(
    labels: Sequence[str],
    values: Floats,
    positive: Flags,
    outcomes: tuple[str, str],
    mark: str = "",
) -> Figure:
    """Distribution (a) and Pearson correlation (b) of z-scored `values` (cases, features)."""
    k = len(labels)
    names = [wrapped(f"{i}  {name}", NAME_WIDTH) for i, name in enumerate(labels, 1)]
    figure = new_figure(PAGE_CM, 4.6 + max(row_cm(names), ROW_CM) * k, mark)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _boxes(left, values, positive, outcomes)
    left.set_yticks(range(k), names)
    left.set_ylim(k - 0.5, -0.5)
    left.tick_params(axis="y", length=0, labelsize=SMALL_PT)
    left.set_xlabel("Value (SD from the training mean)")
    _correlation(figure, right, values)
    letter(left, "a")
    letter(right, "b")
    legend = figure.legend(
        *left.get_legend_handles_labels(), loc="outside upper left", ncols=2, markerscale=1.8
    )
    for handle in legend.get_lines():
        handle.set_alpha(1)
    return figure


def _boxes(
    axes: Axes,
    values: Floats,
    positive: Flags,
    outcomes: tuple[str, str],
) -> None:
    for outcome, rows, colour, marker, side in zip(
        outcomes, (positive, ~positive), OUTCOMES, "os", (-OFFSET, OFFSET), strict=True
    ):
        groups = list(values[rows].T)
        label = f"{wrapped(outcome, 36)} (n = {np.count_nonzero(rows)})"
        draw_strip(axes, groups, np.arange(float(len(groups))) + side, colour, marker, label)
    axes.axvline(0, color=GREY, lw=0.6, ls=":", zorder=0)


def _correlation(figure: Figure, axes: Axes, values: Floats) -> None:
    k = values.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.atleast_2d(np.corrcoef(values, rowvar=False))
    image = axes.imshow(r, cmap=CORRELATIONS, vmin=-1, vmax=1)
    names = [str(i) for i in range(1, k + 1)]
    axes.set_xticks(range(k), names)
    axes.set_yticks(range(k), names)
    axes.tick_params(length=0, labelsize=SMALL_PT if k <= NUMBERS_UP_TO else MARK_PT)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="Feature", ylabel="Feature")
    figure.colorbar(
        image, ax=axes, location="bottom", shrink=0.7, aspect=30, label="Pearson r",
        ticks=(-1, -0.5, 0, 0.5, 1), panchor=(0.5, 1.0),
    )  # fmt: skip
    if k <= NUMBERS_UP_TO:
        for (i, j), value in np.ndenumerate(r):
            colour = "white" if abs(value) > 0.6 else BLACK
            text = fixed(value, 2)
            axes.text(j, i, text, ha="center", va="center", size=SMALL_PT - 1, color=colour)
