"""Intensity histogram features (IBSI 3.4, ZVCW)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centrum.features import distribution
from centrum.features.sample import Sample, family_of_samples


@dataclass(frozen=True, eq=False)
class Histogram(Sample):
    """Grey levels `x` in a region, from 1."""

    @cached_property
    def counts(self) -> NDArray[Any]:
        """Number of voxels at levels 1 .. Ng."""
        return np.bincount(self.x)[1:]

    @cached_property
    def levels(self) -> NDArray[Any]:
        return np.arange(1, self.counts.size + 1)

    @cached_property
    def p(self) -> NDArray[Any]:
        return np.asarray(self.counts / self.x.size)

    @cached_property
    def gradient(self) -> NDArray[Any]:
        """Central differences of the counts, one-sided at both ends."""
        return np.gradient(self.counts.astype(float)) if self.counts.size > 1 else np.zeros(1)


histogram = family_of_samples(
    "histogram",
    (
        ("X6K6", "Mean discretised intensity"),
        ("CH89", "Discretised intensity variance"),
        ("88K1", "Discretised intensity skewness"),
        ("C3I7", "(Excess) discretised intensity kurtosis"),
        ("WIFQ", "Median discretised intensity"),
        ("1PR8", "Minimum discretised intensity"),
        ("GPMT", "10th discretised intensity percentile"),
        ("OZ0C", "90th discretised intensity percentile"),
        ("3NCY", "Maximum discretised intensity"),
        ("WR0O", "Discretised intensity interquartile range"),
        ("5Z3W", "Discretised intensity range"),
        ("D2ZX", "Intensity histogram mean absolute deviation"),
        ("WRZB", "Intensity histogram robust mean absolute deviation"),
        ("4RNL", "Intensity histogram median absolute deviation"),
        ("CWYJ", "Intensity histogram coefficient of variation"),
        ("SLWD", "Intensity histogram quartile coefficient of dispersion"),
    ),
)


@histogram.feature("AMMC", "Intensity histogram mode")
def mode(h: Histogram) -> float:
    """The fullest level; of several, the one nearest to the mean, then the lower."""
    fullest = h.levels[h.counts == h.counts.max()]
    return float(fullest[np.argmin(np.abs(fullest - h.mean))])


@histogram.feature("TLU2", "Discretised intensity entropy")
def entropy(h: Histogram) -> float:
    return float(distribution.entropy(h.p))


@histogram.feature("BJ5W", "Discretised intensity uniformity")
def uniformity(h: Histogram) -> float:
    return float(np.sum(h.p**2))


@histogram.feature("12CE", "Maximum histogram gradient")
def maximum_gradient(h: Histogram) -> float:
    return float(h.gradient.max())


@histogram.feature("8E6O", "Maximum histogram gradient intensity")
def maximum_gradient_level(h: Histogram) -> float:
    return float(h.levels[np.argmax(h.gradient)])


@histogram.feature("VQB3", "Minimum histogram gradient")
def minimum_gradient(h: Histogram) -> float:
    return float(h.gradient.min())


@histogram.feature("RHQZ", "Minimum histogram gradient intensity")
def minimum_gradient_level(h: Histogram) -> float:
    return float(h.levels[np.argmin(h.gradient)])
