"""The section on the score and the features behind it."""

from functools import partial

import numpy as np
import pandas as pd

from centrum.arrays import Flags
from centrum.report import readings
from centrum.report.blocks import Block, Picture, picture
from centrum.report.figures import draw_coefficients, draw_distributions
from centrum.report.figures.strip import MOST_POINTS, step_of
from centrum.report.formula import decision_table, harmonisation_table, score_table
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table, model_labels, model_order
from centrum.text import fixed
from centrum.validation.matrix import study_matrix

MOST_SHOWN = 20
"""Features whose distributions are drawn, those with the largest coefficients."""


@section
def model(results: StudyResults) -> Block:
    """The score: coefficients, and the features behind them."""
    return Block(
        "Model",
        "model",
        tables=(
            score_table(results),
            *harmonisation_table(results),
            decision_table(results),
        ),
        pictures=(
            *([_coefficient_picture(results)] if results.model.linear else []),
            _distribution_picture(results),
        ),
    )


def _coefficient_picture(results: StudyResults) -> Picture:
    fitted = results.model
    labels = model_labels(results)
    values = fitted.coefficients[model_order(fitted)]
    listed = "; ".join(f"{name} {fixed(v)}" for name, v in zip(labels, values, strict=True))
    return picture(
        partial(
            draw_coefficients, labels, values, (fitted.positive, fitted.negative), results.simulated
        ),
        "coefficients", "Coefficients of the model",
        "Coefficient of each selected feature per standard deviation (SD), the largest first; "
        f"numbers as in {ref('table score')}. n = {fitted.n_train} training cases.",
        f"Bar chart. {listed}.",
        frame_table(pd.DataFrame({"feature": labels, "coefficient": values})),
        reading=readings.coefficients(labels, values, (fitted.positive, fitted.negative)),
        main=True,
    )  # fmt: skip


def _points_text(positive: Flags) -> str:
    """What is said of the points where there are too many to draw them all."""
    most = max(int(side.sum()) for side in (positive, ~positive))
    return "" if step_of(most) == 1 else f"; points: at most {MOST_POINTS} of an outcome"


def _distribution_picture(results: StudyResults) -> Picture:
    fitted, table = results.model, results.table
    order = model_order(fitted)[:MOST_SHOWN]
    labels = model_labels(results)[:MOST_SHOWN]
    matrix = study_matrix(table, results.protocol)
    at = [matrix.names.index(fitted.features[k]) for k in order]
    values = fitted.scaled(np.asarray(matrix.X[:, at, 0]), order)
    positive = (table.obs["outcome"] == fitted.positive).to_numpy()
    frame = pd.DataFrame(values, columns=list(labels))
    frame.insert(0, "case", table.cases)
    frame.insert(1, "outcome", table.obs["outcome"].to_numpy())
    medians = "; ".join(
        f"{name} {fixed(a, 2)} and {fixed(b, 2)}"
        for name, a, b in zip(
            labels, np.median(values[positive], axis=0), np.median(values[~positive], axis=0),
            strict=True,
        )
    )  # fmt: skip
    return picture(
        partial(draw_distributions,
            labels, values, positive, (fitted.positive, fitted.negative), results.simulated
        ),
        "distributions", "The selected features",
        "(a) Values by outcome, in standard deviations (SD) from the mean of the training cases. "
        "Box: quartiles and median; whiskers: furthest values within 1.5 interquartile ranges"
        f"{_points_text(positive)}. "
        f"(b) Pearson correlation. Numbers as in {ref('table score')}. n = {len(values)} analysed "
        "cases.",
        f"Box plots and correlation matrix. Medians of {fitted.positive} and {fitted.negative}: "
        f"{medians}.",
        frame_table(frame),
        reading=readings.distributions(
            labels, values, positive, (fitted.positive, fitted.negative)
        ),
        main=True,
    )  # fmt: skip
