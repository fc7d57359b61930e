"""Moments, order statistics and deviations of many numbers in few passes.

The numbers come as a `Tally`: values and how often each occurs. Whole numbers of limited range,
such as those of CT and MR, and grey levels are counted once; everything else then costs as much
as there are different values. Other numbers stay as they are, each occurring once.

`Tallies` are those of many small sets at once, made by the same loops: equal to the last bit.
Kernels go over sets that lie one after the other, of which `ends` says where each of them ends.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Flags, Floats, Ints
from centrum.errors import DataError
from centrum.kernels.cache import kernel

LANES = 256
"""Partial sums that a loop keeps side by side: it vectorises, and rounding grows with n / 256."""

BUCKETS = 1024
"""Parts of the range from which order statistics are picked."""

COUNTABLE = 2**16
"""Whole numbers over a wider range than this are not counted."""

ONCE = np.ones(LANES)
"""How often each of uncounted values occurs."""


@kernel
def _survey(x: Floats, ends: Ints, lanes: Floats) -> None:
    """Sum, minimum, maximum and sum of distances to the whole number below, lane by lane."""
    begin = 0
    for s in range(ends.size):
        own = lanes[s]
        for start in range(begin, ends[s], LANES):
            row = x[start : min(start + LANES, ends[s])]
            for k in range(row.size):
                v = row[k]
                own[k] += v
                own[k + LANES] = min(own[k + LANES], v)
                own[k + 2 * LANES] = max(own[k + 2 * LANES], v)
                own[k + 3 * LANES] += abs(v - np.floor(v))
        begin = ends[s]


@kernel
def _count_whole(x: Floats, low: float, counts: Ints) -> None:
    for k in range(x.size):
        counts[int(x[k] - low)] += 1


@kernel
def _count_levels(levels: NDArray[np.uint16], counts: Ints) -> None:
    for k in range(levels.size):
        counts[levels[k]] += 1


@kernel
def _central_sums(values: Floats, times: Floats, ends: Ints, mean: Floats, lanes: Floats) -> None:
    """Sums of d^2, d^3, d^4 and |d| with d = value - mean, lane by lane."""
    begin = 0
    for s in range(ends.size):
        own, centre = lanes[s], mean[s]
        for start in range(begin, ends[s], LANES):
            row = values[start : min(start + LANES, ends[s])]
            weight = times[start % times.size :]
            for k in range(row.size):
                d = row[k] - centre
                square = d * d
                own[k] += weight[k] * square
                own[k + LANES] += weight[k] * (square * d)
                own[k + 2 * LANES] += weight[k] * (square * square)
                own[k + 3 * LANES] += weight[k] * abs(d)
        begin = ends[s]


@kernel
def _inner_sums(
    values: Floats, times: Floats, ends: Ints, low: Floats, high: Floats, centre: Floats,
    lanes: Floats,
) -> None:  # fmt: skip
    """Number and sum of the values in [low, high], and |value - centre| of those and of all."""
    begin = 0
    for s in range(ends.size):
        own, lowest, highest, middle = lanes[s], low[s], high[s], centre[s]
        for start in range(begin, ends[s], LANES):
            row = values[start : min(start + LANES, ends[s])]
            weight = times[start % times.size :]
            for k in range(row.size):
                v = row[k]
                inner = weight[k] if lowest <= v <= highest else 0.0
                own[k] += inner
                own[k + LANES] += inner * v
                own[k + 2 * LANES] += inner * abs(v - middle)
                own[k + 3 * LANES] += weight[k] * abs(v - middle)
        begin = ends[s]


@kernel
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


Value = float | Floats
"""Of one set of numbers, or (sets,) of many."""


class Moments(NamedTuple):
    """Central moments, divided by n, and the mean distance to the mean."""

    second: Value
    third: Value
    fourth: Value
    absolute: Value


class Deviations(NamedTuple):
    """Mean absolute deviations of the inner numbers and of all."""

    inner: Value
    all: Value


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
        if x.dtype.kind in "iu" and x.size and (counted := _counted_integers(x)) is not None:
            return cls.of_counts(*counted)
        x = np.ascontiguousarray(x, dtype=float)
        total, low, high, fractions = (float(v[0]) for v in _surveyed(x, _one_end(x)))
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
        lanes = np.zeros((1, 4 * LANES))
        _central_sums(self.values, self.times, self._ends, np.array([self.mean]), lanes)
        return Moments(*(_summed(lanes)[:, 0] / self.n).tolist())

    @property
    def _ends(self) -> Ints:
        return _one_end(self.values)

    @property
    def from_one(self) -> Floats:
        """How often 1, 2, .. high occur, of whole numbers from 1."""
        return np.concatenate((np.zeros(int(self.low) - 1), self.times))

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
            percent: float(_between(found[a], found[b], place - a))
            for percent, place, (a, b) in zip(percents, places, neighbours, strict=True)
        }

    def deviations(self, low: Value, high: Value, centre: Value) -> Deviations:
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

    def _inner(self, low: Value, high: Value, centre: Value) -> list[float]:
        lanes = np.zeros((1, 4 * LANES))
        limits = (np.array([limit], dtype=float) for limit in (low, high, centre))
        _inner_sums(self.values, self.times, self._ends, *limits, lanes)
        return _summed(lanes)[:, 0].tolist()

    def recounted(self, levels: NDArray[np.uint16]) -> Ints:
        """How many numbers have level 1 .. Ng, when `values` have `levels` from 1, (k,)."""
        if self.counted:
            return np.bincount(levels, self.times)[1:].astype(np.int64)
        return count_levels(levels)


@dataclass(frozen=True, eq=False)
class Tallies:
    """The tallies of many small sets of numbers.

    What is a number of a `Tally` is an array (sets,) here.

    Attributes
    ----------
    values, times, ends : of one set after the other, and where each ends
    ascending : (sets, most numbers) the numbers of each set in order, then inf
    n, mean, low, high : as of a `Tally`

    >>> both = Tallies.of(np.array([3.0, 1.0, 3.0, 0.5]), np.array([3, 4]))
    >>> both.values.tolist(), both.times.tolist(), both.mean.tolist()
    ([1.0, 2.0, 3.0, 0.5], [1.0, 0.0, 2.0, 1.0], [2.33..., 0.5])
    """

    values: Floats
    times: Floats
    ends: Ints
    ascending: Floats
    n: Ints
    mean: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, x: Array, ends: Ints, *, levels: bool = False) -> Self:
        """The tallies of sets that lie one after the other in `x`; `levels` are always counted.

        Raises
        ------
        DataError
            A set is empty, or has a number that is not finite.
        """
        x = np.ascontiguousarray(x, dtype=float)
        total, low, high, fractions = _surveyed(x, ends)
        n, span = ends - _begins(ends), high - low
        exact = np.maximum(-low, high) < 2**53
        few = span < np.minimum(n, COUNTABLE)
        counted = np.full(ends.shape, True) if levels else (fractions == 0) & exact & few
        held = np.arange(n.max()) < n[:, None]
        rows = np.full(held.shape, np.inf)
        rows[held] = x
        mean = np.where(high > low, total / n, low)
        sizes = np.where(counted, span + 1, n).astype(np.int64)
        return cls(*_joined(x, n, low, counted, sizes), np.cumsum(sizes), np.sort(rows, axis=1),
                   n, mean, low, high)  # fmt: skip

    @cached_property
    def moments(self) -> Moments:
        """Central moments."""
        lanes = np.zeros((self.n.size, 4 * LANES))
        _central_sums(self.values, self.times, self.ends, self.mean, lanes)
        return Moments(*_summed(lanes) / self.n)

    def percentiles(self, percents: tuple[int, ...]) -> dict[int, Value]:
        """Percentiles, linear between order statistics, exactly as numpy has them."""
        found: dict[int, Value] = {}
        for percent in percents:
            place = np.asarray((self.n - 1) * (percent / 100), dtype=float)
            below = place.astype(np.int64)
            ranks = np.column_stack((below, np.minimum(below + 1, self.n - 1)))
            a, b = np.take_along_axis(self.ascending, ranks, axis=1).T
            found[percent] = _between(a, b, place - below)
        return found

    def deviations(self, low: Value, high: Value, centre: Value) -> Deviations:
        """As of `Tally`, for limits and centres (sets,)."""
        number, total, _, around = self._inner(low, high, centre)
        with np.errstate(invalid="ignore"):
            inner = self._inner(low, high, total / number)[2]
            return Deviations(inner / number, around / self.n)

    def _inner(self, low: Value, high: Value, centre: Value) -> Floats:
        lanes = np.zeros((self.n.size, 4 * LANES))
        _inner_sums(self.values, self.times, self.ends, low, high, centre, lanes)
        return _summed(lanes)

    @property
    def from_one(self) -> Floats:
        """(sets, high) how often 1, 2, .. occur, of whole numbers from 1 with the same maximum."""
        found = np.zeros((self.n.size, int(self.high.max())))
        owner = np.repeat(np.arange(self.n.size), self.ends - _begins(self.ends))
        found[owner, self.values.astype(np.int64) - 1] = self.times
        return found


def _joined(x: Floats, n: Ints, low: Floats, counted: Flags, sizes: Ints) -> tuple[Floats, Floats]:
    """Values and times of sets of n numbers, one after the other; of counted ones from `low` on."""
    if not counted.any():
        return x, np.ones(x.size)
    begins = _begins(np.cumsum(sizes))
    owner, of_value = (np.repeat(np.arange(n.size), size) for size in (n, sizes))
    values = low[of_value] + (np.arange(of_value.size) - begins[of_value])
    values[~counted[of_value]] = x[~counted[owner]]
    own = counted[owner]
    places = begins[owner[own]] + (x[own] - low[owner[own]]).astype(np.int64)
    times = np.bincount(places, minlength=values.size).astype(float)
    times[~counted[of_value]] = 1.0
    return values, times


def _counted_integers(x: Array) -> tuple[Ints, int] | None:
    """How often each integer from the smallest occurs, and the smallest; None over a wide range."""
    low, high = int(x.min()), int(x.max())
    if high - low >= min(x.size, COUNTABLE) or max(-low, high) >= 2**53:
        return None
    counts = np.zeros(high - low + 1, dtype=np.int64)
    # Modulo 2^16, so that it is right in integers of any width.
    _count_levels(x.astype(np.uint16) - np.uint16(low % 2**16), counts)
    return counts, low


def _one_end(x: Floats) -> Ints:
    """Of one set."""
    return np.array([x.size])


def _surveyed(x: Floats, ends: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """(sets,) sum, minimum, maximum and fractions."""
    begins = _begins(ends)
    if (begins == ends).any():
        raise DataError("A tally needs at least one number, found none.")
    lanes = np.zeros((ends.size, 4, LANES))
    lanes[:, 1:3] = x[begins][:, None, None]
    _survey(x, ends, lanes.reshape(ends.size, -1))
    total = lanes[:, 0].sum(axis=1)
    if not np.isfinite(total).all():
        raise DataError("A tally needs finite numbers of finite sum; find the others first.")
    return total, lanes[:, 1].min(axis=1), lanes[:, 2].max(axis=1), lanes[:, 3].sum(axis=1)


def _begins(ends: Ints) -> Ints:
    return np.concatenate(([0], ends[:-1]))


def _summed(lanes: Floats) -> Floats:
    """(4, sets)."""
    return np.asarray(lanes.reshape(-1, 4, LANES).sum(axis=2).T)


def _between(a: Value, b: Value, t: Value) -> Floats:
    """Between a (t = 0) and b (t = 1), exact at both ends."""
    return np.where(np.less(t, 0.5), a + (b - a) * t, b - (b - a) * (1 - t))


def count_levels(levels: NDArray[np.uint16]) -> Ints:
    """How many voxels have level 1 .. Ng; 0 lies outside the region, any shape.

    >>> count_levels(np.array([[0, 1], [3, 3]], dtype=np.uint16)).tolist()
    [1, 0, 2]
    """
    counts = np.zeros(int(levels.max()) + 1, dtype=np.int64)
    _count_levels(np.ascontiguousarray(levels, dtype=np.uint16).reshape(-1), counts)
    return counts[1:]
