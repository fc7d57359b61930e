"""Steps of a model whose table stays on disk: they look at a block of columns at a time."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import validate_data

from centrum.arrays import Columns, Floats, Table
from centrum.errors import DataError

RESIDENT, COPIES = 2_000_000_000, 5
"""Bytes that a process should need at most, and how often a step that needs all of its table holds
it: as it was read, the training cases, these scaled, and what the step makes of them."""

IN_MEMORY = RESIDENT // (8 * COPIES)
"""Numbers of a table that is read for what needs all of it at once: 50 million. It does not depend
on the memory that there is: the same study is refused on every machine or on none."""

FEWER = "Let fewer features through: `model.screen`, `model.correlation`, a higher agreement."
"""What to do about a step that needs all of its table."""

INSTEAD = {
    "imputation": "Choose `imputation: {method: median}`, which is done feature by feature.",
    "balance": "Choose `balance: class_weight` or `repeat`.",
    "select": f"Choose `select: {{method: lasso}}`, or `univariate`. {FEWER}",
    "rfe": f"Choose `rfe: {{estimator: none}}`. {FEWER}",
    "classifier": f"Choose `classifier: elastic_net`. {FEWER}",
}
"""The same by step."""


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


def readable(name: str, step: object, X: Table) -> Table:
    """The table as the step of that name can take it.

    Raises
    ------
    DataError
        The step needs all of a table at once that is too large for that.
    """
    if isinstance(step, ReadsColumns) or not isinstance(X, Columns):
        return X
    refuse_too_large(f"The step {name!r} of the model", X.shape, INSTEAD.get(name, FEWER))
    return np.asarray(X)


def refuse_too_large(what: str, shape: tuple[int, ...], instead: str) -> None:
    """Refuse what needs a table of this shape at once, beside its copies, if it is too large.

    Raises
    ------
    DataError
        It has more than `IN_MEMORY` numbers; `instead` says what to do.
    """
    if math.prod(shape) > IN_MEMORY:
        raise DataError(
            f"{what} needs all of its table in memory, {' x '.join(map(str, shape))} numbers, and "
            f"several copies of it: at most {IN_MEMORY / 1e6:g} million are read.",
            remedy=instead,
            code="too-large",
        )
