"""Features that differ between near cases of different classes, and not of one."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.arrays import Flags, Floats
from centrum.errors import DataError


class ReliefF(SelectorMixin, BaseEstimator):
    """Weighs features by how near misses and near hits differ in them.

    Distances are the sum of absolute differences, each in units of the feature's range. Sees
    features that tell the classes only together, which univariate screens miss. Sources:
    Kononenko, ECML 1994:171; Robnik-Sikonja and Kononenko, Mach Learn 2003;53:23.

    Parameters
    ----------
    n_features : how many are kept
    n_neighbors : hits and misses per case; fewer where a class is small

    Attributes
    ----------
    weights_ : (features,) mean difference to misses minus that to hits, in ranges
    ranking_ : (features,) 1 for the largest weight

    >>> X = np.random.default_rng(0).choice([0.0, 1.0], size=(80, 6))
    >>> step = ReliefF(n_features=2).fit(X, X[:, 1] != X[:, 4])
    >>> step.get_support(indices=True)
    array([1, 4])
    """

    def __init__(self, n_features: int = 30, n_neighbors: int = 10) -> None:
        self.n_features = n_features
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Weigh the features of X (cases, features) for two classes y.

        Raises
        ------
        DataError
            Not two classes, or a class of one case.
        """
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        self.classes_, code, counts = np.unique(labels, return_inverse=True, return_counts=True)
        if counts.size != 2 or counts.min() < 2:
            raise DataError(
                "ReliefF needs two classes of two cases or more, found "
                f"{counts.size} class(es) with {counts.tolist()} cases."
            )
        span = np.ptp(values, axis=0)
        scaled = np.divide(values, span, out=np.zeros_like(values), where=span > 0)
        distance = cdist(scaled, scaled, "cityblock")
        np.fill_diagonal(distance, np.inf)
        same = code[:, None] == code
        self.weights_ = self._difference(scaled, distance, ~same) - self._difference(
            scaled, distance, same
        )
        order = np.argsort(-self.weights_, kind="stable")
        self.ranking_ = np.empty(order.size, dtype=np.intp)
        self.ranking_[order] = np.arange(1, order.size + 1)
        return self

    def _difference(self, X: Floats, distance: Floats, allowed: Flags) -> Floats:
        """Mean |difference| in each feature to the nearest cases that are allowed."""
        total = np.zeros(X.shape[1])
        candidates = np.where(allowed, distance, np.inf)
        for i in range(len(X)):
            number = min(self.n_neighbors, np.isfinite(candidates[i]).sum())
            nearest = np.argsort(candidates[i], kind="stable")[:number]
            total += np.abs(X[nearest] - X[i]).mean(axis=0)
        return total / len(X)

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        mask: Flags = self.ranking_ <= self.n_features
        return mask

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags
