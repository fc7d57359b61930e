"""Products with a matrix whose rows are 0 but for a short stretch: spreading and sampling."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

CHUNK = 2048
"""Numbers of a row that are summed at a time: they stay in the processor's cache."""


def banded_product(weights: NDArray, planes: NDArray) -> NDArray:
    """`weights @ plane` for each of the planes, without the zeros beside each row's stretch.

    Parameters
    ----------
    weights : (m, n), not negative, 0 outside a short stretch of each row
    planes : (..., n, columns), of the same type

    >>> weights = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0, 0, 2]])
    >>> banded_product(weights, np.array([[1.0, 2], [3, 4], [5, 6]]))
    array([[ 1.,  2.],
           [ 2.,  3.],
           [10., 12.]])
    """
    *outer, rows, columns = planes.shape
    product = _product(*_band(weights), planes.reshape(-1, rows, columns))
    return product.reshape(*outer, len(weights), columns)


def _band(weights: NDArray) -> tuple[NDArray, NDArray]:
    """Where each row of weights begins to be more than 0, and the weights from there."""
    begins = (weights > 0).argmax(axis=1)
    width = int((weights > 0).sum(axis=1).max())
    begins = np.minimum(begins, weights.shape[1] - width)
    return begins, np.take_along_axis(weights, begins[:, None] + np.arange(width), axis=1)


@njit(cache=True, nogil=True)
def _product(begins: NDArray, weights: NDArray, planes: NDArray) -> NDArray:
    """Weighted sums of the rows of each plane."""
    count, _, columns = planes.shape
    product = np.zeros((count, len(begins), columns), dtype=planes.dtype)
    for plane in range(count):
        for start in range(0, columns, CHUNK):
            for row in range(len(begins)):
                total = product[plane, row, start : start + CHUNK]
                for k in range(weights.shape[1]):
                    weight = weights[row, k]
                    part = planes[plane, begins[row] + k, start : start + CHUNK]
                    for column in range(total.size):
                        total[column] += weight * part[column]
    return product
