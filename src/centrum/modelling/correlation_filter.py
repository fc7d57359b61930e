"""Keep one of the features that say the same."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from centrum.errors import DataError
from centrum.modelling.settings import CorrelationRule


class CorrelationFilter(SelectorMixin, BaseEstimator):
    """Drops features that correlate with an earlier one.

    Parameters
    ----------
    threshold : Pearson |r| above which two features say the same
    rule : which of them go; papers rarely say, and the rules differ by a tenth of a table.
        "greedy_first" (default): in table order, drop a feature that correlates with one that
        was kept; every dropped feature has its like among the kept.
        "upper_triangle": drop a feature that correlates with any earlier one, kept or not;
        the common idiom with pandas. Of a chain a ~ b ~ c with a and c unlike it keeps only a.

    Attributes
    ----------
    support_ : (features,) whether kept

    >>> a, c = np.array([-1, -1, 1, 1]), np.array([-1, 1, -1, 1])
    >>> chain = np.column_stack([a, a + c, c])
    >>> CorrelationFilter(threshold=0.7).fit(chain).get_support()
    array([ True, False,  True])
    >>> CorrelationFilter(threshold=0.7, rule="upper_triangle").fit(chain).get_support()
    array([ True, False, False])
    """

    def __init__(self, threshold: float = 0.99, rule: CorrelationRule = "greedy_first") -> None:
        self.threshold = threshold
        self.rule = rule

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Learn from X (cases, features).

        Raises
        ------
        DataError
            The rule is unknown.
        """
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        if self.rule not in _RULES:
            raise DataError(
                f"The correlation rule must be one of {', '.join(_RULES)}, found '{self.rule}'."
            )
        self.support_ = _RULES[self.rule](absolute_correlation(values) > self.threshold)
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return self.support_


def absolute_correlation(X: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson |r| between the columns of X; 0 for a constant column."""
    centred = X - X.mean(axis=0)
    length = np.sqrt(np.sum(centred**2, axis=0))
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return np.abs(unit.T @ unit)


def _greedy_first(alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    kept = np.zeros(len(alike), dtype=bool)
    for j in range(len(alike)):
        kept[j] = not np.any(alike[j] & kept)
    return kept


def _upper_triangle(alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.logical_not(np.triu(alike, k=1).any(axis=0))


_RULES = {"greedy_first": _greedy_first, "upper_triangle": _upper_triangle}
