"""Polygons as pixels, pixels as runs, runs as a digest.

The rule stands twice, here and in the page's `raster.js`, in the same order of operations on IEEE
doubles; `tests/reading/polygons.json` is the oracle of both. A pixel is inside by its centre: the
centre of row i and column j lies at x = j, y = i.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from centrum.arrays import Flags, Floats, Ints
from centrum.errors import DataError

Point = tuple[float, float]
"""x along columns and y along rows, in pixels."""

Polygon = tuple[Point, ...]

Runs = tuple[int, ...]
"""Start and length of each run of pixels, by i * columns + j, ascending and never touching."""

PlaneShape = tuple[int, int]
"""Rows and columns of a slice."""

DIGEST_LENGTH = 16


def fill_polygons(polygons: Iterable[Sequence[Point]], shape: PlaneShape) -> Flags:
    """The pixels of all polygons of a slice together, shape (rows, columns).

    A centre is inside if an odd number of edges cross the ray to its right. An edge from (x0, y0)
    to (x1, y1) counts in row i if (y0 <= i) != (y1 <= i); it crosses at
    x0 + (i - y0) * (x1 - x0) / (y1 - y0), and a centre on the crossing lies to the right of it.

    >>> fill_polygons([[(0, 0), (2, 0), (2, 2), (0, 2)]], (3, 3)).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    """
    rows, columns = shape
    passed = np.zeros((rows, columns + 1), dtype=np.int64)
    for polygon in polygons:
        _count_crossings(np.asarray(polygon, dtype=np.float64).reshape(-1, 2), passed)
    right_of = np.cumsum(passed[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return np.asarray(right_of % 2 == 1)


def _count_crossings(points: Floats, passed: Ints) -> None:
    """Add each crossing to the first column whose centre is not left of it."""
    rows, columns = passed.shape
    (x0, y0), (x1, y1) = points.T, np.roll(points, -1, axis=0).T
    at = np.arange(rows, dtype=np.float64)
    edge, row = np.nonzero((y0[:, None] <= at) != (y1[:, None] <= at))
    x0, y0, x1, y1 = x0[edge], y0[edge], x1[edge], y1[edge]
    crossing = x0 + (at[row] - y0) * (x1 - x0) / (y1 - y0)
    column = np.clip(np.ceil(crossing), 0, columns - 1).astype(np.int64)
    np.add.at(passed, (row, column), 1)


def runs_of(mask: Flags) -> Runs:
    """The runs of a slice.

    >>> runs_of(np.array([[0, 1, 1], [1, 0, 0]], bool))
    (1, 3)
    """
    edges = np.diff(np.concatenate([[0], mask.ravel().astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return tuple(np.stack([starts, ends - starts], axis=1).ravel().tolist())


def mask_of(runs: Sequence[int], shape: PlaneShape) -> Flags:
    """The pixels of runs that `check_runs` has let pass.

    >>> mask_of((1, 3), (2, 3)).astype(int).tolist()
    [[0, 1, 1], [1, 0, 0]]
    """
    edges = np.zeros(shape[0] * shape[1] + 1, dtype=np.int8)
    pairs = np.asarray(runs, dtype=np.int64).reshape(-1, 2)
    edges[pairs[:, 0]] = 1
    edges[pairs.sum(axis=1)] = -1
    return np.cumsum(edges[:-1], dtype=np.int8).astype(bool).reshape(shape)


def check_runs(runs: Sequence[int], shape: PlaneShape) -> None:
    """Refuse runs that are not sorted, touch, are empty, or reach beyond the slice.

    Raises
    ------
    DataError
        Code "bad-runs".
    """
    total = shape[0] * shape[1]
    if len(runs) % 2 or len(runs) > total + 1:
        raise _bad_runs(f"pairs of start and length, found {len(runs)} numbers")
    end = -1
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if not (end < start and length > 0 and start + length <= total):
            raise _bad_runs(
                f"ascending ones that do not touch, within {total} pixels; found the run "
                f"{start}, {length} after one that ends at {end}"
            )
        end = start + length


def _bad_runs(wanted: str) -> DataError:
    return DataError(
        f"Runs of a slice are {wanted}.", remedy="Send the slice again.", code="bad-runs"
    )


def slice_digest(runs: Sequence[int], shape: PlaneShape) -> str:
    """What a slice holds, in 16 hexadecimal digits of SHA-256.

    >>> slice_digest((), (2, 3)) == hashlib.sha256(b"2x3:").hexdigest()[:16]
    True
    """
    text = f"{shape[0]}x{shape[1]}:" + ",".join(map(str, runs))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGEST_LENGTH]
