"""How well the readers agree: ICC of all features, Dice of the masks."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from centrum.report.colours import BLACK, BLUE, GREY, PALE
from centrum.report.figures.strip import BOX, draw_strip
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, letter, new_figure
from centrum.text import fixed

ICC_BIN = 0.025

TOP = 0.66
"""Part of the height that the histogram fills; the legend is above."""


@STYLE
def draw_agreement(
    icc: ArrayLike,
    kept: ArrayLike,
    threshold: float,
    form: str,
    rule: str,
    dice: Mapping[str, ArrayLike],
    mark: str = "",
) -> Figure:
    """Histogram of ICC (a) and, by pair of readers, the values of Dice (b), if there are any.

    `rule` is the legend of the features that are `kept`; `form` such as "ICC(A,1)".
    """
    figure = new_figure(PAGE_CM, 6.6, mark)
    left, *others = figure.subplots(1, 2 if dice else 1, squeeze=False)[0]
    _icc(left, np.asarray(icc, dtype=float), np.asarray(kept, dtype=bool), threshold, rule)
    left.axvline(threshold, color=BLACK, lw=1, ls="--", ymax=TOP, label=f"threshold {threshold:g}")
    left.set(xlabel=f"{form} between readers", ylabel="Features")
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    left.margins(y=1 / TOP - 1)
    left.legend(loc="upper left")
    for right in others:
        _dice(right, dice)
        right.xaxis.set_major_locator(MaxNLocator(6))
        right.set_xlabel("Dice coefficient between readers")
        letter(left, "a")
        letter(right, "b")
    return figure


def _icc(axes: Axes, icc: np.ndarray, kept: np.ndarray, threshold: float, rule: str) -> None:
    known = np.isfinite(icc)
    lowest = np.floor(10 * min(threshold, icc[known].min(initial=1.0)) - 0.5) / 10
    edges = np.arange(lowest, 1 + ICC_BIN, ICC_BIN).tolist()
    groups = [icc[known & kept], icc[known & ~kept]]
    labels = [f"{rule} (n = {kept.sum()})", f"not kept (n = {(~kept).sum()})"]
    axes.hist(groups, edges, stacked=True, color=[BLUE, PALE], label=labels, edgecolor=GREY, lw=0.3)


def _dice(axes: Axes, dice: Mapping[str, ArrayLike]) -> None:
    """A row for each pair of readers."""
    groups = [np.asarray(values, dtype=float) for values in dice.values()]
    rows = np.arange(float(len(groups)))
    draw_strip(axes, groups, rows, BLUE, "o")
    names = [f"{wrapped(pair, 20)}\nn = {len(v)}" for pair, v in zip(dice, groups, strict=True)]
    axes.set_yticks(rows, names)
    margin = max(0.5, 1.5 - len(groups) / 2)
    axes.set_ylim(len(groups) - 1 + margin, -margin)
    axes.tick_params(axis="y", length=0)
    for row, values in zip(rows, groups, strict=True):
        median = np.median(values)
        axes.annotate(
            fixed(median), (median, row - BOX / 2), (0, 3), textcoords="offset points",
            ha="center", size=SMALL_PT,
        )  # fmt: skip
