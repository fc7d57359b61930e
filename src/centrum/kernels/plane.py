"""Weighted sums of neighbours in a plane, for all slices at once."""

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel


@kernel
def _weigh(
    x: Floats,
    rows: Ints,
    row_weights: Floats,
    columns: Ints,
    column_weights: Floats,
    out: Floats,
) -> None:
    for n in range(out.shape[0]):
        sums = out[n]
        for i in range(rows.shape[1]):
            for j in range(columns.shape[1]):
                weight = row_weights[n, i] * column_weights[n, j]
                if weight != 0.0:
                    pile = x[rows[n, i], columns[n, j]]
                    for k in range(pile.size):
                        sums[k] += weight * pile[k]


def weigh_in_plane(
    x: Floats, rows: NDArray, row_weights: Floats, columns: NDArray, column_weights: Floats
) -> Floats:
    """sum_ij row_weights[n, i] column_weights[n, j] x[rows[n, i], columns[n, j]], (n, slices).

    Parameters
    ----------
    x : (rows, columns, slices)
    rows, row_weights, columns, column_weights : (n, taps)

    >>> x = np.arange(6.0).reshape(2, 3, 1)
    >>> at, half = np.array([[0, 1]]), np.array([[0.5, 0.5]])
    >>> weigh_in_plane(x, at, half, at, half)
    array([[2.]])
    """
    out = np.zeros((len(rows), x.shape[2]))
    indices = (np.ascontiguousarray(i, dtype=np.int64) for i in (rows, columns))
    weights = (np.ascontiguousarray(w, dtype=float) for w in (row_weights, column_weights))
    (r, c), (v, w) = indices, weights
    _weigh(np.ascontiguousarray(x, dtype=float), r, v, c, w, out)
    return out
