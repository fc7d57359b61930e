"""Which pixels of a slice a closed contour holds: by their centres, those that it meets included.

Inside is where a line to the edge crosses the contour an odd number of times. A pixel whose centre
the contour meets, within `TOLERANCE`, is told apart: of it no number of crossings is asked, so that
rounding of the contour's points decides nothing (docs/decisions/0020).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from centrum.arrays import Flags, Floats, Ints

TOLERANCE = 0.02
"""Pixels between a contour and the centre of a pixel that it is said to meet.

Points written with two decimals of a millimetre are 0.007 mm off at most, which is less than this
in pixels of 0.36 mm and more; of a region 20 pixels wide it is 0.4 % of the area.
"""

MOST_AT_ONCE = 1 << 20
"""Edges, and rows or columns that they meet, which are looked at together."""


PIXELS_PER_STEP = 16


@dataclass(frozen=True, eq=False)
class FilledContour:
    """The pixels of one contour.

    Attributes
    ----------
    box : rows and columns of the slice that `inside` and `met` stand for
    inside : centres around which the contour runs, (rows, columns)
    met : centres that it meets
    """

    box: tuple[slice, slice]
    inside: Flags
    met: Flags

    @property
    def within(self) -> Flags:
        """Inside, and not met."""
        return self.inside & ~self.met


def fill(points: Floats, shape: tuple[int, int]) -> FilledContour:
    """The pixels of a closed contour in a slice of some rows and columns.

    Parameters
    ----------
    points : (n, 2), column and row of each point, n > 0; a centre has whole numbers. The last is
        joined to the first
    shape : rows and columns

    >>> square = fill(np.array([(1, 1), (3, 1), (3, 3), (1, 3)]), (5, 5))
    >>> square.met.astype(int).tolist(), square.within.astype(int).tolist()
    ([[1, 1, 1], [1, 0, 1], [1, 1, 1]], [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    """
    y, x = (_span(points[:, axis], shape[1 - axis]) for axis in (1, 0))
    start = points - np.array([x.start, y.start], dtype=float)
    end, size = np.roll(start, -1, axis=0), (y.stop - y.start, x.stop - x.start)
    crossings, met = np.zeros((size[0], size[1] + 1), dtype=np.int64), np.zeros(size, dtype=bool)
    for k in range(0, len(start), MOST_AT_ONCE):
        some = slice(k, k + MOST_AT_ONCE)
        _count(start[some], end[some], crossings)
        _meet(start[some], end[some], met)
    inside = np.cumsum(crossings[:, :-1], axis=1) & 1
    return FilledContour((y, x), inside.astype(bool), met)


def steps(points: Floats) -> float:
    """What filling a contour costs: about how many rows and columns its edges meet.

    `PIXELS_PER_STEP` pixels of the box around it take as long as one.
    """
    edges = float(np.abs(np.diff(points, axis=0, append=points[:1])).sum()) + 4 * len(points)
    return edges + float(np.prod(np.ptp(points, axis=0))) / PIXELS_PER_STEP


def _span(at: Floats, size: int) -> slice:
    first = int(np.clip(np.ceil(at.min() - TOLERANCE), 0, size))
    return slice(first, int(np.clip(np.floor(at.max() + TOLERANCE) + 1, first, size)))


def _count(start: Floats, end: Floats, crossings: Ints) -> None:
    """Count where edges cross rows, at the next centre to the right; there is a column more.

    An edge has the row in which its upper end lies and not that of its lower end, whose edge on
    the other side has it.
    """
    rows, columns = crossings.shape[0], crossings.shape[1] - 1
    swap = start[:, 1] > end[:, 1]
    upper, lower = (np.where(swap[:, None], *pair) for pair in ((end, start), (start, end)))
    first = np.maximum(np.ceil(upper[:, 1]), 0).astype(np.int64)
    stop = np.minimum(np.ceil(lower[:, 1]), rows).astype(np.int64)
    for edge, row in _each(first, stop):
        x = _at(row, upper[edge, 1], lower[edge, 1], upper[edge, 0], lower[edge, 0])
        column = np.clip(np.floor(x) + 1, 0, columns).astype(np.int64)
        flat = np.bincount(row * (columns + 1) + column, minlength=crossings.size)
        crossings += flat.reshape(crossings.shape)


def _meet(start: Floats, end: Floats, met: Flags) -> None:
    """Mark centres within the tolerance of an edge.

    Along the axis in which an edge is longer it has one centre at most in each row or column.
    """
    steep = np.abs(end - start)[:, 1] > np.abs(end - start)[:, 0]
    for chosen, along, view in ((~steep, 0, met.T), (steep, 1, met)):
        a, b = (each[chosen][:, [along, 1 - along]] for each in (start, end))
        _mark(a, b, view)


def _mark(start: Floats, end: Floats, met: Flags) -> None:
    """Mark the centres that edges meet, whose first coordinate is that of the first axis."""
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    first = np.maximum(np.ceil(low - TOLERANCE), 0).astype(np.int64)
    stop = np.minimum(np.floor(high + TOLERANCE) + 1, met.shape[0]).astype(np.int64)
    for edge, along in _each(first, stop):
        a, b = start[edge], end[edge]
        across = np.rint(_at(along, a[:, 0], b[:, 0], a[:, 1], b[:, 1])).astype(np.int64)
        near = _distance(np.stack([along, across], axis=1), a, b) <= TOLERANCE
        near &= (across >= 0) & (across < met.shape[1])
        met[along[near], across[near]] = True


def _each(first: Ints, stop: Ints) -> Iterator[tuple[Ints, Ints]]:
    """The number of an edge beside each row from its first to its last, so many at once."""
    counts = np.maximum(stop - first, 0)
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        done = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, done + MOST_AT_ONCE, "right")), begin + 1)
        edge = np.repeat(np.arange(begin, end), counts[begin:end])
        yield edge, np.arange(len(edge)) - (ends - counts)[edge] + done + first[edge]
        begin = end


def _at(place: Ints, low: Floats, high: Floats, at_low: Floats, at_high: Floats) -> Floats:
    """What a line has at a place; at one beyond its ends what the nearer end has."""
    length = high - low
    share = np.divide(place - low, length, out=np.zeros(len(place)), where=length != 0)
    return at_low + np.clip(share, 0, 1) * (at_high - at_low)


def _distance(points: Ints, start: Floats, end: Floats) -> Floats:
    """Distances of points from edges, (n,)."""
    edge, offset = end - start, points - start
    length = (edge**2).sum(axis=1)
    along = (offset * edge).sum(axis=1)
    share = np.divide(along, length, out=np.zeros(len(points)), where=length != 0)
    return np.linalg.norm(offset - np.clip(share, 0, 1)[:, None] * edge, axis=1)
