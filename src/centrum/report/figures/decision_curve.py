"""Net benefit over threshold probabilities."""

from matplotlib.figure import Figure

from centrum.evaluate.decision_curve import DecisionCurve
from centrum.report.colours import BLACK, BLUE, GREY
from centrum.report.style import COLUMN_CM, STYLE, new_figure


@STYLE
def draw_decision_curve(found: DecisionCurve, mark: str = "") -> Figure:
    """The model with its interval, beside acting on everybody and on nobody."""
    figure = new_figure(COLUMN_CM, 7.2, mark)
    axes = figure.add_subplot()
    axes.fill_between(found.thresholds, found.lower, found.upper, color=BLUE, alpha=0.15, lw=0)
    axes.plot(found.thresholds, found.model, color=BLUE, label="model")
    axes.plot(found.thresholds, found.treat_all, "--", color=BLACK, label="all")
    axes.axhline(0, color=GREY, ls=":", label="nobody")
    low = -0.25 * found.prevalence
    axes.set(xlim=(0, 1), ylim=(low, 1.1 * max(found.prevalence, found.model.max())))
    axes.set(xlabel="Threshold probability", ylabel="Net benefit (true positives per case)")
    figure.legend(loc="outside upper left", ncols=3)
    return figure
