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

from collections.abc import Iterator
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.errors import DataError
from centrum.features import local_intensity as local
from centrum.features.aggregation import AGGREGATIONS, UNDIRECTED, undirected
from centrum.features.feature_id import FeatureId
from centrum.features.glcm import glcm
from centrum.features.histogram import Histogram, histogram
from centrum.features.ivh import VolumeHistogram, ivh
from centrum.features.morphology import Shape, enclosing_solids, morphology
from centrum.features.ngtdm import ngtdm
from centrum.features.registry import Family
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.features.shape2d import Shape2D, shape2d
from centrum.features.sizes import gldzm, glrlm, glszm, ngldm
from centrum.features.spatial import Autocorrelation, spatial
from centrum.features.statistics import Intensities, statistics
from centrum.features.textures import Neighbourhood, Textures
from centrum.geometry import Geometry, slice_axis
from centrum.kernels.tally import Tally
from centrum.prepare import discretise
from centrum.prepare.intensity import normalise_image, within_limits
from centrum.prepare.resample import interpolate, resample_pyradiomics
from centrum.volume import Mask, Volume, bounding_box

FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        morphology,
        enclosing_solids,
        shape2d,
        spatial,
        local.local_intensity,
        statistics,
        histogram,
        ivh,
        glcm,
        glrlm,
        glszm,
        gldzm,
        ngtdm,
        ngldm,
    )
}

DIRECTED = ("glcm", "glrlm")
"""Families whose matrices are counted direction by direction."""

TEXTURES = (*DIRECTED, "glszm", "gldzm", "ngtdm", "ngldm")
"""Families that count neighbours and therefore have an aggregation."""

DISCRETISED = ("histogram", *TEXTURES)
"""Families that read grey levels instead of intensities."""

IMAGE = "original"


@cache
def plan(settings: ExtractionSettings) -> tuple[FeatureId, ...]:
    """The features that these settings give, in the order in which they are reported."""
    return tuple(
        FeatureId(
            image=IMAGE,
            family=name,
            feature=feature.key,
            code=feature.entry.code,
            name=feature.entry.name,
            discretisation=_discretisation(name, settings),
            aggregation=aggregation,
        )
        for name in settings.families
        for aggregation in _aggregations(name, settings)
        for feature in FAMILIES[name].features(settings.dialect)
    )


def _discretisation(family: str, settings: ExtractionSettings) -> str:
    if family == "ivh":
        return settings.ivh.label
    return settings.discretisation.label if family in DISCRETISED else ""


def _aggregations(family: str, settings: ExtractionSettings) -> tuple[str, ...]:
    if family not in TEXTURES:
        return ("",)
    return settings.aggregations if family in DIRECTED else undirected(settings.aggregations)


def extract(volume: Volume, mask: Mask, settings: ExtractionSettings) -> NDArray[np.float64]:
    """The values of `plan(settings)`, in its order.

    Raises
    ------
    DataError
        Image and mask are not on the same grid, the region is empty, or it holds voxels that
        are not finite.
    """
    region = Region(volume, mask, settings)
    values = [value for name in settings.families for value in region.family(name)]
    return np.array(values)


class Region:
    """The prepared region of one case: cropped, normalised, re-segmented, discretised once.

    What several families read is made when the first of them asks, and kept.
    """

    def __init__(self, volume: Volume, mask: Mask, settings: ExtractionSettings) -> None:
        _check_grids(volume, mask)
        self.settings = settings
        if settings.normalise_scale is not None:
            volume = normalise_image(volume, settings.normalise_scale)
        volume, mask = _on_new_grid(volume, mask, settings)
        self.volume = volume
        self.box = bounding_box(mask.array)
        self.inside = np.ascontiguousarray(mask.array[self.box])
        cropped = volume.array[self.box]
        x = cropped[self.inside]
        _check_finite(x, mask.name)
        self.kept = self.inside
        limits = settings.resegmentation.model_dump(exclude_none=True)
        if limits:
            stays = within_limits(x.astype(float), **limits)
            self.kept, x = np.zeros_like(self.inside), x[stays]
            self.kept[self.inside] = stays
        self.stored = x
        self.x = x.astype(float)

    @property
    def geometry(self) -> Geometry:
        return self.volume.geometry

    def family(self, name: str) -> Iterator[float]:
        """Values of one family, aggregation by aggregation."""
        family, dialect = FAMILIES[name], self.settings.dialect
        if not family.features(dialect):
            return
        if name not in TEXTURES:
            values = family.compute(self.statistic(name), dialect).values()
            yield from map(float, values)
            return
        known = AGGREGATIONS if name in DIRECTED else UNDIRECTED
        for key in _aggregations(name, self.settings):
            how = known[key]
            textures = self.in_slices if how.by_slice else self.in_space
            statistic = getattr(textures, name)(how.merged_axes)
            matrices = np.array(list(family.compute(statistic, dialect).values()))
            yield from average(matrices.reshape(len(matrices), -1)).tolist()

    def statistic(self, family: str) -> Any:
        """What a family without matrices reads."""
        return getattr(self, _STATISTICS[family])

    @cached_property
    def shape(self) -> Shape:
        ibsi = self.settings.dialect == "ibsi"
        return Shape(
            self.inside,
            self.geometry.spacing,
            ddof=1 if ibsi else 0,
            kept=self.kept,
            x=self.x,
            watertight=ibsi,
        )

    @cached_property
    def shape_in_slice(self) -> Shape2D:
        axis = slice_axis(self.geometry, self.settings.plane)
        if (slices := self.inside.shape[axis]) != 1:
            raise DataError(
                f"shape2D measures a region in one {self.settings.plane} slice, found {slices} "
                "slices; draw one, or leave out the family shape2D."
            )
        rows, columns = np.delete(self.geometry.array_spacing, axis)
        return Shape2D(self.inside.squeeze(axis), (rows, columns))

    @cached_property
    def autocorrelation(self) -> Autocorrelation:
        return Autocorrelation(self.kept, self.x, self.geometry.spacing)

    @cached_property
    def intensities(self) -> Intensities:
        return Intensities(self.tally, self.geometry.voxel_volume, self.settings.energy_shift)

    @cached_property
    def surroundings(self) -> local.Surroundings:
        return local.Surroundings.around(
            self.volume.array, self.box, self.kept, self.geometry.spacing
        )

    @cached_property
    def volume_histogram(self) -> VolumeHistogram:
        how, limits = self.settings.ivh, self.settings.resegmentation
        if how.bins is not None:
            return VolumeHistogram.by_number(self.tally, how.bins)
        if how.width is not None:
            return VolumeHistogram.by_size(self.tally, how.width, limits.lower, limits.upper)
        return VolumeHistogram.by_unit(self.tally)

    @cached_property
    def tally(self) -> Tally:
        """Intensities and how often each occurs."""
        return Tally.of(self.x)

    @cached_property
    def histogram(self) -> Histogram:
        return Histogram.from_levels(self.levels)

    @cached_property
    def levels(self) -> NDArray[np.uint16]:
        """Grey levels of the voxels that were kept, (n,).

        PyRadiomics' bin edges have the precision of the image.
        """
        x = self.stored if self.settings.dialect == "pyradiomics" else self.x
        return _discretise(x, self.settings.discretisation, self.settings)

    @cached_property
    def in_space(self) -> Textures:
        """The whole region as one block."""
        return self._textures(axis=0, by_slice=False)

    @cached_property
    def in_slices(self) -> Textures:
        """Every slice of the plane as a block of its own."""
        axis = slice_axis(self.geometry, self.settings.plane)
        return self._textures(axis, by_slice=True)

    def _textures(self, axis: int, *, by_slice: bool) -> Textures:
        grid = np.zeros(self.kept.shape, dtype=np.uint16)
        grid[self.kept] = self.levels
        spacing = self.geometry.array_spacing
        z, y, x = (spacing[a] for a in (axis, *(a for a in range(3) if a != axis)))
        how = Neighbourhood(
            in_slice=by_slice,
            distances=self.settings.distances,
            coarseness=int(self.settings.coarseness),
            symmetric=self.settings.symmetric,
            weighting=self.settings.weighting,
            spacing=(z, y, x),
            dialect=self.settings.dialect,
        )
        n_levels = int(self.levels.max())
        levels = _blocks(grid, axis, by_slice=by_slice)
        if not (gldzm.features(how.dialect) and "gldzm" in self.settings.families):
            return Textures(levels, how, n_levels)
        return Textures(levels, how, n_levels, _blocks(self.inside, axis, by_slice=by_slice))


_STATISTICS = {
    "morphology": "shape",
    "enclosing": "shape",
    "shape2D": "shape_in_slice",
    "spatial": "autocorrelation",
    "local_intensity": "surroundings",
    "statistics": "intensities",
    "histogram": "histogram",
    "ivh": "volume_histogram",
}
"""What each family reads, an attribute of `Region`."""


PYRADIOMICS_INTERPOLATORS = {
    "nearest": "sitkNearestNeighbor",
    "linear": "sitkLinear",
    "cubic": "sitkBSpline",
}


def _on_new_grid(volume: Volume, mask: Mask, settings: ExtractionSettings) -> tuple[Volume, Mask]:
    """Interpolated as the settings want it, on the grid of the dialect."""
    how = settings.interpolation
    if how is None:
        return volume, mask
    if settings.dialect == "pyradiomics":
        spacing = [s or 0.0 for s in how.spacing]
        return resample_pyradiomics(volume, mask, spacing, PYRADIOMICS_INTERPOLATORS[how.image])
    # Local peaks look beyond the region.
    margin = local.RADIUS if "local_intensity" in settings.families else 0.0
    return interpolate(volume, mask, **dict(how), margin=margin)


def _blocks(array: NDArray[Any], axis: int, *, by_slice: bool) -> NDArray[Any]:
    """(slices, 1, rows, columns), or the whole as one block."""
    return np.moveaxis(array, axis, 0)[:, None] if by_slice else array[None]


def average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over matrices, (features, matrices) to (features,).

    Those without any neighbour, where the features are nan, do not count.

    >>> average(np.array([[1.0, 3.0, np.nan]]))
    array([2.])
    """
    if values.shape[1] == 1:
        return values[:, 0]
    counted = np.isfinite(values)
    if counted.all():
        return np.asarray(values.mean(axis=1))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(counted, values, 0).sum(axis=1) / counted.sum(axis=1))


def _check_grids(volume: Volume, mask: Mask) -> None:
    if not volume.geometry.same_grid(mask.geometry):
        raise DataError(
            "Image and mask are not on the same grid.\n"
            f"image:\n{volume.geometry.describe()}\nmask:\n{mask.geometry.describe()}"
        )
    if not mask.array.any():
        raise DataError(f"The mask {mask.name!r} is empty: there is nothing to measure.")


def _check_finite(x: NDArray[Any], name: str) -> None:
    # One sum instead of a look at every voxel: it is finite unless a voxel is not.
    if not np.isfinite(x.sum(dtype=float)) and (bad := int(np.count_nonzero(~np.isfinite(x)))):
        raise DataError(f"{bad} of {x.size} voxels in {name!r} are not finite.")


def _discretise(
    x: NDArray[Any], how: Discretisation, settings: ExtractionSettings
) -> NDArray[np.uint16]:
    if how.bins is not None:
        if settings.dialect == "pyradiomics":
            return discretise.pyradiomics_bin_number(x, how.bins)
        return discretise.fixed_bin_number(x, how.bins)
    if how.width is not None:
        if settings.dialect == "pyradiomics":
            return discretise.pyradiomics_bin_width(x, how.width)
        return discretise.fixed_bin_size(x, how.width, settings.resegmentation.lower)
    return discretise.undiscretised(x)
