"""Several sources, such as two sequences and the clinic, each with a model of its own."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression

from centrum.arrays import Columns, Flags, Floats, Table
from centrum.modelling.levels import Covariates
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import FEW, ModelSettings, RobustnessRule
from centrum.modelling.study_estimator import StudyEstimator

STACK_C = 1.0
"""Inverse penalty of the stacking regression, on scores in units of their spread."""


def clinical_settings(settings: ModelSettings) -> ModelSettings:
    """A few covariates: all of them, in a logistic regression."""
    return settings.model_copy(
        update={
            "select": settings.select.model_copy(update={"method": "none"}),
            "screen": None,
            "correlation": None,
            "n_features": None,
            "classifier": "logistic",
        }
    )


class FusionClassifier(StudyEstimator):
    """A StudyClassifier for each source, their scores brought together.

    Late: each source's score becomes log-odds by a logistic regression on the out-of-fold
    scores of the training cases; the score is their mean. Stacked: one logistic regression of
    the out-of-fold scores of all sources (Wolpert, Neural Netw 1992;5:241).

    Parameters
    ----------
    sources : name -> positions of its features on the second axis of X
    settings, seed, feature_names, robustness, n_readers, covariates, calibrate, compared : as of
        `StudyClassifier`; `settings.fusion` says how

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_, calibrator_ : as of `StudyClassifier`
    models_ : name -> fitted StudyClassifier
    weights_ : name -> weight of the source's score
    selected_, mean_, sd_, coef_, intercept_ : of all sources, as of `StudyClassifier`
    """

    def __init__(
        self,
        sources: Mapping[str, Sequence[int]],
        settings: ModelSettings | None = None,
        seed: int = 0,
        feature_names: Sequence[str] | None = None,
        robustness: RobustnessRule | None = None,
        n_readers: int | None = None,
        covariates: Covariates = (),
        calibrate: bool = True,
        compared: Sequence[int] | None = None,
    ) -> None:
        self.sources = sources
        super().__init__(
            settings, seed, feature_names, robustness, n_readers, covariates, calibrate, compared
        )

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Self:
        """Fit to X and two classes; as `StudyClassifier.fit`."""
        values, labels = self._begin(X, y)
        self.models_ = {}
        for name, columns in self.sources.items():
            model = self._model(name, columns)
            self.models_[name] = model.fit(values[:, list(columns)], labels, groups, batch)
        inner = self._inner_scores(values, labels, groups, batch)
        self._weigh(inner, labels == self.classes_[1])
        if self.calibrate:
            self._learn_probabilities(self._combine(inner), labels)
        self._describe()
        return self

    def decision_function(self, X: ArrayLike | Columns, batch: ArrayLike | None = None) -> Floats:
        """The score of each case, (cases,): above 0 the second class is predicted."""
        values = self._readings(X)
        scores = [
            model.decision_function(values[:, list(self.sources[name])], batch)
            for name, model in self.models_.items()
        ]
        return self._combine(np.column_stack(scores))

    def inner_scores(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Floats:
        """As of `StudyClassifier`: the inner scores of the sources, brought together."""
        inner = self._inner_scores(self._readings(X), np.asarray(y), groups, batch)
        return self._combine(inner)

    def _inner_scores(
        self, X: Table, y: NDArray, groups: ArrayLike | None, batch: ArrayLike | None
    ) -> Floats:
        scores = [
            model.inner_scores(X[:, list(self.sources[name])], y, groups, batch)
            for name, model in self.models_.items()
        ]
        return np.column_stack(scores)

    def _model(self, name: str, columns: Sequence[int]) -> StudyClassifier:
        settings, names = self._settings, None
        if self._names is not None:
            names = [self._names[k] for k in columns]
        if name in FEW:
            settings = clinical_settings(settings)
        # Levels of a covariate are those of the source that has them.
        return StudyClassifier(
            settings, self.seed, names, self.robustness, self.n_readers,
            self._covariates_of(names) if name in FEW else (), calibrate=False,
            compared=self.compared,
        )  # fmt: skip

    def _covariates_of(self, names: Sequence[str] | None) -> Covariates:
        """Those that make some of these columns."""
        known = self.covariates
        return known if names is None else tuple(c for c in known if not {*c}.isdisjoint(names))

    def _weigh(self, scores: Floats, positive: Flags) -> None:
        """Learn intercept and weights of the sources' scores."""
        spread = scores.std(axis=0)
        scaled = scores / np.where(spread > 0, spread, 1)
        if self._settings.fusion == "stacked":
            fitted = LogisticRegression(C=STACK_C).fit(scaled, positive)
            weights, self.offset_ = fitted.coef_[0], float(fitted.intercept_[0])
        else:
            each = [LogisticRegression(C=STACK_C).fit(s[:, None], positive) for s in scaled.T]
            weights = np.array([m.coef_[0, 0] for m in each]) / len(each)
            self.offset_ = float(np.mean([m.intercept_[0] for m in each]))
        # A source that ranks the wrong way round out of fold is left out, not turned round.
        weights = np.maximum(weights, 0) / np.where(spread > 0, spread, 1)
        self.weights_ = dict(zip(self.models_, map(float, weights), strict=True))

    def _combine(self, scores: Floats) -> Floats:
        combined: Floats = scores @ np.array(list(self.weights_.values())) + self.offset_
        return combined

    def _describe(self) -> None:
        models = list(self.models_.values())
        self.selected_ = np.concatenate([m.selected_ for m in models])
        self.mean_ = np.concatenate([m.mean_ for m in models])
        self.sd_ = np.concatenate([m.sd_ for m in models])
        weights = list(self.weights_.values())
        self.coef_, self.intercept_ = None, 0.0
        if all(m.coef_ is not None for m in models):
            parts = [np.asarray(m.coef_) for m in models]
            self.coef_ = np.concatenate([w * c for w, c in zip(weights, parts, strict=True)])
            self.intercept_ = self.offset_ + sum(
                w * m.intercept_ for w, m in zip(weights, models, strict=True)
            )
        names = dict.fromkeys(step for m in models for step in m.funnel_)
        self.funnel_ = {
            step: np.concatenate([m.funnel_[step] for m in models if step in m.funnel_])
            for step in names
        }
        self.ranked_ = np.concatenate([m.ranked_ for m in models])
        self.lasso_ = self.feature_count_ = None
