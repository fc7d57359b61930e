"""The LASSO: coefficients, and cross-validated loss, against log(lambda)."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.report.colours import BLUE, CYCLE, FAINT, GREY, VERMILION
from centrum.report.labels import wrapped
from centrum.report.style import DASHES, PAGE_CM, STYLE, letter, new_figure
from centrum.report.words.model import MEASURES
from centrum.text import counted
from centrum.validation.model import LassoFacts

COUNTS_SHOWN = 6
"""Numbers of features along the top of a panel."""

MOST_NAMED = len(CYCLE)
"""Paths that are named: each has a colour of its own."""

LEGEND_COLUMNS, NAME_WIDTH = 2, 52
"""Of the legend, and the characters of a name in one."""

ENTRY_CM, FURTHER_CM = 0.42, 0.32
"""Height of an entry of the legend, and of a further line of it."""

AROUND_CM, LEAST_CM, OF_LEGEND = 2.9, 3.7, 1.6
"""Height of titles and ticks; that of the plots at least, and in heights of the legend."""


@STYLE
def draw_lasso(
    facts: LassoFacts, labels: Mapping[str, str], others: Collection[str] = (), mark: str = ""
) -> Figure:
    """Path (a) and cross-validation (b).

    `labels` (by name) are the features to point out, at most `MOST_NAMED`; `others` are the names
    of further ones of the model.
    """
    shown = {
        name: wrapped(label, NAME_WIDTH) for name, label in labels.items() if name in facts.names
    }
    legend = _legend_cm([*shown.values()])
    figure = new_figure(PAGE_CM, AROUND_CM + legend + max(LEAST_CM, OF_LEGEND * legend), mark)
    left, right = figure.subplots(1, 2)
    x = np.log(facts.lambdas)
    _paths(left, x, facts, shown, others)
    _cross_validation(right, x, facts)
    for axes, name in ((left, "a"), (right, "b")):
        letter(axes, name)
        axes.set_xlabel("log(λ)")
        _chosen(axes, facts)
        _counts(axes, x, facts)
    lines = {line.get_label(): line for axes in (left, right) for line in axes.get_lines()}
    named = {str(label): line for label, line in lines.items() if not str(label).startswith("_")}
    figure.legend(named.values(), named, loc="outside upper left", ncols=LEGEND_COLUMNS)
    return figure


def _legend_cm(names: Sequence[str]) -> float:
    """Height of its longest column: the names, and what stands for the rest and for the lines."""
    rows = -(-(len(names) + 5) // LEGEND_COLUMNS)
    return ENTRY_CM * rows + FURTHER_CM * sum(name.count("\n") for name in names[:rows])


def _paths(
    axes: Axes,
    x: np.ndarray,
    facts: LassoFacts,
    labels: Mapping[str, str],
    others: Collection[str],
) -> None:
    paths = dict(zip(facts.names, facts.coefficients.T, strict=True))
    further = [name for name in others if name in paths]
    for k, (name, label) in enumerate(labels.items()):
        axes.plot(
            x,
            paths[name],
            DASHES[k % len(DASHES)],
            color=CYCLE[k],
            label=label,
        )
    left_out = [name for name in paths if name not in {*labels, *further}]
    for names, label, colour in (
        (further, f"{counted(len(further), 'other feature')} of the model", GREY),
        (left_out, "not in the model", FAINT),
    ):
        for k, name in enumerate(names):
            axes.plot(x, paths[name], lw=0.8, zorder=1, color=colour, label="_" if k else label)
    axes.axhline(0, color=GREY, lw=0.6)
    axes.set_ylabel("Coefficient (per SD)")


def _cross_validation(axes: Axes, x: np.ndarray, facts: LassoFacts) -> None:
    axes.errorbar(
        x, facts.cvm, facts.cvsd, fmt="o", ms=2.2, color=VERMILION, ecolor=FAINT, elinewidth=0.7
    )
    axes.set_ylabel(f"CV {MEASURES[facts.measure]}")
    for value, name, dash in (
        (facts.lambda_min, "λ min", "--"),
        (facts.lambda_1se, "λ 1 SE", ":"),
    ):
        axes.axvline(np.log(value), color=GREY, lw=0.9, ls=dash, label=name)


def _chosen(axes: Axes, facts: LassoFacts) -> None:
    axes.axvline(np.log(facts.chosen), color=BLUE, lw=3, alpha=0.25, zorder=0, label="λ chosen")


def _counts(axes: Axes, x: np.ndarray, facts: LassoFacts) -> None:
    """Numbers of selected features along the top."""
    at = np.linspace(0, len(x) - 1, min(COUNTS_SHOWN, len(x))).round().astype(int)
    top = axes.twiny()
    top.set_xlim(axes.get_xlim())
    top.set_xticks(x[at], [str(int(facts.n_features[k])) for k in at])
    top.spines["top"].set_visible(True)
    top.set_xlabel("Number of features")
