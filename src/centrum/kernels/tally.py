"""Moments, order statistics and deviations of many numbers in few passes.

The numbers come as a `Tally`: values and how often each occurs. Whole numbers of limited range,
such as those of CT and MR, and grey levels are counted once; everything else then costs as much
as there are different values. Other numbers stay as they are, each occurring once.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from centrum.arrays import Array, Floats, Ints
from centrum.errors import DataError

LANES = 256
"""Partial sums that a loop keeps side by side: it vectorises, and rounding grows with n / 256."""

BUCKETS = 1024
"""Parts of the range from which order statistics are picked."""

COUNTABLE = 2**16
"""Whole numbers over a wider range than this are not counted."""

ONCE = np.ones(LANES)
"""How often each of uncounted values occurs."""


@njit(cache=True, nogil=True)
def _survey(x: Floats, lanes: Floats) -> None:
    """Sum, minimum, maximum and sum of distances to the whole number below, lane by lane."""
    for start in range(0, x.size, LANES):
        row = x[start : start + LANES]
        for k in range(row.size):
            v = row[k]
            lanes[k] += v
            lanes[k + LANES] = min(lanes[k + LANES], v)
            lanes[k + 2 * LANES] = max(lanes[k + 2 * LANES], v)
            lanes[k + 3 * LANES] += abs(v - np.floor(v))


@njit(cache=True, nogil=True)
def _count_whole(x: Floats, low: float, counts: Ints) -> None:
    for k in range(x.size):
        counts[int(x[k] - low)] += 1


@njit(cache=True, nogil=True)
def _count_levels(levels: NDArray[np.uint16], counts: Ints) -> None:
    for k in range(levels.size):
        counts[levels[k]] += 1


@njit(cache=True, nogil=True)
def _central_sums(values: Floats, times: Floats, mean: float, lanes: Floats) -> None:
    """Sums of d^2, d^3, d^4 and |d| with d = value - mean, lane by lane."""
    for start in range(0, values.size, LANES):
        row = values[start : start + LANES]
        weight = times[start % times.size :]
        for k in range(row.size):
            d = row[k] - mean
            square = d * d
            lanes[k] += weight[k] * square
            lanes[k + LANES] += weight[k] * (square * d)
            lanes[k + 2 * LANES] += weight[k] * (square * square)
            lanes[k + 3 * LANES] += weight[k] * abs(d)


@njit(cache=True, nogil=True)
def _inner_sums(
    values: Floats, times: Floats, low: float, high: float, centre: float, lanes: Floats
) -> None:
    """Number and sum of the values in [low, high], and |value - centre| of those and of all."""
    for start in range(0, values.size, LANES):
        row = values[start : start + LANES]
        weight = times[start % times.size :]
        for k in range(row.size):
            v = row[k]
            inner = weight[k] if low <= v <= high else 0.0
            lanes[k] += inner
            lanes[k + LANES] += inner * v
            lanes[k + 2 * LANES] += inner * abs(v - centre)
            lanes[k + 3 * LANES] += weight[k] * abs(v - centre)


@njit(cache=True, nogil=True)
def _gather(
    x: Floats, low: float, scale: float, ranks: Ints, buckets: Ints, counts: Ints, wanted: Ints,
    members: Floats,
) -> int:  # fmt: skip
    """Write members of the buckets that hold the order statistics `ranks` (ascending); how many.

    `ranks` becomes their ranks among these members. `counts` and `wanted` (zeros) have a place for
    each bucket, `members` one more than there are numbers: each value is written, and stays if its
    bucket is wanted.
    """
    for start in range(0, x.size, LANES):
        row = x[start : start + LANES]
        for k in range(row.size):
            buckets[k] = int((row[k] - low) * scale)
        for k in range(row.size):
            counts[buckets[k]] += 1
    r = below = skipped = 0
    for b in range(BUCKETS):
        while r < ranks.size and ranks[r] < below + counts[b]:
            ranks[r] -= skipped
            wanted[b] = 1
            r += 1
        below += counts[b]
        skipped += counts[b] * (1 - wanted[b])
    n = 0
    for k in range(x.size):
        members[n] = x[k]
        n += wanted[int((x[k] - low) * scale)]
    return n


class Moments(NamedTuple):
    """Central moments, divided by n, and the mean distance to the mean."""

    second: float
    third: float
    fourth: float
    absolute: float


class Deviations(NamedTuple):
    """Mean absolute deviations of the inner numbers and of all."""

    inner: float
    all: float


@dataclass(frozen=True, eq=False)
class Tally:
    """Numbers and how often each occurs.

    Attributes
    ----------
    values : (k,) numbers
    times : (k,) how often each occurs, or `ONCE`
    n : how many numbers there are in all
    mean, low, high : their mean, minimum and maximum
    counted : whether `values` are low, low + 1, .. high, some perhaps occurring 0 times

    >>> t = Tally.of(np.array([3.0, 1.0, 3.0, 4.0]))
    >>> t.values.tolist(), t.times.tolist(), t.mean
    ([1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 2.0, 1.0], 2.75)
    """

    values: Floats
    times: Floats
    n: int
    mean: float
    low: float
    high: float
    counted: bool

    @classmethod
    def of(cls, x: Array) -> Self:
        """The tally of numbers of any type, (n,), which must be finite.

        Raises
        ------
        DataError
            There are none, or some are not finite.
        """
        x = np.ascontiguousarray(x, dtype=float)
        total, low, high, fractions = _surveyed(x)
        span = high - low
        exact = max(-low, high) < 2**53
        if fractions == 0 and exact and span < min(x.size, COUNTABLE):
            counts = np.zeros(int(span) + 1, dtype=np.int64)
            _count_whole(x, low, counts)
            return cls.of_counts(counts, int(low))
        mean = total / x.size if high > low else low
        return cls(x, ONCE, x.size, mean, low, high, counted=False)

    @classmethod
    def of_counts(cls, counts: Ints, first: int = 1) -> Self:
        """The whole numbers from `first`, each occurring `counts` times, (k,).

        >>> Tally.of_counts(np.array([0, 2, 1, 0]), first=5).low
        6.0
        """
        occurring = np.flatnonzero(counts)
        if occurring.size == 0:
            raise DataError("A tally needs at least one number, found none.")
        begin, end = int(occurring[0]), int(occurring[-1])
        times = counts[begin : end + 1].astype(float)
        values = np.arange(first + begin, first + end + 1, dtype=float)
        n = int(counts.sum())
        mean = float(values @ times) / n
        return cls(values, times, n, mean, float(values[0]), float(values[-1]), counted=True)

    @cached_property
    def moments(self) -> Moments:
        """Central moments."""
        lanes = np.zeros(4 * LANES)
        _central_sums(self.values, self.times, self.mean, lanes)
        return Moments(*(_summed(lanes) / self.n).tolist())

    def order_statistics(self, ranks: Ints) -> Floats:
        """The numbers at `ranks` (ascending, from 0) in ascending order."""
        if self.counted:
            up_to = np.cumsum(self.times)
            return np.asarray(self.values[np.searchsorted(up_to, ranks, side="right")])
        scale = (BUCKETS - 1) / (self.high - self.low) if self.high > self.low else 0.0
        if not 0 < scale < np.inf:
            return np.asarray(np.sort(self.values)[ranks])
        among, members = ranks.copy(), np.empty(self.n + 1)
        buckets, (counts, wanted) = np.empty(LANES, np.int64), np.zeros((2, BUCKETS), np.int64)
        n = _gather(self.values, self.low, scale, among, buckets, counts, wanted, members)
        return np.asarray(np.sort(members[:n])[among])

    def percentiles(self, percents: tuple[int, ...]) -> dict[int, float]:
        """Percentiles, linear between order statistics, exactly as numpy has them.

        >>> Tally.of(np.array([1.0, 2.0, 4.0])).percentiles((25, 50))
        {25: 1.5, 50: 2.0}
        """
        places = [(self.n - 1) * (percent / 100) for percent in percents]
        neighbours = [(int(place), min(int(place) + 1, self.n - 1)) for place in places]
        ranks = sorted({rank for pair in neighbours for rank in pair})
        found = dict(zip(ranks, self.order_statistics(np.array(ranks)).tolist(), strict=True))
        return {
            percent: _between(found[a], found[b], place - a)
            for percent, place, (a, b) in zip(percents, places, neighbours, strict=True)
        }

    def deviations(self, low: float, high: float, centre: float) -> Deviations:
        """Mean distances to their mean of the numbers in [low, high], and of all to `centre`.

        The first is NaN if no number lies there.

        >>> Tally.of(np.array([1.0, 3.0, 98.0])).deviations(0, 10, centre=3)
        Deviations(inner=1.0, all=32.333...)
        """
        number, total, _, around = self._inner(low, high, centre)
        if number == 0:
            return Deviations(float("nan"), around / self.n)
        inner = self._inner(low, high, total / number)[2]
        return Deviations(inner / number, around / self.n)

    def _inner(self, low: float, high: float, centre: float) -> list[float]:
        lanes = np.zeros(4 * LANES)
        _inner_sums(self.values, self.times, low, high, centre, lanes)
        return _summed(lanes).tolist()

    def recounted(self, levels: NDArray[np.uint16]) -> Ints:
        """How many numbers have level 1 .. Ng, when `values` have `levels` from 1, (k,)."""
        if self.counted:
            return np.bincount(levels, self.times)[1:].astype(np.int64)
        return count_levels(levels)


def _surveyed(x: Floats) -> tuple[float, float, float, float]:
    if x.size == 0:
        raise DataError("A tally needs at least one number, found none.")
    lanes = np.zeros((4, LANES))
    lanes[1:3] = x[0]
    _survey(x, lanes.reshape(-1))
    total = float(lanes[0].sum())
    if not np.isfinite(total):
        raise DataError("A tally needs finite numbers of finite sum; find the others first.")
    return total, float(lanes[1].min()), float(lanes[2].max()), float(lanes[3].sum())


def _summed(lanes: Floats) -> Floats:
    return np.asarray(lanes.reshape(4, LANES).sum(axis=1))


def _between(a: float, b: float, t: float) -> float:
    """Between a (t = 0) and b (t = 1), exact at both ends."""
    return a + (b - a) * t if t < 0.5 else b - (b - a) * (1 - t)


def count_levels(levels: NDArray[np.uint16]) -> Ints:
    """How many voxels have level 1 .. Ng; 0 lies outside the region, any shape.

    >>> count_levels(np.array([[0, 1], [3, 3]], dtype=np.uint16)).tolist()
    [1, 0, 2]
    """
    counts = np.zeros(int(levels.max()) + 1, dtype=np.int64)
    _count_levels(np.ascontiguousarray(levels, dtype=np.uint16).reshape(-1), counts)
    return counts[1:]
