"""Cases that are nearly the same: pairs of rows whose features correlate almost perfectly."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from centrum.arrays import Flags, Floats, Ints, Table, column_blocks, row_blocks

ALIKE = 0.999
"""Rows whose z-scored features correlate by more than this are near copies."""

COMPARED = 2000
"""Rows of which each is compared with each; of more, those that are near in a few dimensions."""

DIMENSIONS = 16

SLACK = 1e-9
"""Of a distance for rounding."""

Pair = tuple[int, int, float]


def near_copies(values: Table) -> list[Pair]:
    """Pairs of rows of values (cases, features), the earlier first, and their correlation.

    Rows are z-scored over all cases, by the features that vary and are complete.
    """
    blocks = [_moments(np.asarray(values[:, own])) for own in column_blocks(values)]
    usable, mean, spread = map(np.concatenate, zip(*blocks, strict=True))
    if usable.sum() < 3:
        return []
    at = np.flatnonzero(usable)
    rows = _ZScored(values, at, mean[at], spread[at])
    if len(values) <= COMPARED:
        r: Floats = np.asarray(np.corrcoef(rows.of(slice(None))))
        return [(i, j, r[i, j]) for i, j in np.argwhere(np.triu(r > ALIKE, k=1))]
    return list(_verified(rows, _candidates(rows)))


def _moments(X: Floats) -> tuple[Flags, Floats, Floats]:
    """Of each column: whether it is complete and varies, its mean and standard deviation."""
    spread = X.std(axis=0)
    return np.isfinite(X).all(axis=0) & (spread > 0), X.mean(axis=0), spread


class _ZScored:
    """z-scores of some columns, read as they are asked for."""

    def __init__(self, values: Table, columns: Ints, mean: Floats, spread: Floats) -> None:
        self.values, self.columns, self.mean, self.spread = values, columns, mean, spread

    def of(self, rows: Ints | slice) -> Floats:
        """z-scores of some rows."""
        chosen = np.asarray(self.values[rows])[:, self.columns]
        return np.asarray((chosen - self.mean) / self.spread)

    def unit(self, rows: Ints | slice) -> Floats:
        """The same about each row's mean, with length 1: their products are correlations."""
        z = self.of(rows)
        z -= z.mean(axis=1, keepdims=True)
        length = np.linalg.norm(z, axis=1, keepdims=True)
        return np.divide(z, length, out=np.zeros_like(z), where=length > 0)


def _candidates(rows: _ZScored) -> Ints:
    """Pairs (pairs, 2) that are near enough in the few dimensions in which rows differ most.

    Distances there are never longer than between the whole rows: no near copy is lost.
    """
    n = len(rows.values)
    sample = rows.unit(np.unique(np.linspace(0, n - 1, COMPARED).astype(np.int64)))
    axes = np.linalg.svd(sample, full_matrices=False)[2][:DIMENSIONS].T
    few = np.concatenate([rows.unit(own) @ axes for own in row_blocks(rows.values)])
    reach = np.sqrt(2 * (1 - ALIKE)) + SLACK
    pairs: Ints = cKDTree(few).query_pairs(reach, output_type="ndarray")  # the earlier row first
    return pairs


def _verified(rows: _ZScored, pairs: Ints) -> Iterator[Pair]:
    """Those of the pairs that correlate as near copies do, in order."""
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    for k in range(0, len(pairs), COMPARED):
        some = pairs[k : k + COMPARED]
        read, at = np.unique(some, return_inverse=True)
        unit, (first, second) = rows.unit(read), at.reshape(some.shape).T
        r = np.einsum("ij,ij->i", unit[first], unit[second])
        yield from ((i, j, own) for (i, j), own in zip(some, r, strict=True) if own > ALIKE)
