"""An external validation on one page: discrimination, calibration and use."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from centrum.evaluate import Evaluation
from centrum.frozen.external_record import ExternalRecord
from centrum.report.figures.calibration import calibration_panel, histogram_panel
from centrum.report.figures.decision_curve import benefit_panel, gain_panel
from centrum.report.figures.roc import legend_title, roc_panel
from centrum.report.labels import wrapped
from centrum.report.style import PAGE_CM, SMALL_PT, STYLE, letter, new_figure
from centrum.text import counted

WIDTH = 26
"""Letters beside an axis of a third of the page."""


@STYLE
def draw_external(
    found: ExternalRecord,
    evaluations: Mapping[str, Evaluation],
    outcomes: tuple[str, str],
    mark: str = "",
) -> Figure:
    """ROC, calibration and decision curve, each above what belongs to it.

    Parameters
    ----------
    evaluations : by the names of the legend; the last is the external one
    outcomes : the positive and the negative one
    """
    figure = new_figure(PAGE_CM, 10.4, mark)
    grid = figure.subplots(2, 3, height_ratios=(5, 3))
    (roc, calibration, benefit), (key, histogram, gain) = grid
    roc_panel(roc, evaluations, found.band)
    letter(roc, "A", "ROC curve")
    key.axis("off")
    key.legend(
        *roc.get_legend_handles_labels(), loc="upper left", title=legend_title(evaluations),
        alignment="left", title_fontsize=SMALL_PT, borderaxespad=0,
    )  # fmt: skip
    key.text(0, 0, _sizes(found.evaluation, outcomes), transform=key.transAxes, va="bottom")
    calibration_panel(calibration, found.calibration, outcomes[0], WIDTH)
    calibration.set(aspect="equal")
    letter(calibration, "B", "Calibration")
    calibration.legend(loc="best")
    histogram.set_xlim(calibration.get_xlim())
    histogram_panel(histogram, found.probability, found.positive, outcomes, WIDTH)
    histogram.legend(loc="best")
    benefit_panel(benefit, found.decision_curve)
    benefit.set_box_aspect(1)
    letter(benefit, "C", "Decision curve")
    benefit.legend(loc="upper right")
    gain_panel(gain, found.decision_curve)
    gain.set_xticks((0, 0.5, 1))
    benefit.set_xticks((0, 0.5, 1))
    gain.legend(loc="best")
    for axes in (calibration, benefit):
        axes.tick_params(labelbottom=False)
    return figure


def _sizes(found: Evaluation, outcomes: tuple[str, str]) -> str:
    lines = (
        f"{counted(found.n, 'case')} of {counted(found.n_patients, 'patient')}",
        f"{found.n_positive} {outcomes[0]}",
        f"{found.n_negative} {outcomes[1]}",
    )
    return "\n".join(wrapped(line, WIDTH) for line in lines)
