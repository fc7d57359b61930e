"""The choices that make a model, as the protocol states them."""

from typing import Literal, Self

from pydantic import Field, model_validator

from centrum.settings import Factor, Folds, Seed, Settings, Times

LassoMeasure = Literal["deviance", "auc", "class"]
LassoChoice = Literal["lambda.min", "lambda.1se"]
CorrelationRule = Literal["greedy_first", "upper_triangle", "caret_exact", "caret_fast"]
AgreementUse = Literal["estimate", "lower_bound"]
Selector = Literal["lasso", "mrmr", "relieff", "stability", "univariate", "none"]
ClassifierName = Literal[
    "linear_svm",
    "logistic",
    "ridge",
    "elastic_net",
    "rbf_svm",
    "random_forest",
    "extra_trees",
    "gradient_boosting",
    "naive_bayes",
]
Calibration = Literal["platt", "isotonic", "venn_abers"]
Fusion = Literal["early", "late", "stacked"]
Design = Literal[
    "single",
    "repeated_split",
    "repeated_k_fold",
    "nested_cv",
    "leave_one_centre_out",
    "temporal",
    "external",
]
Balance = Literal["repeat", "smote", "class_weight", "none"]
ScreenTest = Literal["t", "student", "mann_whitney", "kruskal", "auc"]
Adjustment = Literal["none", "benjamini_hochberg", "holm", "bonferroni"]


RADIOMICS = "radiomics"
"""Name of the source that the features of a single image sequence make."""

CLINICAL = "clinical"
"""Name of the source that the covariates make."""

MORPHOMETRY = "morphometry"
"""Name of the source that those of them make that are measures of the vertebral bodies."""

FEW = (CLINICAL, MORPHOMETRY)
"""Sources of a few numbers, which are modelled by a plain regression of all of them."""

MORPHOMETRY_PREFIX = "morphometry:"
"""Before the name of a covariate that is a measure of the vertebral body."""

SPARSE = 10
"""Features that the sparse model beside a model has at most."""

REFIT_RANGE = (0.025, 0.975)
"""Quantiles over the refits of a model between which a patient's range lies."""


class AgreementSettings(Settings):
    """Which features agree well enough between readers to be used."""

    form: str = Field(
        "A,1", description="ICC form, any spelling that `centrum.agreement` knows; A,1 is ICC(2,1)."
    )
    threshold: float = Field(
        0.75,
        ge=-1,
        lt=1,
        description="A feature is kept when its ICC on the training cases exceeds this.",
    )
    use: AgreementUse = Field(
        "estimate",
        description="Whether the ICC itself or the lower limit of its 95 % interval must exceed "
        "it.",
    )


class RobustnessRule(Settings):
    """Which features are stable enough under perturbation to be used."""

    form: str = Field(
        "1,1",
        description="ICC form; 1,1 is one-way random: the perturbations of a case are "
        "exchangeable.",
    )
    threshold: float = Field(
        0.9,
        ge=-1,
        lt=1,
        description="A feature is kept when its ICC on the training cases exceeds this.",
    )
    use: AgreementUse = Field(
        "estimate",
        description="Whether the ICC itself or the lower limit of its 95 % interval must exceed "
        "it.",
    )


class ImputationSettings(Settings):
    """What stands for a missing value, such as an age that nobody noted."""

    method: Literal["none", "median", "mean", "knn"] = Field(
        "none",
        description="none: a missing value is refused; median, mean: of the training cases; knn: "
        "mean of the training cases that are most alike.",
    )
    neighbours: Times = Field(5, description="Cases that knn averages.")


class HarmonisationSettings(Settings):
    """How differences between centres or scanners are taken out of the features."""

    method: Literal["none", "combat"] = Field(
        "none",
        description="combat: parametric empirical Bayes of location and scale, learnt on training "
        "cases; the outcome takes no part.",
    )
    batch: str = Field(
        "centre", description="Column of the manifest that names the batch of a case."
    )
    reference: str | None = Field(
        None,
        description="Batch that stays as it is and that the others are moved to; their common mean "
        "when missing.",
    )
    unseen: Literal["refuse", "as_is"] = Field(
        "as_is",
        description="What becomes of a case of a batch that was not trained on: refused, or left "
        "unharmonised (leaving a centre out needs this).",
    )


class ScreenSettings(Settings):
    """Which features differ between the outcomes one by one, on training cases."""

    test: ScreenTest = Field("mann_whitney", description="Test of each feature; auc: of AUC = 0.5.")
    adjustment: Adjustment = Field(
        "benjamini_hochberg", description="Of the p values for the number of features."
    )
    alpha: float = Field(
        0.05,
        gt=0,
        le=1,
        description="A feature is kept when its adjusted p is below this; with no such feature the "
        "one with the smallest p is.",
    )


class CorrelationSettings(Settings):
    """Which of several features that say the same are dropped."""

    threshold: float = Field(
        0.99, gt=0, le=1, description="Pearson |r| above which two features say the same."
    )
    rule: CorrelationRule = Field(
        "greedy_first",
        description="greedy_first: in table order, drop what correlates with a kept feature. "
        "upper_triangle: drop what correlates with any earlier feature, kept or not. "
        "caret_exact, caret_fast: drop the one of a pair that is more like all others, "
        "as R's findCorrelation.",
    )


class LassoSettings(Settings):
    """How the penalty of the LASSO is chosen."""

    folds: Folds = Field(5, description="Folds of the cross-validation, by patient.")
    choice: LassoChoice = Field(
        "lambda.min",
        description="lambda.min: the best; lambda.1se: the largest within one standard error of "
        "it.",
    )
    most_features: Times | None = Field(
        None,
        description="The penalty rises from the chosen one until no more features than these have "
        "a coefficient; as many as there are when missing.",
    )
    measure: LassoMeasure = Field(
        "deviance", description="What the folds measure; class is the misclassified share."
    )
    l1_ratio: float = Field(
        1.0,
        ge=0.001,
        le=1,
        description="1 is the LASSO; less is an elastic net with this share of the absolute "
        "penalty.",
    )
    threshold: float = Field(
        1e-12,
        ge=1e-15,
        le=0.1,
        description="Convergence of the coefficients, glmnet's `thresh`, whose own default is "
        "1e-7.",
    )


class SelectSettings(Settings):
    """Which features are handed on to the ranking."""

    method: Selector = Field(
        "lasso",
        description="lasso: those with a coefficient (settings in `lasso`); mrmr: relevant and not "
        "redundant; relieff: near misses differ more than near hits; stability: chosen "
        "by LASSO on most half samples of the patients; univariate: by the screen's "
        "test; none: all.",
    )
    n_features: Times = Field(30, description="How many mrmr, relieff and univariate hand on.")


class RfeSettings(Settings):
    """How features are ranked by recursive elimination."""

    estimator: Literal["linear_svm", "logistic", "none"] = Field(
        "linear_svm",
        description="What is refitted after each elimination; the smallest squared coefficient "
        "goes. none: no elimination; features are ranked as the selection ranks them.",
    )
    step: Literal[1] = Field(1, description="Features eliminated at a time.")


class FeatureCountSettings(Settings):
    """How the number of features of the model is chosen."""

    maximum: Times = Field(15, description="The largest number tried; all from 1 upwards are.")
    folds: Folds = Field(
        5,
        description="Folds of the cross-validation, by patient, with every earlier step refitted.",
    )
    measure: Literal["auc", "accuracy"] = Field("auc", description="What the folds measure.")
    rule: Literal["best", "one_se"] = Field(
        "best",
        description="best: highest mean (fewest features on a tie); one_se: the fewest features "
        "whose mean is within one standard error of the best.",
    )


class ModelSettings(Settings):
    """The study's model: filters, balance, z-score, selection, ranking, classifier.

    >>> ModelSettings(classifier="logistic").correlation.threshold
    0.99
    """

    agreement: AgreementSettings = Field(
        AgreementSettings(), description="Agreement between readers."
    )
    imputation: ImputationSettings = Field(ImputationSettings(), description="Missing values.")
    harmonisation: HarmonisationSettings = Field(
        HarmonisationSettings(), description="Differences between centres."
    )
    balance: Balance = Field(
        "repeat",
        description="repeat: random cases of the smaller class are repeated until the classes are "
        "equal; smote: new cases between neighbours of the smaller class are made up; "
        "both in training data only. class_weight: the classifier weighs cases of the "
        "smaller class more.",
    )
    clip: float | None = Field(
        None,
        ge=0.01,
        le=1e6,
        description="z-scores further from 0 than this are set to it, so that no single region with"
        " an extreme value decides; not done when missing.",
    )
    screen: ScreenSettings | None = Field(
        None, description="Univariate screen; {} for the defaults, not done when missing."
    )
    correlation: CorrelationSettings | None = Field(
        CorrelationSettings(), description="Redundancy between features; null: not looked for."
    )
    select: SelectSettings = Field(SelectSettings(), description="Method of selection.")
    lasso: LassoSettings = Field(LassoSettings(), description="Selection by LASSO.")
    rfe: RfeSettings = Field(RfeSettings(), description="Ranking by recursive feature elimination.")
    n_features: FeatureCountSettings | None = Field(
        FeatureCountSettings(), description="Number of features; null: all that were selected."
    )
    classifier: ClassifierName = Field(
        "linear_svm",
        description="linear_svm, rbf_svm: soft-margin support vector machines; logistic: logistic "
        "regression with an L2 penalty of the strength 1/C; ridge: the same with the "
        "penalty chosen by cross-validation; elastic_net: the LASSO or elastic net "
        "itself, as `lasso` says; random_forest, extra_trees, gradient_boosting: trees;"
        " naive_bayes: Gaussian.",
    )
    C: Factor = Field(
        1.0,
        description="Inverse strength of the penalty, of the classifier and of the SVM that ranks.",
    )

    covariates: tuple[str, ...] = Field(
        (),
        description="Columns of the manifest, such as age and sex, and measures of the vertebral "
        "bodies, such as morphometry:greatest_loss, that join the features of the "
        "images.",
    )
    fusion: Fusion = Field(
        "early",
        description="How several sources (each image sequence, the covariates) come together. "
        "early: one model of all features; late: a model of each, the mean of their "
        "log-odds; stacked: a model of each, weighed by a logistic regression of their "
        "out-of-fold scores.",
    )
    calibration: Calibration = Field(
        "platt",
        description="From scores to probabilities, learnt on out-of-fold scores of the training "
        "cases. platt: a logistic curve; isotonic: rising steps; venn_abers: steps that"
        " own up to their doubt.",
    )

    @model_validator(mode="after")
    def _ranked(self) -> Self:
        unranked = self.select.method == "none" and self.rfe.estimator == "none"
        if unranked and self.n_features is not None:
            raise ValueError(
                "nothing ranks the features, so that no number of them can be chosen: choose "
                "select.method or rfe.estimator, or n_features: null"
            )
        return self

    @property
    def sparse(self) -> "ModelSettings":
        """The elastic net of these settings at lambda.1se with at most `SPARSE` features.

        Equal to the settings where they are those of such a model.

        >>> few = ModelSettings().sparse
        >>> few.classifier, few.lasso.choice, few.lasso.most_features, few.sparse == few
        ('elastic_net', 'lambda.1se', 10, True)
        """
        most = min(self.lasso.most_features or SPARSE, SPARSE)
        few = {"choice": "lambda.1se", "most_features": most}
        return self.model_copy(
            update={
                "select": self.select.model_copy(update={"method": "none"}),
                "rfe": self.rfe.model_copy(update={"estimator": "none"}),
                "n_features": None,
                "classifier": "elastic_net",
                "lasso": self.lasso.model_copy(update=few),
                "fusion": "early",
            }
        )


class Split(Settings):
    """Who is trained on and who is tested; always whole patients, and everything refitted."""

    design: Design = Field(
        "single",
        description="single: one stratified split; repeated_split: many of them; repeated_k_fold "
        "and nested_cv (one thing here: every model chooses by inner folds of its own):"
        " each patient is held out once per repeat; leave_one_centre_out: each centre "
        "in turn; temporal: the latest patients; external: the cases that `by` and "
        "`test_values` name.",
    )
    train_fraction: float = Field(
        0.7,
        gt=0,
        lt=1,
        description="Share of the cases to train on; of temporal the share of patients, in order of"
        " time.",
    )
    seed: Seed = Field(
        2024, description="Of all that is random in the split; repeat i takes seed + i."
    )
    repeats: Times | None = Field(
        None, description="How often it is done; 20 splits or 10 times all folds when missing."
    )
    folds: Folds = Field(5, description="Folds of repeated_k_fold and nested_cv.")
    by: str | None = Field(
        None,
        description="Column of the manifest that leave_one_centre_out (centre), temporal (date) and"
        " external (centre) go by; those in brackets when missing.",
    )
    test_values: tuple[str, ...] = Field(
        (), description="external: values of the column whose cases are tested."
    )
    test_from: str | None = Field(
        None,
        description="temporal: patients first seen on this date or later are tested; the last ones,"
        " as `train_fraction` says, when missing.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.design == "external" and not self.test_values:
            raise ValueError("design external needs `test_values`: which values of `by` are tested")
        return self

    @property
    def single_part(self) -> bool:
        """Whether there is one training and one test side."""
        return self.design in ("single", "temporal", "external")

    @property
    def column(self) -> str:
        """The column that the design goes by."""
        return self.by or ("date" if self.design == "temporal" else "centre")


class SearchSettings(Settings):
    """Which models are tried against each other, by inner cross-validation of training cases."""

    selectors: tuple[Selector, ...] = Field(
        ("lasso", "mrmr", "univariate", "none"),
        min_length=1,
        description="How features are ranked.",
    )
    classifiers: tuple[ClassifierName, ...] = Field(
        (
            "elastic_net",
            "ridge",
            "rbf_svm",
            "extra_trees",
            "random_forest",
            "naive_bayes",
        ),
        min_length=1,
        description="What is fitted to the leading features.",
    )
    n_features: tuple[Times, ...] = Field(
        (4, 8, 16, 32), min_length=1, description="Numbers of leading features."
    )
    folds: Folds = Field(
        5,
        description="Folds of the cross-validation, by patient, with every step refitted in each.",
    )
    repeats: Times = Field(1, description="How many times the folds are drawn.")
    halving: bool = Field(
        True,
        description="After each fold the worse half of the models still in the race is dropped, "
        "until `survivors` are left.",
    )
    survivors: Times = Field(20, description="Models that see every fold.")
    ensemble: Times = Field(
        10,
        description="1: the winner is the model; more: the mean score of so many best ones, each "
        "divided by the spread of its out-of-fold scores.",
    )
    measure: Literal["auc", "deviance"] = Field("auc", description="What the folds measure.")
