"""What a user should know of settings that do not suit a region: warnings that teach.

Each says what was found and what to choose. Nothing is changed or refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from centrum.features.families import DISCRETISED
from centrum.features.settings import ExtractionSettings
from centrum.filters import Filter
from centrum.geometry import slice_axis
from centrum.io import ImageFinding
from centrum.measure.extract import IMAGE
from centrum.measure.region import Region, Response, Voxels, as_read
from centrum.text import first_of
from centrum.volume import Mask, bounding_box

FEW_LEVELS, MANY_LEVELS = 8, 256
"""Fewer grey levels than this make texture constant, more make nearly every pair unique."""

GOOD_LEVELS = 32
"""Grey levels that a suggested bin width gives."""

THICK = 2.0
"""Slices this many times as thick as pixels are wide are thick."""


class Levels(NamedTuple):
    """How many grey levels a bin width makes of an image in its region."""

    n: int
    name: str
    width: float
    span: float


class Adviser:
    """Looks at the images of a region while they are measured, then says what is wrong."""

    def __init__(self) -> None:
        self.counted: list[Levels] = []

    def look(self, image: Voxels) -> None:
        """Count the grey levels of the region, or of one of its responses."""
        width = image.discretisation.width
        if width is None or not any(f in DISCRETISED for f in image.settings.families):
            return
        n = int(np.unique(image.levels).size)
        name = image.name if isinstance(image, Response) else IMAGE
        self.counted.append(Levels(n, name, width, float(image.x.max() - image.x.min())))

    def advise(self, region: Region) -> tuple[ImageFinding, ...]:
        """Warnings: thick-slices, small-sigma, thin-region, few-levels, many-levels."""
        z, y, x = region.kept.shape
        sampling = Sampling(region.view.spacing, region.view.slice_axis, (z, y, x))
        return *about_filters(region.settings, sampling), *_about_levels(self.counted)


@dataclass(frozen=True)
class Sampling:
    """How a region is sampled: mm between voxels and number of voxels along (z, y, x).

    >>> from centrum.features.settings import Interpolation
    >>> from centrum.geometry import Geometry
    >>> mask = Mask(np.ones((3, 8, 8), bool), Geometry((8, 8, 3), (0.6, 0.6, 4.4)))
    >>> settings = ExtractionSettings(plane="axial", interpolation=Interpolation(in_plane=1.2))
    >>> Sampling.expected(mask, settings).extent
    (3, 4, 4)
    """

    spacing: tuple[float, float, float]
    slice_axis: int
    extent: tuple[int, int, int]

    @classmethod
    def expected(cls, mask: Mask, settings: ExtractionSettings) -> "Sampling":
        """Of a region that has not been interpolated yet."""
        mask = as_read(mask, settings)
        axis, spacing = slice_axis(mask.geometry, settings.plane), mask.geometry.array_spacing
        new: tuple[float | None, ...] = (None, None, None)
        if settings.interpolation is not None:
            new = settings.interpolation.spacing_of(axis)[::-1]
        z, y, x = (kept if s is None else s for s, kept in zip(new, spacing, strict=True))
        sizes = (b.stop - b.start for b in bounding_box(mask.array))
        both = zip(sizes, spacing, (z, y, x), strict=True)
        dz, dy, dx = (max(round(n * old / step), 1) for n, old, step in both)
        return cls((z, y, x), axis, (dz, dy, dx))

    @property
    def across(self) -> float:
        """mm from slice to slice."""
        return self.spacing[self.slice_axis]

    @property
    def within(self) -> list[float]:
        """mm between pixels."""
        return [s for axis, s in enumerate(self.spacing) if axis != self.slice_axis]


def about_filters(settings: ExtractionSettings, sampling: Sampling) -> tuple[ImageFinding, ...]:
    """Warnings about filters: thick-slices, small-sigma, thin-region."""
    return tuple(f for chosen in settings.filters for f in _about_filter(chosen, sampling))


def _about_filter(chosen: Filter, sampling: Sampling) -> Iterator[ImageFinding]:
    across, within = sampling.across, sampling.within
    name = first_of(chosen.names, 1)
    depths = chosen.reach_in(sampling.spacing, sampling.slice_axis)
    in_space = not chosen.in_slices and depths[sampling.slice_axis] != 0
    if in_space and across > THICK * max(within):
        yield ImageFinding(
            "warning",
            "thick-slices",
            f"The filter {name} works in three dimensions, across slices {across:g} mm apart with "
            f"pixels of {max(within):g} mm: along that axis it sees about one slice. Choose "
            "`dimension: 2D`, or interpolate to nearly equal spacing.",
        )
    yield from _about_sigma(chosen, name, [across, *within] if in_space else within)
    yield from _about_support(chosen, name, sampling)


def _about_sigma(chosen: Filter, name: str, spacing: Sequence[float]) -> Iterator[ImageFinding]:
    given = getattr(chosen, "sigma", None)
    smallest = min(given) if isinstance(given, tuple) else given
    if smallest is not None and smallest < max(spacing):
        yield ImageFinding(
            "warning",
            "small-sigma",
            f"The filter {name} has a sigma of {smallest:g} mm, below the voxel size of "
            f"{max(spacing):g} mm: its kernel is sampled too coarsely. Choose a sigma of at "
            f"least {max(spacing):g} mm, or a filter in slices with thin pixels.",
        )


def _about_support(chosen: Filter, name: str, sampling: Sampling) -> Iterator[ImageFinding]:
    """Where the region is thinner than the support, no response is of the region alone."""
    reaches = chosen.main_reach_in(sampling.spacing, sampling.slice_axis)
    for axis, half, extent in zip("zyx", reaches, sampling.extent, strict=True):
        if half and extent < 2 * half + 1:
            yield ImageFinding(
                "warning",
                "thin-region",
                f"The region has {extent} voxels along {axis}, and the filter {name} looks at "
                f"{2 * half + 1}: everywhere in the region its response depends on what lies "
                "outside. Choose a filter of smaller support, or one in slices.",
            )
            return


def _about_levels(counted: Sequence[Levels]) -> Iterator[ImageFinding]:
    """One warning for the image with too few levels, one for that with too many."""
    few = [levels for levels in counted if levels.n < FEW_LEVELS]
    many = [levels for levels in counted if levels.n > MANY_LEVELS]
    if few:
        yield _levels_finding("few-levels", min(few), len(few) - 1, "texture is nearly constant")
    if many:
        what = "hardly any two pairs of neighbours are the same"
        yield _levels_finding("many-levels", max(many), len(many) - 1, what)


def _levels_finding(code: str, worst: Levels, others: int, what: str) -> ImageFinding:
    more = f" (and of {others} other images as well)" if others else ""
    return ImageFinding(
        "warning",
        code,
        f"A bin width of {worst.width:g} makes {worst.n} grey levels of {worst.name}{more}, "
        f"whose intensities span {worst.span:.3g} in the region: {what}. Choose a width near "
        f"{worst.span / GOOD_LEVELS:.2g}, or fixed_bin_number with {GOOD_LEVELS} bins.",
    )
