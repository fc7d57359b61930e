"""AUCs of many resamples of the same scores, in one pass over each."""

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats
from centrum.kernels.cache import kernel


def resampled_areas(
    scores: Floats, positive: Flags, weights: Floats | NDArray[np.uint16]
) -> Floats:
    """AUC of each resample (resamples,), nan where an outcome is absent.

    `weights` (resamples, cases) are how often each case was drawn. Pairs won are whole or half
    numbers, so that the order of the cases is in no digit.

    >>> drawn = np.array([[1, 1, 1], [3, 1, 1], [0, 1, 0]], np.uint16)
    >>> resampled_areas(np.array([1.0, 2, 3]), np.array([False, True, False]), drawn)
    array([0.5 , 0.75,  nan])
    """
    order = np.argsort(scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])) + 1, len(order))
    areas = np.empty(len(weights))
    _fill(order, ends, positive, np.ascontiguousarray(weights), areas)
    return areas


@kernel
def _fill(
    order: NDArray[np.intp],
    ends: NDArray[np.intp],
    positive: Flags,
    weights: Floats | NDArray[np.uint16],
    areas: Floats,
) -> None:
    """`ends` are those of the runs of equal scores in `order`."""
    for row in range(len(weights)):
        won = below = above = 0.0
        begin = 0
        for end in ends:
            own = others = 0.0
            for k in range(begin, end):
                case = order[k]
                if positive[case]:
                    own += weights[row, case]
                else:
                    others += weights[row, case]
            won += own * (below + others / 2)
            below += others
            above += own
            begin = end
        areas[row] = won / (above * below) if above * below else np.nan
