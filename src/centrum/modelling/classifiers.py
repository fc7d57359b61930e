"""The classifiers, converged so far that other implementations give the same numbers."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

TOLERANCE = 1e-8
"""libsvm's default of 1e-3 leaves scores off by 0.005, enough to reorder cases."""

RIDGE_C = tuple(float(c) for c in np.geomspace(1e-4, 10, 11))
"""Inverse penalties that `ridge` tries."""

RIDGE_FOLDS = 5

N_TREES = 300

CERTAIN = 1e-3
"""A class that no tree votes for has this probability: as a score it stays finite."""


def linear_svm(C: float = 1.0, balanced: bool = False, seed: int = 0) -> SVC:
    """Soft-margin linear support vector machine; minimises |w|^2 / 2 + C sum of hinge losses.

    libsvm, as in R's e1071.

    >>> linear_svm().fit([[0.0], [1.0], [3.0], [4.0]], [0, 0, 1, 1]).coef_.round(6)
    array([[1.]])
    """
    return SVC(kernel="linear", C=C, tol=TOLERANCE, class_weight=_weight(balanced))


def rbf_svm(C: float = 1.0, balanced: bool = False, seed: int = 0) -> SVC:
    """Support vector machine with the kernel exp(-|x - z|^2 / features), on z-scores.

    libsvm's default gamma, 1 / features, as in R's e1071.
    """
    return SVC(kernel="rbf", gamma="auto", C=C, tol=TOLERANCE, class_weight=_weight(balanced))


def logistic(C: float = 1.0, balanced: bool = False, seed: int = 0) -> LogisticRegression:
    """Logistic regression with an L2 penalty; minimises |w|^2 / 2 + C times the deviance / 2.

    The intercept is not penalised. C infinite is plain maximum likelihood, as R's glm.

    >>> probability = logistic().fit([[0.0], [1.0]], [0, 1]).predict_proba([[0.5]])
    >>> probability.round(6)
    array([[0.5, 0.5]])
    """
    return LogisticRegression(
        C=C, solver="newton-cholesky", tol=TOLERANCE, class_weight=_weight(balanced)
    )


class Ridge(ClassifierMixin, BaseEstimator):
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
        folds = StratifiedGroupKFold(RIDGE_FOLDS, shuffle=True, random_state=self.seed)
        search = GridSearchCV(
            logistic(balanced=self.balanced), {"C": RIDGE_C}, scoring="neg_log_loss", cv=folds
        )
        best = search.fit(left * size, labels, groups=owners).best_estimator_
        self.C_, self.classes_ = best.C, best.classes_
        self.coef_ = best.coef_ @ axes
        self.intercept_ = best.intercept_ - self.coef_ @ mean
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log-odds of the second class, (cases,)."""
        score: NDArray[np.float64] = np.asarray(X) @ self.coef_[0] + self.intercept_[0]
        return score

    def predict(self, X: ArrayLike) -> NDArray:
        """The likelier class of each case."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class LogOdds(ClassifierMixin, BaseEstimator):
    """A classifier that gives probabilities alone, made to give scores: their log-odds.

    >>> forest = random_forest(seed=1).fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    >>> bool(forest.decision_function([[3.0]])[0] > 0)
    True
    """

    def __init__(self, estimator: BaseEstimator, balanced: bool = False) -> None:
        self.estimator = estimator
        self.balanced = balanced

    def fit(self, X: ArrayLike, y: ArrayLike) -> "LogOdds":
        """Fit the estimator, with balanced weights if that is wanted."""
        weights = _balanced_weights(np.asarray(y)) if self.balanced else None
        self.estimator_ = clone(self.estimator).fit(X, y, sample_weight=weights)
        self.classes_ = self.estimator_.classes_
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Log-odds of the second class, (cases,)."""
        p = self.estimator_.predict_proba(X)[:, 1]
        score: NDArray[np.float64] = logit(np.clip(p, CERTAIN, 1 - CERTAIN))
        return score

    def predict(self, X: ArrayLike) -> NDArray:
        """The likelier class of each case."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


def ridge(C: float = 1.0, balanced: bool = False, seed: int = 0) -> Ridge:
    """Logistic regression with the L2 penalty chosen by cross-validation; C takes no part."""
    return Ridge(balanced, seed)


def random_forest(C: float = 1.0, balanced: bool = False, seed: int = 0) -> LogOdds:
    """Random forest (Breiman, Mach Learn 2001;45:5); C takes no part."""
    forest = RandomForestClassifier(N_TREES, min_samples_leaf=2, random_state=seed)
    return LogOdds(forest, balanced)


def gradient_boosting(C: float = 1.0, balanced: bool = False, seed: int = 0) -> LogOdds:
    """Gradient-boosted trees of depth 2 on half samples; C takes no part.

    Source: Friedman, Comput Stat Data Anal 2002;38:367.
    """
    boosting = GradientBoostingClassifier(
        max_depth=2, subsample=0.5, learning_rate=0.05, random_state=seed
    )
    return LogOdds(boosting, balanced)


def naive_bayes(C: float = 1.0, balanced: bool = False, seed: int = 0) -> LogOdds:
    """Gaussian naive Bayes; C takes no part."""
    return LogOdds(GaussianNB(), balanced)


CLASSIFIERS: Mapping[str, Callable[[float, bool, int], BaseEstimator]] = {
    "linear_svm": linear_svm,
    "logistic": logistic,
    "ridge": ridge,
    "rbf_svm": rbf_svm,
    "random_forest": random_forest,
    "gradient_boosting": gradient_boosting,
    "naive_bayes": naive_bayes,
}
"""By the names that a protocol gives them: (C, balanced, seed) to an unfitted estimator."""


def _weight(balanced: bool) -> str | None:
    return "balanced" if balanced else None


def _balanced_weights(y: NDArray) -> NDArray[np.float64]:
    _, code, counts = np.unique(y, return_inverse=True, return_counts=True)
    weights: NDArray[np.float64] = y.size / (counts.size * counts[code])
    return weights
