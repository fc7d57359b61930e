"""The area under the ROC curve, as the inner loops of tuning need it."""

import numpy as np
from scipy.stats import rankdata

from centrum.arrays import Flags, Floats


def auc(positive: Flags, scores: Floats) -> Floats:
    """Chance that a positive case outscores a negative one, ties counted half.

    Parameters
    ----------
    positive : (cases,) both values present
    scores : (cases,) or (cases, models)

    Returns
    -------
    a number, or (models,)

    >>> auc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.4, 0.8]))
    np.float64(0.875)
    """
    n1, n0 = np.count_nonzero(positive), np.count_nonzero(~positive)
    rank_sum = rankdata(scores, axis=0)[positive].sum(axis=0)
    area: Floats = (rank_sum - n1 * (n1 + 1) / 2) / (n1 * n0)
    return area
