"""Sums over pairs of grey levels, for what neighbours differ by."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats
from centrum.kernels.cache import kernel


class PairSums(NamedTuple):
    """Of each matrix, (matrices,), over all levels i and j that occur, of shares p and sums s.

    gaps : of abs(i p_i - j p_j)
    changes : of abs(i - j) (p_i s_i + p_j s_j) / (p_i + p_j)
    distances : of (p_i + p_j) (i - j)^2
    """

    gaps: Floats
    changes: Floats
    distances: Floats


@kernel(error_model="numpy")
def _sum_pairs(p: NDArray, s: NDArray, sums: NDArray) -> None:
    for m in range(len(sums)):
        shares, own = p[m], s[m]
        for i in range(shares.size):
            gaps, changes, distances = 0.0, 0.0, 0.0
            for j in range(i):
                if shares[i] > 0 and shares[j] > 0:
                    both, apart = shares[i] + shares[j], i - j
                    gaps += abs((i + 1) * shares[i] - (j + 1) * shares[j])
                    changes += apart * (shares[i] * own[i] + shares[j] * own[j]) / both
                    distances += both * apart * apart
            # Twice: as (i, j) and as (j, i).
            sums[m, 0] += 2 * gaps
            sums[m, 1] += 2 * changes
            sums[m, 2] += 2 * distances


def sum_pairs(p: Floats, s: Floats) -> PairSums:
    """Sums of shares `p` and sums of differences `s` of levels 1 .. Ng, (matrices, Ng).

    >>> [v.tolist() for v in sum_pairs(np.array([[0.5, 0.0, 0.5]]), np.array([[1.0, 0.0, 3.0]]))]
    [[2.0], [8.0], [8.0]]
    """
    sums = np.zeros((len(p), len(PairSums._fields)))
    _sum_pairs(np.ascontiguousarray(p), np.ascontiguousarray(s), sums)
    return PairSums(*sums.T)
