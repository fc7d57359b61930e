"""How far two groups differ, whatever their sizes: differences in units of the spread.

Sources: Austin, Commun Stat Simul Comput 2009;38:1228 (numbers and shares); Yang and Dalton, SAS
Global Forum 2012:335 (several categories).
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from centrum.arrays import Floats

SINGULAR = 1e-10
"""Directions of the categories with less of the largest variance than this have none."""


def standardised_difference(first: ArrayLike, second: ArrayLike) -> float:
    """|difference of the means| over the root of the mean variance of two samples.

    nan with fewer than two values in one of them; infinite where they differ without any spread.

    >>> round(standardised_difference([1, 2, 3], [3, 4, 5]), 3)
    2.0
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if min(a.size, b.size) < 2:
        return float("nan")
    return _over(abs(float(a.mean() - b.mean())), (a.var(ddof=1) + b.var(ddof=1)) / 2)


def standardised_shares(counts: ArrayLike) -> float:
    """The same of categories, from counts (2, categories): Mahalanobis' distance of the shares.

    With two categories it is |p1 - p2| over the root of the mean of p (1 - p). nan where a group
    is empty or there is one category.

    >>> round(standardised_shares([[10, 90], [20, 80]]), 3)
    0.283
    """
    table = np.asarray(counts, dtype=float)
    sizes = table.sum(axis=1)
    table = table[:, table.any(axis=0)]
    if (sizes == 0).any() or table.shape[1] < 2:
        return float("nan")
    shares = (table / sizes[:, None])[:, 1:]
    spread = np.mean([np.diag(p) - np.outer(p, p) for p in shares], axis=0)
    gap = shares[0] - shares[1]
    inverse = np.linalg.pinv(spread, rcond=SINGULAR, hermitian=True)
    if not np.allclose(spread @ inverse @ gap, gap):
        return float("inf")  # the shares differ where neither group has any spread
    return float(np.sqrt(gap @ inverse @ gap))


def by_chance(first: int, second: int, categories: int = 2) -> float:
    """What the difference of random groups of so many cases exceeds once in twenty.

    The squared difference over 1 / first + 1 / second is a chi-square with one degree of freedom
    less than there are categories; a number counts as two of them.

    >>> round(by_chance(70, 30), 2), round(by_chance(70, 30, 13), 2)
    (0.43, 1.0)
    """
    return float(np.sqrt(stats.chi2.ppf(0.95, categories - 1) * (1 / first + 1 / second)))


def _over(gap: float, variance: float | Floats) -> float:
    if variance == 0:
        return 0.0 if gap == 0 else float("inf")
    return gap / float(np.sqrt(variance))
