"""Intensity-volume histogram features (IBSI 3.5, P88C).

The histogram nu(x) is the fraction of the region's volume with at least the intensity x. The
intensities x lie on a regular grid, and gamma(x) is where x lies between the ends of the total
range G, 0 to 1. Grid and G depend on the intensities (arXiv:1612.07003, section 3.5):

- calibrated whole numbers go by the unit; "the total range G is equal to the re-segmentation
  range",
- other calibrated ones by the centres of bins of a fixed size w; G goes from half a bin above the
  lower bound of the re-segmentation to half a bin below the upper one,
- arbitrary ones by a fixed number of bins; G is from the first to the last of them, because a
  range "generally cannot be provided".

Where the re-segmentation leaves an end open, G has the end of the intensities themselves: the
smallest or largest unit, or centre of a bin, that occurs. The bounds are those of the protocol;
those which a number of standard deviations gives are no range.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from centrum.arrays import Array, Floats
from centrum.errors import DataError
from centrum.features.registry import Family, Reads
from centrum.kernels.tally import COUNTABLE, Tally
from centrum.prepare.discretise import fixed_bin_number, fixed_bin_size


@dataclass(frozen=True, eq=False)
class VolumeHistogram:
    """Voxels at each intensity of a grid.

    Attributes
    ----------
    counts : (k,) voxels at the intensities first, first + interval, ..
    first, interval : the grid
    low, high : the ends of G, where gamma is 0 and 1
    """

    counts: Array
    first: float
    interval: float
    low: float
    high: float

    @classmethod
    def by_unit(cls, tally: Tally, lower: float | None = None, upper: float | None = None) -> Self:
        """Of calibrated whole numbers, such as Hounsfield units.

        gamma goes from `lower` to `upper`, the bounds of the re-segmentation; without them from
        the minimum, to the maximum.

        Raises
        ------
        DataError
            An intensity is not a whole number, or they range too far.

        >>> VolumeHistogram.by_unit(Tally.of(np.array([-1.0, 1.0, 1.0]))).counts.tolist()
        [1, 0, 2]
        >>> VolumeHistogram.by_unit(Tally.of(np.array([20, 60])), 0, 100).gamma[[0, -1]].tolist()
        [0.2, 0.6]
        """
        low = tally.low if lower is None else lower
        high = tally.high if upper is None else upper
        return cls(_count_units(tally), tally.low, 1.0, low, high)

    @classmethod
    def by_size(
        cls, tally: Tally, width: float, lower: float | None = None, upper: float | None = None
    ) -> Self:
        """Of other calibrated intensities, by the centres of bins of `width`.

        The bins begin at `lower`, the lower bound of the re-segmentation, without it at the
        minimum. gamma goes from the centre of the first bin to half a bin below `upper`, without
        it to the centre of the last bin.

        >>> VolumeHistogram.by_size(Tally.of(np.array([0.1, 2.6])), 0.5, 0, 3).intensity.tolist()
        [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]
        """
        counts = tally.recounted(fixed_bin_size(tally.values, width, lower))
        first = (tally.low if lower is None else lower) + width / 2
        last = first + width * (counts.size - 1)
        return cls(counts, first, width, first, last if upper is None else upper - width / 2)

    @classmethod
    def by_number(cls, tally: Tally, bins: int) -> Self:
        """Of arbitrary intensities, by the levels of `bins` bins.

        >>> VolumeHistogram.by_number(Tally.of(np.array([0.1, 2.6])), 4).counts.tolist()
        [1, 0, 0, 1]
        """
        levels = fixed_bin_number(tally.values, bins)
        return cls(tally.recounted(levels), 1.0, 1.0, 1.0, float(levels.max()))

    @property
    def has_range(self) -> bool:
        """Whether G is more than one intensity."""
        return self.high > self.low

    @cached_property
    def intensity(self) -> Floats:
        """The grid x, (k,)."""
        return np.asarray(self.first + self.interval * np.arange(self.counts.size))

    @cached_property
    def gamma(self) -> Floats:
        """Intensity fraction of x, (k,); NaN if the range is empty."""
        return np.asarray((self.intensity - self.low) / np.float64(self.high - self.low))

    @cached_property
    def nu(self) -> Floats:
        """Fraction of the volume with at least the intensity x, (k,)."""
        at_least = np.cumsum(self.counts[::-1])[::-1]
        return np.asarray(at_least / at_least[0])

    def volume_at(self, fraction: float) -> float:
        """Fraction of the volume with at least this fraction of intensity; NaN without a range."""
        if not self.has_range:
            return float("nan")
        place = int(np.searchsorted(self.gamma, fraction))
        return float(self.nu[place]) if place < self.nu.size else 0.0

    def intensity_at(self, fraction: float) -> float:
        """Smallest intensity of the grid which at most this fraction of the volume reaches.

        That of the grid's next step above the maximum, if the maximum is reached by more.
        """
        place = np.count_nonzero(self.nu > fraction)
        return float(self.first + self.interval * place)


def _count_units(tally: Tally) -> Array:
    if tally.counted:
        return tally.times.astype(np.int64)
    steps = tally.values - tally.low
    if tally.high - tally.low >= COUNTABLE or np.any(tally.values != np.rint(tally.values)):
        raise DataError(
            "An intensity-volume histogram by the unit needs whole numbers over a range of less "
            f"than {COUNTABLE}, found {tally.low:g} to {tally.high:g}; "
            "choose a fixed bin size or number."
        )
    return np.bincount(steps.astype(np.int64))


VOLUME_HISTOGRAM = Reads("volume above each intensity", responses=True)

ivh = Family("ivh", VOLUME_HISTOGRAM)


@ivh.feature("NK6P", "Volume fraction at 10% intensity")
def volume_at_10(h: VolumeHistogram) -> float:
    """NaN for a region of a single intensity.

    >>> volume_at_10(VolumeHistogram.by_unit(Tally.of(np.array([0, 1, 5, 10]))))
    0.75
    """
    return h.volume_at(0.1)


@ivh.feature("4279", "Volume fraction at 90% intensity")
def volume_at_90(h: VolumeHistogram) -> float:
    """NaN for a region of a single intensity.

    >>> volume_at_90(VolumeHistogram.by_unit(Tally.of(np.array([0, 1, 5, 10]))))
    0.25
    """
    return h.volume_at(0.9)


@ivh.feature("PWN1", "Intensity at 10% volume")
def intensity_at_10(h: VolumeHistogram) -> float:
    """Above the maximum if more than a tenth of the volume reaches it.

    >>> intensity_at_10(VolumeHistogram.by_unit(Tally.of(np.array([0, 1, 5, 10]))))
    11.0
    """
    return h.intensity_at(0.1)


@ivh.feature("BOHI", "Intensity at 90% volume")
def intensity_at_90(h: VolumeHistogram) -> float:
    """The step of the grid above the minimum, if more than a tenth of the volume lies there.

    >>> intensity_at_90(VolumeHistogram.by_unit(Tally.of(np.array([0, 1, 5, 10]))))
    1.0
    """
    return h.intensity_at(0.9)


@ivh.feature("WITY", "Volume fraction difference between 10% and 90% intensity")
def volume_difference(h: VolumeHistogram) -> float:
    """NaN for a region of a single intensity.

    >>> volume_difference(VolumeHistogram.by_unit(Tally.of(np.array([0, 1, 5, 10]))))
    0.5
    """
    return h.volume_at(0.1) - h.volume_at(0.9)


@ivh.feature("JXJA", "Intensity difference between 10% and 90% volume")
def intensity_difference(h: VolumeHistogram) -> float:
    """In levels, if the histogram is by number of bins.

    >>> intensity_difference(VolumeHistogram.by_unit(Tally.of(np.array([0, 1, 5, 10]))))
    10.0
    """
    return h.intensity_at(0.1) - h.intensity_at(0.9)


@ivh.feature("9CMM", "Area under the intensity-volume histogram curve")
def area_under_curve(h: VolumeHistogram) -> float:
    """Trapezia between the intensities of the grid, over the whole of G; NaN for a region of a
    single intensity.

    >>> area_under_curve(VolumeHistogram.by_unit(Tally.of(np.array([0, 1]))))
    0.75
    >>> area_under_curve(VolumeHistogram.by_unit(Tally.of(np.array([0, 1])), -1, 3))
    0.5
    """
    if not h.has_range:
        return float("nan")
    after = h.gamma[-1] + h.interval / (h.high - h.low)
    fractions = np.concatenate(([0.0], h.gamma, [after]))
    volumes = np.concatenate(([1.0], h.nu, [0.0]))
    return float(np.trapezoid(volumes, np.clip(fractions, 0, 1)))
