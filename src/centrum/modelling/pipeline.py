"""The study's model: every learnt step refitted wherever the training rows change."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import config_context

from centrum.arrays import Columns, Floats, Table
from centrum.errors import DataError
from centrum.modelling.feature_count import count_features
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.leading import Leading
from centrum.modelling.settings import ModelSettings
from centrum.modelling.split import (
    fewest_patients,
    folds_by_patient,
    owners_of,
    train_and_held_out,
)
from centrum.modelling.steps import build_steps
from centrum.modelling.study_estimator import StudyEstimator
from centrum.modelling.study_pipeline import StudyPipeline, kept_features


class StudyClassifier(StudyEstimator):
    """The study's model: each step that learns is fitted on the training rows alone.

    Agreement between readers, imputation, harmonisation, balance, z-score, filters, selection,
    ranking and classifier, as the settings choose. A number of features is chosen by
    cross-validation: for every fold of the training patients all steps are fitted without the
    fold, and the ranking serves all numbers; a fold that selects fewer features than a number
    tried is scored with what it has. Then all steps are fitted on all training rows.

    X is (cases, features), or (cases, features, readers) with the primary reader first; to
    predict, the primary reader's values are enough.

    Parameters
    ----------
    settings : the choices; the defaults when missing
    seed : of the folds, of balancing and of whatever else is random
    feature_names : names of the second axis of X; those of a DataFrame, else x0, x1, ... when
        missing
    robustness : which features are stable under perturbation; not asked when missing
    n_readers : how many of the third axis of X are readers, with the perturbations after them
    covariates : names of the features that are no measurement of an image, by covariate: they
        are not harmonised, and the reference level of a text is learnt
    calibrate : whether probabilities are learnt, for `predict_proba`. Where no number of
        features is chosen this takes `INNER_FOLDS` further fits
    compared : positions of the readers whose agreement counts; all readers when missing. A primary
        reader that is a consensus of the others is none of them

    Attributes
    ----------
    classes_ : the two labels; scores rise towards the second
    n_features_in_, feature_names_in_ : of the X that was fitted; names from a DataFrame alone
    pipeline_ : the fitted StudyPipeline
    feature_count_ : FeatureCountCurve; None when the number is not chosen
    calibrator_ : from scores to probabilities, with `calibrate`
    funnel_ : step name -> names of the features that it kept, in the order of the steps
    lasso_ : the fitted LogisticLassoCV (path_, cvm_, cvsd_, lambda_, fallback_, ...), or None
    ranked_ : names of the features that entered the ranking, best first
    selected_ : (k,) names of the model's features
    coef_ : (k,) per standard deviation of each feature; None for a classifier without weights
    intercept_ : with coef_ gives score = intercept_ + sum coef_ (x - mean_) / sd_
    mean_, sd_ : (k,) of the selected features over the balanced training rows

    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 8)), np.repeat(["benign", "malignant"], 30)
    >>> X[30:, 2] += 3
    >>> model = StudyClassifier(ModelSettings(classifier="logistic")).fit(X, y)
    >>> model.ranked_[0], model.predict(X[-1:])
    ('x2', array(['malignant'], dtype='<U9'))
    >>> bool(model.predict_proba(X)[-1, 1] > 0.5)
    True
    """

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Self:
        """Fit to X (cases, features, readers) or (cases, features), and two classes y (cases,).

        Parameters
        ----------
        X : primary reader first; with `robustness` perturbations after the readers
        y : labels, texts or numbers
        groups : (cases,) the patients; each case a patient of its own when missing
        batch : (cases,) centre of each case, for harmonisation

        Raises
        ------
        DataError
            Not two classes, fewer patients of a class than folds, missing values, or no
            feature left after a step.
        """
        values, labels = self._begin(X, y)
        self._check_readings(values)
        patients, batches = owners_of(labels, groups), _batches(batch, labels, self._settings)
        # The first step looks at every value; that each further one does again costs a fifth.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            self._fit(values, labels, patients, batches)
            if self.calibrate:
                inner = self._inner_scores(values, labels, patients, batches)
                self._learn_probabilities(inner, labels)
        return self

    def _fit(self, X: Table, y: NDArray, patients: NDArray, batches: NDArray | None) -> None:
        choice, number = self._settings.n_features, None
        self.feature_count_ = None
        if choice is not None:
            self.feature_count_ = count_features(
                self.pipeline_of, choice, self.seed, X, y, patients, batches
            )
            number = self.feature_count_.chosen
        self.pipeline_ = self.pipeline_of(number).fit(X, y, patients, batches)
        self._describe()

    def decision_function(self, X: ArrayLike | Columns, batch: ArrayLike | None = None) -> Floats:
        """The score of each case, (cases,): above 0 the second class is predicted."""
        values = self._readings(X)
        return self.pipeline_.score_cases(values, batch)

    def _check_readings(self, X: Table) -> None:
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
                self._settings,
                self.seed,
                self._names,
                n_features,
                self.robustness,
                self.n_readers,
                self.covariates,
                self.compared,
            )
        )

    def inner_scores(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Floats:
        """Score of each case that was fitted on, by an inner model that had not seen its patient.

        Takes what `fit` took. Where a number of features was chosen these are the folds that
        chose it, so that only this choice has seen the case; else the model is refitted in
        `INNER_FOLDS`, or as many as the smaller class has patients.
        """
        values, labels = self._readings(X), np.asarray(y)
        batches = _batches(batch, labels, self._settings)
        return self._inner_scores(values, labels, owners_of(labels, groups), batches)

    def _inner_scores(
        self, X: Table, y: NDArray, patients: NDArray, batches: NDArray | None
    ) -> Floats:
        if self.feature_count_ is not None:
            return self.feature_count_.out_of_fold
        scores = np.empty(y.size)
        folds = min(INNER_FOLDS, fewest_patients(y, patients))
        for train, held_out in train_and_held_out(folds_by_patient(y, patients, folds, self.seed)):
            here, there = (None if batches is None else batches[r] for r in (train, held_out))
            inner = self.pipeline_of().fit(X[train], y[train], patients[train], here)
            scores[held_out] = inner.score_cases(X[held_out], there)
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
        if isinstance(classifier, LogisticLassoCV):
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
    found = step.selector_ if isinstance(step, Leading) else step
    return found if isinstance(found, LogisticLassoCV) else None
