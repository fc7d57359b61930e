"""Words for the choices of the model and of the search."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from centrum.modelling.balance import Smote
from centrum.modelling.classifiers import (
    CERTAIN,
    N_TREES,
    RIDGE_C,
    RIDGE_FOLDS,
    build_classifier,
)
from centrum.modelling.fusion import STACK_C
from centrum.modelling.relieff import ReliefF
from centrum.modelling.settings import (
    HarmonisationSettings,
    ImputationSettings,
    LassoSettings,
    ModelSettings,
)
from centrum.modelling.stability_selection import StabilitySelection
from centrum.report.words.word import Wording, always, complete
from centrum.text import counted, number, percent

MEASURES = complete(
    __name__,
    ("model.lasso.measure", "model.n_features.measure", "search.measure"),
    {
        "auc": "AUC",
        "accuracy": "accuracy",
        "deviance": "binomial deviance",
        "class": "misclassified share",
    },
)
"""What cross-validation measures."""

# Steps before the selection

MISSING = "Missing values, where there were any, were replaced by"

ONCE = (
    "They were imputed once, not multiply: the model had to predict for single new patients, whose "
    "outcome is not known."
)
"""Why imputation is not multiple."""

IMPUTATIONS: Mapping[str, Wording[ImputationSettings]] = complete(
    __name__,
    ("model.imputation.method",),
    {
        "none": Wording("is refused", always("Missing values were not imputed.")),
        "median": Wording(
            "is replaced by the median of the training cases",
            always(f"{MISSING} the median of the training cases. {ONCE}"),
        ),
        "mean": Wording(
            "is replaced by the mean of the training cases",
            always(f"{MISSING} the mean of the training cases. {ONCE}"),
        ),
        "knn": Wording(
            "is replaced by the mean of the nearest training cases",
            lambda settings: (
                f"{MISSING} the mean of the {counted(settings.neighbours, 'training case')} "
                "nearest in the values that were there, each in units of its interquartile range; "
                f"all that were as near as the last of these counted. {ONCE}"
            ),
        ),
    },
)
"""What becomes of a missing value, and the sentence of the Methods."""


def _combat(settings: HarmonisationSettings) -> str:
    goal = (
        f'the batch "{settings.reference}"'
        if settings.reference is not None
        else "their common mean"
    )
    return (
        f'Features were harmonised by parametric ComBat, with the column "{settings.batch}" as '
        f"batch, towards {goal}, without regard to the outcome; {UNSEEN[settings.unseen]}."
    )


HARMONISATIONS: Mapping[str, Wording[HarmonisationSettings]] = complete(
    __name__,
    ("model.harmonisation.method",),
    {
        "none": Wording(
            "not harmonised", always("Features were not harmonised between centres or scanners.")
        ),
        "combat": Wording("harmonised by ComBat", _combat),
    },
)
"""What was done to features, and the sentence of the Methods."""

UNSEEN = complete(
    __name__,
    ("model.harmonisation.unseen",),
    {
        "refuse": "a case from a batch without training cases was rejected",
        "as_is": "a case from a batch without training cases was left as it was",
    },
)

BALANCES: Mapping[str, Wording[ModelSettings]] = complete(
    __name__,
    ("model.balance",),
    {
        "repeat": Wording(
            "cases of the rarer outcome were repeated",
            always(
                "The classes of the training cases were balanced by repeating random cases of the "
                "smaller class"
            ),
        ),
        "smote": Wording(
            "cases of the rarer outcome were synthesised between neighbours (SMOTE)",
            always(
                "The classes of the training cases were balanced by SMOTE: cases of the smaller "
                f"class were synthesised between a case and one of its {Smote().k_neighbors} "
                "nearest neighbours (fewer where the class was smaller), each feature in units of "
                "its interquartile range"
            ),
        ),
        "class_weight": Wording(
            "cases of the rarer outcome weigh more",
            always(
                "Cases were neither repeated nor synthesised; the classifier weighted them "
                "inversely to the size of their class"
            ),
        ),
        "none": Wording("nothing was done about it", always("The classes were not balanced")),
    },
)
"""What was done about classes of unequal size."""

UNWEIGHTED = ("elastic_net",)
"""Classifiers that do not take class weights."""

SCREEN_TESTS = complete(
    __name__,
    ("model.screen.test",),
    {
        "t": "Welch's t test",
        "student": "Student's t test",
        "mann_whitney": "the Mann-Whitney test (normal approximation with ties, without continuity "
        "correction)",
        "kruskal": "the Kruskal-Wallis test",
        "auc": "the test of an AUC of 0.5 (normal approximation with ties)",
    },
)

ADJUSTMENTS = complete(
    __name__,
    ("model.screen.adjustment",),
    {
        "none": "not adjusted for the number of features",
        "benjamini_hochberg": "adjusted for the number of features by Benjamini and Hochberg",
        "holm": "adjusted for the number of features by Holm",
        "bonferroni": "adjusted for the number of features by Bonferroni",
    },
)

CORRELATION_RULES = complete(
    __name__,
    ("model.correlation.rule",),
    {
        "greedy_first": "in the order of the table, a feature was dropped when so correlated with "
        "one already kept",
        "upper_triangle": "a feature was dropped when it was so correlated with any feature before "
        "it in the table, kept or not",
        "caret_exact": "of each such pair the feature with the larger mean correlation with all "
        "features left was dropped (findCorrelation of the R package caret, exact)",
        "caret_fast": "of each such pair the feature with the larger mean correlation with all "
        "features was dropped (findCorrelation of the R package caret, not exact)",
    },
)
"""Which of two correlated features went."""

# Selection

LAMBDAS = complete(
    __name__,
    ("model.lasso.choice",),
    {
        "lambda.min": "the one with the best {measure}",
        "lambda.1se": "the largest within one standard error of the best {measure}",
    },
)
"""Which penalty was taken."""

FEW_ROWS = " (the binomial deviance instead where a fold held fewer than 10 cases)"
"""What the LASSO does to the AUC as a measure."""


def penalised(settings: LassoSettings) -> str:
    """A LASSO or elastic net with its penalty; `path_text` tells how it was computed.

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
        f"{kind}, its penalty {LAMBDAS[settings.choice].format(measure=measure)} in "
        f"{settings.folds}-fold cross-validation by patient{capped(settings)}"
    )


def path_text(settings: LassoSettings) -> str:
    """How a path of penalties was computed, and what was done where the chosen one left nothing.

    >>> path_text(LassoSettings(threshold=1e-6))[:89]
    'Path and convergence of the LASSO were as in the R package glmnet (threshold 1e−6); where'
    """
    return (
        f"Path and convergence of the {penalty_label(settings)} were as in the R package glmnet "
        f"(threshold {number(settings.threshold)}); where the chosen penalty selected no feature, "
        "the largest that selected one was taken."
    )


def penalty_label(settings: LassoSettings) -> str:
    """What a path of penalties is called.

    >>> penalty_label(LassoSettings()), penalty_label(LassoSettings(l1_ratio=0.5))
    ('LASSO', 'elastic net')
    """
    return "LASSO" if settings.l1_ratio == 1 else "elastic net"


def capped(settings: LassoSettings) -> str:
    """What a greatest number of features does to the penalty."""
    most = settings.most_features
    if most is None:
        return ""
    return f", raised where needed until no more than {counted(most, 'feature')} had a coefficient"


def _univariate(settings: ModelSettings, n: int) -> str:
    test = settings.screen.test if settings.screen else "mann_whitney"
    return f"the {counted(n, 'feature')} with the smallest p value of {SCREEN_TESTS[test]}"


def _stability(settings: ModelSettings, n: int) -> str:
    step = StabilitySelection()
    return (
        "by stability selection, those among the first "
        f"√({number(2 * step.threshold - 1)} p) of p features to enter the LASSO path in at least "
        f"{percent(step.threshold)} of the half samples of the patients ({step.n_pairs} "
        "complementary pairs), or the most frequent one where there was none"
    )


@dataclass(frozen=True)
class SelectorWording:
    """The words for a selection of features.

    Attributes
    ----------
    label : what tables and legends call it, {penalty} being LASSO or elastic net
    left : what the features are that it leaves, likewise
    told : which features were handed on, from the settings and the number that some of them want
    """

    label: str
    left: str
    told: Callable[[ModelSettings, int], str]


SELECTORS: Mapping[str, SelectorWording] = complete(
    __name__,
    ("model.select.method", "search.selectors"),
    {
        "lasso": SelectorWording(
            "{penalty}",
            "Selected by the {penalty}",
            lambda settings, n: f"those with a coefficient in {penalised(settings.lasso)}",
        ),
        "mrmr": SelectorWording(
            "mRMR",
            "Selected by minimum redundancy, maximum relevance (mRMR)",
            lambda settings, n: (
                f"the first {counted(n, 'feature')} by minimum redundancy and maximum relevance "
                "(mRMR; F statistic over mean |r| with the features taken)"
            ),
        ),
        "relieff": SelectorWording(
            "ReliefF",
            "Selected by ReliefF",
            lambda settings, n: (
                f"the {counted(n, 'feature')} with the largest weight of ReliefF "
                f"({ReliefF().n_neighbors} nearest hits and misses)"
            ),
        ),
        "stability": SelectorWording(
            "stability selection", "Selected by stability selection", _stability
        ),
        "univariate": SelectorWording(
            "univariate tests", "Selected by univariate tests", _univariate
        ),
        "none": SelectorWording("no selection", "Handed on", lambda settings, n: "all"),
    },
)

COUNT_RULES: Mapping[str, Wording[object]] = complete(
    __name__,
    ("model.n_features.rule",),
    {
        "best": Wording(
            "the number with the highest mean",
            always("the number with the highest mean (the smallest on a tie) was taken"),
        ),
        "one_se": Wording(
            "the smallest number within one SE of the best",
            always(
                "the smallest number whose mean was within one standard error of the best was taken"
            ),
        ),
    },
)
"""How many features are taken."""

# Classifier

SCORED = (
    ", its score the log-odds of probabilities held between "
    f"{number(CERTAIN)} and {number(1 - CERTAIN)}"
)


def _leaf(name: str) -> str:
    trees = build_classifier(name, ModelSettings()).estimator
    return f"with at least {counted(trees.min_samples_leaf, 'case')} per leaf{SCORED}"


def _boosting(settings: ModelSettings) -> str:
    trees = build_classifier("gradient_boosting", settings).estimator
    return (
        f"{trees.n_estimators} gradient-boosted trees of depth {trees.max_depth} on random samples "
        f"of {percent(trees.subsample)}, with a learning rate of "
        f"{number(trees.learning_rate)}{SCORED}"
    )


CLASSIFIERS: Mapping[str, Wording[ModelSettings]] = complete(
    __name__,
    ("model.classifier", "search.classifiers", "model.rfe.estimator"),
    {
        "linear_svm": Wording(
            "linear support vector machine",
            lambda settings: f"a linear support vector machine (C = {number(settings.C)})",
        ),
        "rbf_svm": Wording(
            "support vector machine with a radial kernel",
            lambda settings: (
                "a support vector machine with the radial kernel exp(−|x − z|²/p) of p features "
                f"(C = {number(settings.C)})"
            ),
        ),
        "logistic": Wording(
            "logistic regression",
            lambda settings: f"a logistic regression with an L2 penalty (C = {number(settings.C)})",
        ),
        "ridge": Wording(
            "ridge logistic regression",
            always(
                "a logistic regression with an L2 penalty, whose C was chosen among "
                f"{len(RIDGE_C)} values from {number(RIDGE_C[0])} to {number(RIDGE_C[-1])} by the "
                f"binomial deviance in {RIDGE_FOLDS}-fold cross-validation by patient"
            ),
        ),
        "elastic_net": Wording("elastic net", lambda settings: penalised(settings.lasso)),
        "random_forest": Wording(
            "random forest", always(f"a random forest of {N_TREES} trees {_leaf('random_forest')}")
        ),
        "extra_trees": Wording(
            "extremely randomised trees",
            always(f"{N_TREES} extremely randomised trees {_leaf('extra_trees')}"),
        ),
        "gradient_boosting": Wording("gradient-boosted trees", _boosting),
        "naive_bayes": Wording("naive Bayes", always(f"Gaussian naive Bayes{SCORED}")),
    },
    unspoken=("none",),
)


def classifier_label(name: str) -> str:
    """What the classifier of a fitted model is called; of an ensemble, those that are in it.

    >>> classifier_label("ridge"), classifier_label("mean of 2 models: linear_svm, ridge")
    ('ridge logistic regression', 'mean of 2 models: linear support vector machine, ridge logistic
    regression')
    """
    if name in CLASSIFIERS:
        return CLASSIFIERS[name].label
    told, _, kinds = name.partition(": ")
    return f"{told}: {', '.join(CLASSIFIERS[kind].label for kind in kinds.split(', '))}"


CALIBRATIONS: Mapping[str, Wording[object]] = complete(
    __name__,
    ("model.calibration",),
    {
        "platt": Wording("a logistic curve (Platt)", always("a logistic curve (Platt)")),
        "isotonic": Wording("isotonic regression", always("isotonic regression")),
        "venn_abers": Wording(
            "Venn-Abers prediction",
            always("inductive Venn-Abers prediction, p1 / (1 − p0 + p1)"),
        ),
    },
)
"""By what scores become probabilities."""

FUSIONS = complete(
    __name__,
    ("model.fusion",),
    {
        "late": "For each source the score became log-odds by a logistic regression "
        f"(C = {number(STACK_C)}) on the out-of-fold scores of the training cases, and the score "
        "of a case was the mean of these log-odds.",
        "stacked": "The score of a case was that of one logistic regression "
        f"(C = {number(STACK_C)}) on the out-of-fold scores of all sources of the training cases.",
    },
    unspoken=("early",),
)
"""How the models of several sources came together."""

# What became of the features

STEPS = {
    "agreement": "Readers agree",
    "robustness": "Robust to perturbation",
    "levels": "Covariates without their reference level",
    "imputation": "Missing values filled",
    "harmonisation": "Harmonised by {batch} (ComBat)",
    "constant": "Not constant",
    "balance": "Classes balanced",
    "scale": "Scaled (z-score)",
    "screen": "Differ between the outcomes (univariate screen)",
    "correlation": "Not redundant (correlation)",
    "select": "Selected",
    "rfe": "Kept by recursive elimination",
    "classifier": "With a coefficient",
    "search": "Used by what the search chose",
}
"""Steps of a model in their order, by what they did or left."""


def step_labels(settings: ModelSettings) -> dict[str, str]:
    """The steps of a model with these settings.

    >>> step_labels(ModelSettings(select={"method": "relieff"}))["select"]
    'Selected by ReliefF'
    >>> step_labels(ModelSettings(lasso={"l1_ratio": 0.5}))["select"]
    'Selected by the elastic net'
    >>> step_labels(ModelSettings(harmonisation={"batch": "scanner"}))["harmonisation"]
    'Harmonised by scanner (ComBat)'
    """
    method = settings.select.method
    left = SELECTORS[method].left.format(penalty=penalty_label(settings.lasso))
    batch = settings.harmonisation.batch.replace("_", " ")
    return STEPS | {"select": left, "harmonisation": STEPS["harmonisation"].format(batch=batch)}


def selector_label(method: str, settings: ModelSettings) -> str:
    """What tables and legends call a selection of features.

    >>> selector_label("lasso", ModelSettings()), selector_label("none", ModelSettings())
    ('LASSO', 'no selection')
    """
    return SELECTORS[method].label.format(penalty=penalty_label(settings.lasso))


def selects(settings: ModelSettings) -> bool:
    """Whether a step chooses among the features, be it the classifier."""
    return (
        settings.select.method != "none"
        or settings.screen is not None
        or settings.n_features is not None
        or settings.classifier == "elastic_net"
    )
