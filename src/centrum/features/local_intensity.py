"""Local intensity features (IBSI 3.2, 9ST6; arXiv:1612.07003)."""

from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Self

import numpy as np

from centrum.arrays import Array, Flags, Floats
from centrum.errors import DataError
from centrum.features.registry import Family, Reads
from centrum.kernels.sphere import sphere_means, sphere_rows

RADIUS = 10 * (3 / (4 * pi)) ** (1 / 3)
"""mm, of a sphere of 1 cm3: 6.2."""

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A region and the image around it.

    Attributes
    ----------
    image : (z, y, x) intensities, with all voxels within `RADIUS` of the region
    kept : (z, y, x) the region
    spacing : mm along x, y, z

    >>> n = Surroundings(np.ones((1, 1, 2)), np.ones((1, 1, 2), bool), (2, 2, 2))
    >>> n.peaks.tolist()
    [1.0, 1.0]
    """

    image: Array
    kept: Flags
    spacing: tuple[float, float, float]

    @classmethod
    def around(
        cls,
        image: Array,
        box: Box,
        kept: Flags,
        spacing: tuple[float, float, float],
    ) -> Self:
        """Of a region `kept` in a `box` of a whole image (z, y, x).

        Raises
        ------
        DataError
            Intensities around the region are not finite.
        """
        reach = [int(RADIUS / step) for step in reversed(spacing)]
        begin = [max(side.start - r, 0) for side, r in zip(box, reach, strict=True)]
        end = [side.stop + r for side, r in zip(box, reach, strict=True)]
        part = image[tuple(slice(b, e) for b, e in zip(begin, end, strict=True))]
        if bad := int(np.count_nonzero(~np.isfinite(part))):
            raise DataError(
                f"{bad} of {part.size} voxels around the region (within {RADIUS:.1f} mm) are not "
                "finite: leave out the family local_intensity, or fill them."
            )
        grown = np.zeros(part.shape, dtype=bool)
        place = (slice(s.start - b, s.stop - b) for s, b in zip(box, begin, strict=True))
        grown[tuple(place)] = kept
        return cls(part, grown, spacing)

    @cached_property
    def peaks(self) -> Floats:
        """Mean intensity in the sphere of 1 cm3 around each voxel of the region, (n,)."""
        x, y, z = self.spacing
        return sphere_means(self.image, self.kept, sphere_rows(RADIUS, (z, y, x)))


SURROUNDINGS = Reads("the image in and around the region")

local_intensity = Family("local_intensity", SURROUNDINGS)


@local_intensity.feature("VJGA", "Local intensity peak")
def local_peak(n: Surroundings) -> float:
    """The highest, if several voxels have the maximum.

    >>> image = np.array([[[9.0, 3.0, 0.0, 5.0, 9.0]]])
    >>> local_peak(Surroundings(image, image > 0, (5, 5, 5)))
    7.0
    """
    x = n.image[n.kept]
    return float(n.peaks[x == x.max()].max())


@local_intensity.feature("0F91", "Global intensity peak")
def global_peak(n: Surroundings) -> float:
    """The highest mean around any voxel of the region, often not that of its maximum.

    >>> image = np.array([[[9.0, 0.0, 6.0, 7.0, 8.0]]])
    >>> local_peak(Surroundings(image, image > 0, (5, 5, 5)))
    4.5
    >>> global_peak(Surroundings(image, image > 0, (5, 5, 5)))
    7.5
    """
    return float(n.peaks.max())
