"""Differences of two scores of the same cases against their mean."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.evaluate.bootstrap import Interval
from centrum.report.colours import BLACK, GREY, OUTCOMES
from centrum.report.labels import wrapped
from centrum.report.style import COLUMN_CM, PAGE_CM, STYLE, letter, new_figure
from centrum.validation.other_readers import OtherReader

MARKERS = ("o", "s")
"""Positive and negative outcome."""

PANELS = 2
"""In a row."""


@STYLE
def draw_bland_altman(
    found: Sequence[OtherReader], outcomes: tuple[str, str], score: str, mark: str = ""
) -> Figure:
    """A panel for each other reader; `score` is what is compared, such as "score"."""
    columns = min(len(found), PANELS)
    rows = -(-len(found) // PANELS)
    figure = new_figure(PAGE_CM if columns > 1 else COLUMN_CM, 1.3 + 6.4 * rows, mark)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for k, (axes, each) in enumerate(zip(panels, found, strict=False)):
        _panel(axes, each, outcomes, score)
        if len(found) > 1:
            letter(axes, "abcdefghijklmnopqrstuvwxyz"[k], wrapped(each.name, 24))
    for axes in panels[len(found) :]:
        axes.set_visible(False)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return figure


def _panel(axes: Axes, found: OtherReader, outcomes: tuple[str, str], score: str) -> None:
    middle, gap = found.scores.mean(axis=1), found.scores[:, 1] - found.scores[:, 0]
    limits = found.limits
    _line(axes, limits.bias, limits.bias_interval, "-", "mean difference")
    _line(axes, limits.lower, limits.lower_interval, "--", "95 % limits of agreement")
    _line(axes, limits.upper, limits.upper_interval, "--", "")
    for outcome, colour, marker, own in zip(
        outcomes, OUTCOMES, MARKERS, (found.positive, ~found.positive), strict=True
    ):
        axes.plot(
            middle[own], gap[own], marker, color=colour, ms=4, mew=0, alpha=0.8,
            label=wrapped(outcome, 24),
        )  # fmt: skip
    changed = found.called[:, 0] != found.called[:, 1]
    axes.plot(
        middle[changed], gap[changed], "o", ms=8, mfc="none", mec=BLACK, mew=0.9,
        label="call changes",
    )  # fmt: skip
    axes.axhline(0, color=GREY, lw=0.6, ls=":")
    axes.margins(0.08)
    primary, other = (wrapped(name, 18) for name in (found.primary.reader, found.other.reader))
    axes.set(xlabel=f"Mean of the two {score}s", ylabel=f"{other} − {primary} ({score})")


def _line(axes: Axes, value: float, interval: Interval, dash: str, label: str) -> None:
    axes.axhline(value, color=BLACK, lw=1, ls=dash, label=label)
    if np.isfinite([interval.lower, interval.upper]).all():
        axes.axhspan(interval.lower, interval.upper, color=BLACK, alpha=0.08, lw=0)
