"""What became the model, and what its score rests on."""

from collections.abc import Mapping

import numpy as np

from centrum.frozen.explanation import Importance
from centrum.manuscript.estimates import TO, estimate
from centrum.manuscript.methods_agreement import covariate_names
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.tables import labels_of, model_labels, model_order
from centrum.report.words.model import (
    CLASSIFIERS,
    MEASURES,
    SELECTORS,
    STEPS,
    classifier_label,
    penalty_label,
    selector_label,
)
from centrum.report.words.word import complete
from centrum.text import counted, fixed, listed, sentences

LEADING = 3
"""Features with the largest coefficients that are named."""

LEFT: Mapping[str, str] = complete(
    __name__,
    ("the steps of a model",),
    {
        "agreement": "were reproducible between the readers",
        "robustness": "withstood the perturbations",
        "levels": "were no reference level of a covariate",
        "imputation": "could be filled where values were missing",
        "harmonisation": "could be harmonised",
        "constant": "varied over the training cases",
        "balance": "went through the balancing of the classes",
        "scale": "could be scaled",
        "screen": "differed between the outcomes in the univariate screen",
        "correlation": "were left by the correlation filter",
        "select": "were selected by {selector}",
        "rfe": "were kept by recursive elimination",
        "classifier": "had a coefficient",
        "search": "were used by what the search chose",
    },
    choices=STEPS,
)
"""What the features are that a step left."""


def selection(results: StudyResults) -> str:
    """From the candidates to the features of the model."""
    model = results.model
    read = (
        f"The final model ({classifier_label(model.classifier)}), fitted to "
        f"{counted(model.n_train, 'case')}, read {counted(len(model.features), 'feature')}"
    )
    return sentences(
        _funnel(results), f"{read}.", _penalty(results), _number(results), _search(results)
    )


def _funnel(results: StudyResults) -> str:
    """What each step left, where it took something away."""
    settings = results.protocol.model
    selector = SELECTORS[settings.select.method].left
    by = selector.partition("by ")[2].format(penalty=penalty_label(settings.lasso))
    before = candidates = len(results.table.features) + len(covariate_names(results))
    told = []
    for step, n in results.model.funnel.items():
        if n < before:
            told.append(f"{n} {LEFT[step].format(selector=by)}")
        before = n
    if not told:
        return ""
    each = "; of these ".join(told)
    return f"Of {candidates} candidate features {each} ({ref('Table selection')})."


def _penalty(results: StudyResults) -> str:
    found = results.model.lasso
    if found is None:
        return ""
    fallback = ", the largest that left a feature, as the one of cross-validation left none"
    return (
        f"The penalty of the {penalty_label(results.protocol.model.lasso)} was λ = "
        f"{found.chosen:.4g}{fallback * found.fallback} ({ref('Figure lasso')})."
    )


def _number(results: StudyResults) -> str:
    """How many features cross-validation took, and how well these did there."""
    found = results.model.feature_count
    if found is None:
        return ""
    at = list(found.numbers).index(found.chosen)
    return (
        f"Cross-validation took {counted(found.chosen, 'feature')} (mean {MEASURES[found.measure]} "
        f"{fixed(found.mean[at], 2)}, standard error {fixed(found.se[at], 2)}; "
        f"{ref('Figure feature-count')})."
    )


def _search(results: StudyResults) -> str:
    """What the search chose among what it tried."""
    chosen = [row for row in results.search if row["chosen"]]
    if not chosen or results.protocol.search is None:
        return ""
    settings, measure = results.protocol.model, MEASURES[results.protocol.search.measure]
    told = [
        f"{selector_label(row['selector'], settings)} with {row['n_features'] or 'all'} features "
        f"and {CLASSIFIERS[row['classifier']].label} (mean {measure} {fixed(row['mean'], 2)}, "
        f"standard error {fixed(row['se'], 2)})"
        for row in chosen
    ]
    return (
        f"Of {counted(len(results.search), 'model')} the search chose {listed(told)} in "
        f"cross-validation ({ref('Table search')})."
    )


def coefficients(results: StudyResults) -> str:
    """The features that weigh most; "" where the classifier has no coefficients."""
    model = results.model
    values = model.coefficients[model_order(model)][:LEADING]
    if not values.size or not np.isfinite(model.coefficients).all():
        return ""
    pairs = zip(model_labels(results), values, strict=False)
    told = [f"{name} ({fixed(value, 2)})" for name, value in pairs]
    largest = "coefficient" if len(told) == 1 else "coefficients"
    return (
        f"The largest {largest} per standard deviation {'was' if len(told) == 1 else 'were'} "
        f"{'that' if len(told) == 1 else 'those'} of {listed(told)}; a positive one speaks for "
        f"{model.positive} ({ref('Table score')})."
    )


def explanation(results: StudyResults) -> str:
    """The group of features whose permutation takes most off the AUC."""
    found, evaluation = results.explanation, results.protocol.evaluation
    if evaluation.explanation is None or not results.evaluation.above_chance or found is None:
        return ""
    groups = [group for group in found.groups if not group.alone and group.drop > 0]
    if not groups:
        return ""
    first, where = max(groups, key=lambda group: group.drop), ref("Table importance")
    return (
        f"Permutation of {_named(results, first)} lowered the AUC of held-out cases most, by "
        f"{estimate(first.drop, first.interval, evaluation.confidence, where, join=TO)}."
    )


def _named(results: StudyResults, group: Importance) -> str:
    (name,) = labels_of(results, group.features[:1])
    further = len(group.features) - 1
    if not further:
        return name
    return f"{name} together with {counted(further, 'feature')} correlated with it"
