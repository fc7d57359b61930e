"""Precision against recall."""

from matplotlib.figure import Figure

from centrum.evaluate.discrimination import PrecisionRecall
from centrum.report.colours import BLUE, GREY
from centrum.report.style import COLUMN_CM, STYLE, new_figure
from centrum.text import fixed


@STYLE
def draw_precision_recall(found: PrecisionRecall, mark: str = "") -> Figure:
    """The curve, and the precision of calling everybody positive."""
    figure = new_figure(COLUMN_CM, COLUMN_CM, mark)
    axes = figure.add_subplot()
    axes.axhline(found.prevalence, color=GREY, ls=":", label="everybody positive")
    label = f"model: average precision {fixed(found.average_precision, 2)}"
    axes.step(found.recall, found.precision, where="pre", color=BLUE, label=label)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set(xlabel="Recall (sensitivity)", ylabel="Precision (PPV)")
    figure.legend(loc="outside upper left", ncols=1)
    return figure
