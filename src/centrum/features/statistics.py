"""Intensity-based statistical features (IBSI 3.3, UHIW)."""

from dataclasses import dataclass

import numpy as np

from centrum.features.distribution import power
from centrum.features.registry import Reads
from centrum.features.sample import Sample, excess_kurtosis, family_of_samples
from centrum.kernels.tally import Value


@dataclass(frozen=True, eq=False)
class Intensities(Sample):
    """Intensities in a region, or in many, of voxels of `voxel_volume` mm3.

    `energy_shift` is added to them before energy and root mean square, as PyRadiomics does
    (voxelArrayShift).
    """

    voxel_volume: float = 1.0
    energy_shift: float = 0.0


INTENSITIES = Reads("intensities and how often each occurs", responses=True)

statistics = family_of_samples(
    "statistics",
    INTENSITIES,
    (
        ("Q4LE", "Mean intensity"),
        ("ECT3", "Intensity variance"),
        ("KE2A", "Intensity skewness"),
        ("IPH6", "(Excess) intensity kurtosis"),
        ("Y12H", "Median intensity"),
        ("1GSF", "Minimum intensity"),
        ("QG58", "10th intensity percentile"),
        ("8DWT", "90th intensity percentile"),
        ("84IY", "Maximum intensity"),
        ("SALO", "Intensity interquartile range"),
        ("2OJQ", "Intensity range"),
        ("4FUA", "Intensity-based mean absolute deviation"),
        ("1128", "Intensity-based robust mean absolute deviation"),
        ("N72L", "Intensity-based median absolute deviation"),
        ("7TET", "Intensity-based coefficient of variation"),
        ("9S40", "Intensity-based quartile coefficient of dispersion"),
    ),
)


@statistics.feature("", "Standard deviation")
def standard_deviation(s: Intensities) -> Value:
    """Divided by n, not n - 1.

    >>> float(standard_deviation(Intensities.of([1, 5])))
    2.0
    """
    return power(s.variance, 0.5)


@statistics.feature("", "Intensity kurtosis (not excess)")
def kurtosis(s: Intensities) -> Value:
    """3 for a normal distribution, 0 for a constant region.

    >>> float(kurtosis(Intensities.of([-1, 1]))), float(kurtosis(Intensities.of([7, 7])))
    (1.0, 0.0)
    """
    return excess_kurtosis(s) + 3 * np.greater(s.variance, 0)


@statistics.feature("N8CA", "Intensity-based energy")
def energy(s: Intensities) -> Value:
    """Sum of squares, from the variance and the (shifted) mean.

    >>> float(energy(Intensities.of([1, 2, 6])))
    41.0
    """
    return np.asarray(s.n * mean_square(s), dtype=float)


@statistics.feature("", "Total energy")
def total_energy(s: Intensities) -> Value:
    """Energy times the volume of a voxel.

    >>> float(total_energy(Intensities.of([1, 2, 6], 0.5)))
    20.5
    """
    return s.voxel_volume * energy(s)


@statistics.feature("5ZWQ", "Root mean square intensity")
def root_mean_square(s: Intensities) -> Value:
    """Square root of the mean square of the (shifted) intensities.

    >>> float(root_mean_square(Intensities.of([1, 5])))
    3.605...
    >>> float(root_mean_square(Intensities.of([1, 5], 1, 2)))
    5.385...
    """
    return power(mean_square(s), 0.5)


def mean_square(s: Intensities) -> Value:
    """Mean of the squares of the (shifted) intensities.

    >>> float(mean_square(Intensities.of([1, 5])))
    13.0
    """
    return s.variance + power(s.mean + s.energy_shift, 2)
