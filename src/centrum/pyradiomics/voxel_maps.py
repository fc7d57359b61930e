"""Maps: the features of the neighbourhood of every voxel of the region (voxelBased).

A neighbourhood is a cube of 2 kernelRadius + 1 voxels around a voxel, without the axis that force2D
leaves out, cut off at the edge of the image and, with maskedKernel, of the region. Grey levels are
those of the whole region. `measure/windows.py` measures them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats, Ints
from centrum.features.aggregation import DIRECTIONS
from centrum.features.families import FAMILIES as ALL_FAMILIES
from centrum.features.registry import Family, Feature
from centrum.features.textures import Neighbourhood
from centrum.measure.windows import Windows, grey_levels, intensities, of_samples, parts
from centrum.pyradiomics.engine import definition, discretised, extraction_settings, selected
from centrum.pyradiomics.feature_names import FAMILIES
from centrum.pyradiomics.progress import getProgressReporter
from centrum.pyradiomics.regions import MaskedImage, as_image
from centrum.pyradiomics.settings import Settings, axis_left_out, read


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

    @cached_property
    def windows(self) -> Windows:
        """What counts textures."""
        return Windows(self.levels, self.radius, self.neighbourhood)

    def maps(self, feature_class: str, features: list[str]) -> dict[str, Floats]:
        """Maps [z, y, x] of some features of a class; `initValue` outside the region."""
        fill = float(read(self.settings, "initValue"))
        maps = {name: np.full(self.inside.shape, fill) for name in features}
        fitting = self.windows.fitting(_family(feature_class).reads)
        batches = parts(self.centres, self._batch_size or fitting)
        with getProgressReporter(total=len(batches), desc="batch") as progress:
            for batch in batches:
                for centres in parts(batch, fitting):
                    for name, values in self._values(feature_class, features, centres).items():
                        maps[name][tuple(centres.T)] = values
                progress.update(1)
        return {name: np.moveaxis(array, 0, self.axis) for name, array in maps.items()}

    @property
    def _batch_size(self) -> int:
        """Neighbourhoods whose end is reported; 0 if as many as fit into memory."""
        return max(int(read(self.settings, "voxelBatch")), 0)

    def _values(self, feature_class: str, features: list[str], centres: Ints) -> dict[str, Floats]:
        """Values (n,) of the neighbourhoods of some centres."""
        defined = [definition(feature_class, name) for name in features]
        if feature_class == "firstorder":
            return dict(zip(features, self._first_order(defined, centres), strict=True))
        family = _family(feature_class)
        merged = (DIRECTIONS,) if self.neighbourhood.weighting and family.reads.directed else ()
        found = self.windows.textures(family, defined, centres, merged)
        return dict(zip(features, found, strict=True))

    def _first_order(self, features: Sequence[Feature], centres: Ints) -> Floats:
        """Values (features, n) of intensities, or of their grey levels."""
        shift = float(read(self.settings, "voxelArrayShift"))
        volume = self.region.volume.geometry.voxel_volume
        of_intensities = partial(intensities, voxel_volume=volume, shift=shift)
        values = np.empty((len(features), len(centres)))
        for levels, make, numbers in (
            (False, of_intensities, self.intensities),
            (True, grey_levels, self.levels),
        ):
            own = [k for k, f in enumerate(features) if _of_levels(f) == levels]
            chosen = [features[k] for k in own]
            if chosen:
                values[own] = of_samples(make, chosen, numbers, self.inside, centres, self.radius)
        return values


def _of_levels(feature: Feature) -> bool:
    return ALL_FAMILIES[feature.entry.family].reads.levels


def _family(feature_class: str) -> Family:
    """The family of a class; of first-order features that of the intensities."""
    name, *_ = FAMILIES[feature_class]
    return ALL_FAMILIES[name]
