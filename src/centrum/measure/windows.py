"""Windows: features of the neighbourhood of every voxel of a region.

A window is a box of 2 r + 1 voxels along each axis around a voxel, cut off at the edge of the grid
and wherever there is no grey level. Its grey levels are those of the whole region. Matrices are
counted, and numbers tallied, for many windows at once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from centrum.arrays import Array, Flags, Floats, Ints
from centrum.features.glcm import COOCCURRENCE
from centrum.features.histogram import Histogram
from centrum.features.registry import Family, Feature, Reads
from centrum.features.sample import Sample
from centrum.features.sizes import RUNS
from centrum.features.statistics import Intensities
from centrum.features.textures import COUNTS, Axes, Neighbourhood, Textures
from centrum.kernels.tally import LANES, Tallies
from centrum.measure.extract import average

BATCH_BYTES = 32e6
"""What the matrices of one batch of windows may take."""

SUMS = 8 * LANES
"""Numbers in which a window is summed up."""

Samples = Iterator[tuple[Ints, Sample]]
"""Some of many windows, and what features read of them."""

MakeSamples = Callable[[Array, Flags], Samples]
"""Of numbers (n, voxels) of windows, and which of them they hold."""

Radius = tuple[int, int, int]
"""Voxels (z, y, x) on either side of the centre of a window."""


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of an array of grey levels.

    Attributes
    ----------
    levels : uint16 (z, y, x), from 1, 0 where windows hold nothing
    radius : of a window
    neighbourhood : which neighbours textures count

    >>> row = Windows(np.array([[[1, 2, 2]]], np.uint16), (0, 0, 1), Neighbourhood())
    >>> row.n_levels, row.one_level
    (2, False)
    """

    levels: NDArray[np.uint16]
    radius: Radius
    neighbourhood: Neighbourhood

    @cached_property
    def n_levels(self) -> int:
        """Largest grey level of the region."""
        return int(self.levels.max())

    @cached_property
    def one_level(self) -> bool:
        """Whether the region has one grey level."""
        return int(self.levels[self.levels > 0].min()) == self.n_levels

    def fitting(self, reads: Reads) -> int:
        """Windows whose matrices fit into `BATCH_BYTES`."""
        n_levels = self.n_levels + 1
        voxels = int(np.prod([2 * r + 1 for r in self.radius]))
        cells = {COOCCURRENCE: n_levels**2, RUNS: n_levels * max(self.radius) * 3}
        directions = max(len(self.neighbourhood.pair_offsets), 13)
        per_block = 8 * max(cells.get(reads, 0) * directions * 3, n_levels * voxels, voxels)
        return max(int(BATCH_BYTES / per_block), 1)

    def textures(
        self, family: Family, features: Sequence[Feature], centres: Ints, merged: Axes
    ) -> Floats:
        """Values (features, n) of the windows around centres (n, 3).

        `merged` are the axes of (blocks, directions) whose counts are summed; over directions that
        are not, values are averaged, and those without a pair do not count.
        """
        blocks = BlockTextures(
            around(self.levels, centres, self.radius),
            self.neighbourhood,
            self.n_levels,
            in_one_level=self.one_level,
        )
        statistic = COUNTS[family.reads](blocks, merged)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = [np.asarray(feature.compute(statistic)) for feature in features]
        return np.stack([v if v.ndim == 1 else average(v) for v in found])


def around(array: NDArray, centres: Ints, radius: Radius) -> NDArray:
    """(n, ...) the windows of an array around centres (n, 3); zeros beyond its edges.

    >>> around(np.array([[[1, 2, 2]]]), np.array([[0, 0, 0], [0, 0, 1]]), (0, 0, 1)).tolist()
    [[[[0, 1, 2]]], [[[1, 2, 2]]]]
    """
    padded = np.pad(array, [(r, r) for r in radius])
    boxes = sliding_window_view(padded, [2 * r + 1 for r in radius])
    return np.ascontiguousarray(boxes[tuple(centres.T)])


def of_samples(
    make: MakeSamples,
    features: Sequence[Feature],
    numbers: Array,
    held: Flags,
    centres: Ints,
    radius: Radius,
) -> Floats:
    """Values (features, n) of numbers in windows around centres (n, 3), wherever in them they lie.

    Parameters
    ----------
    make : what the features read, of the numbers of windows
    numbers : (z, y, x)
    held : which of them windows hold
    """
    values = np.empty((len(features), len(centres)))
    voxels = int(np.prod([2 * r + 1 for r in radius]))
    size = max(int(BATCH_BYTES / (8 * (4 * voxels + SUMS))), 1)
    for start in range(0, len(centres), size):
        own = centres[start : start + size]
        x, inside = (around(array, own, radius).reshape(len(own), -1) for array in (numbers, held))
        for rows, samples in make(x, inside):
            with np.errstate(divide="ignore", invalid="ignore"):
                found = [feature.compute(samples) for feature in features]
            values[:, start + rows] = found
    return values


def intensities(x: Array, inside: Flags, voxel_volume: float, shift: float) -> Samples:
    """The intensities (n, voxels) of windows."""
    yield np.arange(len(x)), Intensities(_tallies(x, inside), voxel_volume, shift)


def grey_levels(x: Array, inside: Flags) -> Samples:
    """The grey levels (n, voxels) of windows, those with the same highest one at a time."""
    highest = np.where(inside, x, 0).max(axis=1)
    for level in np.unique(highest):
        rows = np.flatnonzero(highest == level)
        yield rows, Histogram(_tallies(x[rows], inside[rows], levels=True))


def _tallies(x: Array, inside: Flags, *, levels: bool = False) -> Tallies:
    return Tallies.of(x[inside], np.cumsum(np.count_nonzero(inside, axis=1)), levels=levels)


def parts(centres: Ints, size: int) -> list[Ints]:
    """The rows in groups of a size."""
    return [centres[start : start + size] for start in range(0, len(centres), size)]


@dataclass(frozen=True, eq=False)
class BlockTextures(Textures):
    """Textures of blocks that are measured apart, of a region that may be `in_one_level`."""

    in_one_level: bool = False

    @property
    def one_level(self) -> bool:
        return self.in_one_level

    @cached_property
    def _lines_with_two_voxels(self) -> Flags:
        """(blocks, directions): PyRadiomics leaves the others out, block by block."""
        inside = self.levels > 0
        found = [
            _has_line_with_two(inside, direction) for direction in self.neighbourhood.directions
        ]
        return np.stack(found, axis=1)


def _has_line_with_two(inside: Flags, direction: Ints) -> Flags:
    """(blocks,) whether any line of a block along a direction holds two voxels.

    >>> _has_line_with_two(np.array([[[[True, False, True]]]]), np.array([0, 0, 1])).tolist()
    [True]
    """
    found = np.zeros(len(inside), bool)
    for far in range(1, max(inside.shape[1:])):
        ahead, behind = zip(*(_shifted(step * far) for step in direction), strict=True)
        both = inside[:, *ahead] & inside[:, *behind]
        found |= both.reshape(len(inside), -1).any(axis=1)
    return found


def _shifted(step: int) -> tuple[slice, slice]:
    """Slices of an axis whose voxels are `step` apart."""
    if step > 0:
        return slice(step, None), slice(None, -step)
    return (slice(None, step), slice(-step, None)) if step else (slice(None), slice(None))
