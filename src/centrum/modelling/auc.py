"""The area under the ROC curve, as the inner loops of tuning need it."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from centrum.arrays import Flags, Floats

ROUNDING = 1e-10
"""Log-odds of equal cases differ by less: the linear algebra rounds a row by its place, on some
processors and not on others."""


def auc(positive: Flags, scores: Floats, rounding: float = 0.0) -> Floats:
    """Chance that a positive case outscores a negative one, ties counted half.

    Parameters
    ----------
    positive : (cases,) both values present
    scores : (cases,) or (cases, models)
    rounding : neighbours in the order of scores that are no further apart than this are tied

    Returns
    -------
    a number, or (models,)

    >>> auc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.4, 0.8]))
    np.float64(0.875)
    """
    n1, n0 = np.count_nonzero(positive), np.count_nonzero(~positive)
    levels = _levels(scores, rounding) if rounding else scores
    rank_sum = rankdata(levels, axis=0)[positive].sum(axis=0)
    area: Floats = (rank_sum - n1 * (n1 + 1) / 2) / (n1 * n0)
    return area


def _levels(scores: Floats, rounding: float) -> NDArray[np.intp]:
    """Numbers in the order of the scores, the same where these are tied.

    >>> _levels(np.array([0.3, 0.1, 0.1 + 1e-16]), 1e-10)
    array([1, 0, 0])
    """
    order = np.argsort(scores, axis=0)
    steps = np.diff(np.take_along_axis(scores, order, axis=0), axis=0) > rounding
    levels = np.zeros(scores.shape, dtype=np.intp)
    np.put_along_axis(levels, order[1:], np.cumsum(steps, axis=0), axis=0)
    return levels
