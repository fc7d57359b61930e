"""Runs, zones and neighbourhoods of equal grey levels.

All start from one bit mask per voxel that says in which of 13 directions the voxel before
it has the same grey level.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Floats, Ints
from centrum.kernels.cache import kernel, part
from centrum.kernels.layout import SPAN_LENGTH, RegionLayout

DIRECTIONS = np.array(
    [
        (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1),
        (1, -1, -1), (1, -1, 0), (1, -1, 1), (1, 0, -1), (1, 0, 0), (1, 0, 1),
        (1, 1, -1), (1, 1, 0), (1, 1, 1),
    ]
)  # fmt: skip
"""One of each pair of opposite steps to a neighbour, (z, y, x); the first four stay in z."""

IN_SLICE = 4
"""Directions that stay in z."""

Bits = NDArray[np.uint16]
Places = Ints


class Equal(NamedTuple):
    """Bit d is set where the voxel one step before (after) in direction d has the same level.

    Flat arrays; 0 outside the region.
    """

    before: Bits
    after: Bits


@kernel
def _equal(
    levels: Bits, starts: Places, ends: Places, steps: Places, before: Bits, after: Bits
) -> None:
    none = np.uint16(0)
    for s in range(starts.size):
        i, j = starts[s], ends[s]
        a = levels[i:j]
        found = before[i:j]
        for d in range(steps.size):
            b = levels[i - steps[d] : j - steps[d]]
            bit = np.uint16(1 << d)
            for k in range(a.size):
                found[k] |= bit if a[k] == b[k] else none
        for k in range(a.size):
            found[k] = found[k] if a[k] else none
    for s in range(starts.size):
        i, j = starts[s], ends[s]
        found = after[i:j]
        for d in range(steps.size):
            b = before[i + steps[d] : j + steps[d]]
            bit = np.uint16(1 << d)
            for k in range(found.size):
                found[k] |= b[k] & bit


def equal_neighbours(levels: Bits, layout: RegionLayout, steps: Places) -> Equal:
    """Which of the neighbours at `steps` (one per direction) share a voxel's level.

    >>> line = RegionLayout.of(np.ones((1, 1, 1, 3), bool), pad=1)
    >>> levels = line.flat(np.array([1, 1, 2], np.uint16))
    >>> equal = equal_neighbours(levels, line, line.steps(DIRECTIONS))
    >>> equal.before[line.positions].tolist(), equal.after[line.positions].tolist()
    ([0, 1, 0], [1, 0, 0])
    """
    equal = Equal(np.zeros(layout.size, np.uint16), np.zeros(layout.size, np.uint16))
    _equal(levels, layout.starts, layout.ends, steps, equal.before, equal.after)
    return equal


@cache
def _lowest_bit() -> NDArray[np.uint8]:
    """Index of the lowest set bit of every 13-bit number."""
    masks = np.arange(1 << len(DIRECTIONS))
    return np.asarray(np.log2(np.maximum(masks & -masks, 1)), dtype=np.uint8)


@cache
def _representatives() -> Bits:
    """Of every set of directions, one for each group of neighbours that touch each other.

    Equal neighbours of a voxel that touch each other are in one zone already.
    """
    n = len(DIRECTIONS)
    gaps = np.abs(DIRECTIONS[:, None] - DIRECTIONS[None, :]).max(axis=2)
    touching = [sum(1 << int(e) for e in np.flatnonzero(row <= 1)) for row in gaps]
    chosen = np.zeros(1 << n, dtype=np.uint16)
    for mask in range(1, 1 << n):
        group, grown = 0, mask & -mask
        while grown != group:
            group = grown
            for d in range(n):
                if group >> d & 1:
                    grown |= touching[d] & mask
        chosen[mask] = (mask & -mask) | int(chosen[mask & ~group])
    return chosen


VOXELS_AT_ONCE = 2048
"""Runs of so many voxels are followed together."""

USUAL = 4
"""So many runs that begin at a voxel are always written down: a loop of fixed length costs less
than one whose end the processor guesses wrong."""


@cache
def _set_bits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Of every set of directions its members, (sets, 13), and how many."""
    masks = np.arange(1 << len(DIRECTIONS))
    members = np.zeros((masks.size, len(DIRECTIONS)), np.uint8)
    number = np.zeros(masks.size, np.uint8)
    for d in range(len(DIRECTIONS)):
        with_d = np.flatnonzero(masks >> d & 1)
        members[with_d, number[with_d]] = d
        number[with_d] += 1
    return members, number


@part
def _runs_that_begin(
    voxels: Places, before: Bits, after: Bits, members: NDArray, number: NDArray,
    place: Places, direction: NDArray,
) -> int:  # fmt: skip
    """Write down place and direction of every run of two voxels or more; how many."""
    found = 0
    for k in voxels:
        begins = after[k] & ~before[k]
        here = number[begins]
        for t in range(USUAL):
            place[found + t], direction[found + t] = k, members[begins, t]
        for t in range(USUAL, here):
            place[found + t], direction[found + t] = k, members[begins, t]
        found += here
    return found


@part
def _follow(
    levels: Bits, after: Bits, steps: Places, place: Places, direction: NDArray, runs: int,
    counts: NDArray,
) -> int:  # fmt: skip
    """Take all runs one voxel further until the last has ended; the longest length.

    Runs that go on are counted at length 1, which is put right afterwards.
    """
    length = 1
    while runs:
        length += 1
        going_on = 0
        for q in range(runs):
            d = direction[q]
            k = place[q] + steps[d]
            on = (after[k] >> d) & 1
            counts[d, (length - 1) * (1 - on), levels[k]] += 1
            place[going_on], direction[going_on] = k, d
            going_on += on
        runs = going_on
    return length


@kernel
def _run_lengths(
    levels: Bits, positions: Places, first: Places, steps: Places, before: Bits, after: Bits,
    members: NDArray, number: NDArray, place: Places, direction: NDArray, totals: NDArray,
    table: NDArray,
) -> int:  # fmt: skip
    """`place` and `direction` have room for the runs that are followed together."""
    longest = 1
    for block in range(first.size - 1):
        counts = table[block]
        for p in range(first[block], first[block + 1], VOXELS_AT_ONCE):
            voxels = positions[p : min(p + VOXELS_AT_ONCE, first[block + 1])]
            runs = _runs_that_begin(voxels, before, after, members, number, place, direction)
            length = _follow(levels, after, steps, place, direction, runs, counts)
            longest = max(longest, length)
        total = totals[block]
        for k in positions[first[block] : first[block + 1]]:
            total[levels[k]] += 1
        for d in range(steps.size):
            single = counts[d, 0]
            for level in range(total.size):
                single[level] = total[level]
            for length in range(2, longest + 1):
                longer = counts[d, length - 1]
                for level in range(total.size):
                    single[level] -= length * longer[level]
    return longest


def run_lengths(
    levels: Bits, layout: RegionLayout, steps: Places, equal: Equal, n_levels: int
) -> NDArray[np.int32]:
    """Number of runs by length j and level i, (blocks, directions, longest, Ng + 1).

    Level 0 of the last axis is empty.

    >>> line = RegionLayout.of(np.ones((1, 1, 1, 3), bool), pad=1)
    >>> levels, steps = line.flat(np.array([1, 1, 2], np.uint16)), line.steps(DIRECTIONS[:1])
    >>> run_lengths(levels, line, steps, equal_neighbours(levels, line, steps), 2).tolist()
    [[[[0, 0, 1], [0, 1, 0]]]]
    """
    table = np.zeros(
        (layout.blocks, len(steps), max(layout.shape[1:]), n_levels + 1), dtype=np.int32
    )
    place = np.empty(VOXELS_AT_ONCE * len(DIRECTIONS) + USUAL, np.int64)
    direction = np.empty(place.size, np.uint8)
    totals = np.zeros((layout.blocks, n_levels + 1), dtype=np.int32)
    longest = _run_lengths(
        levels, layout.positions, layout.first, steps, *equal, *_set_bits(), place, direction,
        totals, table,
    )  # fmt: skip
    return table[:, :, :longest]


class Zones(NamedTuple):
    """Connected voxels of equal level, one entry per zone.

    voxel : index in `RegionLayout.positions` of its first voxel
    size : number of voxels
    distance : smallest distance of its voxels, `FARTHEST` where none was given
    """

    voxel: NDArray[np.int32]
    size: NDArray[np.int32]
    distance: NDArray[np.int32]


FARTHEST = np.iinfo(np.int32).max


@part
def _find(parent: NDArray, label: int) -> int:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


@part
def _unite(
    k: int, joined: np.uint16, steps: Places, low: NDArray, labels: NDArray, parent: NDArray
) -> int:
    """Make the zones of all neighbours `joined` one; its label."""
    root = _find(parent, labels[k - steps[low[joined]]])
    joined &= joined - np.uint16(1)
    while joined:
        other = _find(parent, labels[k - steps[low[joined]]])
        joined &= joined - np.uint16(1)
        parent[max(root, other)] = min(root, other)
        root = min(root, other)
    return root


@kernel
def _zones(
    positions: Places, steps: Places, before: Bits, chosen: Bits, low: NDArray,
    distances: NDArray, labels: NDArray, parent: NDArray, zones: NDArray,
) -> int:  # fmt: skip
    """Write what `Zones` holds; how many zones there are."""
    voxel, size, nearest = zones[0], zones[1], zones[2]
    n = 0
    for p in range(positions.size):
        k = positions[p]
        joined = chosen[before[k]]
        # Written down before it is known whether a zone begins here, and its label is reckoned:
        # the processor guesses wrong too often whether it does.
        parent[n], voxel[n], nearest[n] = n, p, FARTHEST
        begins = joined == 0
        label = begins * n + (1 - begins) * labels[k - steps[low[joined]]]
        if joined & (joined - np.uint16(1)):
            label = _unite(k, joined, steps, low, labels, parent)
        n += begins
        labels[k] = label
        size[label] += 1
        if distances.size:
            nearest[label] = min(nearest[label], distances[p])
    for label in range(n - 1, -1, -1):
        above = parent[label]
        if above != label:
            size[above] += size[label]
            nearest[above] = min(nearest[above], nearest[label])
    roots = 0
    for label in range(n):
        voxel[roots], size[roots], nearest[roots] = voxel[label], size[label], nearest[label]
        roots += parent[label] == label
    return roots


def zones(
    layout: RegionLayout, steps: Places, equal: Equal, distances: Bits | None = None
) -> Zones:
    """Zones of voxels of one level that touch along any of `steps`.

    `distances` (n,) belongs to the region's voxels, in the order of `layout.positions`.

    >>> line = RegionLayout.of(np.ones((1, 1, 1, 3), bool), pad=1)
    >>> levels, steps = line.flat(np.array([1, 1, 2], np.uint16)), line.steps(DIRECTIONS)
    >>> equal = equal_neighbours(levels, line, steps)
    >>> zones(line, steps, equal, np.array([1, 2, 1], np.uint16)).size.tolist()
    [2, 1]
    """
    n = layout.positions.size
    labels, parent = np.empty(layout.size, np.int32), np.empty(n, np.int32)
    found = np.zeros((3, n), np.int32)
    count = _zones(
        layout.positions, steps, equal.before, _representatives(), _lowest_bit(),
        np.empty(0, np.uint16) if distances is None else distances, labels, parent, found,
    )  # fmt: skip
    return Zones(*found[:, :count])


UNREACHED = 60_000
"""A distance before any border was seen; above every size of an image, below 2^16."""


@kernel
def _city_block(starts: Places, ends: Places, steps: Places, distance: Bits) -> None:
    """Two sweeps, a row at a time; outside the region the distance is 0 and stays so."""
    one, row = np.uint16(1), steps[-2]
    for s in range(starts.size):
        for i in range(starts[s], ends[s], row):
            here = distance[i : min(i + row, ends[s])]
            for d in range(steps.size - 1):
                near = distance[i - steps[d] : i - steps[d] + here.size]
                for k in range(here.size):
                    here[k] = min(here[k], near[k] + one)
            last = distance[i - 1]
            for k in range(here.size):
                last = min(here[k], last + one)
                here[k] = last
    for s in range(starts.size - 1, -1, -1):
        for j in range(ends[s], starts[s], -row):
            i = max(j - row, starts[s])
            here = distance[i:j]
            for d in range(steps.size - 1):
                near = distance[i + steps[d] : j + steps[d]]
                for k in range(here.size):
                    here[k] = min(here[k], near[k] + one)
            last = distance[j]
            for k in range(here.size - 1, -1, -1):
                last = min(here[k], last + one)
                here[k] = last


def border_distance(layout: RegionLayout, axes: NDArray) -> Bits:
    """City-block distance of every voxel to the nearest one outside the region, flat.

    `axes` (n, 3) are the unit steps along which one may go, those along y and x last.

    >>> line = RegionLayout.of(np.ones((1, 1, 1, 3), bool), pad=1)
    >>> border_distance(line, np.eye(3, dtype=int))[line.positions].tolist()
    [1, 1, 1]
    """
    distance = layout.flat(np.full(layout.positions.size, UNREACHED, np.uint16))
    _city_block(layout.starts, layout.ends, layout.steps(axes), distance)
    return distance


class Neighbourhoods(NamedTuple):
    """Counts by block and grey level (level 0 is empty).

    difference : (blocks, Ng + 1) sum of abs(level - mean level of the neighbours)
    voxels : (blocks, Ng + 1) voxels with at least one neighbour
    dependent : (blocks, Ng + 1, neighbours + 1) voxels by number of dependent neighbours
    """

    difference: Floats
    voxels: Places
    dependent: Places


@kernel(error_model="numpy")
def _neighbourhoods(
    levels: Bits, starts: Places, ends: Places, block: Places, steps: Places, coarseness: int,
    sums: NDArray, counts: Bits, alike: Bits, difference: NDArray, lonely: Places,
    dependent: Places,
) -> None:  # fmt: skip
    """`sums`, `counts` and `alike` have room for the longest span; `lonely` are the voxels
    without a neighbour, (blocks, Ng + 1)."""
    reach, width = np.uint16(coarseness), np.uint16(2 * coarseness)
    for s in range(starts.size):
        i, j = starts[s], ends[s]
        a = levels[i:j]
        total, count, close = sums[: j - i], counts[: j - i], alike[: j - i]
        total[:], count[:], close[:] = 0, 0, 0
        for d in range(steps.size):
            b = levels[i + steps[d] : j + steps[d]]
            if coarseness == 0:
                for k in range(a.size):
                    total[k] += b[k]
                    count[k] += np.uint16(b[k] != 0)
                    close[k] += np.uint16(a[k] == b[k])
                continue
            for k in range(a.size):
                total[k] += b[k]
                present = b[k] != 0
                count[k] += np.uint16(present)
                close[k] += np.uint16(present & (np.uint16(a[k] - b[k] + reach) <= width))
        n = block[s]
        for k in range(a.size):
            level = a[k]
            if level:
                dependent[n, level, close[k]] += 1
                if count[k]:
                    difference[n, level] += abs(level - total[k] / count[k])
                else:
                    lonely[n, level] += 1


def neighbourhoods(
    levels: Bits, layout: RegionLayout, steps: Places, n_levels: int, coarseness: int
) -> Neighbourhoods:
    """Compare every voxel with its neighbours at `steps` (both ways round).

    A neighbour is dependent when its level differs by at most `coarseness`.

    >>> line = RegionLayout.of(np.ones((1, 1, 1, 3), bool), pad=1)
    >>> levels = line.flat(np.array([1, 1, 2], np.uint16))
    >>> found = neighbourhoods(levels, line, np.array([-1, 1]), 2, 0)
    >>> found.difference.tolist(), found.dependent[0, 1].tolist()
    ([[0.0, 0.5, 1.0]], [0, 2, 0])
    """
    shape = (layout.blocks, n_levels + 1)
    difference, lonely = np.zeros(shape), np.zeros(shape, np.int64)
    dependent = np.zeros((*shape, len(steps) + 1), np.int64)
    sums, (counts, alike) = np.empty(SPAN_LENGTH, np.uint32), np.empty((2, SPAN_LENGTH), np.uint16)
    _neighbourhoods(
        levels, layout.starts, layout.ends, layout.span_block, steps, coarseness, sums, counts,
        alike, difference, lonely, dependent,
    )  # fmt: skip
    return Neighbourhoods(difference, dependent.sum(axis=2) - lonely, dependent)
