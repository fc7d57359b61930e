"""The choices that make a model, as the protocol states them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LassoMeasure = Literal["deviance", "auc", "class"]
LassoChoice = Literal["lambda.min", "lambda.1se"]
CorrelationRule = Literal["greedy_first", "upper_triangle"]
AgreementUse = Literal["estimate", "lower_bound"]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AgreementSettings(_Settings):
    """Which features agree well enough between readers to be used."""

    form: str = "A,1"
    """ICC form, any spelling that `centrum.agreement` knows; A,1 is ICC(2,1)."""
    threshold: float = Field(default=0.75, ge=-1, lt=1)
    """A feature is kept when its ICC on the training cases exceeds this."""
    use: AgreementUse = "estimate"
    """Whether the ICC itself or the lower limit of its 95 % interval must exceed it."""


class RobustnessRule(_Settings):
    """Which features are stable enough under perturbation to be used."""

    form: str = "1,1"
    """ICC form; 1,1 is one-way random: the perturbations of a case are exchangeable."""
    threshold: float = Field(default=0.9, ge=-1, lt=1)
    """A feature is kept when its ICC on the training cases exceeds this."""
    use: AgreementUse = "estimate"
    """Whether the ICC itself or the lower limit of its 95 % interval must exceed it."""


class CorrelationSettings(_Settings):
    """Which of several features that say the same are dropped."""

    threshold: float = Field(default=0.99, gt=0, le=1)
    """Pearson |r| above which two features say the same."""
    rule: CorrelationRule = "greedy_first"
    """greedy_first: in table order, drop what correlates with a kept feature.
    upper_triangle: drop what correlates with any earlier feature, kept or not."""


class LassoSettings(_Settings):
    """How the penalty of the LASSO is chosen."""

    folds: int = Field(default=5, ge=2)
    """Folds of the cross-validation, by patient."""
    choice: LassoChoice = "lambda.min"
    """lambda.min: the best; lambda.1se: the largest within one standard error of it."""
    measure: LassoMeasure = "deviance"
    """What the folds measure; class is the misclassified share."""


class RfeSettings(_Settings):
    """How features are ranked by recursive elimination."""

    estimator: Literal["linear_svm"] = "linear_svm"
    """What is refitted after each elimination; the smallest squared coefficient goes."""
    step: Literal[1] = 1
    """Features eliminated at a time."""


class FeatureCountSettings(_Settings):
    """How the number of features of the model is chosen."""

    maximum: int = Field(default=15, ge=1)
    """The largest number tried; all from 1 upwards are."""
    folds: int = Field(default=5, ge=2)
    """Folds of the cross-validation, by patient, with every earlier step refitted."""
    measure: Literal["auc", "accuracy"] = "auc"
    """What the folds measure."""
    rule: Literal["best", "one_se"] = "best"
    """best: highest mean (fewest features on a tie); one_se: the fewest features whose mean
    is within one standard error of the best."""


class ModelSettings(_Settings):
    """The study's model: filter, balance, z-score, LASSO, RFE, classifier.

    >>> ModelSettings(classifier="logistic").correlation.threshold
    0.99
    """

    agreement: AgreementSettings = AgreementSettings()
    """Agreement between readers."""
    balance: Literal["repeat", "none"] = "repeat"
    """repeat: random cases of the smaller class are repeated until the classes are equal, in
    training data only."""
    correlation: CorrelationSettings = CorrelationSettings()
    """Redundancy between features."""
    lasso: LassoSettings = LassoSettings()
    """Selection by LASSO."""
    rfe: RfeSettings = RfeSettings()
    """Ranking by recursive feature elimination."""
    n_features: FeatureCountSettings = FeatureCountSettings()
    """Number of features."""
    classifier: Literal["linear_svm", "logistic"] = "linear_svm"
    """linear_svm: soft-margin support vector machine; logistic: logistic regression with an
    L2 penalty."""
    C: float = Field(default=1.0, gt=0)
    """Inverse strength of the penalty, of the classifier and of the SVM that ranks."""
