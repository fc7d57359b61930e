"""Maps: the features of the neighbourhood of every voxel of the region (voxelBased).

A neighbourhood is a cube of 2 kernelRadius + 1 voxels around a voxel, without the axis that force2D
leaves out, cut off at the edge of the image and, with maskedKernel, of the region. Grey levels are
those of the whole region. Texture matrices are counted for many neighbourhoods at once, each a
block.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats, Ints
from centrum.features.aggregation import DIRECTIONS
from centrum.features.families import DIRECTED, FAMILIES as ALL_FAMILIES
from centrum.features.textures import COUNTS, Neighbourhood, Textures
from centrum.measure.extract import average
from centrum.pyradiomics.engine import definition, discretised, extraction_settings, selected
from centrum.pyradiomics.feature_names import FAMILIES
from centrum.pyradiomics.kernel_samples import FEATURES, Samples
from centrum.pyradiomics.progress import getProgressReporter
from centrum.pyradiomics.regions import MaskedImage, as_image
from centrum.pyradiomics.settings import Settings, axis_left_out, read

BATCH_BYTES = 32e6
"""What the matrices of one batch of neighbourhoods may take."""


def feature_maps(
    region: MaskedImage,
    dimension: int,
    settings: Settings,
    wanted: Mapping[str, Iterable[str] | None],
) -> Iterator[tuple[str, sitk.Image]]:
    """(class_Feature, map) of the features `wanted` of each class, on the grid of the region.

    Parameters
    ----------
    dimension : 2 or 3, of the maps
    wanted : feature names by class; None or none at all: those that are not deprecated
    """
    kernels = Kernels(region, settings, dimension)
    for feature_class, features in wanted.items():
        chosen = selected(feature_class, features)
        maps = kernels.maps(feature_class, chosen) if chosen else {}
        for feature, array in maps.items():
            image = as_image(array, region.volume.geometry, dimension)
            yield f"{feature_class}_{feature}", image


@dataclass(frozen=True, eq=False)
class Kernels:
    """The neighbourhoods of the voxels of a region in an image of 2 or 3 dimensions.

    Arrays have the axis across slices first if neighbourhoods lie within slices.
    """

    region: MaskedImage
    settings: Settings
    dimension: int = 3

    @cached_property
    def by_slice(self) -> bool:
        return axis_left_out(self.settings, self.dimension) is not None

    @cached_property
    def axis(self) -> int:
        """Array axis that comes first."""
        return axis_left_out(self.settings, self.dimension) or 0

    @cached_property
    def radius(self) -> tuple[int, int, int]:
        """Voxels on either side of the centre."""
        r = int(read(self.settings, "kernelRadius"))
        return (0 if self.by_slice else r, r, r)

    @cached_property
    def centres(self) -> Ints:
        """(n, 3) voxels of the region."""
        return np.argwhere(np.moveaxis(self.region.mask.array, self.axis, 0))

    @cached_property
    def inside(self) -> Flags:
        """Voxels that neighbourhoods may hold."""
        mask = np.moveaxis(self.region.mask.array, self.axis, 0)
        return mask if read(self.settings, "maskedKernel") else np.ones_like(mask)

    @cached_property
    def intensities(self) -> NDArray[np.generic]:
        return np.moveaxis(self.region.volume.array, self.axis, 0)

    @cached_property
    def levels(self) -> NDArray[np.uint16]:
        """Grey levels of all voxels that neighbourhoods may hold, 0 elsewhere."""
        levels = np.zeros(self.inside.shape, np.uint16)
        levels[self.inside] = discretised(self.intensities[self.inside], self.settings)
        return levels

    @cached_property
    def neighbourhood(self) -> Neighbourhood:
        """Which neighbours textures count."""
        s = extraction_settings(self.settings, (), self.dimension)
        spacing = list(self.region.volume.geometry.array_spacing)
        across, down, along = spacing.pop(self.axis), *spacing
        return Neighbourhood(
            in_slice=self.by_slice,
            distances=s.distances,
            coarseness=int(s.coarseness),
            symmetric=s.symmetric,
            weighting=s.weighting,
            spacing=(across, down, along),
            dialect=s.dialect,
        )

    def maps(self, feature_class: str, features: list[str]) -> dict[str, Floats]:
        """Maps [z, y, x] of some features of a class; `initValue` outside the region."""
        fill = float(read(self.settings, "initValue"))
        maps = {name: np.full(self.inside.shape, fill) for name in features}
        fitting = self._fitting(feature_class)
        batches = _parts(self.centres, self._batch_size or fitting)
        with getProgressReporter(total=len(batches), desc="batch") as progress:
            for batch in batches:
                for centres in _parts(batch, fitting):
                    for name, values in self._values(feature_class, features, centres).items():
                        maps[name][tuple(centres.T)] = values
                progress.update(1)
        return {name: np.moveaxis(array, 0, self.axis) for name, array in maps.items()}

    @property
    def _batch_size(self) -> int:
        """Neighbourhoods whose end is reported; 0 if as many as fit into memory."""
        return max(int(read(self.settings, "voxelBatch")), 0)

    def _fitting(self, feature_class: str) -> int:
        """Neighbourhoods whose matrices fit into `BATCH_BYTES`."""
        n_levels = int(self.levels.max()) + 1
        voxels = int(np.prod([2 * r + 1 for r in self.radius]))
        cells = {"glcm": n_levels**2, "glrlm": n_levels * max(self.radius) * 3}
        directions = max(len(self.neighbourhood.pair_offsets), 13)
        per_block = 8 * max(cells.get(feature_class, 0) * directions * 3, n_levels * voxels, voxels)
        return max(int(BATCH_BYTES / per_block), 1)

    def _values(self, feature_class: str, features: list[str], centres: Ints) -> dict[str, Floats]:
        """Values (n,) of the neighbourhoods of some centres."""
        if feature_class == "firstorder":
            samples = self._samples(centres)
            return {name: FEATURES[name](samples) for name in features}
        textures = KernelTextures(
            self._around(self.levels, centres),
            self.neighbourhood,
            self.n_levels,
            in_one_level=self.one_level,
        )
        (family,) = FAMILIES[feature_class]
        merged = (DIRECTIONS,) if self.neighbourhood.weighting and family in DIRECTED else ()
        statistic = COUNTS[ALL_FAMILIES[family].reads](textures, merged)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {f: definition(feature_class, f).compute(statistic) for f in features}
        return {name: _over_directions(np.asarray(values)) for name, values in found.items()}

    @cached_property
    def n_levels(self) -> int:
        return int(self.levels.max())

    @cached_property
    def one_level(self) -> bool:
        """Whether the region has one grey level."""
        return int(self.levels[self.inside].min()) == self.n_levels

    def _samples(self, centres: Ints) -> Samples:
        levels = self._around(self.levels, centres).reshape(len(centres), -1)
        x = self._around(self.intensities.astype(float), centres).reshape(levels.shape)
        shift = float(read(self.settings, "voxelArrayShift"))
        volume = self.region.volume.geometry.voxel_volume
        return Samples(np.where(levels > 0, x, np.nan), levels, volume, shift)

    def _around(self, array: NDArray, centres: Ints) -> NDArray:
        """(n, ...) the cubes around the centres; zeros beyond the image."""
        padded = np.pad(array, [(r, r) for r in self.radius])
        cubes = sliding_window_view(padded, [2 * r + 1 for r in self.radius])
        return np.ascontiguousarray(cubes[tuple(centres.T)])


def _parts(rows: Ints, size: int) -> list[Ints]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@dataclass(frozen=True, eq=False)
class KernelTextures(Textures):
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


def _over_directions(values: Floats) -> Floats:
    """Mean over directions of (blocks, directions); those without a pair do not count."""
    return values if values.ndim == 1 else average(values)
