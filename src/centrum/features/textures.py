"""From grey levels to the statistics of texture families: which matrices, and how merged.

Matrices are counted in blocks: a whole region (3D), its slices (2D), or the neighbourhoods
of many voxels. Their layout and the comparison of neighbours are made once and shared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Flags, Ints
from centrum.features.aggregation import BLOCKS
from centrum.features.glcm import COOCCURRENCE, Cooccurrence
from centrum.features.ngtdm import TONE_DIFFERENCES, ToneDifferences
from centrum.features.registry import Reads
from centrum.features.settings import Weighting
from centrum.features.sizes import DEPENDENCES, DISTANCE_ZONES, RUNS, ZONES, LevelSizeCounts
from centrum.kernels import neighbours
from centrum.kernels.cooccurrence import count_pairs
from centrum.kernels.layout import RegionLayout
from centrum.settings import Dialect

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Neighbourhood:
    """Which neighbours count, and how; see `ExtractionSettings`.

    `spacing` is mm along (z, y, x) of the blocks; `in_slice` leaves out neighbours in other
    slices (z).
    """

    in_slice: bool = False
    distances: tuple[int, ...] = (1,)
    coarseness: int = 0
    symmetric: bool = True
    weighting: Weighting | None = None
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    dialect: Dialect = "ibsi"

    @property
    def directions(self) -> Array:
        """One of each pair of opposite steps to an adjacent voxel, (n, 3)."""
        return neighbours.DIRECTIONS[: neighbours.IN_SLICE if self.in_slice else None]

    @property
    def pair_offsets(self) -> Array:
        """Steps of co-occurrence: adjacent directions times the distance (IBSI), or one of each
        pair of opposite steps whose largest component is one of the distances (PyRadiomics)."""
        if self.dialect == "ibsi":
            return self.directions * self.distances[0]
        around = _around(self.distances, self.in_slice)
        return around[len(around) // 2 :]

    @property
    def around(self) -> Array:
        """All steps within the distance (IBSI), or at the distances (PyRadiomics)."""
        within = tuple(range(1, self.distances[0] + 1))
        return _around(within if self.dialect == "ibsi" else self.distances, self.in_slice)

    def weights(self, offsets: Array, *, gaussian: bool) -> Array | None:
        """Weight of each step: exp(-d^2), or in PyRadiomics' run lengths d itself."""
        if self.weighting is None or self.weighting == "no_weighting":
            return None
        order = {"manhattan": 1, "euclidean": 2, "infinity": np.inf}[self.weighting]
        distance = np.linalg.norm(offsets * self.spacing, ord=order, axis=1)
        return np.asarray(np.exp(-(distance**2)) if gaussian else distance)


@cache
def _around(distances: tuple[int, ...], in_slice: bool) -> Array:
    """Steps (z, y, x) whose largest component is one of the distances, in ascending order: the
    second half are the opposites of the first."""
    reach = np.arange(-max(distances), max(distances) + 1)
    z = np.zeros(1, int) if in_slice else reach
    steps = np.stack(np.meshgrid(z, reach, reach, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(steps[np.isin(np.abs(steps).max(axis=1), distances)])


@dataclass(frozen=True, eq=False)
class Textures:
    """Grey levels of a region, and the statistics that are counted on them.

    Attributes
    ----------
    levels : uint16 (blocks, z, y, x), from 1, 0 outside the region
    neighbourhood : which neighbours count
    n_levels : largest grey level Ng
    region : bool (blocks, z, y, x), the region before re-segmentation, from whose border the
        distance of zones is measured; None where it is not
    first : textures of the same voxels in another image, which share what is not of levels

    >>> line = Textures(np.array([[[[1, 1, 2]]]], np.uint16), Neighbourhood(), n_levels=2)
    >>> line.glszm((0,)).sums.elements, line.glrlm((0, 1)).n_voxels
    (array(2.), array([39.]))
    """

    levels: NDArray[np.uint16]
    neighbourhood: Neighbourhood
    n_levels: int
    region: Flags | None = field(default=None)
    first: "Textures | None" = field(default=None)

    def of(self, levels: NDArray[np.uint16], n_levels: int) -> "Textures":
        """Those of other grey levels of the same voxels."""
        return replace(self, levels=levels, n_levels=n_levels, first=self)

    @cached_property
    def layout(self) -> RegionLayout:
        if self.first is not None:
            return self.first.layout
        return RegionLayout.of(self.levels > 0, pad=max(self.neighbourhood.distances))

    @cached_property
    def flat(self) -> NDArray[np.uint16]:
        return self.layout.whole(self.levels)

    @property
    def one_level(self) -> bool:
        """Whether all voxels of the region have one grey level, which need not be the first."""
        highest = np.count_nonzero(self.levels == self.levels.max())
        return bool(highest == self.layout.positions.size)

    @cached_property
    def steps(self) -> Ints:
        """To adjacent voxels, one per direction."""
        return self.layout.steps(self.neighbourhood.directions)

    @cached_property
    def equal(self) -> neighbours.Equal:
        return neighbours.equal_neighbours(self.flat, self.layout, self.steps)

    @cached_property
    def pair_counts(self) -> Array:
        """(blocks, directions, Ng, Ng), weighted."""
        offsets = self.neighbourhood.pair_offsets
        counts = count_pairs(self.flat, self.layout, self.layout.steps(offsets), self.n_levels)
        weights = self.neighbourhood.weights(offsets, gaussian=True)
        return counts if weights is None else counts * weights[:, None, None]

    def glcm(self, merged: Axes) -> Cooccurrence:
        """Co-occurrence, with the axes `merged` of (blocks, directions) summed."""
        counts = self.pair_counts.sum(axis=merged) if merged else self.pair_counts
        return Cooccurrence.from_counts(
            counts, symmetric=self.neighbourhood.symmetric, one_level=self.one_level
        )

    @cached_property
    def run_counts(self) -> tuple[Array, Array]:
        """Runs (blocks, directions, longest, Ng) and voxels (blocks, directions), weighted."""
        table = neighbours.run_lengths(
            self.flat, self.layout, self.steps, self.equal, self.n_levels
        )[..., 1:]
        directions = self.neighbourhood.directions
        voxels = np.repeat(self.layout.counts[:, None], len(directions), axis=1)
        weights = self.neighbourhood.weights(
            directions, gaussian=self.neighbourhood.dialect == "ibsi"
        )
        if self.neighbourhood.dialect == "pyradiomics":
            kept = self._lines_with_two_voxels.astype(float)
            weights = kept if weights is None else kept * weights
        if weights is None or np.all(weights == 1):
            return table, voxels
        return table * weights[..., None, None], voxels * weights

    @cached_property
    def _lines_with_two_voxels(self) -> Flags:
        """Directions along which any line holds two voxels of a block; PyRadiomics' others
        have no runs."""
        if self.first is not None:
            return self.first._lines_with_two_voxels
        places, size = self.layout.positions, self.layout.size
        step = self.steps[:, None]
        ahead = np.minimum(places[:: max(1, places.size // SAMPLED)] + step, size - 1)
        found = (self.flat[ahead] > 0).any(axis=1)
        for d in np.flatnonzero(~found):
            found[d] = self._line_with_two_voxels(self.neighbourhood.directions[d])
        return np.asarray(found)

    def _line_with_two_voxels(self, direction: Array) -> bool:
        block, *voxels = np.nonzero(self.levels)
        axis = int(np.flatnonzero(direction)[0])
        along = voxels[axis] * direction[axis]
        start = [v - along * d for v, d in zip(voxels, direction, strict=True)]
        lines = np.stack([block, *start], axis=1)
        return len(np.unique(lines, axis=0)) < len(lines)

    def glrlm(self, merged: Axes) -> LevelSizeCounts:
        """Run lengths, with the axes `merged` of (blocks, directions) summed."""
        table, voxels = self.run_counts
        if merged:
            table, voxels = table.sum(axis=merged), voxels.sum(axis=merged)
        return LevelSizeCounts.from_table(np.ascontiguousarray(table), np.asarray(voxels))

    @cached_property
    def zones(self) -> tuple[Array, neighbours.Zones]:
        """Grey level of each zone, and the zones."""
        found = neighbours.zones(self.layout, self.steps, self.equal, self._border_distance)
        return self.flat[self.layout.positions[found.voxel]].astype(np.int64), found

    @cached_property
    def _border_distance(self) -> NDArray[np.uint16] | None:
        """City-block distance of the voxels to the border of the region."""
        if self.region is None:
            return None
        if self.first is not None:
            return self.first._border_distance
        layout = self.layout
        if np.count_nonzero(self.region) != layout.positions.size:
            layout = RegionLayout.of(self.region, pad=max(self.neighbourhood.distances))
        axes = np.eye(3, dtype=int)[1 if self.neighbourhood.in_slice else 0 :]
        distance = neighbours.border_distance(layout, axes)
        return np.asarray(distance[self.layout.positions])

    def _of_zones(self, sizes: Array, merged: Axes) -> LevelSizeCounts:
        level, found = self.zones
        if BLOCKS in merged:
            block, voxels = np.zeros_like(level), np.array(self.layout.positions.size)
        else:
            block = np.searchsorted(self.layout.first, found.voxel, side="right") - 1
            voxels = self.layout.counts
        return LevelSizeCounts.from_elements(block, level, sizes, voxels)

    def glszm(self, merged: Axes) -> LevelSizeCounts:
        """Sizes of zones, with the blocks summed if `merged` says so."""
        return self._of_zones(self.zones[1].size, merged)

    def gldzm(self, merged: Axes) -> LevelSizeCounts:
        """Distances of zones to the region's border."""
        return self._of_zones(self.zones[1].distance, merged)

    @cached_property
    def neighbourhoods(self) -> neighbours.Neighbourhoods:
        steps = self.layout.steps(self.neighbourhood.around)
        return neighbours.neighbourhoods(
            self.flat, self.layout, steps, self.n_levels, self.neighbourhood.coarseness
        )

    def ngtdm(self, merged: Axes) -> ToneDifferences:
        """Differences from the mean of the neighbours.

        PyRadiomics also counts voxels without a neighbour, as equal to it.
        """
        blocks = tuple(axis for axis in merged if axis == BLOCKS)
        found = self.neighbourhoods
        n, s = found.voxels[:, 1:], found.difference[:, 1:]
        if self.neighbourhood.dialect == "pyradiomics":
            n = found.dependent[:, 1:].sum(axis=2)
        return (
            ToneDifferences(n.sum(axis=blocks), s.sum(axis=blocks))
            if blocks
            else (ToneDifferences(n, s))
        )

    def ngldm(self, merged: Axes) -> LevelSizeCounts:
        """Dependent neighbours, the voxel itself counted: sizes from 1."""
        table = np.swapaxes(self.neighbourhoods.dependent[:, 1:], 1, 2)
        voxels = self.layout.counts
        if BLOCKS in merged:
            table, voxels = table.sum(axis=0), np.array(voxels.sum())
        return LevelSizeCounts.from_table(np.ascontiguousarray(table), voxels)


COUNTS: Mapping[Reads, Callable[[Textures, Axes], Any]] = {
    COOCCURRENCE: Textures.glcm,
    RUNS: Textures.glrlm,
    ZONES: Textures.glszm,
    DISTANCE_ZONES: Textures.gldzm,
    TONE_DIFFERENCES: Textures.ngtdm,
    DEPENDENCES: Textures.ngldm,
}
"""How each matrix of neighbours is counted, with axes of (blocks, directions) summed."""

SAMPLED = 32
"""Voxels that are looked at before all lines are searched."""
