"""Features that the LASSO selects on most half samples of the patients."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.arrays import Flags, Floats
from centrum.errors import DataError
from centrum.modelling.lasso import lasso_path
from centrum.modelling.split import Indices, folds_by_patient


class StabilitySelection(SelectorMixin, BaseEstimator):
    """How often each feature is among the first that enter the LASSO path of a half sample.

    Halves come in complementary pairs, are stratified by class and hold whole patients.
    Sources: Meinshausen and Buehlmann, J R Stat Soc B 2010;72:417; Shah and Samworth, ibid.
    2013;75:55.

    Parameters
    ----------
    n_pairs : pairs of halves, so that 2 n_pairs LASSO paths are fitted
    threshold : share of the halves in which a feature must be selected
    q : features that enter the path of a half before it is left, those that enter together
        by size of the standardised coefficient; when missing, Meinshausen and Buehlmann's
        sqrt((2 threshold - 1) features), 1 at least, which bounds the expected number of
        false ones by 1 in 1 / (2 threshold - 1) features or more
    seed : of the halves

    Attributes
    ----------
    frequencies_ : (features,) share of the halves
    q_ : the q that was used
    expected_false_ : bound on the expected number of features selected wrongly,
        q^2 / ((2 threshold - 1) features)
    ranking_ : (features,) 1 for the most frequent
    fallback_ : whether none reached the threshold, so that the most frequent was kept

    >>> X = np.random.default_rng(0).normal(size=(80, 20))
    >>> step = StabilitySelection(n_pairs=10).fit(X, X[:, 3] > 0)
    >>> step.get_support(indices=True)
    array([3])
    """

    def __init__(
        self, n_pairs: int = 25, threshold: float = 0.6, q: int | None = None, seed: int = 0
    ) -> None:
        self.n_pairs = n_pairs
        self.threshold = threshold
        self.q = q
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn from X (cases, features), two classes y, and patients (cases,).

        Raises
        ------
        DataError
            Not two classes, fewer than two patients of one, a threshold not above 0.5, or
            less than one pair of halves or one feature of each.
        """
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        self._check_parameters()
        self.classes_, code = np.unique(labels, return_inverse=True)
        p = values.shape[1]
        bound = (2 * self.threshold - 1) * p
        self.q_ = max(1, int(np.sqrt(bound))) if self.q is None else self.q
        self.expected_false_ = self.q_**2 / bound
        times = np.zeros(p)
        # Seeds of their own, not seed + pair: neighbouring seeds would share most halves.
        for seed in np.random.SeedSequence(self.seed).generate_state(self.n_pairs):
            half = folds_by_patient(code, groups, 2, int(seed))
            for side in (half == 0, half == 1):
                times[self._first(values[side], code[side])] += 1
        self.frequencies_ = times / (2 * self.n_pairs)
        order = np.argsort(-self.frequencies_, kind="stable")
        self.ranking_ = np.empty(p, dtype=np.intp)
        self.ranking_[order] = np.arange(1, p + 1)
        self.fallback_ = not (self.frequencies_ >= self.threshold).any()
        return self

    def _check_parameters(self) -> None:
        if not 0.5 < self.threshold <= 1:
            raise DataError(f"The threshold lies above 0.5 and up to 1, found {self.threshold}.")
        if self.n_pairs < 1 or (self.q is not None and self.q < 1):
            raise DataError(
                "Stability selection needs one pair of halves and q of 1 or more, found "
                f"{self.n_pairs} pairs and q {self.q}."
            )

    def _first(self, X: Floats, y: NDArray) -> Indices:
        """The first q features that enter the path, fewer where the path ends before."""
        if np.ptp(X, axis=0).max() == 0:
            return np.empty(0, dtype=np.intp)
        path = lasso_path(X, y.astype(np.float64), threshold=HALF_THRESHOLD).coefficients
        on = path != 0
        entry = np.argmax(on, axis=0)
        size = np.abs(path[entry, np.arange(X.shape[1])]) * X.std(axis=0)
        entered = np.flatnonzero(on.any(axis=0))
        order = np.lexsort((-size[entered], entry[entered]))
        return np.asarray(entered[order[: self.q_]])

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        if self.fallback_:
            return np.asarray(self.ranking_ == 1)
        return np.asarray(self.frequencies_ >= self.threshold)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags


HALF_THRESHOLD = 1e-7
"""Convergence of the paths (glmnet's default): which features enter first needs no more."""
