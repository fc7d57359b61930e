"""How well the readers agree: ICC of all features, Dice of the masks."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from centrum.report.style import (
    BLACK,
    BLUE,
    CYCLE,
    DASHES,
    GREY,
    PAGE_CM,
    PALE,
    STYLE,
    letter,
    new_figure,
)

ICC_BIN = 0.025
DICE_BINS = 24


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
    """Histograms of ICC (a) and, by pair of readers, of Dice (b).

    `rule` is the legend of the features that are `kept`; `form` such as "ICC(A,1)".
    """
    figure = new_figure(PAGE_CM, 6.6, mark)
    left, right = figure.subplots(1, 2)
    _icc(left, np.asarray(icc, dtype=float), np.asarray(kept, dtype=bool), threshold, rule)
    left.axvline(threshold, color=BLACK, lw=1, ls="--", label=f"threshold {threshold:g}")
    left.set(xlabel=f"{form} between readers", ylabel="Features")
    _dice(right, dice)
    right.set(xlabel="Dice coefficient between readers", ylabel="Cases")
    for axes, name in ((left, "a"), (right, "b")):
        letter(axes, name)
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.margins(y=0.32)
        axes.legend(loc="upper left")
    return figure


def _icc(
    axes: Axes, icc: np.ndarray, kept: np.ndarray, threshold: float, rule: str
) -> None:
    known = np.isfinite(icc)
    lowest = np.floor(10 * min(threshold, icc[known].min(initial=1.0)) - 0.5) / 10
    edges = np.arange(lowest, 1 + ICC_BIN, ICC_BIN)
    groups = [icc[known & kept], icc[known & ~kept]]
    labels = [f"{rule} (n = {kept.sum()})", f"not kept (n = {(~kept).sum()})"]
    axes.hist(
        groups, edges, stacked=True, color=[BLUE, PALE], label=labels, edgecolor=GREY, lw=0.3
    )


def _dice(axes: Axes, dice: Mapping[str, ArrayLike]) -> None:
    values = [np.asarray(v, dtype=float) for v in dice.values()]
    low = min((v.min() for v in values if v.size), default=0.0)
    edges = np.linspace(np.floor(20 * min(low, 0.95)) / 20, 1, DICE_BINS + 1)
    style = {"histtype": "stepfilled", "alpha": 0.5} if len(dice) == 1 else {"histtype": "step"}
    for k, (pair, v) in enumerate(zip(dice, values, strict=True)):
        colour = CYCLE[k % len(CYCLE)]
        axes.hist(v, edges, color=colour, label=f"{pair} (n = {v.size})", **style)
        axes.axvline(
            np.median(v), color=colour, ls=DASHES[1], label=f"median {np.median(v):.3f}"
        )
