"""The one bridge from images to numbers: a plan of what to compute, then the doing of it.

>>> import numpy as np
>>> from centrum.geometry import Geometry
>>> grid = Geometry((8, 8, 4), (0.6, 0.6, 4.4))
>>> image = Volume(np.random.default_rng(0).normal(500, 50, grid.shape), grid)
>>> region = Mask(np.ones(grid.shape, bool), grid)
>>> values = extract(image, region, ExtractionSettings(families=("statistics",)))
>>> len(values), len(plan(ExtractionSettings(families=("statistics",))))
(18, 18)
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.features.aggregation import AGGREGATIONS, Aggregation
from centrum.features.feature_id import FeatureId
from centrum.features.glcm import Cooccurrence, glcm
from centrum.features.histogram import Histogram, histogram
from centrum.features.morphology import Shape, morphology
from centrum.features.registry import Family
from centrum.features.settings import ExtractionSettings
from centrum.features.statistics import Intensities, statistics
from centrum.geometry import Geometry
from centrum.kernels.cooccurrence import count_pairs
from centrum.prepare import discretise
from centrum.prepare.intensity import normalise_image, resegment
from centrum.volume import Mask, Volume, bounding_box

FAMILIES: dict[str, Family] = {f.name: f for f in (morphology, statistics, histogram, glcm)}

TEXTURES = ("glcm",)
"""Families that count neighbours and therefore have an aggregation."""

DISCRETISED = ("histogram", *TEXTURES)
"""Families that read grey levels instead of intensities."""

IMAGE = "original"

DIRECTIONS_3D = np.array(
    [
        (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1),
        (1, -1, -1), (1, -1, 0), (1, -1, 1), (1, 0, -1), (1, 0, 0), (1, 0, 1),
        (1, 1, -1), (1, 1, 0), (1, 1, 1),
    ]
)  # fmt: skip
"""One of each pair of opposite steps to a neighbour, (z, y, x); the first four stay in z."""

DIRECTIONS_2D = DIRECTIONS_3D[:4]


def plan(settings: ExtractionSettings) -> tuple[FeatureId, ...]:
    """The features that these settings give, in the order in which they are reported."""
    return tuple(
        FeatureId(
            image=IMAGE,
            family=name,
            feature=feature.key,
            code=feature.entry.code,
            name=feature.entry.name,
            discretisation=settings.discretisation.label if name in DISCRETISED else "",
            aggregation=aggregation,
        )
        for name in settings.families
        for aggregation in (settings.aggregations if name in TEXTURES else ("",))
        for feature in FAMILIES[name]
        if feature.in_dialect(settings.dialect)
    )


def extract(volume: Volume, mask: Mask, settings: ExtractionSettings) -> NDArray[np.float64]:
    """The values of `plan(settings)`, in its order.

    Raises
    ------
    DataError
        Image and mask are not on the same grid, the region is empty, or it holds voxels that
        are not finite.
    """
    _check(volume, mask)
    region = _Region(volume, mask, settings)
    values: list[float] = []
    for name in settings.families:
        values.extend(region.family(name))
    return np.array(values)


def _check(volume: Volume, mask: Mask) -> None:
    if not volume.geometry.same_grid(mask.geometry):
        raise DataError(
            "Image and mask are not on the same grid.\n"
            f"image:\n{volume.geometry.describe()}\nmask:\n{mask.geometry.describe()}"
        )
    x = volume.array[mask.array]
    if x.size == 0:
        raise DataError(f"The mask {mask.name!r} is empty: there is nothing to measure.")
    if bad := int(np.count_nonzero(~np.isfinite(x))):
        raise DataError(f"{bad} of {x.size} voxels in {mask.name!r} are not finite.")


class _Region:
    """The prepared region of one case: cropped, normalised, re-segmented, discretised once."""

    def __init__(self, volume: Volume, mask: Mask, settings: ExtractionSettings) -> None:
        if settings.normalise_scale is not None:
            volume = normalise_image(volume, settings.normalise_scale)
        limits = settings.resegmentation
        kept = mask
        if limits.model_dump(exclude_none=True):
            kept = resegment(volume, mask, **limits.model_dump())
        box = bounding_box(mask.array)
        self.settings = settings
        self.geometry = volume.geometry
        self.inside = mask.array[box]
        self.kept = kept.array[box]
        self.x = volume.array[box][self.kept].astype(float)

    def family(self, name: str) -> list[float]:
        """Values of one family, aggregation by aggregation."""
        family, dialect = FAMILIES[name], self.settings.dialect
        if name in TEXTURES:
            return [
                value
                for key in self.settings.aggregations
                for value in self._texture(AGGREGATIONS[key])
            ]
        statistic = _STATISTICS[name](self)
        return [float(value) for value in family.compute(statistic, dialect).values()]

    def shape(self) -> Shape:
        ddof = 1 if self.settings.dialect == "ibsi" else 0
        return Shape(self.inside, self.geometry.spacing, ddof)

    def intensities(self) -> Intensities:
        return Intensities.of(self.x, self.geometry.voxel_volume, self.settings.energy_shift)

    def histogram(self) -> Histogram:
        return Histogram.from_levels(self.levels)

    @cached_property
    def levels(self) -> NDArray[np.int32]:
        """Grey levels on the cropped grid, 0 outside the region."""
        levels = np.zeros(self.kept.shape, dtype=np.int32)
        levels[self.kept] = _discretise(self.x, self.settings)
        return levels

    def _texture(self, how: Aggregation) -> list[float]:
        levels, directions = self.levels, DIRECTIONS_3D
        if how.by_slice:
            axis = slice_axis(self.geometry, self.settings.plane)
            levels, directions = np.moveaxis(levels, axis, 0), DIRECTIONS_2D
        counts = count_pairs(levels, directions, int(levels.max()), by_slice=how.by_slice)
        merged = counts.sum(axis=how.merged_axes)
        values = glcm.compute(Cooccurrence.from_counts(merged), self.settings.dialect)
        return [_average(v) for v in values.values()]


_STATISTICS: dict[str, Callable[[_Region], Any]] = {
    "morphology": _Region.shape,
    "statistics": _Region.intensities,
    "histogram": _Region.histogram,
}


def _average(values: NDArray[np.float64]) -> float:
    """Mean over directions and slices; those without a pair of neighbours do not count."""
    counted = values[np.isfinite(values)]
    return float(counted.mean()) if counted.size else float("nan")


def _discretise(x: NDArray[Any], settings: ExtractionSettings) -> NDArray[np.int32]:
    how = settings.discretisation
    if how.bins is not None:
        if settings.dialect == "pyradiomics":
            return discretise.pyradiomics_bin_number(x, how.bins)
        return discretise.fixed_bin_number(x, how.bins)
    if how.width is not None:
        if settings.dialect == "pyradiomics":
            return discretise.pyradiomics_bin_width(x, how.width)
        return discretise.fixed_bin_size(x, how.width, settings.resegmentation.lower)
    return discretise.undiscretised(x)


def slice_axis(geometry: Geometry, plane: str) -> int:
    """Array axis (0 = z, 1 = y, 2 = x) whose direction is nearest to the normal of `plane`.

    >>> slice_axis(Geometry((4, 4, 4), (1, 1, 1)), "axial")
    0
    """
    normal = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    return 2 - int(np.argmax(np.abs(geometry.axes[normal])))
