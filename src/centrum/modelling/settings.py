"""The choices that make a model, as the protocol states them."""

from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

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


MORPHOMETRY_PREFIX = "morphometry:"
"""Before the name of a covariate that is a measure of the vertebral body."""


class _StepSettings(Settings):
    model_config = ConfigDict(use_attribute_docstrings=True)


class AgreementSettings(_StepSettings):
    """Which features agree well enough between readers to be used."""

    form: str = "A,1"
    """ICC form, any spelling that `centrum.agreement` knows; A,1 is ICC(2,1)."""
    threshold: float = Field(default=0.75, ge=-1, lt=1)
    """A feature is kept when its ICC on the training cases exceeds this."""
    use: AgreementUse = "estimate"
    """Whether the ICC itself or the lower limit of its 95 % interval must exceed it."""


class RobustnessRule(_StepSettings):
    """Which features are stable enough under perturbation to be used."""

    form: str = "1,1"
    """ICC form; 1,1 is one-way random: the perturbations of a case are exchangeable."""
    threshold: float = Field(default=0.9, ge=-1, lt=1)
    """A feature is kept when its ICC on the training cases exceeds this."""
    use: AgreementUse = "estimate"
    """Whether the ICC itself or the lower limit of its 95 % interval must exceed it."""


class ImputationSettings(_StepSettings):
    """What stands for a missing value, such as an age that nobody noted."""

    method: Literal["none", "median", "mean", "knn"] = "none"
    """none: a missing value is refused; median, mean: of the training cases; knn: mean of the
    training cases that are most alike."""
    neighbours: Times = 5
    """Cases that knn averages."""


class HarmonisationSettings(_StepSettings):
    """How differences between centres or scanners are taken out of the features."""

    method: Literal["none", "combat"] = "none"
    """combat: parametric empirical Bayes of location and scale, learnt on training cases; the
    outcome takes no part."""
    batch: str = "centre"
    """Column of the manifest that names the batch of a case."""
    reference: str | None = None
    """Batch that stays as it is and that the others are moved to; their common mean when
    missing."""
    unseen: Literal["refuse", "as_is"] = "as_is"
    """What becomes of a case of a batch that was not trained on: refused, or left unharmonised
    (leaving a centre out needs this)."""


class ScreenSettings(_StepSettings):
    """Which features differ between the outcomes one by one, on training cases."""

    test: ScreenTest = "mann_whitney"
    """Test of each feature; auc: of AUC = 0.5."""
    adjustment: Adjustment = "benjamini_hochberg"
    """Of the p values for the number of features."""
    alpha: float = Field(default=0.05, gt=0, le=1)
    """A feature is kept when its adjusted p is below this; with no such feature the one with
    the smallest p is."""


class CorrelationSettings(_StepSettings):
    """Which of several features that say the same are dropped."""

    threshold: float = Field(default=0.99, gt=0, le=1)
    """Pearson |r| above which two features say the same."""
    rule: CorrelationRule = "greedy_first"
    """greedy_first: in table order, drop what correlates with a kept feature.
    upper_triangle: drop what correlates with any earlier feature, kept or not. caret_exact,
    caret_fast: drop the one of a pair that is more like all others, as R's findCorrelation."""


class LassoSettings(_StepSettings):
    """How the penalty of the LASSO is chosen."""

    folds: Folds = 5
    """Folds of the cross-validation, by patient."""
    choice: LassoChoice = "lambda.min"
    """lambda.min: the best; lambda.1se: the largest within one standard error of it."""
    measure: LassoMeasure = "deviance"
    """What the folds measure; class is the misclassified share."""
    l1_ratio: float = Field(default=1.0, ge=0.001, le=1)
    """1 is the LASSO; less is an elastic net with this share of the absolute penalty."""
    threshold: float = Field(default=1e-12, ge=1e-15, le=0.1)
    """Convergence of the coefficients, glmnet's `thresh`, whose own default is 1e-7."""


class SelectSettings(_StepSettings):
    """Which features are handed on to the ranking."""

    method: Selector = "lasso"
    """lasso: those with a coefficient (settings in `lasso`); mrmr: relevant and not redundant;
    relieff: near misses differ more than near hits; stability: chosen by LASSO on most half
    samples of the patients; univariate: by the screen's test; none: all."""
    n_features: Times = 30
    """How many mrmr, relieff and univariate hand on."""


class RfeSettings(_StepSettings):
    """How features are ranked by recursive elimination."""

    estimator: Literal["linear_svm", "logistic", "none"] = "linear_svm"
    """What is refitted after each elimination; the smallest squared coefficient goes. none: no
    elimination; features are ranked as the selection ranks them."""
    step: Literal[1] = 1
    """Features eliminated at a time."""


class FeatureCountSettings(_StepSettings):
    """How the number of features of the model is chosen."""

    maximum: Times = 15
    """The largest number tried; all from 1 upwards are."""
    folds: Folds = 5
    """Folds of the cross-validation, by patient, with every earlier step refitted."""
    measure: Literal["auc", "accuracy"] = "auc"
    """What the folds measure."""
    rule: Literal["best", "one_se"] = "best"
    """best: highest mean (fewest features on a tie); one_se: the fewest features whose mean
    is within one standard error of the best."""


class ModelSettings(_StepSettings):
    """The study's model: filters, balance, z-score, selection, ranking, classifier.

    >>> ModelSettings(classifier="logistic").correlation.threshold
    0.99
    """

    agreement: AgreementSettings = AgreementSettings()
    """Agreement between readers."""
    imputation: ImputationSettings = ImputationSettings()
    """Missing values."""
    harmonisation: HarmonisationSettings = HarmonisationSettings()
    """Differences between centres."""
    balance: Balance = "repeat"
    """repeat: random cases of the smaller class are repeated until the classes are equal;
    smote: new cases between neighbours of the smaller class are made up; both in training data
    only. class_weight: the classifier weighs cases of the smaller class more."""
    clip: float | None = Field(default=None, ge=0.01, le=1e6)
    """z-scores further from 0 than this are set to it, so that no single region with an extreme
    value decides; not done when missing."""
    screen: ScreenSettings | None = None
    """Univariate screen; {} for the defaults, not done when missing."""
    correlation: CorrelationSettings | None = CorrelationSettings()
    """Redundancy between features; null: not looked for."""
    select: SelectSettings = SelectSettings()
    """Method of selection."""
    lasso: LassoSettings = LassoSettings()
    """Selection by LASSO."""
    rfe: RfeSettings = RfeSettings()
    """Ranking by recursive feature elimination."""
    n_features: FeatureCountSettings | None = FeatureCountSettings()
    """Number of features; null: all that were selected."""
    classifier: ClassifierName = "linear_svm"
    """linear_svm, rbf_svm: soft-margin support vector machines; logistic: logistic regression
    with an L2 penalty of the strength 1/C; ridge: the same with the penalty chosen by
    cross-validation; elastic_net: the LASSO or elastic net itself, as `lasso` says;
    random_forest, extra_trees, gradient_boosting: trees; naive_bayes: Gaussian."""
    C: Factor = 1.0
    """Inverse strength of the penalty, of the classifier and of the SVM that ranks."""

    covariates: tuple[str, ...] = ()
    """Columns of the manifest, such as age and sex, and measures of the vertebral bodies, such as
    morphometry:greatest_loss, that join the features of the images."""
    fusion: Fusion = "early"
    """How several sources (each image sequence, the covariates) come together. early: one model
    of all features; late: a model of each, the mean of their log-odds; stacked: a model of
    each, weighed by a logistic regression of their out-of-fold scores."""
    calibration: Calibration = "platt"
    """From scores to probabilities, learnt on out-of-fold scores of the training cases. platt: a
    logistic curve; isotonic: rising steps; venn_abers: steps that own up to their doubt."""

    @model_validator(mode="after")
    def _ranked(self) -> Self:
        unranked = self.select.method == "none" and self.rfe.estimator == "none"
        if unranked and self.n_features is not None:
            raise ValueError(
                "nothing ranks the features, so that no number of them can be chosen: choose "
                "select.method or rfe.estimator, or n_features: null"
            )
        return self


class Split(_StepSettings):
    """Who is trained on and who is tested; always whole patients, and everything refitted."""

    design: Design = "single"
    """single: one stratified split; repeated_split: many of them; repeated_k_fold and nested_cv
    (one thing here: every model chooses by inner folds of its own): each patient is held out
    once per repeat; leave_one_centre_out: each centre in turn; temporal: the latest patients;
    external: the cases that `by` and `test_values` name."""
    train_fraction: float = Field(default=0.7, gt=0, lt=1)
    """Share of the cases to train on; of temporal the share of patients, in order of time."""
    seed: Seed = 2024
    """Of all that is random in the split; repeat i takes seed + i."""
    repeats: Times | None = None
    """How often it is done; 20 splits or 10 times all folds when missing."""
    folds: Folds = 5
    """Folds of repeated_k_fold and nested_cv."""
    by: str | None = None
    """Column of the manifest that leave_one_centre_out (centre), temporal (date) and external
    (centre) go by; those in brackets when missing."""
    test_values: tuple[str, ...] = ()
    """external: values of the column whose cases are tested."""
    test_from: str | None = None
    """temporal: patients first seen on this date or later are tested; the last ones, as
    `train_fraction` says, when missing."""

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


class SearchSettings(_StepSettings):
    """Which models are tried against each other, by inner cross-validation of training cases."""

    selectors: tuple[Selector, ...] = Field(
        default=("lasso", "mrmr", "univariate", "none"), min_length=1
    )
    """How features are ranked."""
    classifiers: tuple[ClassifierName, ...] = Field(
        default=(
            "elastic_net",
            "ridge",
            "rbf_svm",
            "extra_trees",
            "random_forest",
            "naive_bayes",
        ),
        min_length=1,
    )
    """What is fitted to the leading features."""
    n_features: tuple[Times, ...] = Field(default=(4, 8, 16, 32), min_length=1)
    """Numbers of leading features."""
    folds: Folds = 5
    """Folds of the cross-validation, by patient, with every step refitted in each."""
    repeats: Times = 1
    """How many times the folds are drawn."""
    halving: bool = True
    """After each fold the worse half of the models still in the race is dropped, until
    `survivors` are left."""
    survivors: Times = 20
    """Models that see every fold."""
    ensemble: Times = 10
    """1: the winner is the model; more: the mean score of so many best ones, each divided by the
    spread of its out-of-fold scores."""
    measure: Literal["auc", "deviance"] = "auc"
    """What the folds measure."""
