"""Number the bins that values fall into."""

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel

ROW = 256
"""Values that a loop handles at once, so that their guesses stay in the cache."""


@kernel
def _number_equal_bins(
    x: Floats, start: float, width: float, factor: float, last: float, numbers: NDArray[np.uint16]
) -> None:
    for k in range(x.size):
        numbers[k] = min(np.floor(factor * ((x[k] - start) / width)) + 1, last)


@kernel
def _number_between(
    x: Floats, fences: Floats, scale: float, guesses: Ints, numbers: NDArray[np.uint16]
) -> None:
    """`fences` are the edges with -inf before and inf behind them; `guesses` has `ROW` places."""
    first, edges = fences[1], fences.size - 2
    for start in range(0, x.size, ROW):
        row, out = x[start : start + ROW], numbers[start : start + ROW]
        for k in range(row.size):
            guesses[k] = np.int32(min(max((row[k] - first) * scale, -1.0), edges - 1)) + 1
        for k in range(row.size):
            n = guesses[k]
            out[k] = n + (row[k] >= fences[n + 1]) - (row[k] < fences[n])


def number_equal_bins(
    x: Floats, start: float, width: float, factor: float, last: int
) -> NDArray[np.uint16]:
    """min(floor(factor (x - start) / width) + 1, last), (n,).

    >>> number_equal_bins(np.array([0.0, 24.9, 25.0]), 0, 25, 1, 99).tolist()
    [1, 1, 2]
    """
    numbers = np.empty(x.size, dtype=np.uint16)
    x = np.ascontiguousarray(x, dtype=float)
    _number_equal_bins(x, float(start), float(width), float(factor), float(last), numbers)
    return numbers


def number_between_edges(x: Floats, edges: Floats) -> NDArray[np.uint16]:
    """How many of the ascending edges (m,), m > 1, are not above x, (n,): numpy's `digitize`.

    Fast if the edges, but for the last, are equally far apart.

    >>> number_between_edges(np.array([0.5, 1.0, 9.0]), np.array([0.0, 1.0, 2.0])).tolist()
    [1, 2, 3]
    """
    step = _equal_step(edges[: max(edges.size - 1, 2)])
    if step is None:
        return np.digitize(x, edges).astype(np.uint16)
    numbers = np.empty(x.size, dtype=np.uint16)
    fences = np.concatenate(([-np.inf], edges, [np.inf]))
    guesses = np.empty(ROW, np.int64)
    _number_between(np.ascontiguousarray(x, dtype=float), fences, 1 / step, guesses, numbers)
    return numbers


def _equal_step(edges: Floats) -> float | None:
    """The distance between edges whose rounding cannot move a value by more than one of them."""
    step = float(edges[-1] - edges[0]) / (edges.size - 1)
    exact = edges[0] + step * np.arange(edges.size)
    uneven = float(np.abs(edges - exact).max())
    return step if step > np.finfo(float).tiny and uneven < step / 4 else None
