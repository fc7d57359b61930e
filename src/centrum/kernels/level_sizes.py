"""Sums over elements counted by grey level and size: of all features in one pass."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel

ROW = 64
"""Terms of an entropy that are summed by themselves: rounding grows with n / 64."""


class LevelSizeSums(NamedTuple):
    """Of each matrix, (matrices,).

    elements : how many there are
    low .. large_low : means over the elements of 1 / i^2, i^2, 1 / j^2, j^2, 1 / (i j)^2, (i j)^2,
        i^2 / j^2 and j^2 / i^2, for level i and size j
    level_variance, size_variance : of i and of j over the elements
    entropy, energy : -sum p log2 p and sum p^2 of the share p of each cell
    level_squares, size_squares : sums over the levels, and over the sizes, of their elements^2
    """

    elements: Floats
    low: Floats
    high: Floats
    small: Floats
    large: Floats
    small_low: Floats
    large_high: Floats
    small_high: Floats
    large_low: Floats
    level_variance: Floats
    size_variance: Floats
    entropy: Floats
    energy: Floats
    level_squares: Floats
    size_squares: Floats


@kernel(error_model="numpy")
def _sum_cells(
    matrix: Ints, i: Floats, j: Floats, n: Floats, of_level: Floats, of_size: Floats, sums: NDArray
) -> None:
    """`of_level` and `of_size` have a place for each level and size; all but the cells are 0."""
    begin = 0
    for m in range(len(sums)):
        own, end, level, size = sums[m], begin, 0.0, 0.0
        while end < n.size and matrix[end] == m:
            k, a, b = end, i[end] * i[end], j[end] * j[end]
            terms = (1.0, 1 / a, a, 1 / b, b, 1 / (a * b), a * b, a / b, b / a)
            for term in range(len(terms)):
                own[term] += n[k] * terms[term]
            level += n[k] * i[k]
            size += n[k] * j[k]
            of_level[int(i[k])] += n[k]
            of_size[int(j[k])] += n[k]
            end += 1
        level, size = level / own[0], size / own[0]
        for start in range(begin, end, ROW):
            entropy = 0.0
            for k in range(start, min(start + ROW, end)):
                entropy -= n[k] * np.log2(n[k] / own[0])
            own[11] += entropy
        for k in range(begin, end):
            p = n[k] / own[0]
            own[9] += n[k] * ((i[k] - level) * (i[k] - level))
            own[10] += n[k] * ((j[k] - size) * (j[k] - size))
            own[12] += p * p
            own[13] += n[k] * of_level[int(i[k])]
            own[14] += n[k] * of_size[int(j[k])]
        for k in range(begin, end):
            of_level[int(i[k])], of_size[int(j[k])] = 0.0, 0.0
        for mean in range(1, 12):
            own[mean] /= own[0]
        begin = end


def sum_cells(matrix: Ints, i: Floats, j: Floats, n: Floats, matrices: int) -> LevelSizeSums:
    """Sums over cells of level i, size j and n elements, (cells,), matrix after matrix.

    Of a matrix without elements they are 0, and nan what is a mean or a variance.

    >>> sums = sum_cells(np.array([0, 0]), *np.array([[1.0, 2], [1, 1], [3, 1]]), matrices=2)
    >>> sums.elements.tolist(), sums.high.tolist(), sums.size_squares.tolist()
    ([4.0, 0.0], [1.75, nan], [16.0, 0.0])
    """
    of_level, of_size = np.zeros(int(i.max(initial=0)) + 1), np.zeros(int(j.max(initial=0)) + 1)
    sums = np.zeros((matrices, len(LevelSizeSums._fields)))
    _sum_cells(matrix, i, j, n, of_level, of_size, sums)
    return LevelSizeSums(*sums.T)
