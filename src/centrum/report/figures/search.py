"""What a search tried: the measure against the number of features."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from centrum.report.colours import CYCLE, VERMILION
from centrum.report.labels import wrapped
from centrum.report.style import DASHES, PAGE_CM, STYLE, new_figure
from centrum.report.words.model import CLASSIFIERS

ALL = "all"


@STYLE
def draw_search(
    rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str], measure: str, mark: str = ""
) -> Figure:
    """A panel per classifier, a line per selector; hollow where a candidate was dropped early.

    `rows` are the table of a search: selector, classifier, n_features (0: all), folds, mean,
    chosen. `labels` are what selectors are called.
    """
    classifiers = list(dict.fromkeys(row["classifier"] for row in rows))
    selectors = list(dict.fromkeys(row["selector"] for row in rows))
    numbers = sorted({row["n_features"] for row in rows if row["n_features"]})
    place = {number: k for k, number in enumerate(numbers)} | {0: len(numbers)}
    n_columns = min(3, len(classifiers))
    n_rows = -(-len(classifiers) // n_columns)
    figure = new_figure(PAGE_CM, 1.8 + 5.2 * n_rows, mark)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    most = max(row["folds"] for row in rows)
    for axes in panels.flat[len(classifiers) :]:
        axes.set_axis_off()
    for axes, classifier in zip(panels.flat, classifiers, strict=False):
        axes.set_title(wrapped(CLASSIFIERS[classifier].label, 28))
        for k, selector in enumerate(selectors):
            own = [r for r in rows if (r["classifier"], r["selector"]) == (classifier, selector)]
            own.sort(key=lambda row: place[row["n_features"]])
            line = CYCLE[k % len(CYCLE)], DASHES[k % 4], labels[selector]
            _line(axes, own, place, most, *line)
        axes.set_xticks(list(place.values()), [str(n) if n else ALL for n in place])
    for axes in panels[:, 0]:
        axes.set_ylabel(measure)
    for axes in panels[-1]:
        axes.set_xlabel("Number of features")
    handles = [
        (h, name) for h, name in zip(*panels.flat[0].get_legend_handles_labels(), strict=True)
    ]
    figure.legend(*zip(*handles, strict=True), loc="outside upper left", ncols=6)
    return figure


def _line(
    axes: Any,
    rows: Sequence[Mapping[str, Any]],
    place: Mapping[int, int],
    most: int,
    colour: str,
    dash: str,
    name: str,
) -> None:
    x = np.array([place[row["n_features"]] for row in rows])
    y = np.array([row["mean"] for row in rows])
    whole = np.array([row["folds"] == most for row in rows], dtype=bool)
    axes.plot(x, y, dash, color=colour, lw=0.9, label=name)
    axes.plot(x[whole], y[whole], "o", color=colour, ms=4)
    axes.plot(x[~whole], y[~whole], "o", mfc="white", mec=colour, ms=3)
    chosen = [row["chosen"] for row in rows]
    axes.plot(x[chosen], y[chosen], "D", mfc="none", mec=VERMILION, mew=1.3, ms=9)
