"""Shapley values of what a classifier computes: each feature's part, against one reference.

The reference is a case whose every z-score is 0, so that every feature is at the mean of the
training cases. A part is the mean, over all orders in which the features could take the place of
the reference's, of what the feature changes when its turn comes (Shapley 1953; against one
reference: Sundararajan and Najmi, ICML 2020;119:9269). The parts and the value of the reference
sum to the value of the case. No sampling: a tree is a sum of boxes and a radial kernel a sum of
products, and both have a closed form.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from centrum.arrays import Flags, Floats, Ints

MOST_NODES = 64
"""Of the quadrature: exact for 127 features, and for more of them to rounding, as the integrand is
smooth then."""


TINY = 1e-100
"""A factor below it is not divided by."""


def product_parts(own: Floats, usual: Floats, weights: Floats) -> Floats:
    """Parts (features,) of sum over rows of weight x product over features of `own`.

    Features that are not in have the factor `usual`. With a share t of all features in, at random,
    a product is expected to be the product of u + t (o - u); a feature's part is the mean over t of
    what the expectation gains by it (Owen, Manage Sci 1972;18:P64). That mean is an integral of a
    polynomial, which Gauss and Legendre's quadrature gives exactly.

    Parameters
    ----------
    own, usual : (rows, features) from 0 to 1
    weights : (rows,)

    >>> product_parts(np.array([[0.5, 1.0]]), np.array([[1.0, 0.5]]), np.array([8.0]))
    array([-3.,  3.])
    """
    nodes, shares = np.polynomial.legendre.leggauss(min(-(-own.shape[1] // 2), MOST_NODES))
    parts = np.zeros(own.shape[1])
    for t, share in zip((1 + nodes) / 2, shares / 2, strict=True):
        parts += share * (
            weights @ ((own - usual) * _products_of_others(usual + t * (own - usual)))
        )
    return parts


def _products_of_others(factors: Floats) -> Floats:
    """For each column (rows, columns) the product of all others; 0 for a factor that is nearly 0.

    Such a factor is nearly 0 with and without its feature, so that the feature adds nothing.

    >>> _products_of_others(np.array([[0.5, 0.25, 1.0], [0.0, 0.25, 1.0]]))
    array([[0.25 , 0.5  , 0.125],
           [0.   , 0.   , 0.   ]])
    """
    whole = factors.prod(axis=1, keepdims=True)
    return np.divide(whole, factors, out=np.zeros_like(factors), where=factors > TINY)


@dataclass(frozen=True, eq=False)
class Boxes:
    """The leaves of trees as boxes: each gives its value where all its limits hold.

    Attributes
    ----------
    values : (leaves,)
    features : (leaves, limits) which feature a limit is of
    lows, highs : (leaves, limits) above `lows`, at most `highs`; leaves with fewer limits than
        others have some that always hold
    """

    values: Floats
    features: Ints
    lows: Floats
    highs: Floats

    @classmethod
    def of(cls, leaves: Iterable[tuple[float, dict[int, tuple[float, float]]]]) -> "Boxes":
        """From each leaf's value and its limits by feature."""
        known = list(leaves)
        shape = (len(known), max(1, *(len(limits) for _, limits in known)))
        found = cls(
            np.array([value for value, _ in known]),
            np.zeros(shape, dtype=np.int64),
            np.full(shape, -np.inf),
            np.full(shape, np.inf),
        )
        for k, (_, limits) in enumerate(known):
            for j, (feature, (low, high)) in enumerate(limits.items()):
                found.features[k, j], found.lows[k, j], found.highs[k, j] = feature, low, high
        return found

    def parts(self, z: NDArray[np.float32]) -> Floats:
        """Parts of the sum of all boxes, (cases, features)."""
        usual = self._within(np.zeros(z.shape[1], dtype=z.dtype))
        return np.array([self._of_case(self._within(row), usual, row.size) for row in z])

    def _within(self, row: NDArray[np.float32]) -> Flags:
        values = row[self.features]
        return (values > self.lows) & (values <= self.highs)

    def _of_case(self, own: Flags, usual: Flags, width: int) -> Floats:
        """Of one case, of which `own` limits hold; of the reference the `usual` ones.

        A leaf is reached when the features that only the case has within the box are in, and those
        that only the reference has are not.
        """
        reached = (own | usual).all(axis=1)
        needed, barred = own[reached] & ~usual[reached], usual[reached] & ~own[reached]
        n, m = needed.sum(axis=1), barred.sum(axis=1)
        size = self.values[reached] / np.maximum(comb(n + m, n), 1)
        gain = needed * _each(size, n) - barred * _each(size, m)
        return np.asarray(np.bincount(self.features[reached].ravel(), gain.ravel(), width), float)


def _each(size: Floats, number: Ints) -> Floats:
    """Divided by so many, as a column; 0 where there is none."""
    return np.divide(size, number, out=np.zeros_like(size), where=number > 0)[:, None]


def leaves_of(
    left: Ints, right: Ints, feature: Ints, threshold: Floats, value: Floats
) -> Iterator[tuple[float, dict[int, tuple[float, float]]]]:
    """Value of every leaf of a tree, and its limits by feature: above the one, at most the other.

    >>> tree = [np.array(x) for x in ([1, -1, -1], [2, -1, -1], [0, -1, -1])]
    >>> [*leaves_of(*tree, np.array([0.5, 0, 0]), np.array([0.0, 1.0, 2.0]))]
    [(1.0, {0: (-inf, 0.5)}), (2.0, {0: (0.5, inf)})]
    """
    waiting: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while waiting:
        node, limits = waiting.pop()
        k, at = int(feature[node]), float(threshold[node])
        if k < 0:
            yield float(value[node]), limits
            continue
        low, high = limits.get(k, (-np.inf, np.inf))
        waiting.append((int(right[node]), {**limits, k: (max(low, at), high)}))
        waiting.append((int(left[node]), {**limits, k: (low, min(high, at))}))
