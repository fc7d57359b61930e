"""Minimum redundancy, maximum relevance."""

import warnings
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin, f_classif
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.arrays import Flags, Floats
from centrum.errors import DataError

LEAST_REDUNDANCY = 1e-3
"""A quotient does not divide by less: one feature unlike all others would win at any relevance."""

BIN_EDGE = 0.5
"""Standard deviations from the mean to the edges of the middle bin (Ding and Peng 2005)."""


class MRMR(SelectorMixin, BaseEstimator):
    """Takes feature after feature, the one most relevant and least like those taken.

    Relevance is the F statistic between the classes or the mutual information with them, of
    the feature in three bins; redundancy is the mean |Pearson r| with the features taken.
    Sources: Ding and Peng, J Bioinform Comput Biol 2005;3:185; Zhao, Anand and Wang, IEEE DSAA
    2019 (FCQ, FCD).

    Parameters
    ----------
    n_features : how many to take
    relevance : "f" or "mutual_information"
    scheme : "quotient" relevance / redundancy, or "difference" of the two, each in units of
        its largest value

    Attributes
    ----------
    relevance_ : (features,) F, or mutual information in nat
    ranking_ : (features,) 1 for the first taken; those not taken follow by relevance

    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 4))
    >>> X[:, 1] = X[:, 0] + 0.01 * X[:, 1]
    >>> MRMR(n_features=2).fit(X, X[:, 0] + X[:, 2] > 0).get_support(indices=True).size
    2
    """

    def __init__(
        self,
        n_features: int = 30,
        relevance: Literal["f", "mutual_information"] = "f",
        scheme: Literal["quotient", "difference"] = "quotient",
    ) -> None:
        self.n_features = n_features
        self.relevance = relevance
        self.scheme = scheme

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Rank the features of X (cases, features) for the classes y.

        Raises
        ------
        DataError
            One class only, or a relevance or scheme of another name.
        """
        values, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        _check_name("relevance", self.relevance, ("f", "mutual_information"))
        _check_name("scheme", self.scheme, ("quotient", "difference"))
        self.relevance_ = self._relevance(values, labels)
        order = self._take(_unit_columns(values))
        self.ranking_ = np.empty(order.size, dtype=np.intp)
        self.ranking_[order] = np.arange(1, order.size + 1)
        return self

    def _relevance(self, X: Floats, y: NDArray) -> Floats:
        if np.unique(y).size < 2:
            raise DataError("Relevance needs two classes, found one class.")
        if self.relevance == "mutual_information":
            return binned_information(X, y)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            found = f_classif(X, y)[0]
        # A feature that parts the classes without spread within them is most relevant.
        finite = np.where(np.isnan(found), 0.0, found)
        return np.minimum(finite, np.finfo(float).max ** 0.5)

    def _take(self, unit: Floats) -> NDArray[np.intp]:
        """Positions of the features in the order in which they are taken, then the others."""
        relevance = self.relevance_ / (self.relevance_.max() or 1.0)
        number = min(self.n_features, relevance.size)
        redundancy = np.zeros(relevance.size)
        left = np.ones(relevance.size, dtype=bool)
        taken: list[int] = []
        while len(taken) < number:
            if taken:
                redundancy += np.abs(unit.T @ unit[:, taken[-1]])
                worth = self._worth(relevance, redundancy / len(taken))
            else:
                worth = relevance
            best = int(np.argmax(np.where(left, worth, -np.inf)))
            taken.append(best)
            left[best] = False
        rest = np.flatnonzero(left)
        return np.concatenate([taken, rest[np.argsort(-relevance[rest], kind="stable")]]).astype(
            int
        )

    def _worth(self, relevance: Floats, redundancy: Floats) -> Floats:
        if self.scheme == "difference":
            return relevance - redundancy
        return relevance / np.maximum(redundancy, LEAST_REDUNDANCY)

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        mask: Flags = self.ranking_ <= self.n_features
        return mask

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def binned_information(X: Floats, y: NDArray) -> Floats:
    """Mutual information in nat of each feature (cases, features) with the classes, (features,).

    A feature is low, middle or high: middle within BIN_EDGE standard deviations of its mean.

    >>> binned_information(np.array([[0.0, 1.0], [0.0, 1.0], [9.0, 1.0], [9.0, 1.0]]),
    ...                    np.array([0, 0, 1, 1])).round(4)
    array([0.6931, 0.    ])
    """
    edge = BIN_EDGE * X.std(axis=0)
    from_mean = X - X.mean(axis=0)
    low, high = from_mean < -edge, from_mean > edge
    bins = np.stack([low, ~(low | high), high])
    classes = y == np.unique(y)[:, None]
    joint = np.einsum("bnf,cn->bcf", bins, classes, dtype=float, optimize=True) / len(X)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    ratio = np.divide(joint, apart, out=np.ones_like(joint), where=joint > 0)
    return np.maximum(xlogy(joint, ratio).sum(axis=(0, 1)), 0.0)


def _check_name(what: str, found: str, names: tuple[str, ...]) -> None:
    if found not in names:
        raise DataError(f"The {what} of MRMR is one of {', '.join(names)}, found {found!r}.")


def _unit_columns(X: Floats) -> Floats:
    """Centred columns of length 1, so that their products are Pearson's r; 0 if constant."""
    centred = X - X.mean(axis=0)
    length = np.sqrt(np.sum(centred**2, axis=0))
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
