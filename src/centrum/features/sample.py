"""Functionals of a set of numbers, shared by intensity statistics and intensity histogram.

Sections 3.3 and 3.4 of the IBSI reference manual define the same functionals, once of the
intensities in the region and once of the discretised intensities (grey levels).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.features.registry import Family


@dataclass(frozen=True, eq=False)
class Sample:
    """The numbers `x` in a region, (n,)."""

    x: NDArray[Any]

    @cached_property
    def mean(self) -> float:
        return float(np.mean(self.x))

    @cached_property
    def deviation(self) -> NDArray[np.float64]:
        """x - mean."""
        return np.asarray(self.x - self.mean, dtype=float)

    def moment(self, order: int) -> float:
        """Central moment, divided by n."""
        return float(np.mean(self.deviation**order))

    @cached_property
    def variance(self) -> float:
        return self.moment(2)

    @cached_property
    def percentiles(self) -> dict[int, float]:
        """Percentiles 10, 25, 50, 75 and 90, linear between order statistics."""
        ranks = (10, 25, 50, 75, 90)
        return dict(zip(ranks, np.percentile(self.x, ranks).tolist(), strict=True))


def mean(s: Sample) -> float:
    return s.mean


def variance(s: Sample) -> float:
    return s.variance


def skewness(s: Sample) -> float:
    return s.moment(3) / s.variance**1.5 if s.variance > 0 else 0.0


def excess_kurtosis(s: Sample) -> float:
    return s.moment(4) / s.variance**2 - 3 if s.variance > 0 else 0.0


def median(s: Sample) -> float:
    return s.percentiles[50]


def minimum(s: Sample) -> float:
    return float(np.min(s.x))


def percentile_10(s: Sample) -> float:
    return s.percentiles[10]


def percentile_90(s: Sample) -> float:
    return s.percentiles[90]


def maximum(s: Sample) -> float:
    return float(np.max(s.x))


def interquartile_range(s: Sample) -> float:
    return s.percentiles[75] - s.percentiles[25]


def range_(s: Sample) -> float:
    return maximum(s) - minimum(s)


def mean_absolute_deviation(s: Sample) -> float:
    return float(np.mean(np.abs(s.deviation)))


def robust_mean_absolute_deviation(s: Sample) -> float:
    inner = s.x[(s.x >= s.percentiles[10]) & (s.x <= s.percentiles[90])]
    return float(np.mean(np.abs(inner - np.mean(inner))))


def median_absolute_deviation(s: Sample) -> float:
    return float(np.mean(np.abs(s.x - s.percentiles[50])))


def coefficient_of_variation(s: Sample) -> float:
    return float(np.float64(s.variance**0.5) / s.mean)


def quartile_coefficient_of_dispersion(s: Sample) -> float:
    return float(np.float64(interquartile_range(s)) / (s.percentiles[75] + s.percentiles[25]))


SHARED = (
    mean,
    variance,
    skewness,
    excess_kurtosis,
    median,
    minimum,
    percentile_10,
    percentile_90,
    maximum,
    interquartile_range,
    range_,
    mean_absolute_deviation,
    robust_mean_absolute_deviation,
    median_absolute_deviation,
    coefficient_of_variation,
    quartile_coefficient_of_dispersion,
)


def family_of_samples(name: str, codes_and_names: tuple[tuple[str, str], ...]) -> Family:
    """A family that begins with the shared functionals under its own codes and names."""
    family = Family(name)
    for (code, title), compute in zip(codes_and_names, SHARED, strict=True):
        family.feature(code, title)(compute)
    return family
