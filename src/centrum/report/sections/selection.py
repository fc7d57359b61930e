"""The section on the way from all features to those of the model."""

from functools import partial

import pandas as pd

from centrum.modelling.settings import FeatureCountSettings
from centrum.report import readings
from centrum.report.blocks import Block, Picture, picture
from centrum.report.figures import draw_feature_count, draw_lasso
from centrum.report.figures.lasso import MOST_NAMED
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import (
    frame_table,
    funnel_table,
    model_labels,
    model_order,
    shown_of,
)
from centrum.report.words.model import COUNT_RULES, MEASURES, penalty_label
from centrum.text import fixed
from centrum.validation.model import FeatureCountFacts, LassoFacts


@section
def selection(results: StudyResults) -> Block:
    """From all features to those of the model."""
    warnings: tuple[str, ...] = ()
    lasso, count = results.model.lasso, results.model.feature_count
    if lasso is not None and lasso.fallback:
        warnings = (
            "The penalty that cross-validation chose selects no feature; the largest penalty "
            "that selects one was taken instead. The features then hold little information.",
        )
    return Block(
        "Selection of features",
        "selection",
        prose=(
            "Every step was fitted on training cases only, and again in every fold. The numbers "
            "are those of the final fit.",
        ),
        warnings=warnings,
        tables=(funnel_table(results),),
        pictures=(
            *([_lasso_picture(results, lasso)] if lasso is not None else []),
            *([_count_picture(results, count)] if count is not None else []),
        ),
    )


def _lasso_picture(results: StudyResults, facts: LassoFacts) -> Picture:
    n = results.model.n_train
    names = [results.model.features[k] for k in model_order(results.model)]
    numbered = [f"{k}  {label}" for k, label in enumerate(model_labels(results), 1)]
    labels = dict(zip(names[:MOST_NAMED], numbered, strict=False))
    which = shown_of(len(labels), len(names), "largest coefficients", "table score")
    caption = (
        f"(a) Coefficients against log(λ); coloured, of the features of the model: {which}; "
        f"numbers as in {ref('table score')}. (b) Cross-validated (CV) {MEASURES[facts.measure]} "
        f"± standard error. Blue band: the penalty taken, λ = {facts.chosen:.4g}. Numbers along "
        "the top: "
        f"features with a coefficient. n = {n} training cases{_before(results)}."
    )
    data = pd.DataFrame(
        {"lambda": facts.lambdas, "features": facts.n_features.astype(int), "mean": facts.cvm,
         "se": facts.cvsd, **dict(zip(facts.names, facts.coefficients.T, strict=True))}
    )  # fmt: skip
    return picture(
        partial(draw_lasso, facts, labels, names[MOST_NAMED:], results.simulated), "lasso",
        f"Selection by the {penalty_label(results.protocol.model.lasso)}", caption,
        f"Two curves against log lambda. The {MEASURES[facts.measure]} is best at lambda "
        f"{facts.lambda_min:.4g}; within one standard error of it at {facts.lambda_1se:.4g}.",
        frame_table(data),
        reading=readings.lasso(facts), main=True,
    )  # fmt: skip


def _before(results: StudyResults) -> str:
    """That the path was fitted to more cases, where some were added for balance."""
    added = results.protocol.model.balance in ("repeat", "smote")
    return " before balancing" if added else ""


def _count_picture(results: StudyResults, facts: FeatureCountFacts) -> Picture:
    choice = results.protocol.model.n_features or FeatureCountSettings()
    measure = MEASURES[facts.measure]
    caption = (
        f"Mean and standard error (SE) of the {measure} over {choice.folds} folds of the "
        f"training patients, with every step refitted in each. Taken: {facts.chosen}, "
        f"{COUNT_RULES[choice.rule].label}. n = {results.model.n_train} training cases."
    )
    data = pd.DataFrame({"features": facts.numbers, "mean": facts.mean, "se": facts.se})
    at = list(facts.numbers).index(facts.chosen)
    return picture(
        partial(draw_feature_count, facts, results.simulated),
        "feature-count", "Number of features", caption,
        f"Curve of the {measure} against 1 to {int(facts.numbers[-1])} features; "
        f"{fixed(facts.mean[at])} at the {facts.chosen} that were taken.",
        frame_table(data), reading=readings.feature_count(facts),
    )  # fmt: skip
