"""Functionals of a set of numbers, shared by intensity statistics and intensity histogram.

Sections 3.3 and 3.4 of the IBSI reference manual (arXiv:1612.07003) define the same functionals,
once of the intensities in the region and once of the discretised intensities (grey levels).

They are those of one sample, or of many at once, whose values are arrays (samples,).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from centrum.arrays import Array, Floats, Ints
from centrum.features.distribution import power, unless_cancelled
from centrum.features.registry import Family, Reads
from centrum.kernels.tally import Deviations, Tallies, Tally, Value


@dataclass(frozen=True, eq=False)
class Sample:
    """The numbers in a region, or in many, as values and how often each occurs."""

    tally: Tally | Tallies

    @classmethod
    def of(cls, x: Array | list[float], *others: float) -> Self:
        """The sample of numbers `x`, (n,); `others` are further fields."""
        return cls(Tally.of(np.asarray(x)), *others)

    @property
    def n(self) -> int | Ints:
        return self.tally.n

    @property
    def mean(self) -> Value:
        return self.tally.mean

    @property
    def variance(self) -> Value:
        return self.tally.moments.second

    @cached_property
    def percentiles(self) -> Mapping[int, Value]:
        """Percentiles 10, 25, 50, 75 and 90, linear between order statistics."""
        return self.tally.percentiles((10, 25, 50, 75, 90))

    @cached_property
    def deviations(self) -> Deviations:
        """Mean absolute deviations: inner from percentile 10 to 90, all around the median."""
        low, high, centre = (self.percentiles[k] for k in (10, 90, 50))
        return self.tally.deviations(low, high, centre)


def mean(s: Sample) -> Value:
    """The arithmetic mean.

    >>> mean(Sample.of([1, 2, 6]))
    3.0
    """
    return s.mean


def variance(s: Sample) -> Value:
    """Divided by n, not n - 1.

    >>> variance(Sample.of([1, 2, 6]))
    4.666...
    """
    return s.variance


def skewness(s: Sample) -> Value:
    """0 for a constant region.

    >>> float(skewness(Sample.of([0, 0, 0, 4]))), float(skewness(Sample.of([7, 7])))
    (1.154..., 0.0)
    """
    return _standardised(s.tally.moments.third, s.variance, 1.5)


def excess_kurtosis(s: Sample) -> Value:
    """0 for a normal distribution, and for a constant region.

    >>> float(excess_kurtosis(Sample.of([-1, 1]))), float(excess_kurtosis(Sample.of([7, 7])))
    (-2.0, 0.0)
    """
    return _standardised(s.tally.moments.fourth, s.variance, 2) - 3 * np.greater(s.variance, 0)


def median(s: Sample) -> Value:
    """Between the two middle numbers of an even count.

    >>> median(Sample.of([1, 2, 6, 9]))
    4.0
    """
    return s.percentiles[50]


def minimum(s: Sample) -> Value:
    """The smallest number.

    >>> minimum(Sample.of([3, -2, 6]))
    -2.0
    """
    return s.tally.low


def percentile_10(s: Sample) -> Value:
    """Linear between the two nearest order statistics.

    >>> percentile_10(Sample.of([0, 10]))
    1.0
    """
    return s.percentiles[10]


def percentile_90(s: Sample) -> Value:
    """Linear between the two nearest order statistics.

    >>> percentile_90(Sample.of([0, 10]))
    9.0
    """
    return s.percentiles[90]


def maximum(s: Sample) -> Value:
    """The largest number.

    >>> maximum(Sample.of([3, -2, 6]))
    6.0
    """
    return s.tally.high


def interquartile_range(s: Sample) -> Value:
    """From the first to the third quartile.

    >>> interquartile_range(Sample.of([0, 1, 2, 3, 4]))
    2.0
    """
    return s.percentiles[75] - s.percentiles[25]


def range_(s: Sample) -> Value:
    """From the smallest to the largest number.

    >>> range_(Sample.of([3, -2, 6]))
    8.0
    """
    return s.tally.high - s.tally.low


def mean_absolute_deviation(s: Sample) -> Value:
    """Mean distance to the mean.

    >>> mean_absolute_deviation(Sample.of([0, 0, 6]))
    2.666...
    """
    return s.tally.moments.absolute


def robust_mean_absolute_deviation(s: Sample) -> Value:
    """Mean distance to their mean of the numbers between percentiles 10 and 90, both included.

    NaN if there are none, as of two different numbers.

    >>> robust_mean_absolute_deviation(Sample.of([-99, 1, 3, 99]))
    1.0
    """
    return s.deviations.inner


def median_absolute_deviation(s: Sample) -> Value:
    """Mean, not median, distance to the median.

    >>> median_absolute_deviation(Sample.of([1, 2, 9]))
    2.666...
    """
    return s.deviations.all


def coefficient_of_variation(s: Sample) -> Value:
    """Infinite or NaN if the mean is 0.

    >>> float(coefficient_of_variation(Sample.of([1, 3])))
    0.5
    """
    deviation = power(s.variance, 0.5)
    return np.divide(deviation, unless_cancelled(s.mean, deviation))


def quartile_coefficient_of_dispersion(s: Sample) -> Value:
    """Infinite or NaN if the quartiles add up to 0.

    >>> float(quartile_coefficient_of_dispersion(Sample.of([0, 1, 2, 3, 4])))
    0.5
    """
    return np.divide(interquartile_range(s), s.percentiles[75] + s.percentiles[25])


def _standardised(moment: Value, variance: Value, exponent: float) -> Floats:
    """A moment over a power of the variance; 0 without variance."""
    spread = power(variance, exponent)
    return np.divide(moment, spread, out=np.zeros(np.shape(spread)), where=np.greater(spread, 0))


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


def family_of_samples(
    name: str, reads: Reads, codes_and_names: tuple[tuple[str, str], ...]
) -> Family:
    """A family that begins with the shared functionals under its own codes and names."""
    family = Family(name, reads)
    for (code, title), compute in zip(codes_and_names, SHARED, strict=True):
        family.feature(code, title)(compute)
    return family
