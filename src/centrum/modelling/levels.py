"""Indicators of a text covariate: which level is the one that the others are compared with."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats
from centrum.errors import DataError
from centrum.modelling.on_disk import ColumnSelector, validated

Covariates = tuple[tuple[str, ...], ...]
"""Names of the columns that each covariate makes: one of a number, one for each level of a text."""


class ReferenceLevels(ColumnSelector):
    """Drops the levels that say nothing new: those of no training case, and the reference.

    The reference is the most frequent level of the training cases, the first by name on a tie.
    It goes where the levels that are left are all there are: where every training case with a
    known value has one of them. A new case of a level that no training case has is then taken
    as one of the reference.

    Parameters
    ----------
    covariates : column names of each covariate; those of one column stay

    Attributes
    ----------
    support_ : (features,) whether kept

    >>> X = np.array([[70.0, 1, 0], [81.0, 0, 1], [66.0, 1, 0]])
    >>> step = ReferenceLevels((("age",), ("sex=F", "sex=M")))
    >>> step.fit(X, names=["age", "sex=F", "sex=M"]).get_support()
    array([ True, False,  True])
    """

    def __init__(self, covariates: Covariates = ()) -> None:
        self.covariates = covariates

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Learn from X (cases, features) with these names.

        Raises
        ------
        DataError
            No feature is left.
        """
        values = validated(self, X, ensure_all_finite="allow-nan")
        position = {str(name): k for k, name in enumerate(() if names is None else names)}
        self.support_ = np.ones(values.shape[1], dtype=bool)
        for levels in self.covariates:
            at = [position[name] for name in levels if name in position]
            if len(levels) > 1 and at:
                self.support_[at] = _telling(np.asarray(values[:, at]))
        if not self.support_.any():
            raise DataError(
                f"No covariate varies over {len(values)} training cases, and nothing else is in "
                "the model.",
                remedy="Leave the covariate out, or choose another design.",
            )
        return self

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        return self.support_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _telling(indicators: Floats) -> Flags:
    """Of the indicators (cases, levels) of one covariate, those to keep."""
    known = indicators[~np.isnan(indicators).any(axis=1)]
    times = known.sum(axis=0)
    kept: Flags = times > 0
    if kept.any() and (known.sum(axis=1) == 1).all():
        kept[np.argmax(times)] = False
    return kept
