"""Intensity-based statistical features (IBSI 3.3, UHIW)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.features.sample import Sample, excess_kurtosis, family_of_samples


@dataclass(frozen=True, eq=False)
class Intensities(Sample):
    """Intensities `x` in a region of voxels of `voxel_volume` mm3.

    `x_shifted` is what energy and root mean square read: `x`, or in PyRadiomics
    `x + voxelArrayShift`.
    """

    voxel_volume: float
    x_shifted: NDArray[Any]


statistics = family_of_samples(
    "statistics",
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


@statistics.feature("", "Intensity kurtosis (not excess)")
def kurtosis(s: Intensities) -> float:
    return excess_kurtosis(s) + 3 if s.variance > 0 else 0.0


@statistics.feature("N8CA", "Intensity-based energy")
def energy(s: Intensities) -> float:
    return float(np.sum(np.square(s.x_shifted, dtype=float)))


@statistics.feature("", "Total energy")
def total_energy(s: Intensities) -> float:
    return s.voxel_volume * energy(s)


@statistics.feature("5ZWQ", "Root mean square intensity")
def root_mean_square(s: Intensities) -> float:
    return float(np.sqrt(energy(s) / s.x_shifted.size))
