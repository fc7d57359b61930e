"""Steps of a model whose table stays on disk: they look at a block of columns at a time."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import validate_data

from centrum.arrays import Columns, Floats, Table


class ReadsColumns:
    """Marks steps that take `Columns`; to all others a table on disk is read into memory."""


class ColumnSelector(ReadsColumns, SelectorMixin, BaseEstimator):
    """A selector that, of columns on disk, chooses without reading."""

    def transform(self, X: ArrayLike | Columns) -> Table:
        """The kept features of X (cases, features)."""
        if isinstance(X, Columns):
            return X[:, self.get_support()]
        kept: Floats = super().transform(X)
        return kept


def validated(step: BaseEstimator, X: ArrayLike | Columns, **wanted: Any) -> Table:
    """X (cases, features) as scikit-learn validates it; of columns on disk only the number."""
    if isinstance(X, Columns):
        step.n_features_in_ = X.shape[1]
        return X
    values: Floats = validate_data(step, X, dtype=np.float64, **wanted)
    return values


def validated_pair(
    step: BaseEstimator, X: ArrayLike | Columns, y: ArrayLike, **wanted: Any
) -> tuple[Table, NDArray]:
    """The same, with labels (cases,)."""
    if isinstance(X, Columns):
        return validated(step, X), np.asarray(y)
    values, labels = validate_data(step, X, y, dtype=np.float64, **wanted)
    return values, labels


def readable(step: object, X: Table) -> Table:
    """The table as a step can take it."""
    return X if isinstance(step, ReadsColumns) else np.asarray(X)
