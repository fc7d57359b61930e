"""The clinical model, the score and both: ROC, calibration and decision curves side by side."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from centrum.report.colours import BLACK, BLUE, GREY, ORANGE
from centrum.report.labels import wrapped
from centrum.report.style import DASHES, PAGE_CM, STYLE, letter, new_figure
from centrum.validation.added_value import ModelCurves

COLOURS = (ORANGE, BLUE, BLACK)
"""Of the models, in their order."""


@STYLE
def draw_models(curves: Mapping[str, ModelCurves], positive: str, mark: str = "") -> Figure:
    """Three panels; models by the names that the legend gives them."""
    figure = new_figure(PAGE_CM, 7.6, mark)
    roc, calibration, decision = figure.subplots(1, 3)
    roc.plot([0, 1], [0, 1], color=GREY, lw=0.6, ls=":", label="chance; ideal; nobody")
    calibration.plot([0, 1], [0, 1], color=GREY, lw=0.6, ls=":")
    decision.axhline(0, color=GREY, lw=0.6, ls=":")
    first = next(iter(curves.values())).decision_curve
    for (name, found), colour, dash in zip(curves.items(), COLOURS, DASHES[2::-1], strict=True):
        look = {"color": colour, "ls": dash, "lw": 1.4}
        roc.plot(1 - found.roc.specificity, found.roc.sensitivity, label=name, **look)
        _calibrated(calibration, found, look)
        decision.plot(found.decision_curve.thresholds, found.decision_curve.model, **look)
    decision.plot(first.thresholds, first.treat_all, color=GREY, ls="-.", lw=1, label="everybody")
    top = max(first.prevalence, *(c.decision_curve.model.max() for c in curves.values()))
    for axes, title in zip((roc, calibration, decision), "ABC", strict=True):
        letter(axes, title)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    roc.set(xlabel="1 − specificity", ylabel="Sensitivity", aspect="equal")
    calibration.set(xlabel="Predicted probability", aspect="equal",
                    ylabel=wrapped(f"Observed share {positive}", 30))  # fmt: skip
    decision.set(xlabel="Threshold probability", ylabel="Net benefit",
                 ylim=(-0.25 * first.prevalence, 1.1 * top), box_aspect=1)  # fmt: skip
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _calibrated(axes: Axes, found: ModelCurves, look: Mapping[str, Any]) -> None:
    """The flexible curve, or the groups where there is none."""
    curve, groups = found.calibration.curve, found.calibration.groups
    if curve is not None:
        axes.plot(curve.predicted, curve.observed, **look)
    else:
        axes.plot([g.predicted for g in groups], [g.observed for g in groups], marker="o", **look)
