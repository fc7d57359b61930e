"""Count pairs of grey levels at given offsets, and summarise the counts."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel
from centrum.kernels.layout import RegionLayout

TWO_TABLES_UP_TO = 256
"""Up to this many grey levels neighbouring pairs go to two tables in turn, so that one count
need not wait for the one before it."""


@kernel
def _count(
    levels: NDArray, starts: NDArray, ends: NDArray, block: NDArray, steps: NDArray, counts: NDArray
) -> None:
    side = np.uint32(np.sqrt(counts.shape[3]) + 0.5)
    one = np.uint32(1)
    for s in range(starts.size):
        a = levels[starts[s] : ends[s]]
        even, odd = counts[block[s], 0], counts[block[s], counts.shape[1] - 1]
        for d in range(steps.size):
            b = levels[starts[s] + steps[d] : ends[s] + steps[d]]
            table, other = even[d], odd[d]
            for k in range(a.size // 2):
                table[np.uint32(a[2 * k]) * side + b[2 * k]] += one
                other[np.uint32(a[2 * k + 1]) * side + b[2 * k + 1]] += one
            if a.size % 2:
                table[np.uint32(a[a.size - 1]) * side + b[a.size - 1]] += one


def count_pairs(
    levels: NDArray[np.uint16], layout: RegionLayout, steps: Ints, n_levels: int
) -> Floats:
    """Number of voxel pairs with level i at a voxel and level j at voxel + step.

    Parameters
    ----------
    levels : flat grey levels from 1, 0 outside the region
    steps : (directions,) places from a voxel to its neighbour
    n_levels : largest grey level Ng

    Returns
    -------
    counts : (blocks, directions, Ng, Ng), not symmetric

    >>> line = RegionLayout.of(np.ones((1, 1, 1, 3), bool), pad=1)
    >>> levels = line.flat(np.array([1, 1, 2], np.uint16))
    >>> count_pairs(levels, line, line.steps([(0, 0, 1)]), 2)[0, 0].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """
    side = n_levels + 1
    tables = 2 if n_levels <= TWO_TABLES_UP_TO else 1
    counts = np.zeros((layout.blocks, tables, len(steps), side * side), dtype=np.uint32)
    _count(levels, layout.starts, layout.ends, layout.span_block, steps, counts)
    squares = counts.reshape(layout.blocks, tables, len(steps), side, side)
    first, last = squares[:, 0, :, 1:, 1:], squares[:, -1, :, 1:, 1:]
    return np.asarray(first + last if tables == 2 else first, dtype=np.float64)


class Summary(NamedTuple):
    """What one reading of joint probabilities p (batch, Ng, Ng) gives.

    difference : (batch, Ng) probability that abs(i - j) = k
    total : (batch, 2 Ng + 1) probability that i + j = k
    entropy, energy, maximum : (batch,) -sum p log2 p, sum p^2, max p
    """

    difference: Floats
    total: Floats
    entropy: Floats
    energy: Floats
    maximum: Floats


@kernel
def _summarise(p: NDArray, difference: NDArray, total: NDArray, scalars: NDArray) -> None:
    for b in range(p.shape[0]):
        entropy, energy, maximum = 0.0, 0.0, 0.0
        for i in range(p.shape[1]):
            row = p[b, i]
            for j in range(row.size):
                q = row[j]
                if q > 0:
                    difference[b, abs(i - j)] += q
                    total[b, i + j + 2] += q
                    entropy -= q * np.log2(q)
                    energy += q * q
                    maximum = max(maximum, q)
        scalars[0, b], scalars[1, b], scalars[2, b] = entropy, energy, maximum


def summarise(p: Floats) -> Summary:
    """Marginals and norms of joint probabilities (batch, Ng, Ng), in C order.

    >>> summarise(np.full((1, 2, 2), 0.25)).entropy.tolist()
    [2.0]
    """
    batch, n_levels, _ = p.shape
    difference, total = np.zeros((batch, n_levels)), np.zeros((batch, 2 * n_levels + 1))
    scalars = np.zeros((3, batch))
    _summarise(p, difference, total, scalars)
    return Summary(difference, total, *scalars)


@kernel(error_model="numpy")
def _standardise(p: NDArray, root_i: NDArray, root_j: NDArray, out: NDArray) -> None:
    for b in range(p.shape[0]):
        columns = root_j[b]
        for i in range(p.shape[1]):
            row, to, r = p[b, i], out[b, i], root_i[b, i]
            if r > 0:
                for j in range(row.size):
                    product = r * columns[j]
                    to[j] = row[j] / product - product if product > 0 else 0.0


def standardise(p: Floats, p_i: Floats, p_j: Floats) -> Floats:
    """p / sqrt(p_i p_j) - sqrt(p_i p_j) of joint probabilities (batch, Ng, Ng), in C order.

    0 at levels that do not occur.

    >>> standardise(np.diag([0.5, 0.5])[None], *np.full((2, 1, 2), 0.5)).round(6).tolist()
    [[[0.5, -0.5], [-0.5, 0.5]]]
    """
    out = np.zeros_like(p)
    _standardise(p, np.sqrt(p_i), np.sqrt(p_j), out)
    return out
