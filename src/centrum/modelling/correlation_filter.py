"""Keep one of the features that say the same."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats, Table, column_blocks, row_blocks
from centrum.errors import DataError
from centrum.modelling.on_disk import ColumnSelector, validated
from centrum.modelling.settings import CorrelationRule

ROUNDING = 1e-13
"""Two mean correlations that differ by less are the same."""


class CorrelationFilter(ColumnSelector):
    """Drops features that correlate with an earlier one.

    Parameters
    ----------
    threshold : Pearson |r| above which two features say the same
    rule : which of them go; papers rarely say, and the rules differ by a tenth of a table.
        "greedy_first" (default): in table order, drop a feature that correlates with one that
        was kept; every dropped feature has its like among the kept.
        "upper_triangle": drop a feature that correlates with any earlier one, kept or not;
        the common idiom with pandas. Of a chain a ~ b ~ c with a and c unlike it keeps only a.
        "caret_exact": of each pair drop the one with the larger mean |r| to all features left,
        which is found anew after each drop; R's caret, findCorrelation with exact = TRUE. Means
        that are equal but for rounding, as of copies, are equal: the later one goes.
        "caret_fast": the same with the mean |r| to all features; exact = FALSE, caret's default
        from 100 features on.

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

    def fit(self, X: ArrayLike | Columns, y: ArrayLike | None = None) -> Self:
        """Learn from X (cases, features).

        Raises
        ------
        DataError
            The rule is unknown.
        """
        values = validated(self, X, ensure_min_samples=2)
        if self.rule not in _RULES:
            raise DataError(
                f"The correlation rule must be one of {', '.join(_RULES)}, found '{self.rule}'."
            )
        self.support_ = _RULES[self.rule](absolute_correlation(values), self.threshold)
        return self

    def _get_support_mask(self) -> Flags:
        check_is_fitted(self)
        return self.support_


def absolute_correlation(X: Table) -> Floats:
    """Pearson |r| between the columns of X; 0 for a constant column."""
    columns = (np.asarray(X[:, own]) for own in column_blocks(X))
    mean, length = map(np.concatenate, zip(*map(_centre_and_length, columns), strict=True))
    found = np.zeros((X.shape[1], X.shape[1]))
    for own in row_blocks(X):
        centred = np.asarray(X[own]) - mean
        unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
        found += unit.T @ unit
    return np.abs(found, out=found)


def _centre_and_length(X: Floats) -> tuple[Floats, Floats]:
    """Of each column: its mean, and its length about it."""
    mean = X.mean(axis=0)
    return mean, np.sqrt(np.sum((X - mean) ** 2, axis=0))


def _greedy_first(r: Floats, threshold: float) -> Flags:
    kept = np.ones(len(r), dtype=bool)
    for j in np.flatnonzero(~_upper_triangle(r, threshold)):
        kept[j] = not np.any(kept[:j] & (r[j, :j] > threshold))
    return kept


def _upper_triangle(r: Floats, threshold: float) -> Flags:
    return np.logical_not(np.triu(r > threshold, k=1).any(axis=0))


def _caret_exact(r: Floats, threshold: float) -> Flags:
    """Features in the order of their mean |r|, the largest first; pairs in that order."""
    n = len(r)
    if n < 2:
        return np.ones(n, dtype=bool)
    alone = r - np.diag(np.diag(r))
    order = np.argsort(-_rounded(alone.sum(axis=0) / (n - 1)), kind="stable")
    ordered = alone[np.ix_(order, order)]
    sums, kept = ordered.sum(axis=1), np.ones(n, dtype=bool)
    total, left = float(sums.sum()), n
    for i in range(n - 1):
        if not kept[i]:
            continue
        for j in i + 1 + np.flatnonzero((ordered[i, i + 1 :] > threshold) & kept[i + 1 :]):
            own = sums[i] / (left - 1)
            others = (total - sums[j]) / ((left - 1) * (left - 1))
            out = i if own - others > ROUNDING else j
            kept[out] = False
            total, left = total - 2 * float(sums[out]), left - 1
            sums -= ordered[out]
            if out == i:
                break
    return kept[np.argsort(order)]


def _caret_fast(r: Floats, threshold: float) -> Flags:
    mean = _rounded(r.mean(axis=0))
    row, column = np.nonzero(np.triu(r > threshold, k=1))
    kept = np.ones(len(r), dtype=bool)
    kept[np.where(mean[column] > mean[row], column, row)] = False
    return kept


def _rounded(values: Floats) -> Floats:
    """To the 15 digits that R compares as text: copies of a feature then tie."""
    return np.array([float(f"{value:.15g}") for value in values])


_RULES = {
    "greedy_first": _greedy_first,
    "upper_triangle": _upper_triangle,
    "caret_exact": _caret_exact,
    "caret_fast": _caret_fast,
}
