"""The study's model: every learnt step refitted wherever the training rows change."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn import config_context
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.modelling.by_score import ByScore
from centrum.modelling.classifiers import ElasticNet
from centrum.modelling.feature_count import count_features
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.leading import Leading
from centrum.modelling.levels import Covariates
from centrum.modelling.settings import ModelSettings, RobustnessRule
from centrum.modelling.split import (
    check_two_classes,
    fewest_patients,
    folds_by_patient,
    owners_of,
    train_and_held_out,
)
from centrum.modelling.steps import build_steps
from centrum.modelling.study_pipeline import StudyPipeline, kept_features


class StudyClassifier(ByScore):
    """The study's model with its number of features chosen by cross-validation.

    For every fold of the training patients all steps are fitted without the fold; the ranking
    serves all numbers of features. Then all steps are fitted on all training rows. A fold that
    selects fewer features than a number tried is scored with what it has.

    Parameters
    ----------
    settings : the choices; the defaults when missing
    seed : of the folds, of balancing and of whatever else is random
    feature_names : names of the second axis of X; x0, x1, ... when missing
    robustness : which features are stable under perturbation; not asked when missing
    n_readers : how many of the third axis of X are readers, with the perturbations after them
    covariates : names of the features that are no measurement of an image, by covariate: they
        are not harmonised, and the reference level of a text is learnt

    Attributes
    ----------
    classes_ : the two labels; scores rise towards the second
    pipeline_ : the fitted StudyPipeline
    feature_count_ : FeatureCountCurve; None when the number is not chosen
    funnel_ : step name -> names of the features that it kept, in the order of the steps
    lasso_ : the fitted LogisticLassoCV (path_, cvm_, cvsd_, lambda_, fallback_, ...), or None
    ranked_ : names of the features that entered the ranking, best first
    selected_ : (k,) names of the model's features
    coef_ : (k,) per standard deviation of each feature; None for a classifier without weights
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
        covariates: Covariates = (),
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.feature_names = feature_names
        self.robustness = robustness
        self.n_readers = n_readers
        self.covariates = covariates

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Self:
        """Fit to X (cases, features, readers), primary reader first, and two classes y.

        Parameters
        ----------
        X : with `robustness` (cases, features, readers and then perturbations)
        groups : (cases,) the patients; each case a patient of its own when missing
        batch : (cases,) centre of each case, for harmonisation

        Raises
        ------
        DataError
            Not two classes, fewer patients of a class than folds, missing values, or no
            feature left after a step.
        """
        # The first step looks at every value; that each further one does again costs a fifth.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            return self._fit(X, y, groups, batch)

    def _fit(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None, batch: ArrayLike | None
    ) -> Self:
        settings = self.settings or ModelSettings()
        values, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
        self._check_readings(values)
        patients = owners_of(labels, groups)
        batches = _batches(batch, labels, settings)
        self.classes_ = check_two_classes(labels)
        self.feature_count_ = None
        number = None
        if settings.n_features is not None:
            self.feature_count_ = count_features(
                self.pipeline_of, settings.n_features, self.seed, values, labels, patients, batches
            )
            number = self.feature_count_.chosen
        self.pipeline_ = self.pipeline_of(number).fit(values, labels, patients, batches)
        self._describe()
        return self

    def decision_function(self, X: ArrayLike, batch: ArrayLike | None = None) -> Floats:
        """The score of each case, (cases,): above 0 the second class is predicted."""
        check_is_fitted(self)
        return self.pipeline_.score_cases(X, batch)

    @available_if(lambda self: self.settings is not None and self.settings.classifier == "logistic")
    def predict_proba(self, X: ArrayLike, batch: ArrayLike | None = None) -> Floats:
        """Probability of each class, (cases, 2); only the logistic classifier has it."""
        second = expit(self.decision_function(X, batch))
        return np.column_stack([1 - second, second])

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

    def pipeline_of(self, n_features: int | None = None) -> StudyPipeline:
        """The unfitted steps, with a ranking that keeps so many features."""
        return StudyPipeline(
            build_steps(
                self.settings or ModelSettings(),
                self.seed,
                self.feature_names,
                n_features,
                self.robustness,
                self.n_readers,
                self.covariates,
            )
        )

    def inner_scores(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Floats:
        """Score of each case that was fitted on, by an inner model that had not seen its patient.

        Takes what `fit` took. Where a number of features was chosen these are the folds that
        chose it, so that only this choice has seen the case; else the model is fitted anew in
        `INNER_FOLDS`, or as many as the smaller class has patients.
        """
        check_is_fitted(self)
        if self.feature_count_ is not None:
            return self.feature_count_.out_of_fold
        values, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
        patients = owners_of(labels, groups)
        batches = _batches(batch, labels, self.settings or ModelSettings())
        scores = np.empty(labels.size)
        folds = min(INNER_FOLDS, fewest_patients(labels, patients))
        for train, held_out in train_and_held_out(
            folds_by_patient(labels, patients, folds, self.seed)
        ):
            here, there = (None if batches is None else batches[r] for r in (train, held_out))
            inner = self.pipeline_of().fit(values[train], labels[train], patients[train], here)
            scores[held_out] = inner.score_cases(values[held_out], there)
        return scores

    def _describe(self) -> None:
        kept = kept_features(self.pipeline_)
        self.funnel_, self.selected_ = kept.funnel, kept.names
        self.mean_, self.sd_ = kept.mean, kept.sd
        self.lasso_ = _lasso_of(self.pipeline_)
        self.ranked_ = self._ranked(kept.names)
        classifier = self.pipeline_.named_steps["classifier"]
        linear = hasattr(classifier, "coef_")
        self.coef_ = np.asarray(classifier.coef_)[0] if linear else None
        if isinstance(classifier, ElasticNet):
            self._leave_out_unused()
        self.intercept_ = float(classifier.intercept_[0]) if linear else 0.0

    def _leave_out_unused(self) -> None:
        """The elastic net selects while it fits: features without a coefficient go."""
        weights = np.asarray(self.coef_)
        used = weights != 0
        self.selected_, self.coef_ = self.selected_[used], weights[used]
        self.mean_, self.sd_ = self.mean_[used], self.sd_[used]
        self.ranked_ = self.selected_[np.argsort(-np.abs(self.coef_), kind="stable")]
        self.funnel_["classifier"] = self.selected_

    def _ranked(self, names: NDArray) -> NDArray:
        """Names of the features that entered the last ranking, best first."""
        (before, ranking), name = self.pipeline_.steps[-2], list(self.funnel_)
        if before == "rfe" or isinstance(ranking, Leading):
            entered = self.funnel_[name[-2]]
            order = np.argsort(ranking.ranking_)
            if isinstance(ranking, Leading):
                order = order[ranking.selector_.get_support()[order]]
            return entered[order]
        return names


INNER_FOLDS = 5
"""Folds of `inner_scores` where no number of features is chosen."""


def _batches(batch: ArrayLike | None, y: NDArray, settings: ModelSettings) -> NDArray | None:
    """The batch of each row, if the model harmonises."""
    if settings.harmonisation.method == "none":
        return None
    if batch is None:
        raise DataError(
            "Harmonisation needs the batch of each case, such as its centre; none was given. "
            f"Give the column {settings.harmonisation.batch!r}, or choose "
            "`harmonisation: {method: none}`."
        )
    batches = np.asarray(batch)
    if batches.shape != y.shape:
        raise DataError(f"{y.size} cases need as many batches, found {batches.shape}.")
    return batches


def _lasso_of(pipeline: StudyPipeline) -> LogisticLassoCV | None:
    step = pipeline.named_steps.get("select", pipeline.named_steps["classifier"])
    found = step.selector_ if isinstance(step, Leading) else getattr(step, "lasso_", step)
    return found if isinstance(found, LogisticLassoCV) else None
