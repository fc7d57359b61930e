"""Products with a matrix whose rows are 0 but for a short stretch: spreading and sampling."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from centrum.kernels.cache import kernel, part

CHUNK = 2048
"""Numbers of a row that are summed at a time: they stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Band:
    """A matrix (m, n) whose rows are 0 but for a short stretch.

    Attributes
    ----------
    begins : where the stretch of each row begins, (m,)
    weights : the row from there, (m, width)
    """

    begins: NDArray
    weights: NDArray

    @classmethod
    def of(cls, matrix: NDArray) -> "Band":
        """The stretches of a matrix that is nowhere negative."""
        begins = (matrix > 0).argmax(axis=1)
        width = int((matrix > 0).sum(axis=1).max())
        begins = np.minimum(begins, matrix.shape[1] - width)
        return cls(begins, np.take_along_axis(matrix, begins[:, None] + np.arange(width), axis=1))

    def product(self, planes: NDArray) -> NDArray:
        """The matrix times each of the planes (..., n, columns), of the same type.

        >>> band = Band.of(np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0, 0, 2]]))
        >>> band.product(np.array([[1.0, 2], [3, 4], [5, 6]]))
        array([[ 1.,  2.],
               [ 2.,  3.],
               [10., 12.]])
        """
        *outer, rows, columns = planes.shape
        stack = np.ascontiguousarray(planes).reshape(-1, rows, columns)
        return _product(self.begins, self.weights, stack).reshape(*outer, -1, columns)


def banded_product(weights: NDArray, planes: NDArray) -> NDArray:
    """`weights @ plane` for each of the planes, without the zeros beside each row's stretch.

    >>> banded_product(np.array([[1.0, 0], [0.5, 0.5]]), np.array([[1.0, 2], [3, 4]]))
    array([[1., 2.],
           [2., 3.]])
    """
    return Band.of(weights).product(planes)


@kernel
def _product(begins: NDArray, weights: NDArray, planes: NDArray) -> NDArray:
    """Weighted sums of the rows of each plane."""
    count, _, columns = planes.shape
    product = np.empty((count, len(begins), columns), dtype=planes.dtype)
    for plane in range(count):
        for start in range(0, columns, CHUNK):
            for row in range(len(begins)):
                total = product[plane, row, start : start + CHUNK]
                parts = planes[plane, begins[row] : begins[row] + weights.shape[1]]
                _sum_rows(total, weights[row], parts, start)
    return product


@part
def _sum_rows(total: NDArray, weights: NDArray, rows: NDArray, start: int) -> None:
    """Sum of the weighted rows from column `start`: four are added each time `total` is read."""
    total[:] = 0
    end, fours = start + total.size, weights.size - weights.size % 4
    for k in range(0, fours, 4):
        wa, wb, wc, wd = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        a, b = rows[k, start:end], rows[k + 1, start:end]
        c, d = rows[k + 2, start:end], rows[k + 3, start:end]
        for x in range(total.size):
            total[x] = total[x] + wa * a[x] + wb * b[x] + wc * c[x] + wd * d[x]
    for k in range(fours, weights.size):
        weight, row = weights[k], rows[k, start:end]
        for x in range(total.size):
            total[x] += weight * row[x]
