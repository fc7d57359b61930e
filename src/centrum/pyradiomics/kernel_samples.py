"""First-order features of many small samples at once, for maps.

The numbers are those of `features.statistics` and `features.histogram`; a sample is a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from centrum.arrays import Flags, Floats, Ints


@dataclass(frozen=True, eq=False)
class Samples:
    """Intensities of the neighbourhoods of voxels.

    Attributes
    ----------
    x : (n, k) intensities of a neighbourhood; nan where it has no voxel
    levels : (n, k) grey levels from 1; 0 where it has none
    voxel_volume : mm3
    shift : added to the intensities before energy (voxelArrayShift)

    >>> s = Samples(np.array([[1.0, 5.0, np.nan]]), np.array([[1, 2, 0]]))
    >>> FEATURES["Mean"](s).tolist(), FEATURES["Entropy"](s).tolist()
    ([3.0], [1.0])
    """

    x: Floats
    levels: NDArray[np.integer]
    voxel_volume: float = 1.0
    shift: float = 0.0

    @cached_property
    def counted(self) -> Flags:
        return self.levels > 0

    @cached_property
    def n(self) -> Ints:
        """Voxels of each neighbourhood, (n,)."""
        return np.count_nonzero(self.counted, axis=1)

    def average(self, terms: Floats, counted: Flags | None = None) -> Floats:
        """Mean of terms (n, k) over the voxels of each row."""
        where = self.counted if counted is None else counted
        return np.asarray(np.where(where, terms, 0.0).sum(axis=1) / np.count_nonzero(where, axis=1))

    @cached_property
    def mean(self) -> Floats:
        return self.average(self.x)

    @cached_property
    def deviation(self) -> Floats:
        return self.x - self.mean[:, None]

    def moment(self, order: int) -> Floats:
        """Central moment, divided by n."""
        return self.average(self.deviation**order)

    @cached_property
    def variance(self) -> Floats:
        return self.moment(2)

    @cached_property
    def ascending(self) -> Floats:
        """The values of each row in order, its nan last."""
        return np.sort(self.x, axis=1)

    def percentile(self, percent: float) -> Floats:
        """Linear between order statistics, in numpy's arithmetic."""
        place = (self.n - 1) * (percent / 100)
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, self.n - 1)
        a, b = (np.take_along_axis(self.ascending, k[:, None], 1)[:, 0] for k in (below, above))
        part = place - below
        return np.where(part >= 0.5, b - (b - a) * (1 - part), a + (b - a) * part)

    @cached_property
    def maximum(self) -> Floats:
        return self.percentile(100)

    @cached_property
    def minimum(self) -> Floats:
        return self.ascending[:, 0]

    @cached_property
    def energy(self) -> Floats:
        return self.average((self.x + self.shift) ** 2) * self.n

    @cached_property
    def p(self) -> Floats:
        """Share of each grey level, (n, Ng)."""
        rows, width = len(self.levels), int(self.levels.max()) + 1
        cells = (np.arange(rows)[:, None] * width + self.levels).ravel()
        counts = np.bincount(cells, minlength=rows * width).reshape(rows, width)[:, 1:]
        return np.asarray(counts / self.n[:, None])

    def standardised(self, order: int) -> Floats:
        """Central moment over the power of the variance; 0 where all values are equal."""
        spread = np.where(self.variance > 0, self.variance, 1.0)
        return np.asarray(self.moment(order) / spread ** (order / 2))

    @cached_property
    def robust_deviation(self) -> Floats:
        """Mean absolute deviation of the values from percentile 10 to 90."""
        low, high = self.percentile(10)[:, None], self.percentile(90)[:, None]
        inner = self.counted & (self.x >= low) & (self.x <= high)
        centre = self.average(self.x, inner)[:, None]
        return self.average(np.abs(self.x - centre), inner)


def _entropy(p: Floats) -> Floats:
    return np.asarray(-(p * np.log2(p, out=np.zeros_like(p), where=p > 0)).sum(axis=1))


FEATURES: dict[str, Callable[[Samples], Floats]] = {
    "10Percentile": lambda s: s.percentile(10),
    "90Percentile": lambda s: s.percentile(90),
    "Energy": lambda s: s.energy,
    "Entropy": lambda s: _entropy(s.p),
    "InterquartileRange": lambda s: s.percentile(75) - s.percentile(25),
    "Kurtosis": lambda s: s.standardised(4),
    "Maximum": lambda s: s.maximum,
    "MeanAbsoluteDeviation": lambda s: s.average(np.abs(s.deviation)),
    "Mean": lambda s: s.mean,
    "Median": lambda s: s.percentile(50),
    "Minimum": lambda s: s.minimum,
    "Range": lambda s: s.maximum - s.minimum,
    "RobustMeanAbsoluteDeviation": lambda s: s.robust_deviation,
    "RootMeanSquared": lambda s: np.sqrt(s.energy / s.n),
    "Skewness": lambda s: s.standardised(3),
    "StandardDeviation": lambda s: np.sqrt(s.variance),
    "TotalEnergy": lambda s: s.energy * s.voxel_volume,
    "Uniformity": lambda s: (s.p**2).sum(axis=1),
    "Variance": lambda s: s.variance,
}
"""By PyRadiomics' names."""
