"""The section on the score and the features behind it."""

from functools import partial

import numpy as np
import pandas as pd

from centrum.arrays import Flags, Floats
from centrum.report import readings
from centrum.report.blocks import Block, Column, Picture, Table, picture
from centrum.report.figures import draw_coefficients, draw_distributions
from centrum.report.figures.strip import MOST_POINTS, step_of
from centrum.report.formula import decision_table, harmonisation_table, score_table
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import (
    frame_table,
    model_labels,
    model_order,
    quartiles,
    shown_of,
    signed,
)
from centrum.text import fixed, listed
from centrum.validation.matrix import study_matrix

MOST_BARS, MOST_SHOWN = 20, 12
"""Features whose coefficients, and whose distributions, are drawn: those with the largest."""


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
            *_values_table(results),
        ),
        pictures=(
            *([_coefficient_picture(results)] if results.model.linear else []),
            _distribution_picture(results),
        ),
    )


def _coefficient_picture(results: StudyResults) -> Picture:
    fitted = results.model
    labels = model_labels(results)[:MOST_BARS]
    values = fitted.coefficients[model_order(fitted)][:MOST_BARS]
    which = shown_of(len(labels), len(fitted.features), "largest coefficients", "table score")
    each = "; ".join(f"{name} {fixed(v)}" for name, v in zip(labels, values, strict=True))
    return picture(
        partial(
            draw_coefficients, labels, values, (fitted.positive, fitted.negative), results.simulated
        ),
        "coefficients", "Coefficients of the model",
        f"Coefficients per standard deviation (SD) of the features of the model, the largest "
        f"first: {which}; numbers as in {ref('table score')}. n = {fitted.n_train} training cases.",
        f"Bar chart. {each}.",
        frame_table(pd.DataFrame({"feature": labels, "coefficient": values})),
        reading=readings.coefficients(
            model_labels(results), fitted.coefficients[model_order(fitted)],
            (fitted.positive, fitted.negative),
        ),
        main=True,
    )  # fmt: skip


def _points_text(positive: Flags) -> str:
    """What is said of the points where there are too many to draw them all."""
    most = max(int(side.sum()) for side in (positive, ~positive))
    return "" if step_of(most) == 1 else f"; points: at most {MOST_POINTS} of an outcome"


def as_read(results: StudyResults) -> Floats:
    """The z-scores that the classifier reads, (cases, k), in the order of `Model.features`.

    Missing values are filled, batches harmonised and extremes clipped, as in the final model.
    """
    matrix, scorer = study_matrix(results.table, results.protocol), results.scorer
    at = [matrix.names.index(name) for name in scorer.features]
    x = np.asarray(matrix.X[:, at, 0], dtype=np.float64)
    batch = () if matrix.batch is None else tuple(map(str, matrix.batch))
    found = {
        scorer.features[at]: column
        for branch in scorer.branches
        for at, column in zip(
            branch.reads[branch.kept], branch.standardise(x, batch).T, strict=True
        )
    }
    return np.column_stack([found[name] for name in results.model.features])


def _changed(results: StudyResults) -> str:
    """What else the model does to values before it reads them; "" where nothing."""
    scorer, clip = results.scorer, results.model.clip
    column = scorer.batch_column
    steps = [
        *(["missing values filled"] if any(b.filling for b in scorer.branches) else []),
        *([f"harmonised by {column.replace('_', ' ')}"] if column else []),
        *([f"those beyond ±{clip:g} SD set to it"] if clip is not None else []),
    ]
    return f", {listed(steps)}" if steps else ""


def _positive(results: StudyResults) -> Flags:
    return (results.table.obs["outcome"] == results.model.positive).to_numpy()


def _values_table(results: StudyResults) -> list[Table]:
    """All features by outcome, where the figure has not room for them."""
    fitted = results.model
    if len(fitted.features) <= MOST_SHOWN:
        return []
    values, positive = as_read(results)[:, model_order(fitted)], _positive(results)
    sides = {fitted.positive: values[positive], fitted.negative: values[~positive]}
    rows = tuple(
        (str(k + 1), label, *(quartiles(side[:, k]) for side in sides.values()))
        for k, label in enumerate(model_labels(results))
    )
    heads = [Column(f"{name} (n = {len(side)})", signed) for name, side in sides.items()]
    notes = (
        "Median (interquartile range) in standard deviations from the mean of the training cases"
        f"{_changed(results)}; numbers as in {ref('table score')}.",
    )
    columns = (Column("No."), Column("Feature"), *heads)
    return [Table("values", "Values of the features by outcome", columns, rows, notes)]


def _distribution_picture(results: StudyResults) -> Picture:
    fitted, table = results.model, results.table
    order = model_order(fitted)[:MOST_SHOWN]
    labels = model_labels(results)[:MOST_SHOWN]
    by = "largest coefficients" if fitted.linear else ""
    which = shown_of(len(labels), len(fitted.features), by, "table values")
    read, positive = as_read(results), _positive(results)
    values = read[:, order]
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
        "distributions", "The features of the model",
        f"Features of the model: {which}. (a) Values by outcome, in standard deviations (SD) from "
        f"the mean of the training cases{_changed(results)}. Box: quartiles and median; whiskers: "
        f"furthest values within 1.5 interquartile ranges{_points_text(positive)}. "
        f"(b) Pearson correlation. Numbers as in {ref('table score')}. n = {len(values)} analysed "
        "cases.",
        f"Box plots and correlation matrix. Medians of {fitted.positive} and {fitted.negative}: "
        f"{medians}.",
        frame_table(frame),
        reading=readings.distributions(
            model_labels(results), read[:, model_order(fitted)], positive,
            (fitted.positive, fitted.negative),
        ),
        main=True,
    )  # fmt: skip
