"""Screens, selections and rankings of features in words."""

from centrum.modelling.settings import (
    CorrelationSettings,
    FeatureCountSettings,
    ModelSettings,
    ScreenSettings,
)
from centrum.report.words.model import (
    ADJUSTMENTS,
    CLASSIFIERS,
    CORRELATION_RULES,
    COUNT_RULES,
    MEASURES,
    SCREEN_TESTS,
    SELECTORS,
)
from centrum.text import number


def screen_text(settings: ScreenSettings | None) -> str:
    """The univariate screen, or that there was none."""
    if settings is None:
        return "No univariate screen was applied."
    return (
        f"Features were screened one by one by {SCREEN_TESTS[settings.test]}; those with a p value "
        f"below {number(settings.alpha)}, {ADJUSTMENTS[settings.adjustment]}, were kept, or the "
        "one with the smallest p value where there was none."
    )


def correlation_text(settings: CorrelationSettings | None) -> str:
    """The filter of redundant features, or that there was none."""
    if settings is None:
        return "Features were not filtered by their correlation."
    return (
        f"Redundant features were dropped at a Pearson correlation of |r| > "
        f"{number(settings.threshold)}: {CORRELATION_RULES[settings.rule]}."
    )


def selection_text(settings: ModelSettings) -> str:
    """Selection, ranking and number of features."""
    method = settings.select.method
    if method == "none":
        text = "All features that were left were handed on, without selection."
    else:
        which = SELECTORS[method].told(settings, settings.select.n_features)
        text = f"Features were selected: {which}."
    return f"{text} {_ranking(settings)} {_count(settings.n_features)}"


def _ranking(settings: ModelSettings) -> str:
    estimator = settings.rfe.estimator
    if estimator != "none":
        fitted = CLASSIFIERS[estimator].told(settings)
        return (
            f"They were ranked by recursive elimination: {fitted} was refitted and the feature "
            f"with the smallest squared coefficient dropped, {settings.rfe.step} at a time."
        )
    if settings.select.method == "none":
        return "They were not ranked."
    return "They were ranked in the order of the selection, without recursive elimination."


def _count(settings: FeatureCountSettings | None) -> str:
    if settings is None:
        return "All of them entered the classifier."
    return (
        f"The number of features, from 1 to {settings.maximum}, was chosen by "
        f"{settings.folds}-fold cross-validation by patient, in each fold of which all steps were "
        f"refitted, on the {MEASURES[settings.measure]}: "
        f"{COUNT_RULES[settings.rule].told(settings)}."
    )
