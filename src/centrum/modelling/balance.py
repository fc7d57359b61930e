"""Classes of equal size in the training data."""

from typing import Self

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils.multiclass import type_of_target

from centrum.arrays import Columns, Floats, Table
from centrum.errors import DataError
from centrum.modelling.nearest import spread_of
from centrum.modelling.on_disk import ReadsColumns
from centrum.modelling.split import counted_outcomes


class Repeat(ReadsColumns, RandomOverSampler):
    """imbalanced-learn's RandomOverSampler, also of columns on disk."""

    def fit_resample(self, X: ArrayLike | Columns, y: ArrayLike) -> tuple[Table, NDArray]:
        """X and y with cases of the smaller class repeated."""
        if not isinstance(X, Columns):
            repeated: tuple[Table, NDArray] = super().fit_resample(X, y)
            return repeated
        _, labels = super().fit_resample(np.zeros((len(X), 1)), y)
        return X[self.sample_indices_], labels


class Smote(BaseEstimator):
    """Cases of the smaller class made up between neighbours, until the classes are equal.

    imbalanced-learn's SMOTE, with fewer neighbours where the class is small, and the owner of
    every made-up case: the case of its class that it is nearest to. Steps that deal folds put
    both into one. Who is near is judged in units of each feature's spread, not in mL or mm3.
    Source: Chawla et al., J Artif Intell Res 2002;16:321.

    Parameters
    ----------
    k_neighbors : between a case and one of so many a new one is put
    random_state : seed

    Attributes
    ----------
    sample_indices_ : (new cases,) the row of X that each is, or is nearest to

    >>> X = np.array([[0.0], [1.0], [2.0], [7.0], [9.0]])
    >>> step = Smote(random_state=0)
    >>> step.fit_resample(X, np.array([0, 0, 0, 1, 1]))[1].tolist()
    [0, 0, 0, 1, 1, 1]
    >>> bool(step.sample_indices_[-1] in (3, 4))
    True
    """

    def __init__(self, k_neighbors: int = 5, random_state: int = 0) -> None:
        self.k_neighbors = k_neighbors
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Nothing is learnt; there for the contract of a sampler."""
        return self

    def fit_resample(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, NDArray]:
        """X and y, and behind them the new cases.

        Raises
        ------
        DataError
            Not two classes, or a class of one case.
        """
        values, labels = np.asarray(X, dtype=np.float64), np.asarray(y)
        smaller = self._smaller(labels)
        neighbours = min(self.k_neighbors, smaller - 1)
        spread = spread_of(values)
        unit = np.where(spread > 0, spread, 1.0)
        scaled = values / unit
        more, new = SMOTE(k_neighbors=neighbours, random_state=self.random_state).fit_resample(
            scaled, labels
        )
        made_up = more[labels.size :]
        self.sample_indices_ = np.arange(len(new))
        if made_up.size:
            own = np.flatnonzero(labels == new[-1])
            nearest = pairwise_distances_argmin(made_up, scaled[own])
            self.sample_indices_[labels.size :] = own[nearest]
        return np.concatenate([values, made_up * unit]), new

    @staticmethod
    def _smaller(labels: NDArray) -> int:
        classes, counts = np.unique(labels, return_counts=True)
        if type_of_target(labels) != "binary" or counts.min() < 2:
            raise DataError(
                "SMOTE needs two classes of two cases or more, found "
                f"{counted_outcomes(classes, counts)}. Use `balance: class_weight`, or more cases."
            )
        return int(counts.min())
