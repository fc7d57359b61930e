"""ROC curves with the operating points of the cut-off."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.evaluate import Evaluation
from centrum.evaluate.discrimination import RocBand
from centrum.evaluate.readers import ReaderComparison
from centrum.report.colours import BLACK, BLUE, GREY, ORANGE, VERMILION
from centrum.report.labels import shortened, wrapped
from centrum.report.style import COLUMN_CM, DASHES, SMALL_PT, STYLE, new_figure
from centrum.text import fixed, interval_text, percent

COLOURS = (BLUE, ORANGE, BLACK)


@STYLE
def draw_roc(
    evaluations: Mapping[str, Evaluation],
    band: RocBand | None = None,
    readers: Sequence[ReaderComparison] = (),
    mark: str = "",
) -> Figure:
    """One curve for each evaluation, by the name that the legend gives it; the last is thick.

    The band is that of the last; readers are points with their names.
    """
    figure = new_figure(COLUMN_CM, COLUMN_CM + 2.2, mark)
    axes = figure.add_subplot()
    roc_panel(axes, evaluations, band)
    for reader in readers:
        x, y = 1 - reader.specificity, reader.sensitivity
        axes.plot(x, y, "D", color=VERMILION, mec="white", ms=7)
        axes.annotate(
            shortened(reader.name, 24), (x, y), xytext=(5, -3), textcoords="offset points", va="top"
        )
    title = legend_title(evaluations)
    figure.legend(loc="outside upper left", title=title, alignment="left", title_fontsize=SMALL_PT)
    return figure


def legend_title(evaluations: Mapping[str, Evaluation]) -> str:
    """What the numbers of the legend are."""
    return f"AUC ({percent(next(iter(evaluations.values())).confidence)} CI)"


def roc_panel(
    axes: Axes, evaluations: Mapping[str, Evaluation], band: RocBand | None = None
) -> None:
    """The curves, their operating points, and the band of the last."""
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.6, ls=":")
    order = len(evaluations)
    for k, (name, found) in enumerate(evaluations.items()):
        last = k == order - 1
        _curve(axes, name, found, COLOURS[k - order], DASHES[order - 1 - k], 1.8 if last else 1.1)
    if band is not None:
        axes.fill_between(
            1 - band.specificity, band.lower, band.upper, color=COLOURS[-1], alpha=0.12, lw=0
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set(xlabel="1 − specificity", ylabel="Sensitivity")


def _curve(axes: Axes, name: str, found: Evaluation, colour: str, dash: str, width: float) -> None:
    interval = found.auc.interval
    label = f"{wrapped(name, 30)}: {fixed(found.auc.value, 2)}"
    if not found.apparent:
        label += f" ({interval_text(interval.lower, interval.upper, 2)})"
    curve, at = found.roc, found.confusion.measures()
    axes.plot(1 - curve.specificity, curve.sensitivity, dash, color=colour, lw=width, label=label)
    axes.plot(1 - at["specificity"], at["sensitivity"], "o", color=colour, mec="white", ms=6)
