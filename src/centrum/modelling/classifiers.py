"""The classifiers, converged so far that other implementations give the same numbers."""

import warnings
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.modelling.by_score import ByScore
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.settings import ClassifierName, ModelSettings
from centrum.modelling.split import fewest_patients

TOLERANCE = 1e-8
"""libsvm's default of 1e-3 leaves scores off by 0.005, enough to reorder cases."""

MAX_ITERATIONS = 1_000_000
"""Of libsvm, which goes on for ever where rounding keeps it from the tolerance, as where many
cases have equal features."""

RIDGE_C = tuple(float(c) for c in np.geomspace(1e-4, 10, 11))
"""Inverse penalties that `ridge` tries."""

RIDGE_FOLDS = 5

Sides = tuple[NDArray, NDArray]
"""Rows to train on, and rows held out."""

N_TREES = 200

CERTAIN = 1e-3
"""A class that no tree votes for has this probability: as a score it stays finite."""


class _Svm(SVC):
    """libsvm, stopped where rounding keeps it from `TOLERANCE`: its weights are settled then."""

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> "_Svm":
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            super().fit(X, y, sample_weight)
        return self


def linear_svm(C: float = 1.0, balanced: bool = False) -> SVC:
    """Soft-margin linear support vector machine; minimises |w|^2 / 2 + C sum of hinge losses.

    libsvm, as in R's e1071.

    >>> linear_svm().fit([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).coef_.round(6)
    array([[1.]])
    """
    return _Svm(
        kernel="linear",
        C=C,
        tol=TOLERANCE,
        max_iter=MAX_ITERATIONS,
        class_weight=_weight(balanced),
    )


def rbf_svm(C: float = 1.0, balanced: bool = False) -> SVC:
    """Support vector machine with the kernel exp(-|x - z|^2 / features), on z-scores.

    libsvm's default gamma, 1 / features, as in R's e1071.
    """
    return _Svm(
        kernel="rbf",
        gamma="auto",
        C=C,
        tol=TOLERANCE,
        max_iter=MAX_ITERATIONS,
        class_weight=_weight(balanced),
    )


def logistic(C: float = 1.0, balanced: bool = False) -> LogisticRegression:
    """Logistic regression with an L2 penalty; minimises |w|^2 / 2 + C times the deviance / 2.

    The intercept is not penalised. C infinite is plain maximum likelihood, as R's glm.

    >>> probability = logistic().fit([[0.0], [1.0]], [0, 1]).predict_proba([[0.5]])
    >>> probability.round(6)
    array([[0.5, 0.5]])
    """
    return LogisticRegression(
        C=C, solver="newton-cholesky", tol=TOLERANCE, class_weight=_weight(balanced)
    )


class Ridge(ByScore):
    """Logistic regression whose L2 penalty is chosen by cross-validated deviance.

    Parameters
    ----------
    balanced : whether cases of the smaller class weigh more
    seed : of the folds; rows of a patient share one

    Attributes
    ----------
    C_ : the inverse penalty taken, of `RIDGE_C`
    coef_, intercept_ : (1, features) and (1,)
    """

    def __init__(self, balanced: bool = False, seed: int = 0) -> None:
        self.balanced = balanced
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> "Ridge":
        """Fit to X (cases, features) and two classes; `groups` (cases,) are the patients."""
        values, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
        owners = np.arange(labels.size) if groups is None else np.asarray(groups)
        # The penalty does not change under rotation: fewer axes than cases are enough.
        mean = values.mean(axis=0)
        left, size, axes = np.linalg.svd(values - mean, full_matrices=False)
        turned, folds = left * size, self._folds(labels, owners)
        deviances = [self._deviance(C, turned, labels, folds) for C in RIDGE_C]
        best = logistic(RIDGE_C[int(np.argmin(deviances))], self.balanced).fit(turned, labels)
        self.C_, self.classes_ = best.C, best.classes_
        self.coef_ = best.coef_ @ axes
        self.intercept_ = best.intercept_ - self.coef_ @ mean
        return self

    def _deviance(self, C: float, X: Floats, y: NDArray, folds: list[Sides]) -> float:
        """Half the mean deviance of a held-out case, averaged over the folds."""
        losses = []
        for train, held_out in folds:
            model = logistic(C, self.balanced).fit(X[train], y[train])
            log_odds = model.decision_function(X[held_out])
            right = np.where(y[held_out] == model.classes_[1], log_odds, -log_odds)
            losses.append(np.logaddexp(0, -right).mean())
        return float(np.mean(losses))

    def _folds(self, y: NDArray, owners: NDArray) -> list[Sides]:
        """The folds that can judge a penalty: with both classes on both sides."""
        number = min(RIDGE_FOLDS, fewest_patients(y, owners))
        folds = []
        if number > 1:
            dealt = StratifiedGroupKFold(number, shuffle=True, random_state=self.seed)
            folds = [
                sides
                for sides in dealt.split(y, y, owners)
                if all(np.unique(y[rows]).size == 2 for rows in sides)
            ]
        if not folds:
            raise DataError(
                "Ridge chooses its penalty by folds that hold both outcomes on both sides; the "
                f"{np.unique(owners).size} patients here cannot be divided so.",
                remedy="Choose `classifier: logistic`, whose penalty is given, or add patients.",
                code="too-few-patients",
            )
        return folds

    def decision_function(self, X: ArrayLike) -> Floats:
        """Log-odds of the second class, (cases,)."""
        score: Floats = np.asarray(X) @ self.coef_[0] + self.intercept_[0]
        return score


class LogOdds(ByScore):
    """A classifier that gives probabilities alone, made to give scores: their log-odds.

    >>> forest = random_forest(seed=1).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> bool(forest.decision_function([[3.0]])[0] > 0)
    True
    """

    def __init__(self, estimator: BaseEstimator, balanced: bool = False) -> None:
        self.estimator = estimator
        self.balanced = balanced

    def fit(self, X: ArrayLike, y: ArrayLike) -> "LogOdds":
        """Fit the estimator, with balanced weights if `balanced`."""
        weights = _balanced_weights(np.asarray(y)) if self.balanced else None
        self.estimator_ = clone(self.estimator).fit(X, y, sample_weight=weights)
        self.classes_ = self.estimator_.classes_
        return self

    def decision_function(self, X: ArrayLike) -> Floats:
        """Log-odds of the second class, (cases,)."""
        p = self.estimator_.predict_proba(X)[:, 1]
        score: Floats = logit(np.clip(p, CERTAIN, 1 - CERTAIN))
        return score


def random_forest(balanced: bool = False, seed: int = 0) -> LogOdds:
    """Random forest (Breiman, Mach Learn 2001;45:5)."""
    forest = RandomForestClassifier(N_TREES, min_samples_leaf=2, random_state=seed)
    return LogOdds(forest, balanced)


def extra_trees(balanced: bool = False, seed: int = 0) -> LogOdds:
    """Extremely randomised trees (Geurts, Ernst and Wehenkel, Mach Learn 2006;63:3)."""
    trees = ExtraTreesClassifier(N_TREES, min_samples_leaf=2, random_state=seed)
    return LogOdds(trees, balanced)


def gradient_boosting(balanced: bool = False, seed: int = 0) -> LogOdds:
    """Gradient-boosted trees of depth 2 on half samples.

    Source: Friedman, Comput Stat Data Anal 2002;38:367.
    """
    boosting = GradientBoostingClassifier(
        max_depth=2, subsample=0.5, learning_rate=0.05, random_state=seed
    )
    return LogOdds(boosting, balanced)


def build_classifier(name: str, settings: ModelSettings, seed: int = 0) -> BaseEstimator:
    """The unfitted classifier of that name; C, balance and penalties are those of the settings.

    >>> build_classifier("linear_svm", ModelSettings(C=0.5)).C
    0.5
    """
    balanced = settings.balance == "class_weight"
    match name:
        case "linear_svm":
            return linear_svm(settings.C, balanced)
        case "rbf_svm":
            return rbf_svm(settings.C, balanced)
        case "logistic":
            return logistic(settings.C, balanced)
        case "ridge":
            return Ridge(balanced, seed)
        case "elastic_net":
            return LogisticLassoCV(**dict(settings.lasso), seed=seed)
        case "random_forest":
            return random_forest(balanced, seed)
        case "extra_trees":
            return extra_trees(balanced, seed)
        case "gradient_boosting":
            return gradient_boosting(balanced, seed)
        case "naive_bayes":
            return LogOdds(GaussianNB(), balanced)
    raise DataError(
        f"There is no classifier {name!r}; there are {', '.join(get_args(ClassifierName))}."
    )


def _weight(balanced: bool) -> str | None:
    return "balanced" if balanced else None


def _balanced_weights(y: NDArray) -> Floats:
    _, code, counts = np.unique(y, return_inverse=True, return_counts=True)
    weights: Floats = y.size / (counts.size * counts[code])
    return weights
