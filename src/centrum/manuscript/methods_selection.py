"""Screens, selections and rankings of features in words."""

from collections.abc import Callable, Mapping

from centrum.modelling.relieff import ReliefF
from centrum.modelling.settings import (
    CorrelationSettings,
    FeatureCountSettings,
    LassoSettings,
    ModelSettings,
    ScreenSettings,
)
from centrum.modelling.stability_selection import StabilitySelection
from centrum.report.labels import MEASURES
from centrum.text import counted, number, percent

TESTS = {
    "t": "Welch's t test",
    "student": "Student's t test",
    "mann_whitney": "the Mann-Whitney test (normal approximation with ties, without continuity "
    "correction)",
    "kruskal": "the Kruskal-Wallis test",
    "auc": "the test of an AUC of 0.5 (normal approximation with ties)",
}

ADJUSTED = {
    "none": "not adjusted for the number of features",
    "benjamini_hochberg": "adjusted for the number of features by Benjamini and Hochberg",
    "holm": "adjusted for the number of features by Holm",
    "bonferroni": "adjusted for the number of features by Bonferroni",
}

RULES = {
    "greedy_first": "in the order of the table, a feature was dropped when so correlated with "
    "one already kept",
    "upper_triangle": "a feature was dropped when it was so correlated with any feature before it "
    "in the table, kept or not",
    "caret_exact": "of each such pair the feature with the larger mean correlation with all "
    "features left was dropped (findCorrelation of the R package caret, exact)",
    "caret_fast": "of each such pair the feature with the larger mean correlation with all "
    "features was dropped (findCorrelation of the R package caret, not exact)",
}
"""Which of two correlated features went."""

LAMBDAS = {
    "lambda.min": "the one with the best {measure}",
    "lambda.1se": "the largest within one standard error of the best {measure}",
}

COUNTS = {
    "best": "the number with the highest mean (the smallest on a tie) was taken",
    "one_se": "the smallest number whose mean was within one standard error of the best was taken",
}

FEW_ROWS = " (the binomial deviance instead where a fold held fewer than 10 cases)"
"""What the LASSO does to the AUC as a measure."""

RANKERS = {
    "linear_svm": "a linear support vector machine (C = {C})",
    "logistic": "a logistic regression with an L2 penalty (C = {C})",
}
"""What is refitted by the recursive elimination."""


def screen_text(settings: ScreenSettings | None) -> str:
    """The univariate screen, or that there was none."""
    if settings is None:
        return "No univariate screen was applied."
    return (
        f"Features were screened one by one by {TESTS[settings.test]}; those with a p value below "
        f"{number(settings.alpha)}, {ADJUSTED[settings.adjustment]}, were kept, or the one with "
        "the smallest p value where there was none."
    )


def correlation_text(settings: CorrelationSettings | None) -> str:
    """The filter of redundant features, or that there was none."""
    if settings is None:
        return "Features were not filtered by their correlation."
    return (
        f"Redundant features were dropped at a Pearson correlation of |r| > "
        f"{number(settings.threshold)}: {RULES[settings.rule]}."
    )


def penalised(settings: LassoSettings) -> str:
    """A LASSO or elastic net with all that decides its coefficients.

    >>> penalised(LassoSettings(measure="class"))[:60]
    'the least absolute shrinkage and selection operator (LASSO) '
    """
    kind = (
        "the least absolute shrinkage and selection operator (LASSO) for a logistic regression"
        if settings.l1_ratio == 1
        else "an elastic net logistic regression with a share of the absolute penalty of "
        f"{number(settings.l1_ratio)}"
    )
    measure = MEASURES[settings.measure] + (FEW_ROWS if settings.measure == "auc" else "")
    return (
        f"{kind} (path and convergence as in the R package glmnet, threshold "
        f"{number(settings.threshold)}), its penalty "
        f"{LAMBDAS[settings.choice].format(measure=measure)} in {settings.folds}-fold "
        "cross-validation by patient, or the largest that selected a feature where this one "
        "selected none"
    )


def _univariate(settings: ModelSettings, n: int) -> str:
    test = settings.screen.test if settings.screen else "mann_whitney"
    return f"the {counted(n, 'feature')} with the smallest p value of {TESTS[test]}"


def _stability(settings: ModelSettings, n: int) -> str:
    step = StabilitySelection()
    return (
        "by stability selection, those among the first "
        f"√({number(2 * step.threshold - 1)} p) of p features to enter the LASSO path in at least "
        f"{percent(step.threshold)} of the half samples of the patients ({step.n_pairs} "
        "complementary pairs), or the most frequent one where there was none"
    )


SELECTORS: Mapping[str, Callable[[ModelSettings, int], str]] = {
    "lasso": lambda settings, n: f"those with a coefficient in {penalised(settings.lasso)}",
    "mrmr": lambda settings, n: (
        f"the first {counted(n, 'feature')} by minimum redundancy and maximum relevance (F "
        "statistic over mean |r| with the features taken)"
    ),
    "relieff": lambda settings, n: (
        f"the {counted(n, 'feature')} with the largest weight of ReliefF "
        f"({ReliefF().n_neighbors} nearest hits and misses)"
    ),
    "stability": _stability,
    "univariate": _univariate,
    "none": lambda settings, n: "all",
}
"""Which features were handed on; the number is that which some selectors want."""


def selection_text(settings: ModelSettings) -> str:
    """Selection, ranking and number of features."""
    method = settings.select.method
    if method == "none":
        text = "All features that were left were handed on, without selection."
    else:
        text = f"Features were selected: {SELECTORS[method](settings, settings.select.n_features)}."
    return f"{text} {_ranking(settings)} {_count(settings.n_features)}"


def _ranking(settings: ModelSettings) -> str:
    estimator = settings.rfe.estimator
    if estimator != "none":
        fitted = RANKERS[estimator].format(C=number(settings.C))
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
        f"refitted, on the {MEASURES[settings.measure]}: {COUNTS[settings.rule]}."
    )
