"""The study's model: every learnt step refitted wherever the training rows change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import Pipeline
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from centrum.errors import DataError
from centrum.modelling.agreement_filter import AgreementFilter
from centrum.modelling.auc import auc
from centrum.modelling.classifiers import linear_svm, logistic
from centrum.modelling.constant_filter import ConstantFilter
from centrum.modelling.correlation_filter import CorrelationFilter
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.rfe import RecursiveElimination
from centrum.modelling.robustness_filter import RobustnessFilter
from centrum.modelling.settings import FeatureCountSettings, ModelSettings, RobustnessRule
from centrum.modelling.split import (
    folds_by_patient,
    shuffle_by_patient,
    stratified_split,
    train_and_held_out,
)

Floats = NDArray[np.float64]


class StudyPipeline(Pipeline):
    """An imbalanced-learn pipeline that tells its steps whose case each row is.

    Balancing repeats rows; a step that deals its own folds (the LASSO) then needs to know
    which rows are the same patient's, or copies of a row would be on both sides.
    """

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit all steps on X (cases, features, readings); `groups` (cases,) are the patients."""
        selected, labels = self.fit_selection(X, y, groups)
        self.steps[-1][1].fit(selected, labels)
        return self

    def fit_selection(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None
    ) -> tuple[Floats, NDArray]:
        """Fit all steps but the classifier; the rows and labels that it is to be fitted on."""
        labels = np.asarray(y)
        patients = np.arange(labels.size) if groups is None else np.asarray(groups)
        for _, step in self.steps[:-1]:
            if hasattr(step, "fit_resample"):
                X, labels = step.fit_resample(X, labels)
                patients = patients[step.sample_indices_]
            else:
                also = {"groups": patients} if has_fit_parameter(step, "groups") else {}
                X = step.fit(X, labels, **also).transform(X)
        return np.asarray(X), labels


def build(
    settings: ModelSettings,
    seed: int = 0,
    feature_names: Sequence[str] | None = None,
    n_features: int | None = None,
    robustness: RobustnessRule | None = None,
    n_readers: int | None = None,
) -> StudyPipeline:
    """The steps agreement, constant, balance, scale, correlation, lasso, rfe, classifier.

    With a rule of robustness a step of that name follows agreement.

    Parameters
    ----------
    settings : the choices
    seed : of balancing and of the LASSO's folds
    feature_names : names of the features of X
    n_features : how many the elimination keeps; all that the LASSO selects when missing
    robustness : which features are stable under perturbation; not asked when missing
    n_readers : how many of the third axis of X are readers, before the perturbations; all when
        missing

    The z-score divides by the standard deviation with n, as scikit-learn does; R's scale()
    divides by that with n - 1, which changes coefficients by a factor of sqrt(1 - 1/n).

    >>> [name for name, _ in build(ModelSettings(balance="none")).steps]
    ['agreement', 'constant', 'scale', 'correlation', 'lasso', 'rfe', 'classifier']
    """
    lasso = LogisticLassoCV(**settings.lasso.model_dump(), seed=seed)
    classifiers = {"linear_svm": linear_svm, "logistic": logistic}
    balance = [("balance", RandomOverSampler(random_state=seed))]
    agreement = AgreementFilter(
        **dict(settings.agreement), feature_names=feature_names, n_readers=n_readers
    )
    return StudyPipeline(
        [
            ("agreement", agreement),
            *([("robustness", RobustnessFilter(**dict(robustness)))] if robustness else []),
            ("constant", ConstantFilter()),
            *(balance if settings.balance == "repeat" else []),
            ("scale", StandardScaler()),
            ("correlation", CorrelationFilter(**dict(settings.correlation))),
            ("lasso", lasso),
            ("rfe", RecursiveElimination(n_features=n_features, C=settings.C)),
            ("classifier", classifiers[settings.classifier](settings.C)),
        ]
    )


@dataclass(frozen=True, eq=False)
class FeatureCountCurve:
    """Cross-validated performance against the number of features.

    Attributes
    ----------
    numbers : (counts,) 1 to the largest number tried
    scores : (folds, counts) on the cases held out
    chosen : the number that the rule picks
    """

    numbers: NDArray[np.intp]
    scores: Floats
    chosen: int

    @property
    def mean(self) -> Floats:
        """Mean over the folds."""
        return self.scores.mean(axis=0)

    @property
    def se(self) -> Floats:
        """Standard error of the mean over the folds."""
        return _standard_error(self.scores)


class StudyClassifier(ClassifierMixin, BaseEstimator):
    """The study's model with its number of features chosen by cross-validation.

    For every fold of the training patients all steps are fitted without the fold (agreement,
    balance, z-score, correlation, LASSO with its own inner folds, elimination); the ranking
    serves all numbers of features. Then all steps are fitted on all training rows. A fold whose
    LASSO selects fewer features than a number tried is scored with what it has.

    Parameters
    ----------
    settings : the choices; the defaults when missing
    seed : of the folds, of balancing and of the LASSO's folds
    feature_names : names of the second axis of X; x0, x1, ... when missing
    robustness : which features are stable under perturbation; not asked when missing
    n_readers : how many of the third axis of X are readers, with the perturbations after them

    Attributes
    ----------
    classes_ : the two labels; scores rise towards the second
    pipeline_ : the fitted StudyPipeline
    feature_count_ : FeatureCountCurve
    funnel_ : step name -> names of the features that it kept, in the order of the steps
    lasso_ : the fitted LogisticLassoCV (path_, cvm_, cvsd_, lambda_, fallback_, ...)
    ranked_ : names of the features that entered the elimination, best first
    selected_ : (k,) names of the model's features
    coef_ : (k,) per standard deviation of each feature
    intercept_ : with coef_ gives score = intercept_ + sum coef_ (x - mean_) / sd_
    mean_, sd_ : (k,) of the selected features over the balanced training rows
    """

    def __init__(
        self,
        settings: ModelSettings | None = None,
        seed: int = 0,
        feature_names: Sequence[str] | None = None,
        robustness: RobustnessRule | None = None,
        n_readers: int | None = None,
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.feature_names = feature_names
        self.robustness = robustness
        self.n_readers = n_readers

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit to X (cases, features, readers), primary reader first, and two classes y.

        Parameters
        ----------
        X : with `robustness` (cases, features, readers and then perturbations)
        groups : (cases,) the patients; each case a patient of its own when missing

        Raises
        ------
        DataError
            Not two classes, fewer patients of a class than folds, missing values, or no
            feature left after a step.
        """
        settings = self.settings or ModelSettings()
        values, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
        self._check_readings(values)
        patients = np.arange(labels.size) if groups is None else np.asarray(groups)
        self.classes_ = np.unique(labels)
        if self.classes_.size != 2:
            raise DataError(
                f"The model tells two classes apart, found {self.classes_.size}: "
                f"{self.classes_.tolist()[:5]}."
            )
        self.feature_count_ = self._cross_validate(settings, values, labels, patients)
        self.pipeline_ = self._build(settings, self.feature_count_.chosen).fit(
            values, labels, groups=patients
        )
        self._describe()
        return self

    def decision_function(self, X: ArrayLike) -> Floats:
        """The score of each case, (cases,): above 0 the second class is predicted."""
        check_is_fitted(self)
        scores: Floats = self.pipeline_.decision_function(X)
        return scores

    def predict(self, X: ArrayLike) -> NDArray:
        """The predicted label of each case, by a score of 0."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]

    @available_if(lambda self: self.settings is not None and self.settings.classifier == "logistic")
    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probability of each class, (cases, 2); only the logistic classifier has it."""
        check_is_fitted(self)
        probabilities: Floats = self.pipeline_.predict_proba(X)
        return probabilities

    def _check_readings(self, X: Floats) -> None:
        """Readers before perturbations, and perturbations, or all of them readers."""
        if (self.robustness is None) != (self.n_readers is None):
            raise DataError(
                "A rule of robustness and the number of readers, after whom the perturbations "
                f"stand, go together; found {self.robustness!r} and n_readers {self.n_readers}."
            )
        if self.n_readers is not None and X.ndim == 3 and X.shape[2] <= self.n_readers:
            raise DataError(
                f"Robustness needs perturbed measurements after those of {self.n_readers} "
                f"reader(s), found {X.shape[2]} readings."
            )

    def _build(self, settings: ModelSettings, n_features: int) -> StudyPipeline:
        return build(
            settings, self.seed, self.feature_names, n_features, self.robustness, self.n_readers
        )

    def _cross_validate(
        self, settings: ModelSettings, X: Floats, y: NDArray, patients: NDArray
    ) -> FeatureCountCurve:
        choice = settings.n_features
        fold = folds_by_patient(y, patients, choice.folds, self.seed)
        scores = np.empty((choice.folds, choice.maximum))
        for k, (train, held_out) in enumerate(train_and_held_out(fold)):
            pipeline = self._build(settings, choice.maximum)
            try:
                rows, labels = pipeline.fit_selection(X[train], y[train], patients[train])
            except DataError as error:
                error.add_note(f"while choosing the number of features, fold {k + 1}")
                raise
            test = pipeline[:-1].transform(X[held_out])
            order = _best_first(pipeline.named_steps["rfe"])
            for number in range(1, choice.maximum + 1):
                if number <= order.size:
                    columns = order[:number]
                    classifier = clone(pipeline[-1]).fit(rows[:, columns], labels)
                    decision = classifier.decision_function(test[:, columns])
                    score = _performance(y[held_out] == self.classes_[1], decision, choice)
                scores[k, number - 1] = score
        numbers = np.arange(1, choice.maximum + 1)
        return FeatureCountCurve(numbers, scores, _choose_number(scores, choice))

    def _describe(self) -> None:
        steps = self.pipeline_.named_steps
        names = steps["agreement"].get_feature_names_out()
        position = np.arange(names.size)
        self.funnel_ = {"agreement": names}
        if self.robustness:
            names = names[steps["robustness"].get_support()]
            position = np.arange(names.size)
            self.funnel_["robustness"] = names
        for step in ("constant", "correlation", "lasso", "rfe"):
            position = position[steps[step].get_support()]
            self.funnel_[step] = names[position]
        self.lasso_ = steps["lasso"]
        self.ranked_ = self.funnel_["lasso"][steps["rfe"].elimination_order_[::-1]]
        self.selected_ = self.funnel_["rfe"]
        scaled = np.searchsorted(steps["constant"].get_support(indices=True), position)
        self.mean_ = steps["scale"].mean_[scaled]
        self.sd_ = steps["scale"].scale_[scaled]
        self.coef_ = steps["classifier"].coef_[0]
        self.intercept_ = float(steps["classifier"].intercept_[0])


def out_of_fold_scores(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Floats:
    """The score of each case by a model that was fitted without the case's patient.

    The whole procedure is repeated in every fold (nested cross-validation), so that a cut-off
    can be learnt on these scores. Parameters as `StudyClassifier.fit`; returns (cases,).
    """
    values, labels = np.asarray(X), np.asarray(y)
    patients = np.arange(labels.size) if groups is None else np.asarray(groups)
    scores = np.empty(labels.size)
    for train, held_out in train_and_held_out(folds_by_patient(labels, patients, folds, seed)):
        model = clone(estimator).fit(values[train], labels[train], groups=patients[train])
        scores[held_out] = model.decision_function(values[held_out])
    return scores


def repeated_split_auc(
    estimator: BaseEstimator,
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    repeats: int = 20,
    train_fraction: float = 0.7,
    seed: int = 0,
    shuffle: bool = False,
) -> Floats:
    """AUC on the test side of repeated stratified splits, each with a fresh fit, (repeats,).

    Repeat i splits with the seed `seed` + i. With `shuffle` the outcome is first dealt out anew
    to the patients, with the same seed: the mean must then be near 0.5, or the procedure leaks.
    """
    values, labels = np.asarray(X), np.asarray(y)
    patients = np.arange(labels.size) if groups is None else np.asarray(groups)
    areas = np.empty(repeats)
    for i in range(repeats):
        target = shuffle_by_patient(labels, patients, seed + i) if shuffle else labels
        train, test = stratified_split(target, patients, train_fraction, seed + i)
        model = clone(estimator).fit(values[train], target[train], groups=patients[train])
        areas[i] = auc(target[test] == model.classes_[1], model.decision_function(values[test]))
    return areas


def _best_first(elimination: RecursiveElimination) -> NDArray[np.intp]:
    """Order, best first, of the columns that the elimination hands on."""
    order: NDArray[np.intp] = np.argsort(elimination.ranking_[elimination.get_support()])
    return order


def _performance(positive: NDArray[np.bool_], score: Floats, choice: FeatureCountSettings) -> float:
    if choice.measure == "auc":
        return float(auc(positive, score))
    return float(np.mean((score > 0) == positive))


def _standard_error(scores: Floats) -> Floats:
    return np.std(scores, axis=0, ddof=1) / np.sqrt(len(scores))


def _choose_number(scores: Floats, choice: FeatureCountSettings) -> int:
    """The first number whose mean is the best, or within one standard error of it."""
    mean = scores.mean(axis=0)
    best = int(np.argmax(mean))
    slack = _standard_error(scores)[best] if choice.rule == "one_se" else 0.0
    return int(np.argmax(mean >= mean[best] - slack)) + 1
