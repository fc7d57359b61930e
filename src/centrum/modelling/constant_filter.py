"""Drop the features that do not vary."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats, column_blocks
from centrum.errors import DataError
from centrum.modelling.on_disk import ColumnSelector, validated

ROUNDING = 16 * np.finfo(float).eps
"""A range below this share of a feature's largest magnitude is rounding, not variation."""

SMALLEST = 1e-150
"""A range below this has a square of 0, and so has no variance."""


class ConstantFilter(ColumnSelector):
    """Drops features that are the same in all training cases, which cannot be scaled.

    Attributes
    ----------
    support_ : (features,) whether kept

    >>> ConstantFilter().fit([[1.0, 7.0], [2.0, 7.0]]).get_support()
    array([ True, False])
    """

    def fit(self, X: ArrayLike | Columns, y: ArrayLike | None = None) -> Self:
        """Learn from X (cases, features).

        Raises
        ------
        DataError
            Every feature is constant.
        """
        values = validated(self, X, ensure_min_samples=2)
        blocks = (np.asarray(values[:, own]) for own in column_blocks(values))
        self.support_ = np.concatenate([_varies(block) for block in blocks])
        if not self.support_.any():
            raise DataError(
                f"All {values.shape[1]} features are constant over {len(values)} cases; nothing "
                "can be learnt from them. Check bin width and normalisation."
            )
        return self

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        return self.support_


def _varies(X: Floats) -> Flags:
    least = np.maximum(ROUNDING * np.abs(X).max(axis=0), SMALLEST)
    return np.asarray(np.ptp(X, axis=0) > least)
