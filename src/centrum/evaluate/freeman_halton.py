"""The exact test of a table of counts with any number of rows and columns."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from centrum.arrays import Floats, Ints
from centrum.errors import DataError
from centrum.kernels.contingency import completions, grow

RELATIVE_TIE = 1e-7
"""Tables whose probabilities differ by less than this share are equally likely, as in R."""

MOST_WORK = 300_000_000
"""Fillings of a column that may be tried on all parts of tables: a few seconds."""

MOST_OPEN = 5_000_000
"""Parts of tables that may be kept: some 0.5 GB."""


@dataclass(frozen=True, eq=False)
class _ColumnFillings:
    """What can be in a column, and the room that it can leave in the rows.

    Attributes
    ----------
    fillings : (fillings, rows) counts
    log_ways : (fillings,) log number of arrangements of the cases
    rooms : (rooms, rows) left behind it, each rising
    """

    fillings: Ints
    log_ways: Floats
    rooms: Ints


def freeman_halton_p(table: Ints) -> float:
    """Probability of all tables with these margins that are no likelier than this one.

    Tables grow column by column; of a part only the room left in the rows and the log number of
    its arrangements matter, so that equal parts are counted together. A part is settled as soon
    as all its completions, or none, are no likelier than the table.
    Source: Freeman and Halton, Biometrika 1951;38:141-149, by the bounds of Mehta and Patel,
    JASA 1983;78:427-434.

    Parameters
    ----------
    table : (rows, columns) counts, no row or column empty

    Raises
    ------
    DataError
        There are more tables with these margins than can be gone through.

    >>> round(freeman_halton_p(np.array([[3, 1, 2], [0, 4, 1], [2, 2, 5]])), 6)
    0.179918
    """
    wide = table if table.shape[0] <= table.shape[1] else table.T
    try:
        return _p(wide)
    except _TooLarge:
        raise DataError(
            f"Fisher's exact test goes through all tables with the margins of this one; a table of "
            f"{table.shape[0]} x {table.shape[1]} with {table.sum()} cases has too many. Merge "
            "levels, use the chi-square test, or take p from random tables (Monte Carlo: "
            "scipy.stats.random_table)."
        ) from None


class _TooLarge(Exception):
    """More work than `MOST_WORK` or more parts than `MOST_OPEN`."""


def _affordable(work: float) -> None:
    if work > MOST_WORK:
        raise _TooLarge


def _p(table: Ints) -> float:
    rows, totals = np.sort(table.sum(axis=1)), np.sort(table.sum(axis=0))[::-1]
    _affordable(float(np.prod(rows[:-1] + 1.0)) * len(totals))
    left = totals.sum() - np.cumsum(totals)
    columns = [_column(rows, *pair) for pair in zip(totals, left, strict=True)]
    shape = tuple(rows[:-1] + 1)
    strides = np.array([np.prod(shape[i + 1 :], dtype=np.int64) for i in range(len(shape))])
    bounds = _bounds(columns, shape, strides)
    limit = float(_log_ways(table.T).sum()) + RELATIVE_TIE
    parts = rows[None], np.zeros(1), np.ones(1)
    p = 0.0
    for column, (most, least) in zip(columns, bounds, strict=True):
        _affordable(len(parts[0]) * len(column.fillings))
        behind = _log_ways(column.rooms) - _log_ways(rows[None])
        share, *grown = grow(
            *parts,
            column.fillings,
            column.log_ways,
            strides,
            most,
            least,
            _by_number(column.rooms, behind, shape),
            limit,
            MOST_OPEN,
        )
        if len(grown[0]) == MOST_OPEN:
            raise _TooLarge
        p += share
        number, log_sum, count = _merged(*grown)
        parts = _rooms(number, int(column.rooms[0].sum()), shape), log_sum, count
    return min(p, 1.0)


def _column(rows: Ints, total: int, left: int) -> _ColumnFillings:
    fillings, rooms = _fillings(rows, total), _fillings(rows, left)
    rising = np.all(np.diff(rooms, axis=1) >= 0, axis=1)
    return _ColumnFillings(fillings, _log_ways(fillings), rooms[rising])


def _fillings(rows: Ints, total: int) -> Ints:
    """All counts with this total, none above the `rows`; shape (fillings, rows).

    >>> _fillings(np.array([1, 2]), 2).tolist()
    [[0, 2], [1, 1]]
    """
    shape = tuple(np.minimum(rows[:-1], total) + 1)
    first = np.indices(shape).reshape(len(shape), -1).T
    last = total - first.sum(axis=1)
    return np.column_stack([first, last])[(last >= 0) & (last <= rows[-1])]


def _bounds(
    columns: list[_ColumnFillings], shape: tuple[int, ...], strides: Ints
) -> list[tuple[Floats, Floats]]:
    """By number of the room behind each column: most and least log ways to fill it."""
    bounds = [(np.zeros(1), np.zeros(1))]
    for before, column in zip(columns[-2::-1], columns[:0:-1], strict=True):
        _affordable(len(before.rooms) * len(column.fillings))
        most, least = completions(
            before.rooms, column.fillings, column.log_ways, strides, *bounds[0]
        )
        found = _by_number(before.rooms, most, shape), _by_number(before.rooms, least, shape)
        bounds.insert(0, found)
    return bounds


def _log_ways(counts: Ints) -> Floats:
    """Log number of arrangements of the cases of each row of `counts`."""
    ways: Floats = gammaln(counts.sum(axis=1) + 1) - gammaln(counts + 1).sum(axis=1)
    return ways


def _by_number(rooms: Ints, values: Floats, shape: tuple[int, ...]) -> Floats:
    """Values at the numbers of their rooms; nan at numbers of none."""
    table = np.full(shape, np.nan)
    table[tuple(rooms[:, :-1].T)] = values
    return table.ravel()


def _rooms(number: Ints, total: int, shape: tuple[int, ...]) -> Ints:
    """The rooms that have these numbers and this total."""
    first = np.column_stack(np.unravel_index(number, shape))
    return np.column_stack([first, total - first.sum(axis=1)])


def _merged(number: Ints, log_sum: Floats, count: Floats) -> tuple[Ints, Floats, Floats]:
    """Count parts with the same room and arrangements together."""
    keys = np.stack([number, np.round(log_sum * 1e9)])
    order = np.lexsort(keys)
    new = np.any(np.diff(keys[:, order], prepend=-1.0), axis=0)
    first = order[new]
    starts = np.flatnonzero(new)
    merged = np.add.reduceat(count[order], starts) if len(starts) else count[:0]
    return number[first], log_sum[first], merged
