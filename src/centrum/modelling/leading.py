"""The best features of a selection, in the selection's own order."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from centrum.arrays import Flags


class Leading(SelectorMixin, BaseEstimator):
    """Keeps the leading features of a selector: the order of `rfe.estimator: none`.

    The order is that of the selector's `ranking_`, or of the size of its `coef_`.

    Parameters
    ----------
    selector : unfitted; features that it does not support are never kept
    n_features : how many to keep; all that it supports when missing

    Attributes
    ----------
    selector_ : fitted
    ranking_ : (features,) 1 for the best

    >>> from centrum.modelling.lasso import LogisticLassoCV
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> step = Leading(LogisticLassoCV(folds=4), 1).fit(X, X[:, 2] > 0)
    >>> step.get_support()
    array([False, False,  True, False, False])
    """

    def __init__(self, selector: BaseEstimator, n_features: int | None = None) -> None:
        self.selector = selector
        self.n_features = n_features

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit the selector and order its features."""
        values, labels = validate_data(self, X, y, dtype=np.float64)
        self.selector_ = clone(self.selector)
        also = {"groups": groups} if has_fit_parameter(self.selector_, "groups") else {}
        self.selector_.fit(values, labels, **also)
        self.ranking_ = self._ranked()
        return self

    def _ranked(self) -> NDArray[np.intp]:
        chosen, found = self.selector_.get_support(), self.selector_
        cost = found.ranking_ if hasattr(found, "ranking_") else -np.abs(found.coef_[0])
        ranking = np.empty(chosen.size, dtype=np.intp)
        ranking[np.lexsort((cost, ~chosen))] = np.arange(1, chosen.size + 1)
        return ranking

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        supported: Flags = self.selector_.get_support()
        if self.n_features is None:
            return supported
        return supported & (self.ranking_ <= self.n_features)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
