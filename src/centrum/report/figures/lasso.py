"""The LASSO: coefficients, and cross-validated loss, against log(lambda)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.report.colours import BLUE, CYCLE, FAINT, GREY, VERMILION
from centrum.report.labels import wrapped
from centrum.report.style import DASHES, PAGE_CM, STYLE, letter, new_figure
from centrum.report.words.model import MEASURES
from centrum.validation.model import LassoFacts

COUNTS_SHOWN = 6
"""Numbers of features along the top of a panel."""

LEGEND_COLUMNS = 3


@STYLE
def draw_lasso(facts: LassoFacts, labels: Mapping[str, str], mark: str = "") -> Figure:
    """Path (a) and cross-validation (b); `labels` (by name) are the features to point out."""
    shown = {name: label for name, label in labels.items() if name in facts.names}
    rows = -(-(len(shown) + 3) // LEGEND_COLUMNS)
    figure = new_figure(PAGE_CM, 6.6 + 0.72 * rows, mark)
    left, right = figure.subplots(1, 2)
    x = np.log(facts.lambdas)
    _paths(left, x, facts, shown)
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


def _paths(axes: Axes, x: np.ndarray, facts: LassoFacts, labels: Mapping[str, str]) -> None:
    paths = dict(zip(facts.names, facts.coefficients.T, strict=True))
    for name in [name for name in paths if name not in labels]:
        axes.plot(x, paths[name], color=FAINT, lw=0.8, zorder=1)
    for k, (name, label) in enumerate(labels.items()):
        colour, dash = CYCLE[k % len(CYCLE)], DASHES[k // len(CYCLE) % len(DASHES)]
        axes.plot(x, paths[name], dash, color=colour, label=wrapped(label, 34))
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
