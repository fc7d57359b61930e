"""Spatial autocorrelation of intensities (IBSI 3.1.28 and 3.1.29).

>>> kept = np.ones((1, 1, 4), bool)
>>> steps = Autocorrelation(kept, np.array([1.0, 1.0, 5.0, 5.0]), (1.0, 1.0, 1.0))
>>> {name: round(float(v), 4) for name, v in spatial.compute(steps, "ibsi").items()}
{'morans_i': -0.0769, 'gearys_c': 0.8077}
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from centrum.arrays import Array, Flags, Floats
from centrum.features.registry import Family, Reads
from centrum.kernels.correlation import fast_shape, inverse_distance_spectrum, pair_sums
from centrum.volume import bounding_box

AUTOCORRELATION = Reads("intensities and where they lie")

spatial = Family("spatial", AUTOCORRELATION)


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """Intensities and all distances between their voxels; a pair weighs 1 / distance.

    Attributes
    ----------
    kept : (z, y, x) the voxels whose intensities count
    x : (n,) their intensities in C order
    spacing : mm along x, y, z

    >>> pair = Autocorrelation(np.ones((1, 1, 2), bool), np.array([1.0, 3.0]), (2.0, 1.0, 1.0))
    >>> [round(total, 9) for total in pair.sums]  # twice a weight of 1/2; (1, -1) is standard
    [1.0, -1.0, 4.0]
    """

    kept: Flags
    x: Array
    spacing: tuple[float, float, float]

    @cached_property
    def sums(self) -> tuple[float, float, float]:
        """Over all pairs the weights, weighted products, weighted squared differences.

        Of intensities with mean 0 and variance 1; NaN when all are equal or there is only one.
        """
        if self.x.size == 0 or self.x.min() == self.x.max():
            return float("nan"), float("nan"), float("nan")
        z = (self.x - self.x.mean()) / self.x.std()
        kept = self.kept[bounding_box(self.kept)]
        spectrum = inverse_distance_spectrum(fast_shape(kept.shape), self.spacing[::-1])
        (products,) = pair_sums([_placed(kept, z)], spectrum)
        weights, squares = pair_sums([kept.astype(float), _placed(kept, z**2)], spectrum)
        return weights, products, 2 * (squares - products)


def _placed(kept: Flags, x: Array) -> Floats:
    field = np.zeros(kept.shape)
    field[kept] = x
    return field


@spatial.feature("N365", "Moran's I index")
def morans_i(s: Autocorrelation) -> float:
    """Near 1 when neighbours are alike, about 0 by chance; NaN for one intensity.

    >>> pair = Autocorrelation(np.ones((1, 1, 2), bool), np.array([1.0, 3.0]), (2.0, 1.0, 1.0))
    >>> round(morans_i(pair), 9)
    -1.0
    """
    weights, products, _ = s.sums
    return products / weights


@spatial.feature("NPT7", "Geary's C measure")
def gearys_c(s: Autocorrelation) -> float:
    """Near 0 when neighbours are alike, about 1 by chance; NaN for one intensity.

    >>> pair = Autocorrelation(np.ones((1, 1, 2), bool), np.array([1.0, 3.0]), (2.0, 1.0, 1.0))
    >>> round(gearys_c(pair), 9)
    1.0
    """
    weights, _, differences = s.sums
    return (1 - 1 / s.x.size) * differences / (2 * weights)
