"""Cross-validated performance against the number of features."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from centrum.report.colours import BLUE, GREY, VERMILION
from centrum.report.style import COLUMN_CM, STYLE, new_figure
from centrum.report.words.model import MEASURES
from centrum.validation.model import FeatureCountFacts


@STYLE
def draw_feature_count(facts: FeatureCountFacts, mark: str = "") -> Figure:
    """Mean and standard error over the folds, and the number that was chosen."""
    figure = new_figure(COLUMN_CM, 6.2, mark)
    axes = figure.add_subplot()
    axes.errorbar(
        facts.numbers, facts.mean, facts.se, fmt="o-", color=BLUE, ecolor=GREY, elinewidth=0.7,
        capsize=2, label="mean ± SE over folds",
    )  # fmt: skip
    at = list(facts.numbers).index(facts.chosen)
    axes.plot(
        facts.chosen, facts.mean[at], "D", ms=8, mfc="none", mec=VERMILION, mew=1.4, ls="",
        label=f"chosen: {facts.chosen}",
    )  # fmt: skip
    axes.axhline(0.5, color=GREY, lw=0.6, ls=":")
    axes.set(xlabel="Number of features", xlim=(facts.numbers[0] - 0.6, facts.numbers[-1] + 0.6))
    axes.set_ylabel(f"Cross-validated {MEASURES[facts.measure]}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper left", ncols=2)
    return figure
