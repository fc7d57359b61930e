"""What a user should know of settings that do not suit a region: warnings that teach.

Each says what was found and what to choose. Nothing is changed or refused.
"""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np

from centrum.extract import IMAGE
from centrum.features.families import DISCRETISED
from centrum.filters import Filter
from centrum.io import Finding
from centrum.region import Region, Response

FEW_LEVELS, MANY_LEVELS = 8, 256
"""Fewer grey levels than this make texture constant, more make nearly every pair unique."""

GOOD_LEVELS = 32
"""Grey levels that a suggested bin width gives."""

SIGMAS = 4
"""Sigmas on either side that make the support of a Gaussian, as the IBSI cuts it off."""

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

    def look(self, image: Region) -> None:
        """Count the grey levels of the region, or of one of its responses."""
        width = image.discretisation.width
        if width is None or not any(f in DISCRETISED for f in image.settings.families):
            return
        n = int(np.unique(image.levels).size)
        name = image.name if isinstance(image, Response) else IMAGE
        self.counted.append(Levels(n, name, width, float(image.x.max() - image.x.min())))

    def advise(self, region: Region) -> tuple[Finding, ...]:
        """Warnings: thick-slices, small-sigma, thin-region, few-levels, many-levels."""
        of_filters = (
            f for chosen in region.settings.filters for f in _about_filter(chosen, region)
        )
        return *of_filters, *_about_levels(self.counted)


def _about_filter(chosen: Filter, region: Region) -> Iterator[Finding]:
    across, *within = _slices_first(region, region.view.spacing)
    name = chosen.names[0] + (", ..." if len(chosen.names) > 1 else "")
    depths = chosen.reach_in(region.view.spacing, region.view.slice_axis)
    in_space = not chosen.in_slices and depths[region.view.slice_axis] != 0
    if in_space and across > THICK * max(within):
        yield Finding(
            "warning",
            "thick-slices",
            f"The filter {name} works in three dimensions, across slices {across:g} mm apart with "
            f"pixels of {max(within):g} mm: along that axis it sees about one slice. Choose "
            "`dimension: 2D`, or interpolate to nearly equal spacing.",
        )
    yield from _about_sigma(chosen, name, [across, *within] if in_space else within)
    yield from _about_support(chosen, name, region)


def _about_sigma(chosen: Filter, name: str, spacing: Sequence[float]) -> Iterator[Finding]:
    smallest = _sigmas(chosen, min)
    if smallest is not None and smallest < max(spacing):
        yield Finding(
            "warning",
            "small-sigma",
            f"The filter {name} has a sigma of {smallest:g} mm, below the voxel size of "
            f"{max(spacing):g} mm: its kernel is sampled too coarsely. Choose a sigma of at "
            f"least {max(spacing):g} mm, or a filter in slices with thin pixels.",
        )


def _about_support(chosen: Filter, name: str, region: Region) -> Iterator[Finding]:
    """Where the region is thinner than the support, no response is of the region alone."""
    spacing = region.view.spacing
    reaches = chosen.reach_in(spacing, region.view.slice_axis)
    of_sigma = _sigmas(chosen, max)
    for axis, reach, extent, step in zip("zyx", reaches, region.kept.shape, spacing, strict=True):
        if reach is None:
            continue
        # Of a Gaussian that is followed to the last digit, what matters ends earlier.
        half = reach if of_sigma is None else min(reach, ceil(SIGMAS * of_sigma / step))
        if extent < 2 * half + 1 and half > 0:
            yield Finding(
                "warning",
                "thin-region",
                f"The region has {extent} voxels along {axis}, and the filter {name} looks at "
                f"{2 * half + 1}: everywhere in the region its response depends on what lies "
                "outside. Choose a filter of smaller support, or one in slices.",
            )
            return


def _sigmas(chosen: Filter, which: Callable[..., float]) -> float | None:
    """The smallest or largest sigma of a filter in mm; None where it has none."""
    given = getattr(chosen, "sigma", None)
    return which(given) if isinstance(given, tuple) else given


def _slices_first(region: Region, values: Sequence[float]) -> list[float]:
    axis = region.view.slice_axis
    return [values[axis], *(v for k, v in enumerate(values) if k != axis)]


def _about_levels(counted: Sequence[Levels]) -> Iterator[Finding]:
    """One warning for the image with too few levels, one for that with too many."""
    few = [levels for levels in counted if levels.n < FEW_LEVELS]
    many = [levels for levels in counted if levels.n > MANY_LEVELS]
    if few:
        yield _levels_finding("few-levels", min(few), len(few) - 1, "texture is nearly constant")
    if many:
        what = "hardly two pairs of neighbours are alike"
        yield _levels_finding("many-levels", max(many), len(many) - 1, what)


def _levels_finding(code: str, worst: Levels, others: int, what: str) -> Finding:
    more = f" (and of {others} other images likewise)" if others else ""
    return Finding(
        "warning",
        code,
        f"A bin width of {worst.width:g} makes {worst.n} grey levels of {worst.name}{more}, "
        f"whose intensities span {worst.span:.3g} in the region: {what}. Choose a width near "
        f"{worst.span / GOOD_LEVELS:.2g}, or fixed_bin_number with {GOOD_LEVELS} bins.",
    )
