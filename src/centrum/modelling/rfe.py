"""Recursive feature elimination with a linear classifier."""

from collections.abc import Callable, Mapping
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.arrays import Flags
from centrum.errors import DataError
from centrum.modelling.classifiers import linear_svm, logistic

RankingEstimator = Literal["linear_svm", "logistic"]

_ESTIMATORS: Mapping[str, Callable[[float], BaseEstimator]] = {
    "linear_svm": linear_svm,
    "logistic": logistic,
}


class RecursiveElimination(SelectorMixin, BaseEstimator):
    """Ranks features by dropping the one with the smallest squared weight, again and again.

    The whole ranking is learnt once and serves every number of features, unlike
    scikit-learn's RFE, which ranks the dropped ones only.
    Source: Guyon et al., Mach Learn 2002;46:389 (SVM-RFE).

    Parameters
    ----------
    n_features : how many to keep; all when missing or when there are fewer
    C : inverse strength of the estimator's penalty
    estimator : what is refitted after each elimination: "linear_svm" (SVM-RFE) or "logistic",
        a logistic regression with an L2 penalty

    Attributes
    ----------
    ranking_ : (features,) 1 for the last that survived
    elimination_order_ : (features,) positions in the order in which they were dropped

    >>> X = np.array([[0, 1, 5], [1, 9, 4], [8, 2, 5], [9, 8, 4]], dtype=float)
    >>> RecursiveElimination(n_features=1).fit(X, [0, 0, 1, 1]).get_support()
    array([ True, False, False])
    """

    def __init__(
        self,
        n_features: int | None = None,
        C: float = 1.0,
        estimator: RankingEstimator = "linear_svm",
    ) -> None:
        self.n_features = n_features
        self.C = C
        self.estimator = estimator

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn the ranking from X (cases, features) scaled, and two classes y.

        Raises
        ------
        DataError
            The estimator is unknown.
        """
        values, labels = validate_data(self, X, y, dtype=np.float64)
        if self.estimator not in _ESTIMATORS:
            raise DataError(
                f"The estimator of the elimination must be one of {', '.join(_ESTIMATORS)}, "
                f"found '{self.estimator}'."
            )
        remaining = list(range(values.shape[1]))
        dropped = []
        while len(remaining) > 1:
            fitted = _ESTIMATORS[self.estimator](self.C).fit(values[:, remaining], labels)
            dropped.append(remaining.pop(int(np.argmin(fitted.coef_[0] ** 2))))
        self.elimination_order_ = np.array(dropped + remaining)
        self.ranking_ = np.empty(values.shape[1], dtype=np.intp)
        self.ranking_[self.elimination_order_] = np.arange(values.shape[1], 0, -1)
        return self

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        limit = self.ranking_.size if self.n_features is None else self.n_features
        mask: Flags = self.ranking_ <= limit
        return mask

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
