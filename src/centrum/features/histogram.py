"""Intensity histogram features (IBSI 3.4, ZVCW)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Array, Ints
from centrum.features import distribution
from centrum.features.registry import Reads
from centrum.features.sample import Sample, family_of_samples
from centrum.kernels.tally import Tally, Value, count_levels


@dataclass(frozen=True, eq=False)
class Histogram(Sample):
    """Grey levels from 1 in a region, or in many that have the same highest level."""

    @classmethod
    def from_counts(cls, counts: Ints) -> Self:
        """The histogram with `counts` voxels at levels 1 .. Ng, (Ng,)."""
        return cls(Tally.of_counts(counts))

    @classmethod
    def from_levels(cls, levels: NDArray[np.uint16]) -> Self:
        """The histogram of levels of any shape; those of 0 lie outside the region."""
        return cls.from_counts(count_levels(levels))

    @cached_property
    def counts(self) -> Array:
        """Number of voxels at levels 1 .. Ng, (..., Ng)."""
        return self.tally.from_one

    @cached_property
    def levels(self) -> Array:
        return np.arange(1, self.counts.shape[-1] + 1)

    @cached_property
    def p(self) -> Array:
        return np.asarray(self.counts / np.asarray(self.n)[..., None])

    @cached_property
    def gradient(self) -> Array:
        """Central differences of the counts, one-sided at both ends; 0 for a single level."""
        c = self.counts
        if c.shape[-1] == 1:
            return np.zeros(c.shape)
        first, last = c[..., 1:2] - c[..., :1], c[..., -1:] - c[..., -2:-1]
        return np.concatenate((first, (c[..., 2:] - c[..., :-2]) / 2, last), axis=-1)


LEVELS = Reads("grey levels and how often each occurs", levels=True, responses=True)

histogram = family_of_samples(
    "histogram",
    LEVELS,
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
def mode(h: Histogram) -> Value:
    """The fullest level; of several, the one nearest to the mean, then the lower.

    >>> float(mode(Histogram.from_counts(np.array([3, 0, 3, 1]))))
    3.0
    """
    away = np.abs(h.levels - np.asarray(h.mean)[..., None])
    fullest = h.counts == h.counts.max(axis=-1, keepdims=True)
    return h.levels[np.where(fullest, away, np.inf).argmin(axis=-1)]


@histogram.feature("TLU2", "Discretised intensity entropy")
def entropy(h: Histogram) -> Value:
    """0 for a single level, log2 Ng at most.

    >>> float(entropy(Histogram.from_counts(np.array([2, 1, 1]))))
    1.5
    """
    return distribution.entropy(h.p)


@histogram.feature("BJ5W", "Discretised intensity uniformity")
def uniformity(h: Histogram) -> Value:
    """1 for a single level, 1 / Ng at least.

    >>> float(uniformity(Histogram.from_counts(np.array([1, 1]))))
    0.5
    """
    return np.asarray(h.p[..., None, :] @ h.p[..., None])[..., 0, 0]


@histogram.feature("12CE", "Maximum histogram gradient")
def maximum_gradient(h: Histogram) -> Value:
    """0 for a single level.

    >>> float(maximum_gradient(Histogram.from_counts(np.array([1, 4, 9]))))
    5.0
    """
    return np.asarray(h.gradient.max(axis=-1))


@histogram.feature("8E6O", "Maximum histogram gradient intensity")
def maximum_gradient_level(h: Histogram) -> Value:
    """Of several levels, the lowest.

    >>> float(maximum_gradient_level(Histogram.from_counts(np.array([1, 4, 9]))))
    3.0
    """
    return h.levels[h.gradient.argmax(axis=-1)]


@histogram.feature("VQB3", "Minimum histogram gradient")
def minimum_gradient(h: Histogram) -> Value:
    """0 for a single level.

    >>> float(minimum_gradient(Histogram.from_counts(np.array([9, 4, 1]))))
    -5.0
    """
    return np.asarray(h.gradient.min(axis=-1))


@histogram.feature("RHQZ", "Minimum histogram gradient intensity")
def minimum_gradient_level(h: Histogram) -> Value:
    """Of several levels, the lowest.

    >>> float(minimum_gradient_level(Histogram.from_counts(np.array([9, 4, 1]))))
    1.0
    """
    return h.levels[h.gradient.argmin(axis=-1)]
