"""The selected features: values by outcome, and correlation with each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from centrum.report.labels import wrapped
from centrum.report.style import (
    BLACK,
    GREY,
    OUTCOMES,
    PAGE_CM,
    SMALL_PT,
    STYLE,
    letter,
    new_figure,
)

NUMBERS_UP_TO = 10
"""A correlation matrix of at most so many features has its numbers written in."""

OFFSET = 0.2
"""Distance of an outcome's box from the middle of its row."""

CORRELATIONS = "RdBu_r"


@STYLE
def draw_distributions(
    labels: Sequence[str],
    values: NDArray[np.float64],
    positive: NDArray[np.bool_],
    outcomes: tuple[str, str],
    mark: str = "",
) -> Figure:
    """Distribution (a) and Pearson correlation (b) of z-scored `values` (cases, features)."""
    k = len(labels)
    figure = new_figure(PAGE_CM, 4.2 + 0.95 * k, mark)
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _boxes(left, values, positive, outcomes)
    left.set_yticks(range(k), [wrapped(f"{i}  {name}", 22, 3) for i, name in enumerate(labels, 1)])
    left.set_ylim(k - 0.5, -0.5)
    left.tick_params(axis="y", length=0)
    left.set_xlabel("Value (SD from the training mean)")
    _correlation(figure, right, values)
    letter(left, "a")
    letter(right, "b")
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper left", ncols=2, markerscale=1.6)
    return figure


def _boxes(
    axes: Axes,
    values: NDArray[np.float64],
    positive: NDArray[np.bool_],
    outcomes: tuple[str, str],
) -> None:
    for outcome, rows, colour, marker, side in zip(
        outcomes, (positive, ~positive), OUTCOMES, "os", (-OFFSET, OFFSET), strict=True
    ):
        group, line = values[rows], {"lw": 0.9, "color": colour}
        place = np.arange(values.shape[1]) + side
        spread = np.tile(_spread(len(group)), (values.shape[1], 1)).T + place
        axes.plot(
            group.ravel(), spread.ravel(), marker, color=colour, ms=1.8, mew=0, alpha=0.45,
            label=f"{outcome} (n = {len(group)})",
        )  # fmt: skip
        axes.boxplot(
            group, positions=place, widths=0.3, orientation="horizontal", showfliers=False,
            manage_ticks=False, medianprops={"color": BLACK, "lw": 1.4},
            boxprops=line, whiskerprops=line, capprops=line,
        )  # fmt: skip
    axes.axvline(0, color=GREY, lw=0.6, ls=":", zorder=0)


def _spread(n: int) -> NDArray[np.float64]:
    """Heights of n points, spread evenly without chance (van der Corput, base 2)."""
    bits = np.arange(1, n + 1)[:, None] >> np.arange(16) & 1
    return 0.26 * (bits @ 0.5 ** np.arange(1, 17) - 0.5)


def _correlation(figure: Figure, axes: Axes, values: NDArray[np.float64]) -> None:
    k = values.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.atleast_2d(np.corrcoef(values, rowvar=False))
    image = axes.imshow(r, cmap=CORRELATIONS, vmin=-1, vmax=1)
    names = [str(i) for i in range(1, k + 1)]
    axes.set_xticks(range(k), names)
    axes.set_yticks(range(k), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="Feature", ylabel="Feature")
    figure.colorbar(image, ax=axes, shrink=0.7, label="Pearson r", ticks=(-1, -0.5, 0, 0.5, 1))
    if k <= NUMBERS_UP_TO:
        for (i, j), value in np.ndenumerate(r):
            colour = "white" if abs(value) > 0.6 else BLACK
            text = f"{value:.2f}".replace("-", "−")
            axes.text(j, i, text, ha="center", va="center", size=SMALL_PT - 1, color=colour)
