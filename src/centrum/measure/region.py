"""The region of one case, prepared once, and what each family of features reads of it.

>>> grid = Geometry((8, 8, 4), (0.6, 0.6, 4.4))
>>> image = Volume(np.random.default_rng(0).normal(500, 50, grid.shape), grid)
>>> region = Region(image, Mask(np.ones(grid.shape, bool), grid), ExtractionSettings())
>>> region.intensities.n, int(region.levels.max())
(256, 32)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Flags
from centrum.errors import DataError
from centrum.features import local_intensity as local
from centrum.features.families import FAMILIES
from centrum.features.histogram import LEVELS, Histogram
from centrum.features.ivh import VOLUME_HISTOGRAM, VolumeHistogram
from centrum.features.morphology import SHAPE, Shape
from centrum.features.registry import Family, Reads
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.features.shape2d import SHAPE_IN_SLICE, Shape2D
from centrum.features.sizes import gldzm
from centrum.features.spatial import AUTOCORRELATION, Autocorrelation
from centrum.features.statistics import INTENSITIES, Intensities
from centrum.features.textures import COUNTS, Neighbourhood, Textures
from centrum.filters import Filter, View
from centrum.geometry import READING_ORDER, Geometry, slice_axis
from centrum.kernels.tally import Tally
from centrum.prepare import discretise
from centrum.prepare.intensity import normalise_image, within_limits
from centrum.prepare.resample import (
    SUPPORTS,
    interpolate,
    interpolated_size,
    resample_pyradiomics,
    resampled_size,
)
from centrum.volume import Content, Mask, Turn, Volume, bounding_box, turned_view


class Voxels:
    """The voxels of a region and a value of each, discretised once: what the families read.

    What several families read is made when the first of them asks, and kept.

    Parameters
    ----------
    volume, box : the prepared image, and the region's box in it
    inside, kept : voxels of the box that are the region's, and those whose values are counted
    stored : (kept voxels,) values in the precision of the image
    """

    def __init__(
        self,
        settings: ExtractionSettings,
        volume: Volume,
        box: tuple[slice, slice, slice],
        inside: Flags,
        kept: Flags,
        stored: Array,
    ) -> None:
        self.settings = settings
        self.volume, self.box = volume, box
        self.inside, self.kept = inside, kept
        self.stored, self.x = stored, stored.astype(float)

    @property
    def geometry(self) -> Geometry:
        return self.volume.geometry

    @property
    def box_grid(self) -> Geometry:
        """The grid of the region's box."""
        z, y, x = self.box
        start, size = (x.start, y.start, z.start), self.kept.shape[::-1]
        return self.geometry.crop(start, size)

    @property
    def numbers(self) -> Array:
        """(kept voxels,) values as they are counted: integers as such, others as doubles."""
        return self.stored if self.stored.dtype.kind in "iu" else self.x

    def statistic(self, family: Family) -> Any:
        """What a family without matrices reads."""
        return _STATISTICS[family.reads](self)

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
        ivh, limits = self.settings.ivh, self.limits
        if ivh.bins is not None:
            return VolumeHistogram.by_number(self.tally, ivh.bins)
        if ivh.width is not None:
            return VolumeHistogram.by_size(self.tally, ivh.width, *limits)
        return VolumeHistogram.by_unit(self.tally, *limits)

    @cached_property
    def tally(self) -> Tally:
        """Intensities and how often each occurs."""
        return Tally.of(self.numbers)

    @cached_property
    def histogram(self) -> Histogram:
        if self.tally.counted:  # as many values as intensities differ, instead of voxels
            values = self.tally.values.astype(self._continuous.dtype)
            return Histogram.from_counts(self.tally.recounted(self._numbered(values)))
        return Histogram.from_levels(self.levels)

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The range to which intensities are re-segmented, at which bins of fixed size begin."""
        return self.settings.resegmentation.lower, self.settings.resegmentation.upper

    @property
    def discretisation(self) -> Discretisation:
        return self.settings.discretisation

    @cached_property
    def levels(self) -> NDArray[np.uint16]:
        """Grey levels of the voxels that were kept, (n,)."""
        return self._numbered(self._continuous)

    @property
    def _continuous(self) -> Array:
        """What is discretised: PyRadiomics' bin edges have the precision of the image."""
        return self.stored if self.settings.dialect == "pyradiomics" else self.x

    def _numbered(self, x: Array) -> NDArray[np.uint16]:
        """Grey levels of intensities from the smallest to the largest of the region, (n,)."""
        pyradiomics, settings = self.settings.dialect == "pyradiomics", self.discretisation
        if settings.bins is not None:
            number = (
                discretise.pyradiomics_bin_number if pyradiomics else (discretise.fixed_bin_number)
            )
            return number(x, settings.bins)
        if settings.width is None:
            return discretise.undiscretised(x)
        if pyradiomics:
            return discretise.pyradiomics_bin_width(x, settings.width)
        return discretise.fixed_bin_size(x, settings.width, self.limits[0])

    @cached_property
    def in_space(self) -> Textures:
        """The whole region as one block."""
        return self._textures(by_slice=False)

    @cached_property
    def in_slices(self) -> Textures:
        """Every slice of the plane as a block of its own."""
        return self._textures(by_slice=True)

    def _textures(self, *, by_slice: bool) -> Textures:
        settings = self.neighbourhood(by_slice)
        levels, n_levels = self.level_blocks(by_slice), int(self.levels.max())
        if not (gldzm.features(settings.dialect) and "gldzm" in self.settings.families):
            return Textures(levels, settings, n_levels)
        return Textures(levels, settings, n_levels, self._blocks(self.inside, by_slice))

    def neighbourhood(self, by_slice: bool) -> Neighbourhood:
        """Which neighbours textures count, in slices of the plane or in space."""
        axis, spacing = self.first_axis(by_slice), self.geometry.array_spacing
        z, y, x = (spacing[a] for a in (axis, *(a for a in range(3) if a != axis)))
        return Neighbourhood(
            in_slice=by_slice,
            distances=self.settings.distances,
            coarseness=int(self.settings.coarseness),
            symmetric=self.settings.symmetric,
            weighting=self.settings.weighting,
            spacing=(z, y, x),
            dialect=self.settings.dialect,
        )

    def first_axis(self, by_slice: bool) -> int:
        """Array axis that comes first in blocks: by slice the one across them."""
        return slice_axis(self.geometry, self.settings.plane) if by_slice else 0

    def level_blocks(self, by_slice: bool) -> NDArray[np.uint16]:
        """Grey levels in blocks, 0 outside the region."""
        return self._blocks(self.placed(self.levels), by_slice)

    def placed(self, values: Array) -> Array:
        """Values of the kept voxels in the region's box, 0 elsewhere."""
        grid = np.zeros(self.kept.shape, values.dtype)
        grid[self.kept] = values
        return grid

    def _blocks(self, array: Array, by_slice: bool) -> Array:
        """(slices, 1, rows, columns), or the whole as one block."""
        if not by_slice:
            return array[None]
        return np.moveaxis(array, self.first_axis(by_slice), 0)[:, None]


class Region(Voxels):
    """The prepared region of one case: cropped, normalised, re-segmented.

    Its axes are those of `as_read`, however image and mask are stored.
    """

    def __init__(self, volume: Volume, mask: Mask, settings: ExtractionSettings) -> None:
        _check_grids(volume, mask)
        mask = as_read(replace(mask, geometry=volume.geometry), settings)
        volume = as_read(volume, settings)
        if settings.normalise_scale is not None:
            volume = normalise_image(volume, settings.normalise_scale)
        volume, mask = _on_new_grid(volume, mask, settings)
        box = bounding_box(mask.array)
        inside = np.ascontiguousarray(mask.array[box])
        x = volume.array[box][inside]
        _check_finite(x, mask.name)
        kept = inside
        limits = settings.resegmentation.model_dump(exclude_none=True)
        if limits:
            stays = within_limits(x.astype(float), **limits)
            kept, x = np.zeros_like(inside), x[stays]
            kept[inside] = stays
        super().__init__(settings, volume, box, inside, kept, x)

    def responses(self) -> Iterator["Response"]:
        """The same voxels of every response map of the settings' filters, in order."""
        for chosen in self.settings.filters:
            yield from self.filtered(chosen)

    def filtered(self, chosen: Filter) -> Iterator["Response"]:
        """The same voxels of the response maps of one filter."""
        maps = chosen.responses(self.view)
        for name, response in zip(chosen.names, maps, strict=True):
            yield Response(self, name, response)

    @cached_property
    def view(self) -> View:
        axis = slice_axis(self.geometry, self.settings.plane)
        return View(self.volume.array, self.box, self.geometry.array_spacing, axis)


class Response(Voxels):
    """The voxels of a region in a response map, which is given in the region's box.

    Everything that depends on the voxels alone, and not on their values, is the region's.
    """

    def __init__(self, image: Region, name: str, response: NDArray[np.floating]) -> None:
        stored = response[image.kept]
        _check_finite(stored, name)
        super().__init__(image.settings, image.volume, image.box, image.inside, image.kept, stored)
        self.image = image
        self.name = name

    @property
    def limits(self) -> tuple[None, None]:
        """None: re-segmentation is about intensities of the image."""
        return None, None

    @property
    def discretisation(self) -> Discretisation:
        return self.settings.response_discretisation or self.settings.discretisation

    def _textures(self, *, by_slice: bool) -> Textures:
        of_image = self.image.in_slices if by_slice else self.image.in_space
        return of_image.of(self.level_blocks(by_slice), int(self.levels.max()))


_STATISTICS: Mapping[Reads, Callable[[Voxels], Any]] = {
    SHAPE: lambda voxels: voxels.shape,
    SHAPE_IN_SLICE: lambda voxels: voxels.shape_in_slice,
    AUTOCORRELATION: lambda voxels: voxels.autocorrelation,
    local.SURROUNDINGS: lambda voxels: voxels.surroundings,
    INTENSITIES: lambda voxels: voxels.intensities,
    LEVELS: lambda voxels: voxels.histogram,
    VOLUME_HISTOGRAM: lambda voxels: voxels.volume_histogram,
}
"""How everything that is no matrix of neighbours is made."""


def _refuse_unmade(families: Iterable[Family]) -> None:
    """A family without anybody who makes what it reads stops the import."""
    for family in families:
        made, place = (
            (COUNTS, "COUNTS (features/textures.py)")
            if family.reads.neighbours
            else (_STATISTICS, "_STATISTICS (measure/region.py)")
        )
        if family.reads not in made:
            raise ValueError(
                f"The family {family.name!r} reads {family.reads.what!r}, which nobody makes; add "
                f"a line to {place}."
            )


_refuse_unmade(FAMILIES.values())


PYRADIOMICS_INTERPOLATORS = {
    "nearest": "sitkNearestNeighbor",
    "linear": "sitkLinear",
    "cubic": "sitkBSpline",
}


def as_read(content: Content, settings: ExtractionSettings) -> Content:
    """An image or a mask with columns, rows and slices as the plane of the settings is read.

    `geometry.READING_ORDER` has them; x, y and z of interpolation and filters are these. In the
    dialect pyradiomics they are the axes of the array, as for PyRadiomics. Nothing is copied, as
    most of an image is not read.
    """
    if settings.dialect == "pyradiomics":
        return content
    return turned_view(content, READING_ORDER[settings.plane])


def grid_as_read(grid: Geometry, settings: ExtractionSettings) -> Geometry:
    """The grid of what is `as_read`."""
    if settings.dialect == "pyradiomics":
        return grid
    return Turn.between(grid, READING_ORDER[settings.plane]).grid(grid)


def measured_voxels(mask: Mask, settings: ExtractionSettings) -> int:
    """Voxels of the image that would be made to measure a region: those of the new grid."""
    interpolation = settings.interpolation
    if interpolation is None:
        return 0
    mask = as_read(mask, settings)
    grid = mask.geometry
    spacing = interpolation.spacing_of(slice_axis(grid, settings.plane))
    if settings.dialect == "pyradiomics":
        return resampled_size(mask, [s or 0.0 for s in spacing])
    return interpolated_size(mask, spacing, _margin(grid, settings))


def filtered_voxels(mask: Mask, settings: ExtractionSettings) -> dict[str, int]:
    """Voxels that each filter works on: the region's box, and as far as the filter reaches."""
    mask = as_read(mask, settings)
    grid = mask.geometry
    axis = slice_axis(grid, settings.plane)
    spacing = _new_spacing(grid, settings, axis)
    old = grid.spacing[::-1]
    sizes = [
        (box.stop - box.start) * was / now
        for box, was, now in zip(bounding_box(mask.array), old, spacing, strict=True)
    ]
    return {
        chosen.filter: int(
            np.prod(
                [
                    size + 2 * (reach or 0)
                    for size, reach in zip(sizes, chosen.reach_in(spacing, axis), strict=True)
                ]
            )
        )
        for chosen in settings.filters
    }


def _on_new_grid(volume: Volume, mask: Mask, settings: ExtractionSettings) -> tuple[Volume, Mask]:
    """Interpolated as the settings want it, on the grid of the dialect."""
    interpolation = settings.interpolation
    if interpolation is None:
        return volume, mask
    spacing = interpolation.spacing_of(slice_axis(volume.geometry, settings.plane))
    if settings.dialect == "pyradiomics":
        wanted = [s or 0.0 for s in spacing]
        return resample_pyradiomics(
            volume, mask, wanted, PYRADIOMICS_INTERPOLATORS[interpolation.image]
        )
    return interpolate(
        volume,
        mask,
        spacing,
        image=interpolation.image,
        boundary=interpolation.boundary,
        mask=interpolation.mask,
        partial_volume=interpolation.partial_volume,
        round_intensities=interpolation.round_intensities,
        margin=_margin(volume.geometry, settings),
    )


def _margin(grid: Geometry, settings: ExtractionSettings) -> float | None:
    """mm of an interpolated image around the region on which features depend; None: all of it."""
    margin = max(_reach(grid, settings))
    return margin if np.isfinite(margin) else None


def _reach(grid: Geometry, settings: ExtractionSettings) -> tuple[float, float, float]:
    """The same along the array axes, inf for all of it."""
    axis = slice_axis(grid, settings.plane)
    spacing = _new_spacing(grid, settings, axis)
    near = local.RADIUS if "local_intensity" in settings.families else 0.0
    z, y, x = near, near, near
    for chosen in settings.filters:
        if getattr(chosen, "boundary", None) == "periodic":
            return np.inf, np.inf, np.inf
        reach = chosen.reach_in(spacing, axis)
        far = [np.inf if r is None else r * mm for r, mm in zip(reach, spacing, strict=True)]
        z, y, x = (max(pair) for pair in zip((z, y, x), far, strict=True))
    return z, y, x


def surroundings(grid: Geometry, settings: ExtractionSettings) -> tuple[float, float, float]:
    """mm of an image around a region, along the array axes, on which its features depend.

    inf is the whole image. What filters and local peaks look at on the new grid, and what is read
    of the old one to interpolate it: the new voxels of the region lie within an old voxel of it.

    >>> grid = Geometry((64, 64, 9), (0.5, 0.5, 4.0))
    >>> surroundings(grid, ExtractionSettings(families=("local_intensity",)))
    (6.203..., 6.203..., 6.203...)
    """
    if settings.normalise_scale is not None:
        return np.inf, np.inf, np.inf
    axis = slice_axis(grid, settings.plane)
    read = 0 if settings.interpolation is None else 1 + SUPPORTS[settings.interpolation.image]
    spacing = zip(grid.array_spacing, _new_spacing(grid, settings, axis), strict=True)
    z, y, x = (
        reach + (0.0 if old == new else read * old)
        for reach, (old, new) in zip(_reach(grid, settings), spacing, strict=True)
    )
    return z, y, x


def _new_spacing(
    grid: Geometry, settings: ExtractionSettings, axis: int
) -> tuple[float, float, float]:
    """mm along the array axes after interpolation."""
    interpolation = settings.interpolation
    wanted = interpolation.spacing_of(axis) if interpolation else (None, None, None)
    x, y, z = (kept if new is None else new for new, kept in zip(wanted, grid.spacing, strict=True))
    return z, y, x


def _check_grids(volume: Volume, mask: Mask) -> None:
    if not volume.geometry.same_grid(mask.geometry):
        raise DataError(
            "Image and mask are not on the same grid.\n"
            f"image:\n{volume.geometry.describe()}\nmask:\n{mask.geometry.describe()}"
        )
    if not mask.array.any():
        raise DataError(f"The mask {mask.name!r} is empty: there is nothing to measure.")


def _check_finite(x: Array, name: str) -> None:
    # One sum instead of a look at every voxel: it is finite unless a voxel is not.
    if x.dtype.kind != "f" or np.isfinite(x.sum(dtype=float)):
        return
    if bad := int(np.count_nonzero(~np.isfinite(x))):
        raise DataError(f"{bad} of {x.size} voxels in {name!r} are not finite.")
