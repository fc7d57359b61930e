"""Contingency tables with given margins, grown column by column.

A part of a table is described by the room that is left in its rows, and by the log of the number
of ways to arrange its cases. Rows are interchangeable from then on, so that rooms are kept in
rising order and equal parts counted together. Rooms are numbered by all but their last, largest
row, which follows from the others.

Source: Mehta and Patel, JASA 1983;78:427-434 (the network algorithm).
"""

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel, part


@kernel
def _fill(room: Ints, column: Ints, left: Ints) -> bool:
    """Set `left` to the sorted room behind a column; False where the column does not fit."""
    for i in range(room.size):
        value = room[i] - column[i]
        if value < 0:
            return False
        k = i
        while k > 0 and left[k - 1] > value:
            left[k] = left[k - 1]
            k -= 1
        left[k] = value
    return True


@kernel
def _number(room: Ints, strides: Ints) -> int:
    number = 0
    for i in range(strides.size):
        number += room[i] * strides[i]
    return number


@kernel
def completions(
    rooms: Ints,
    columns: Ints,
    log_ways: Floats,
    strides: Ints,
    most: Floats,
    least: Floats,
) -> tuple[Floats, Floats]:
    """Largest and smallest log ways to fill rooms, of all tables and not of all together.

    Parameters
    ----------
    rooms : (rooms, rows) each rising
    columns : (columns, rows) the ways to fill the next column; log_ways : (columns,)
    strides : (rows - 1,) number of a room, from its rows but the last
    most, least : by number, of the rooms behind that column

    Returns
    -------
    (rooms,) largest and smallest
    """
    largest, smallest = np.full(len(rooms), -np.inf), np.full(len(rooms), np.inf)
    left = np.empty(rooms.shape[1], np.int64)
    for a in range(len(rooms)):
        for b in range(len(columns)):
            if _fill(rooms[a], columns[b], left):
                behind = _number(left, strides)
                largest[a] = max(largest[a], log_ways[b] + most[behind])
                smallest[a] = min(smallest[a], log_ways[b] + least[behind])
    return largest, smallest


@part
def _enlarged(values: NDArray) -> NDArray:
    larger = np.empty(2 * values.size, values.dtype)
    larger[: values.size] = values
    return larger


@kernel
def grow(
    rooms: Ints,
    log_sum: Floats,
    count: Floats,
    columns: Ints,
    log_ways: Floats,
    strides: Ints,
    most: Floats,
    least: Floats,
    log_share: Floats,
    limit: float,
    most_open: int,
) -> tuple[float, Ints, Floats, Floats]:
    """Add a column to every part; settle what is settled.

    Parameters
    ----------
    rooms, log_sum, count : (parts, rows), (parts,), (parts,) the parts and how many are alike
    columns, log_ways, strides, most, least : as for `completions`
    log_share : by number of a room, log ways of all its completions together less that of all
        tables
    limit : tables with at most this many log ways are wanted
    most_open : stop as soon as so many parts are open

    Returns
    -------
    share of the wanted tables among the parts whose completions are all wanted; number of the
    room, log_sum and count of the parts that are still open
    """
    share, size = 0.0, 0
    numbers, sums, counts = np.empty(64, np.int64), np.empty(64), np.empty(64)
    left = np.empty(rooms.shape[1], np.int64)
    for a in range(len(rooms)):
        for b in range(len(columns)):
            if not _fill(rooms[a], columns[b], left):
                continue
            behind = _number(left, strides)
            ways = log_sum[a] + log_ways[b]
            if ways + most[behind] <= limit:
                share += count[a] * np.exp(ways + log_share[behind])
            elif ways + least[behind] <= limit:
                if size == numbers.size:
                    numbers, sums, counts = _enlarged(numbers), _enlarged(sums), _enlarged(counts)
                numbers[size], sums[size], counts[size] = behind, ways, count[a]
                size += 1
                if size == most_open:
                    return share, numbers[:size], sums[:size], counts[:size]
    return share, numbers[:size], sums[:size], counts[:size]
