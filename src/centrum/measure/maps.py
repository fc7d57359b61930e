"""Feature maps: a feature of the neighbourhood of every voxel of a prepared region.

The neighbourhood is a window around the voxel, cut off at the border of the region, whose grey
levels are those of the whole region. It lies within a slice of the plane where the feature is
aggregated by slice, in space where it is not.

>>> from centrum.features.settings import ExtractionSettings
>>> from centrum.volume import Mask
>>> grid = Geometry((8, 8, 4), (0.6, 0.6, 4.4))
>>> image = Volume(np.random.default_rng(0).normal(500, 50, grid.shape), grid)
>>> settings = ExtractionSettings(plane="axial")
>>> region = Region(image, Mask(np.ones(grid.shape, bool), grid), settings)
>>> joint_entropy = next(f for f in plan(settings) if f.code == "TU9B")
>>> (made,) = feature_maps(region, [joint_entropy], window_mm=3)
>>> made.volume.array.shape, made.window.text
((4, 8, 8), '3 × 3 mm within slices')
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from centrum.arrays import Flags, Floats
from centrum.errors import ProtocolError
from centrum.features.aggregation import AGGREGATIONS, DIRECTIONS, UNDIRECTED, Aggregation
from centrum.features.families import FAMILIES
from centrum.features.feature_id import FeatureId
from centrum.features.histogram import LEVELS
from centrum.features.ivh import VOLUME_HISTOGRAM
from centrum.features.local_intensity import SURROUNDINGS
from centrum.features.morphology import SHAPE
from centrum.features.registry import Family, Feature, Reads
from centrum.features.settings import ExtractionSettings
from centrum.features.shape2d import SHAPE_IN_SLICE
from centrum.features.sizes import DISTANCE_ZONES
from centrum.features.spatial import AUTOCORRELATION
from centrum.features.statistics import INTENSITIES
from centrum.geometry import Geometry
from centrum.measure.case import MeasurementJob, first_parts
from centrum.measure.extract import IMAGE, plan
from centrum.measure.images import CaseImages
from centrum.measure.region import Region, Voxels
from centrum.measure.windows import (
    MakeSamples,
    Radius,
    Windows,
    grey_levels,
    intensities,
    of_samples,
    parts,
)
from centrum.provenance import Step
from centrum.volume import Volume

ALL_ALIKE = "it is about the shape of the region, and all windows have the same"

NOT_OF_WINDOWS: Mapping[Reads, str] = {
    SHAPE: ALL_ALIKE,
    SHAPE_IN_SLICE: ALL_ALIKE,
    AUTOCORRELATION: "it compares all voxels of the region, however far apart they lie",
    SURROUNDINGS: "it looks at spheres of 1 cm³, whatever the window",
    VOLUME_HISTOGRAM: "it is about the volume and the range of intensities of the whole region",
    DISTANCE_ZONES: "it is about the distance to the border of the region, which a window has not",
}
"""What has no meaning in a window, and why."""

_SAMPLES: Mapping[Reads, Callable[[Voxels], MakeSamples]] = {
    INTENSITIES: lambda voxels: partial(
        intensities,
        voxel_volume=voxels.geometry.voxel_volume,
        shift=voxels.settings.energy_shift,
    ),
    LEVELS: lambda _: grey_levels,
}
"""How what has no neighbours is made of the intensities or grey levels in windows."""

_BY_NAME: Mapping[str, Aggregation] = AGGREGATIONS | UNDIRECTED

TINY = 1e-9
"""Voxels by which the side of a window may be too short for two voxels more."""


@dataclass(frozen=True)
class Window:
    """The size of windows.

    Attributes
    ----------
    radius : voxels (z, y, x) on either side of the centre
    spacing : mm along the same axes
    in_slice : whether windows lie within slices, across z

    >>> Window.of((4.4, 0.6, 0.6), 5, in_slice=False).text
    '5.4 × 5.4 × 4.4 mm'
    """

    radius: Radius
    spacing: tuple[float, float, float]
    in_slice: bool

    @classmethod
    def of(cls, spacing: tuple[float, float, float], mm: float, *, in_slice: bool) -> "Window":
        """The window of odd numbers of voxels whose sides are nearest to a length in mm.

        Raises
        ------
        ProtocolError
            It is of one voxel ("small-window").
        """
        z, y, x = (int(np.floor(mm / side / 2 + TINY)) for side in spacing)
        radius = (0 if in_slice else z, y, x)
        if max(radius) == 0:
            sides = " × ".join(f"{side:.3g}" for side in reversed(spacing))
            raise ProtocolError(
                f"A window of {mm:g} mm holds one voxel of {sides} mm.",
                remedy="Choose a larger window.",
                code="small-window",
            )
        return cls(radius, spacing, in_slice)

    @property
    def text(self) -> str:
        """Its sides in mm along columns, rows and, in space, slices."""
        sides = [(2 * r + 1) * mm for r, mm in zip(self.radius, self.spacing, strict=True)]
        size = " × ".join(f"{mm:.3g}" for mm in reversed(sides[1:] if self.in_slice else sides))
        return f"{size} mm{' within slices' if self.in_slice else ''}"


Wanted = Callable[[Geometry, Window], Flags]
"""From the grid of a region's box and a window to the voxels (z, y, x) whose values are wanted."""


def everywhere(grid: Geometry, window: Window) -> Flags:
    """All of them."""
    return np.ones(grid.shape, dtype=bool)


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """A feature in windows around the voxels of a region.

    Attributes
    ----------
    feature : which
    volume : its values in the region's box of the prepared grid; NaN outside the region, where the
        feature is not defined, and where no values were wanted
    window : how large
    """

    feature: FeatureId
    volume: Volume
    window: Window


def why_not_mapped(feature: FeatureId, ratios: Collection[str] = ()) -> str:
    """Why there is no map of a feature; "" where there can be one.

    Parameters
    ----------
    ratios : names of the ratios of regions among the features

    >>> why_not_mapped(FeatureId("original", "morphology", "volume", "RNU0", "Volume (mesh)"))
    'it is about the shape of the region, and all windows have the same'
    """
    if feature.label or feature.family not in FAMILIES:
        return "it is not measured on an image"
    if feature.region in ratios:
        return "it divides one region by another"
    return NOT_OF_WINDOWS.get(FAMILIES[feature.family].reads, "")


def case_maps(
    job: MeasurementJob,
    features: Sequence[FeatureId],
    window_mm: float,
    wanted: Wanted = everywhere,
    read: CaseImages | None = None,
) -> tuple[FeatureMap, ...]:
    """Maps of features of a case in their order, each over its own region by the first reader.

    What is read of the case is left in `read`.

    Raises
    ------
    CentrumError
        A region cannot be measured, or as of `feature_maps`.
    """
    refuse_unmapped(features, job.extraction)
    names = tuple(dict.fromkeys(f.region for f in features if f.region))
    found: dict[FeatureId, FeatureMap] = {}
    for part in first_parts(replace(job, region_names=names), read):
        at = (part.of, part.name)
        own = {
            f: replace(f, region="", sequence="")
            for f in features
            if (f.region, _sequence(job, f)) == at
        }
        if own:
            region = Region(part.image, part.region, part.settings)
            made = feature_maps(region, [*own.values()], window_mm, wanted)
            found |= {f: replace(m, feature=f) for f, m in zip(own, made, strict=True)}
    return tuple(found[f] for f in features)


def refuse_unmapped(features: Sequence[FeatureId], extraction: ExtractionSettings) -> None:
    """Raise where a feature of what is extracted has no map.

    Raises
    ------
    ProtocolError
        It has none, for a reason that is said ("no-map").
    """
    ratios = [ratio.name for ratio in extraction.ratios]
    for feature in features:
        _refuse(feature, why_not_mapped(feature, ratios))


def _sequence(job: MeasurementJob, feature: FeatureId) -> str:
    """As the parts of a case are called: that on which the masks were drawn has no name."""
    return feature.sequence if feature.sequence in job.further else ""


def feature_maps(
    region: Region,
    features: Sequence[FeatureId],
    window_mm: float,
    wanted: Wanted = everywhere,
) -> tuple[FeatureMap, ...]:
    """Maps of features that the settings of a region measure, in their order.

    Raises
    ------
    ProtocolError
        A feature has no meaning in a window, or the settings do not measure it ("no-map"), or a
        window holds one voxel ("small-window").
    """
    known = plan(region.settings)
    for feature in features:
        other = "it is about another region" if feature.region else "the settings do not measure it"
        _refuse(feature, why_not_mapped(feature) or other * (feature not in known))
    images = _images(region, {f.image for f in features})
    groups: dict[tuple[str, str, str], list[FeatureId]] = {}
    for f in features:
        groups.setdefault((f.image, f.family, f.aggregation), []).append(f)
    made = {
        m.feature: m
        for (image, _, _), group in groups.items()
        for m in _maps(images[image], group, window_mm, wanted)
    }
    return tuple(made[f] for f in features)


def _refuse(feature: FeatureId, why: str) -> None:
    if why:
        name = feature.spell("ibsi")
        raise ProtocolError(f"There is no map of {name}: {why}.", code="no-map")


def _images(region: Region, names: set[str]) -> dict[str, Voxels]:
    """The region in the image and in the response maps that are wanted, by name."""
    wanted = (f for f in region.settings.filters if names & {*f.names})
    responses = (r for chosen in wanted for r in region.filtered(chosen))
    return {IMAGE: region, **{r.name: r for r in responses}}


def _maps(
    voxels: Voxels, features: Sequence[FeatureId], window_mm: float, wanted: Wanted
) -> Iterator[FeatureMap]:
    """Of features of one family and aggregation."""
    aggregation = _BY_NAME.get(features[0].aggregation)
    by_slice = aggregation is not None and aggregation.by_slice
    spacing = voxels.neighbourhood(by_slice).spacing
    window = Window.of(spacing, window_mm, in_slice=by_slice)
    family = FAMILIES[features[0].family]
    defined = {f.key: f for f in family}
    definitions = [defined[f.feature] for f in features]
    at = voxels.kept & wanted(voxels.box_grid, window)
    found = (
        _of_samples(voxels, family, definitions, window, at)
        if aggregation is None
        else _of_textures(voxels, family, definitions, window, at, aggregation)
    )
    found[~np.isfinite(found)] = np.nan
    for feature, values in zip(features, found, strict=True):
        step = Step("map", {"feature": feature.spell("ibsi"), "window": window.text})
        volume = Volume(values, voxels.box_grid, (*voxels.volume.history, step))
        yield FeatureMap(feature, volume, window)


def _of_textures(
    voxels: Voxels,
    family: Family,
    features: Sequence[Feature],
    window: Window,
    at: Flags,
    aggregation: Aggregation,
) -> Floats:
    """Values (features, z, y, x) at some voxels, NaN elsewhere."""
    axis = voxels.first_axis(window.in_slice)
    levels = np.moveaxis(voxels.placed(voxels.levels), axis, 0)
    radius = _within(window.radius, levels.shape)
    windows = Windows(levels, radius, voxels.neighbourhood(window.in_slice))
    merged = (DIRECTIONS,) if aggregation.merges_directions else ()
    values = np.full((len(features), *levels.shape), np.nan)
    for centres in parts(np.argwhere(np.moveaxis(at, axis, 0)), windows.fitting(family.reads)):
        values[:, *centres.T] = windows.textures(family, features, centres, merged)
    return np.moveaxis(values, 1, 1 + axis)


def _of_samples(
    voxels: Voxels, family: Family, features: Sequence[Feature], window: Window, at: Flags
) -> Floats:
    """The same of intensities or grey levels without neighbours."""
    numbers = voxels.placed(voxels.levels if family.reads.levels else voxels.numbers)
    values = np.full((len(features), *numbers.shape), np.nan)
    make, radius = _SAMPLES[family.reads](voxels), _within(window.radius, numbers.shape)
    centres = np.argwhere(at)
    values[:, at] = of_samples(make, features, numbers, voxels.kept, centres, radius)
    return values


def _within(radius: Radius, shape: tuple[int, ...]) -> Radius:
    """A radius that reaches from one side of a box to the other at most."""
    z, y, x = (min(r, n - 1) for r, n in zip(radius, shape, strict=True))
    return z, y, x
