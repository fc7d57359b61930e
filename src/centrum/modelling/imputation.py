"""Gaps filled with a number of each feature, or from the training cases that are most alike."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.arrays import Columns, FillStep, Floats, Table, column_blocks
from centrum.modelling.nearest import fill_from_nearest, spread_of
from centrum.modelling.on_disk import ReadsColumns


class ColumnImputer(ReadsColumns, SimpleImputer):
    """scikit-learn's SimpleImputer, also of columns on disk.

    >>> step = ColumnImputer(strategy="median").fit([[1.0], [3.0], [np.nan], [9.0]])
    >>> step.transform([[np.nan], [2.0]]).ravel()
    array([3., 2.])
    """

    def fit(self, X: ArrayLike | Columns, y: ArrayLike | None = None) -> Self:
        """Learn the number of each feature of X (cases, features)."""
        if not isinstance(X, Columns):
            return super().fit(X)
        blocks = (np.asarray(X[:, own]) for own in column_blocks(X))
        parts = [SimpleImputer(**self.get_params()).fit(block) for block in blocks]
        self.n_features_in_ = X.shape[1]
        self.statistics_ = np.concatenate([part.statistics_ for part in parts])
        return self

    def transform(self, X: ArrayLike | Columns) -> Table:
        """X (cases, features) without gaps."""
        if isinstance(X, Columns):
            return X.after(FillStep(self.statistics_))
        filled: Floats = super().transform(X)
        return filled


class NearestImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """The mean of the nearest training cases stands for a missing value.

    Distances are in units of each feature's spread over the training cases, by the features that
    both cases know. Source: Troyanskaya et al., Bioinformatics 2001;17:520.

    Parameters
    ----------
    n_neighbors : cases that are averaged; all that are as near as the last of them count

    Attributes
    ----------
    donors_ : (training cases, features)
    spread_ : (features,) what distances are measured in
    means_ : (features,) where no case is near; 0 of a feature that no training case knows

    >>> X = [[0.0, 1.0], [0.1, 3.0], [8.0, 9.0], [0.0, np.nan]]
    >>> NearestImputer(n_neighbors=2).fit(X).transform(X)[3].tolist()
    [0.0, 2.0]
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Keep X (cases, features) and learn the spread of its features."""
        self.donors_ = self._read(X, reset=True)
        self.spread_ = spread_of(self.donors_)
        known = (np.sort(x[~np.isnan(x)]) for x in self.donors_.T)
        self.means_ = np.array([x.mean() if x.size else 0.0 for x in known])
        return self

    def transform(self, X: ArrayLike) -> Floats:
        """X (cases, features) without gaps."""
        check_is_fitted(self)
        values = self._read(X, reset=False)
        return fill_from_nearest(values, self.donors_, self.spread_, self.means_, self.n_neighbors)

    def _read(self, X: ArrayLike, reset: bool) -> Floats:
        values: Floats = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=reset
        )
        return values

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
