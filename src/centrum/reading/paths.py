"""Shortest paths over the pixels of a slice: what the live wire and GrowCut have in common.

A slice is a graph whose nodes are its pixels; each is joined to its eight neighbours by an edge
that costs what is told of the two pixels and of how far apart they are.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import csr_array

from centrum.arrays import Floats

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""To half of the neighbours, (rows, columns); the other half are the same edges."""

FREE = 1e-9
"""Of an edge that costs nothing, which a sparse matrix would take for none."""

EdgeCost = Callable[[Floats, Floats, float], Floats]
"""Cost of edges between pixels of two arrays that lie so many mm apart."""


def pixel_graph(values: Floats, spacing: Sequence[float], cost: EdgeCost) -> csr_array:
    """The graph of a slice of (rows, columns), pixels numbered row by row, each edge both ways.

    Parameters
    ----------
    values : of each pixel, what `cost` reads
    spacing : mm between rows and between columns

    >>> graph = pixel_graph(np.ones((2, 2)), (3, 4), lambda a, b, mm: a * mm)
    >>> graph.toarray()[0].tolist()
    [0.0, 4.0, 3.0, 5.0]
    """
    number = np.arange(values.size).reshape(values.shape)
    here, there, costs = [], [], []
    for down, along in STEPS:
        a, b = _ends(down, along)
        here.append(number[a].ravel())
        there.append(number[b].ravel())
        mm = float(np.hypot(down * spacing[0], along * spacing[1]))
        costs.append(cost(values[a], values[b], mm).ravel())
    start, end = np.concatenate([*here, *there]), np.concatenate([*there, *here])
    both = np.maximum(np.tile(np.concatenate(costs), 2), FREE)
    return csr_array((both, (start, end)), shape=(values.size, values.size))


def _ends(down: int, along: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where edges of one direction begin and where they end; `down` is not negative."""
    left, right = slice(None, -abs(along) or None), slice(abs(along), None)
    start, end = (left, right) if along >= 0 else (right, left)
    return (slice(None, -down or None), start), (slice(down, None), end)
